// The tables that make a SQLite file a GeoPackage 1.3 (OGC 12-128r17), with one layer.
#pragma once

#include <string>
#include <vector>

#include "headrace/plan.h"
#include "headrace/result.h"
#include "sink/sqlite/connection.h"
#include "sink/sqlite/rtree_builder.h"

namespace headrace {

inline constexpr int kGpkgApplicationId = 0x47504B47;  // "GPKG"
inline constexpr int kGpkgUserVersion = 10300;         // 1.3.0

// "rtree_<table>_<column>"
std::string gpkg_rtree_name(const Plan& plan, const ColumnPlan& geometry);

// Statements before and after that which makes the layer's table.
std::vector<std::string> gpkg_tables();
std::vector<std::string> gpkg_rtree(const Plan& plan, const ColumnPlan& geometry);

// Describes the layer: contents with bounds, geometry column, reference system, extension.
Status register_gpkg_layer(Connection& db, const Plan& plan, const LayerFacts& facts);

}  // namespace headrace
