#include "sink/sqlite/spatialite_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "sink/sqlite/ddl.h"
#include "sink/sqlite/layer_schema.h"

namespace headrace {
namespace {

// Names stand in geometry_columns in lower case.
std::string lower(std::string name) {
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name;
}

// A name as a literal in a trigger.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + '\'';
}

// Refuses a geometry of another type or reference system.
std::string constraint_trigger(const Plan& plan, const std::string& column, const char* prefix,
                               const std::string& event) {
  return fmt::format(
      "CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW BEGIN SELECT RAISE(ROLLBACK, "
      "{message}) WHERE (SELECT geometry_type FROM geometry_columns WHERE Lower(f_table_name) = "
      "Lower({f_table}) AND Lower(f_geometry_column) = Lower({f_column}) AND "
      "GeometryConstraints(NEW.{column}, geometry_type, srid) = 1) IS NULL; END",
      fmt::arg("name", sqlite_identifier(fmt::format("{}_{}_{}", prefix, plan.table, column))),
      fmt::arg("event", event), fmt::arg("table", sqlite_identifier(plan.table)),
      fmt::arg("message", quoted(fmt::format("{}.{} violates Geometry constraint [geom-type or "
                                             "SRID not allowed]",
                                             plan.table, column))),
      fmt::arg("f_table", quoted(plan.table)), fmt::arg("f_column", quoted(column)),
      fmt::arg("column", sqlite_identifier(column)));
}

std::string index_trigger(const Plan& plan, const std::string& column, const char* prefix,
                          const std::string& event, const char* row, bool aligns) {
  const std::string tree = fmt::format("idx_{}_{}", plan.table, column);
  std::string sql = fmt::format(
      "CREATE TRIGGER {} AFTER {} ON {} FOR EACH ROW BEGIN DELETE FROM {} WHERE pkid = {}.ROWID; ",
      sqlite_identifier(fmt::format("{}_{}_{}", prefix, plan.table, column)), event,
      sqlite_identifier(plan.table), sqlite_identifier(tree), row);
  if (aligns) {
    sql += fmt::format("SELECT RTreeAlign({}, NEW.ROWID, NEW.{}); ", quoted(tree),
                       sqlite_identifier(column));
  }
  return sql + "END";
}

}  // namespace

std::string spatialite_rtree_name(const Plan& plan, const ColumnPlan& geometry) {
  return fmt::format("idx_{}_{}", plan.table, geometry.target);
}

std::vector<std::string> spatialite_tables() {
  return {
      "CREATE TABLE spatial_ref_sys (srid INTEGER NOT NULL PRIMARY KEY, auth_name TEXT NOT NULL, "
      "auth_srid INTEGER NOT NULL, ref_sys_name TEXT NOT NULL DEFAULT 'Unknown', proj4text TEXT "
      "NOT NULL, srtext TEXT NOT NULL DEFAULT 'Undefined')",
      "CREATE UNIQUE INDEX idx_spatial_ref_sys ON spatial_ref_sys (auth_srid, auth_name)",
      "CREATE TABLE geometry_columns (f_table_name TEXT NOT NULL, f_geometry_column TEXT NOT NULL, "
      "geometry_type INTEGER NOT NULL, coord_dimension INTEGER NOT NULL, srid INTEGER NOT NULL, "
      "spatial_index_enabled INTEGER NOT NULL, CONSTRAINT pk_geom_cols PRIMARY KEY (f_table_name, "
      "f_geometry_column), CONSTRAINT fk_gc_srs FOREIGN KEY (srid) REFERENCES spatial_ref_sys "
      "(srid), CONSTRAINT ck_gc_rtree CHECK (spatial_index_enabled IN (0,1,2)))",
      "CREATE INDEX idx_srid_geocols ON geometry_columns (srid)"};
}

std::vector<std::string> spatialite_rtree(const Plan& plan, const ColumnPlan& geometry) {
  const std::string& column = geometry.target;
  const std::string update = "UPDATE OF " + sqlite_identifier(column);
  return {fmt::format("CREATE VIRTUAL TABLE {} USING rtree(pkid, xmin, xmax, ymin, ymax)",
                      sqlite_identifier(spatialite_rtree_name(plan, geometry))),
          constraint_trigger(plan, column, "ggi", "INSERT"),
          constraint_trigger(plan, column, "ggu", update),
          index_trigger(plan, column, "gii", "INSERT", "NEW", true),
          index_trigger(plan, column, "giu", update, "NEW", true),
          index_trigger(plan, column, "gid", "DELETE", "OLD", false)};
}

Status register_spatialite_layer(Connection& db, const Plan& plan,
                                 const std::vector<LayerFacts>& facts) {
  const std::string srid = fmt::format("{}", layer_srid(plan));
  HEADRACE_TRY(db.run(
      "INSERT INTO spatial_ref_sys VALUES (-1, 'NONE', -1, 'Undefined - Cartesian', '', "
      "'Undefined'), (0, 'NONE', 0, 'Undefined - Geographic Long/Lat', '', 'Undefined')"));
  HEADRACE_TRY(insert_texts(db, "INSERT INTO spatial_ref_sys VALUES (?, ?, ?, ?, ?, ?)",
                            {"4326", "epsg", "4326", "WGS 84",
                             "+proj=longlat +datum=WGS84 +no_defs", kWgs84Definition}));
  if (srid != "4326" && srid != "0") {
    HEADRACE_TRY(insert_texts(
        db, "INSERT INTO spatial_ref_sys VALUES (?1, 'epsg', ?1, 'EPSG:' || ?1, '', '')", {srid}));
  }
  const std::vector<const ColumnPlan*> columns = layer_geometries(plan);
  for (size_t i = 0; i < columns.size(); ++i) {
    bool differ = false;
    const ewkb::Dims dims = facts[i].dims(&differ);
    if (differ) {
      Error error(ErrorCode::kRejectedValue,
                  fmt::format("column {} has geometries with and without Z or M; a column of "
                              "SpatiaLite has those of one kind",
                              columns[i]->target),
                  "use --geometry geopackage or wkb, or load each kind into a table of its own");
      error.where.column = columns[i]->target;
      return error;
    }
    const int type = facts[i].type() + (dims.z ? 1000 : 0) + (dims.m ? 2000 : 0);
    HEADRACE_TRY(insert_texts(db, "INSERT INTO geometry_columns VALUES (?, ?, ?, ?, ?, 1)",
                              {lower(plan.table), lower(columns[i]->target),
                               fmt::format("{}", type), fmt::format("{}", dims.count()), srid}));
  }
  return {};
}

}  // namespace headrace
