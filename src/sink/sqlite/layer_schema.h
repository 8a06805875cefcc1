// A table with geometries as a layer: the tables and triggers around it, of a GeoPackage
// (gpkg_schema.cc) or of a SpatiaLite file (spatialite_schema.cc).
#pragma once

#include <string>
#include <vector>

#include "headrace/plan.h"
#include "headrace/result.h"
#include "sink/sqlite/connection.h"
#include "sink/sqlite/page_file.h"
#include "sink/sqlite/rtree_builder.h"

namespace headrace {

// The geometry columns of the plan's layer, in their order; none: the plan makes no layer.
std::vector<const ColumnPlan*> layer_geometries(const Plan& plan);

// All of the following do nothing, or give nothing, for a plan without a layer.

// Statements before and after that which makes the layer's table.
std::vector<std::string> layer_tables(const Plan& plan);
std::vector<std::string> layer_rtrees(const Plan& plan);

// The virtual table of a column's R-tree.
std::string layer_rtree_name(const Plan& plan, const ColumnPlan& geometry);
RTreeBuilder::ReadBlob layer_blob_reader(const Plan& plan);

// What the file's header says of such files.
void mark_layer_file(const Plan& plan, PageFileOptions* options);

// Describes the layer; `facts` of layer_geometries().
Status register_layer(Connection& db, const Plan& plan, const std::vector<LayerFacts>& facts);

// The SRID of all its geometries.
int layer_srid(const Plan& plan);

inline constexpr int kWgs84Srid = 4326;
// Its definition, as WKT 1 has it.
extern const char* const kWgs84Definition;

// A statement with its parameters, all text; "" is NULL.
Status insert_texts(Connection& db, const std::string& sql, const std::vector<std::string>& values);

}  // namespace headrace
