#include "sink/sqlite/gpkg_schema.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cstdlib>
#include <ctime>

#include "sink/sqlite/ddl.h"
#include "sink/sqlite/layer_schema.h"

namespace headrace {
namespace {

// Now; or, for builds that must be the same in every run, what SOURCE_DATE_EPOCH says.
std::string last_change() {
  const char* fixed = std::getenv("SOURCE_DATE_EPOCH");
  const std::time_t when = fixed != nullptr ? std::atoll(fixed) : std::time(nullptr);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S.000Z}", fmt::gmtime(when));
}

}  // namespace

std::string gpkg_rtree_name(const Plan& plan, const ColumnPlan& geometry) {
  return fmt::format("rtree_{}_{}", plan.table, geometry.target);
}

std::vector<std::string> gpkg_tables() {
  return {
      "CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER NOT NULL PRIMARY "
      "KEY, organization TEXT NOT NULL, organization_coordsys_id INTEGER NOT NULL, definition TEXT "
      "NOT NULL, description TEXT)",
      "CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, "
      "identifier TEXT UNIQUE, description TEXT DEFAULT '', last_change DATETIME NOT NULL DEFAULT "
      "(strftime('%Y-%m-%dT%H:%M:%fZ','now')), min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y "
      "DOUBLE, srs_id INTEGER, CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES "
      "gpkg_spatial_ref_sys(srs_id))",
      "CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL, "
      "geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT "
      "NOT NULL, CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name), CONSTRAINT "
      "uk_gc_table_name UNIQUE (table_name), CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) "
      "REFERENCES gpkg_contents(table_name), CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES "
      "gpkg_spatial_ref_sys (srs_id))",
      "CREATE TABLE gpkg_extensions (table_name TEXT, column_name TEXT, extension_name TEXT NOT "
      "NULL, definition TEXT NOT NULL, scope TEXT NOT NULL, CONSTRAINT ge_tce UNIQUE (table_name, "
      "column_name, extension_name))"};
}

// The triggers of the extension gpkg_rtree_index (annex F.3). They call functions that readers of
// GeoPackages bring along.
std::vector<std::string> gpkg_rtree(const Plan& plan, const ColumnPlan& geometry) {
  const std::string tree = gpkg_rtree_name(plan, geometry);
  const std::string quoted = sqlite_identifier(tree);
  const std::string table = sqlite_identifier(plan.table);
  const std::string c = sqlite_identifier(geometry.target);
  const std::string id = sqlite_identifier(plan.primary_key[0]);
  const std::string put = fmt::format(
      "INSERT OR REPLACE INTO {} VALUES (NEW.{}, ST_MinX(NEW.{c}), ST_MaxX(NEW.{c}), "
      "ST_MinY(NEW.{c}), ST_MaxY(NEW.{c}));",
      quoted, id, fmt::arg("c", c));
  const std::string remove = fmt::format("DELETE FROM {} WHERE id = OLD.{};", quoted, id);
  const std::string filled = fmt::format("(NEW.{} NOTNULL AND NOT ST_IsEmpty(NEW.{}))", c, c);
  const std::string empty = fmt::format("(NEW.{} ISNULL OR ST_IsEmpty(NEW.{}))", c, c);
  const std::string same = fmt::format("OLD.{} = NEW.{}", id, id);
  const std::string other = fmt::format("OLD.{} != NEW.{}", id, id);
  const auto trigger = [&](const char* name, const std::string& event, const std::string& when,
                           const std::string& action) {
    return fmt::format("CREATE TRIGGER {} AFTER {} ON {} WHEN {} BEGIN {} END",
                       sqlite_identifier(tree + name), event, table, when, action);
  };
  return {fmt::format("CREATE VIRTUAL TABLE {} USING rtree(id, minx, maxx, miny, maxy)", quoted),
          trigger("_insert", "INSERT", filled, put),
          trigger("_update1", "UPDATE OF " + c, same + " AND " + filled, put),
          trigger("_update2", "UPDATE OF " + c, same + " AND " + empty, remove),
          trigger("_update3", "UPDATE", other + " AND " + filled, remove + ' ' + put),
          trigger("_update4", "UPDATE", other + " AND " + empty,
                  fmt::format("DELETE FROM {} WHERE id IN (OLD.{}, NEW.{});", quoted, id, id)),
          trigger("_delete", "DELETE", fmt::format("OLD.{} NOT NULL", c), remove)};
}

Status register_gpkg_layer(Connection& db, const Plan& plan, const LayerFacts& facts) {
  const std::string column = layer_geometries(plan).front()->target;
  const int number = layer_srid(plan);
  const std::string srid = fmt::format("{}", number);
  HEADRACE_TRY(db.run(
      "INSERT INTO gpkg_spatial_ref_sys VALUES "
      "('Undefined Cartesian SRS', -1, 'NONE', -1, 'undefined', 'undefined Cartesian coordinate "
      "reference system'), "
      "('Undefined geographic SRS', 0, 'NONE', 0, 'undefined', 'undefined geographic coordinate "
      "reference system')"));
  const std::string add_system = "INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, ?)";
  HEADRACE_TRY(insert_texts(db, add_system,
                      {"WGS 84 geodetic", "4326", "EPSG", "4326", kWgs84Definition,
                       "longitude/latitude in decimal degrees on the WGS 84 spheroid"}));
  if (number != kWgs84Srid && number != 0) {
    HEADRACE_TRY(insert_texts(db, add_system,
                        {"EPSG:" + srid, srid, "EPSG", srid, "undefined", ""}));
  }
  std::vector<std::string> bounds(4);
  if (!facts.bounds.is_empty()) {
    bounds = {fmt::format("{}", facts.bounds.min_x), fmt::format("{}", facts.bounds.min_y),
              fmt::format("{}", facts.bounds.max_x), fmt::format("{}", facts.bounds.max_y)};
  }
  HEADRACE_TRY(insert_texts(db,
                      "INSERT INTO gpkg_contents (table_name, data_type, identifier, last_change, "
                      "min_x, min_y, max_x, max_y, srs_id) VALUES (?1, 'features', ?1, ?2, ?3, ?4, "
                      "?5, ?6, ?7)",
                      {plan.table, last_change(), bounds[0], bounds[1], bounds[2], bounds[3],
                       srid}));
  // GEOMETRY: the type stands in CREATE TABLE too, which is run before the first geometry is seen.
  // Z and M: 2, some have it; 0, none may.
  HEADRACE_TRY(insert_texts(db,
                      "INSERT INTO gpkg_geometry_columns VALUES (?, ?, 'GEOMETRY', ?, ?, ?)",
                      {plan.table, column, srid, facts.has_z() ? "2" : "0", facts.has_m() ? "2" : "0"}));
  return insert_texts(db,
                "INSERT INTO gpkg_extensions VALUES (?, ?, 'gpkg_rtree_index', "
                "'http://www.geopackage.org/spec120/#extension_rtree', 'write-only')",
                {plan.table, column});
}

}  // namespace headrace
