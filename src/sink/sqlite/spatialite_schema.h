// The tables and triggers that make a SQLite file one of SpatiaLite 4 and 5, with one table whose
// geometry columns have R-trees. SpatiaLite itself is not needed to write it.
#pragma once

#include <string>
#include <vector>

#include "headrace/plan.h"
#include "headrace/result.h"
#include "sink/sqlite/connection.h"
#include "sink/sqlite/rtree_builder.h"

namespace headrace {

// "idx_<table>_<column>"
std::string spatialite_rtree_name(const Plan& plan, const ColumnPlan& geometry);

// Statements before and after that which makes the table.
std::vector<std::string> spatialite_tables();
std::vector<std::string> spatialite_rtree(const Plan& plan, const ColumnPlan& geometry);

// Describes the geometry columns and their reference system. Fails on a column whose geometries
// differ in their dimensions: SpatiaLite has none.
Status register_spatialite_layer(Connection& db, const Plan& plan,
                                 const std::vector<LayerFacts>& facts);

}  // namespace headrace
