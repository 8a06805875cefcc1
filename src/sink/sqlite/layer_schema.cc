#include "sink/sqlite/layer_schema.h"

#include "sink/sqlite/gpkg_schema.h"
#include "sink/sqlite/spatialite_schema.h"

namespace headrace {
namespace {

using Geometry = ValueOptions::Geometry;

bool is_gpkg(const Plan& plan) { return plan.values.geometry == Geometry::kGeoPackage; }

bool has_layer(const Plan& plan) { return !layer_geometries(plan).empty(); }

}  // namespace

const char* const kWgs84Definition =
    "GEOGCS[\"WGS 84\",DATUM[\"WGS_1984\",SPHEROID[\"WGS 84\",6378137,298.257223563,"
    "AUTHORITY[\"EPSG\",\"7030\"]],AUTHORITY[\"EPSG\",\"6326\"]],PRIMEM[\"Greenwich\",0,"
    "AUTHORITY[\"EPSG\",\"8901\"]],UNIT[\"degree\",0.0174532925199433,"
    "AUTHORITY[\"EPSG\",\"9122\"]],AUTHORITY[\"EPSG\",\"4326\"]]";

std::vector<const ColumnPlan*> layer_geometries(const Plan& plan) {
  std::vector<const ColumnPlan*> found;
  if (!is_layer(plan.values.geometry)) return found;
  for (const ColumnPlan& column : plan.columns) {
    if (column.is_geometry) found.push_back(&column);
  }
  return found;
}

int layer_srid(const Plan& plan) {
  return plan.values.srid >= 0 ? plan.values.srid : kWgs84Srid;
}

std::vector<std::string> layer_tables(const Plan& plan) {
  if (!has_layer(plan)) return {};
  return is_gpkg(plan) ? gpkg_tables() : spatialite_tables();
}

std::vector<std::string> layer_rtrees(const Plan& plan) {
  std::vector<std::string> all;
  for (const ColumnPlan* geometry : layer_geometries(plan)) {
    for (std::string& statement :
         is_gpkg(plan) ? gpkg_rtree(plan, *geometry) : spatialite_rtree(plan, *geometry)) {
      all.push_back(std::move(statement));
    }
  }
  return all;
}

std::string layer_rtree_name(const Plan& plan, const ColumnPlan& geometry) {
  return is_gpkg(plan) ? gpkg_rtree_name(plan, geometry) : spatialite_rtree_name(plan, geometry);
}

RTreeBuilder::ReadBlob layer_blob_reader(const Plan& plan) {
  return is_gpkg(plan) ? geometry_blob::read_geopackage : geometry_blob::read_spatialite;
}

void mark_layer_file(const Plan& plan, PageFileOptions* options) {
  if (!has_layer(plan) || !is_gpkg(plan)) return;
  options->user_version = kGpkgUserVersion;
  options->application_id = kGpkgApplicationId;
}

Status register_layer(Connection& db, const Plan& plan, const std::vector<LayerFacts>& facts) {
  return is_gpkg(plan) ? register_gpkg_layer(db, plan, facts.front())
                       : register_spatialite_layer(db, plan, facts);
}

Status insert_texts(Connection& db, const std::string& sql, const std::vector<std::string>& values) {
  HEADRACE_ASSIGN(Statement statement, db.prepare(sql));
  for (size_t i = 0; i < values.size(); ++i) {
    if (!values[i].empty()) statement.bind_text(static_cast<int>(i) + 1, values[i]);
  }
  HEADRACE_TRY(statement.step());
  return {};
}

}  // namespace headrace
