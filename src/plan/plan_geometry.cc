// Geometry columns of SQLite tables: which they are, how they are stored, and what a GeoPackage or
// a SpatiaLite file needs beside them.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <strings.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "plan/steps.h"

namespace headrace {
namespace {

using Geometry = ValueOptions::Geometry;

// Names that tools give to geometry columns.
constexpr std::array kNames = {"geom", "geometry", "the_geom", "wkb_geometry", "wkt", "shape"};

bool same(const std::string& a, const std::string& b) {
  return strcasecmp(a.c_str(), b.c_str()) == 0;
}

bool can_hold_geometry(const DataType& stored) {
  const DataType& type = stored.id == TypeId::kDictionary ? stored.children[0].type : stored;
  return type.id >= TypeId::kUtf8 && type.id <= TypeId::kFixedSizeBinary;
}

bool looks_like_geometry(const ColumnPlan& column) {
  if (!can_hold_geometry(column.field.type)) return false;
  if (column.field.type.extension.starts_with("geoarrow.w")) return true;  // wkb, wkt
  return std::ranges::any_of(kNames, [&](const char* name) { return same(column.target, name); });
}

const char* form_name(Geometry form) {
  switch (form) {
    case Geometry::kWkt:
      return "WKT";
    case Geometry::kWkb:
      return "WKB";
    case Geometry::kGeoPackage:
      return "GeoPackage";
    case Geometry::kSpatialite:
      return "SpatiaLite";
    case Geometry::kNone:
      break;
  }
  return "none";
}

Error usage(std::string message, std::string hint) {
  return Error(ErrorCode::kUsage, std::move(message), std::move(hint));
}

// The geometry columns by their places in the plan.
Result<std::vector<size_t>> find_geometries(const PlanInput& in, const Plan& plan) {
  std::vector<size_t> found;
  const std::vector<std::string>& named = in.request.sqlite.geometry_columns;
  for (const std::string& name : named) {
    const auto column = std::ranges::find_if(
        plan.columns, [&](const ColumnPlan& c) { return same(c.target, name); });
    if (column == plan.columns.end()) {
      return Error(ErrorCode::kTypeMismatch,
                   fmt::format("geometry column {} is not in the source", name),
                   "name columns as headrace plan shows them");
    }
    if (!can_hold_geometry(column->field.type)) {
      return Error(ErrorCode::kTypeMismatch,
                   fmt::format("geometry column {} is {}, which is neither text nor binary", name,
                               type_name(column->field.type)),
                   "geometries come as WKT, EWKT, WKB or EWKB");
    }
    found.push_back(static_cast<size_t>(column - plan.columns.begin()));
  }
  for (size_t i = 0; named.empty() && i < plan.columns.size(); ++i) {
    if (looks_like_geometry(plan.columns[i])) found.push_back(i);
  }
  return found;
}

}  // namespace

LoadRequest with_geometry(const LoadRequest& request, const SinkFacts& sink) {
  LoadRequest decided = request;
  const std::string& target = request.target;
  const bool gpkg = sink.dialect == Dialect::kSqlite && target.size() > 5 &&
                    same(target.substr(target.size() - 5), ".gpkg");
  if (gpkg && request.values.geometry == Geometry::kNone) {
    decided.values.geometry = Geometry::kGeoPackage;
  }
  return decided;
}

const char* layer_name(Geometry form) {
  return form == Geometry::kGeoPackage ? "GeoPackage" : "SpatiaLite file";
}

Status plan_geometry(const PlanInput& in, Plan* plan) {
  const Geometry form = in.request.values.geometry;
  if (in.sink.dialect != Dialect::kSqlite) return {};
  if (form == Geometry::kNone) {
    if (in.request.sqlite.geometry_columns.empty()) return {};
    return usage("--geometry-column without --geometry", "say how geometries are stored");
  }
  HEADRACE_ASSIGN(const std::vector<size_t> found, find_geometries(in, *plan));
  if (found.empty()) {
    return usage("no column of the source looks like a geometry",
                 "name it: --geometry-column NAME");
  }
  if (form == Geometry::kGeoPackage && found.size() > 1) {
    std::vector<std::string> names;
    for (const size_t i : found) names.push_back(plan->columns[i].target);
    return usage(fmt::format("a GeoPackage table has one geometry column, and there are {}: {}",
                             names.size(), fmt::join(names, ", ")),
                 "name the one: --geometry-column NAME; the others stay as they come");
  }
  for (const size_t i : found) {
    ColumnPlan& column = plan->columns[i];
    column.is_geometry = true;
    if (!in.sink.table_exists) {
      column.target_type.sql = form == Geometry::kWkt   ? "TEXT"
                               : form == Geometry::kWkb ? "BLOB"
                                                        : "GEOMETRY";
    }
    column.target_type.base = "geometry";
    decide(plan, "geometry " + column.target, form_name(form),
           in.request.sqlite.geometry_columns.empty() ? "by its name or type" : "requested");
  }
  return {};
}

Status plan_feature_id(const PlanInput& in, Plan* plan) {
  const Geometry form = in.request.values.geometry;
  if (!is_layer(form) || !plan->creates_table) return {};
  if (in.request.sqlite.strict) {
    return usage(fmt::format("a {} table cannot be STRICT", form_name(form)), "leave --strict out");
  }
  if (!plan->primary_key.empty()) {
    if (has_rowid_key(*plan)) return {};
    return usage(fmt::format("the primary key of a {} table is one integer column", form_name(form)),
                 "name such a column, or leave --primary-key out");
  }
  std::string name = "fid";
  for (ColumnPlan& column : plan->columns) {
    if (!same(column.target, name)) continue;
    const TypeId id = column.field.type.id;
    if (id >= TypeId::kInt8 && id <= TypeId::kUint64) {
      plan->primary_key = {column.target};
      decide(plan, "primary key", column.target,
             fmt::format("a {} table needs one", form_name(form)));
      return {};
    }
    name = "ogc_fid";
  }
  ColumnPlan id;
  id.source_index = kRowNumberSource;
  id.field.name = name;
  id.field.type.id = TypeId::kInt64;
  id.field.nullable = false;
  id.target = name;
  id.target_type = {"INTEGER", "INTEGER", -1};
  id.codec = "integer";
  plan->columns.insert(plan->columns.begin(), std::move(id));
  plan->primary_key = {name};
  decide(plan, "primary key", name,
         fmt::format("a {} table needs one: rows are numbered from 1", form_name(form)));
  return {};
}

}  // namespace headrace
