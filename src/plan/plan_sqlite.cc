// What only SQLite tables have: types by option, STRICT, primary key, indexes.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "encode/codec.h"
#include "plan/steps.h"

namespace headrace {
namespace {

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

Error usage(std::string message, std::string hint) {
  return Error(ErrorCode::kUsage, std::move(message), std::move(hint));
}

const ColumnPlan* find_column(const Plan& plan, const std::string& name) {
  for (const ColumnPlan& column : plan.columns) {
    if (lower(column.target) == lower(name)) return &column;
  }
  return nullptr;
}

Error no_column(const std::string& what, const std::string& name) {
  return Error(ErrorCode::kTypeMismatch,
               fmt::format("{}: {} is not a column that the source fills", what, name),
               "name columns of the target, as headrace plan shows them");
}

// Options of SQLite with another target would be ignored.
Status check_dialect(const PlanInput& in) {
  const SqliteOptions& asked = in.request.sqlite;
  const ValueOptions& values = in.request.values;
  const bool types = values.decimal != ValueOptions::Decimal::kAuto ||
                     values.boolean != ValueOptions::Boolean::kInteger ||
                     values.date != ValueOptions::Date::kText ||
                     values.geometry != ValueOptions::Geometry::kNone;
  if (in.sink.dialect == Dialect::kSqlite) return {};
  const char* option = !asked.primary_key.empty() ? "--primary-key"
                       : !asked.indexes.empty()   ? "--index"
                       : asked.strict             ? "--strict"
                       : types                    ? "--decimal, --boolean, --date and --geometry"
                                                  : nullptr;
  if (option == nullptr) return {};
  return usage(fmt::format("{}: only for SQLite targets", option), "leave it out");
}

Status plan_primary_key(const PlanInput& in, Plan* plan) {
  for (const std::string& name : in.request.sqlite.primary_key) {
    const ColumnPlan* column = find_column(*plan, name);
    if (column == nullptr) return no_column("primary key", name);
    if (std::ranges::find(plan->primary_key, column->target) != plan->primary_key.end()) {
      return usage(fmt::format("primary key: {} is named twice", name), "name it once");
    }
    plan->primary_key.push_back(column->target);
  }
  if (plan->primary_key.empty()) return {};
  if (in.request.mode == Mode::kUpsert) {
    return usage("mode upsert makes its key the primary key of a new table",
                 "leave --primary-key out, and give --key");
  }
  if (!plan->creates_table) {
    const auto& keys = in.sink.unique_keys;
    const bool same = in.sink.has_primary_key && !keys.empty() &&
                      std::ranges::equal(keys[0], plan->primary_key, {}, lower, lower);
    if (!same) {
      return usage(fmt::format("table {} is there, and its primary key is another", plan->table),
                   "leave --primary-key out, or load into a new table");
    }
    plan->primary_key.clear();
    return {};
  }
  for (ColumnPlan& column : plan->columns) {
    if (std::ranges::find(plan->primary_key, column.target) != plan->primary_key.end()) {
      column.not_null = true;
    }
  }
  decide(plan, "primary key", fmt::format("{}", fmt::join(plan->primary_key, ", ")),
         has_rowid_key(*plan) ? "one integer column: it is the rowid, and the table is in its order"
                              : "requested");
  return {};
}

// "a", "a DESC", "a COLLATE NOCASE DESC": the column, and what stands after it.
Status plan_index_column(const std::string& term, IndexPlan* index, const Plan& plan) {
  std::string name = term, suffix;
  const ColumnPlan* column = find_column(plan, name);
  while (column == nullptr) {
    const size_t blank = name.rfind(' ');
    if (blank == std::string::npos) return no_column("index", term);
    std::string word = lower(name.substr(blank + 1));
    name.resize(blank);
    if (word != "asc" && word != "desc") {
      const size_t before = name.rfind(' ');
      const bool collates =
          before != std::string::npos && lower(name.substr(before + 1)) == "collate";
      if (!collates || (word != "nocase" && word != "rtrim" && word != "binary")) {
        return no_column("index", term);
      }
      word = "collate " + word;
      name.resize(before);
    }
    if (word != "asc" && word != "collate binary") suffix = ' ' + word + suffix;
    column = find_column(plan, name);
  }
  if (std::ranges::find(index->columns, column->target) != index->columns.end()) {
    return usage(fmt::format("index: {} is named twice", column->target), "name it once");
  }
  for (char& c : suffix) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  index->columns.push_back(column->target);
  index->suffixes.push_back(suffix);
  return {};
}

Status plan_indexes(const PlanInput& in, Plan* plan) {
  std::set<std::string> names;
  for (const IndexSpec& asked : in.request.sqlite.indexes) {
    IndexPlan index;
    index.unique = asked.unique;
    index.name = "idx_" + plan->table;
    for (const std::string& term : asked.columns) {
      HEADRACE_TRY(plan_index_column(term, &index, *plan));
      index.name += '_' + index.columns.back();
    }
    if (index.columns.empty()) return usage("an index names no column", "give --index COLUMN");
    const std::string same = index.name;
    names.insert(lower(plan->table));  // tables and indexes share one space of names
    for (int n = 2; names.contains(lower(index.name)); ++n) {
      index.name = fmt::format("{}_{}", same, n);
    }
    names.insert(lower(index.name));
    const bool is_there = std::ranges::any_of(in.sink.indexes, [&](const std::string& name) {
      return lower(name) == lower(index.name);
    });
    if (is_there && !plan->creates_table) {
      decide(plan, "index " + index.name, "keep", "the table has an index of this name");
      continue;
    }
    decide(plan, "index " + index.name, index.unique ? "make, unique" : "make", "requested");
    plan->indexes.push_back(std::move(index));
  }
  return {};
}

}  // namespace

bool has_rowid_key(const Plan& plan) {
  if (plan.primary_key.size() != 1) return false;
  const ColumnPlan* column = find_column(plan, plan.primary_key[0]);
  return column != nullptr && lower(column->target_type.sql) == "integer";
}

std::string no_direct_keys_reason(const Plan& plan) {
  if (has_rowid_key(plan)) {
    const TypeId id = find_column(plan, plan.primary_key[0])->field.type.id;
    if (id < TypeId::kInt8 || id > TypeId::kUint64) {
      return fmt::format("primary key {} is no plain integer in the source", plan.primary_key[0]);
    }
  }
  for (const IndexPlan& index : plan.indexes) {
    for (const std::string& suffix : index.suffixes) {
      if (!suffix.empty()) {
        return fmt::format("index {} is not in plain ascending order ({})", index.name,
                           suffix.substr(1));
      }
    }
  }
  return "";
}

TargetType sqlite_target(const DataType& type, TargetType target, const LoadRequest& request) {
  const DataType& value = type.id == TypeId::kDictionary ? type.children[0].type : type;
  const ValueOptions& options = request.values;
  const bool geopackage = options.geometry == ValueOptions::Geometry::kGeoPackage;
  const bool dates = value.id == TypeId::kDate32 || value.id == TypeId::kDate64 ||
                     value.id == TypeId::kTimestamp;
  if (value.id == TypeId::kDecimal) {
    if (options.decimal == ValueOptions::Decimal::kText) return {"TEXT", "TEXT", -1};
    if (options.decimal == ValueOptions::Decimal::kReal) return {"REAL", "REAL", -1};
    if (options.decimal == ValueOptions::Decimal::kScaled) return {"INTEGER", "INTEGER", -1};
    // STRICT knows no DECIMAL; a REAL column holds the same numbers.
    // So does GeoPackage.
    if ((request.sqlite.strict || geopackage) && target.base == "NUMERIC") {
      return {"REAL", "REAL", -1};
    }
  } else if (value.id == TypeId::kBool) {
    if (options.boolean == ValueOptions::Boolean::kText) return {"TEXT", "TEXT", -1};
    if (geopackage) return {"BOOLEAN", "INTEGER", -1};
  } else if (dates) {
    if (options.date == ValueOptions::Date::kInteger) return {"INTEGER", "INTEGER", -1};
    if (options.date == ValueOptions::Date::kReal) return {"REAL", "REAL", -1};
    if (geopackage && value.id != TypeId::kTimestamp) return {"DATE", "TEXT", -1};
  }
  return target;
}

// Files of a set know nothing of each other.
static Status check_layout(const PlanInput& in, const Plan& plan) {
  if (!plan.layout.partitioned) return {};
  const SqliteOptions& asked = in.request.sqlite;
  const bool unique =
      std::ranges::any_of(asked.indexes, [](const IndexSpec& index) { return index.unique; });
  if (unique || !asked.primary_key.empty()) {
    return usage("a key over several files cannot be checked",
                 "leave --primary-key and --unique-index out, or use --layout single_file");
  }
  if (is_layer(in.request.values.geometry)) {
    return usage(fmt::format("a {} is one file", layer_name(in.request.values.geometry)),
                 "use --layout single_file, or --geometry wkb");
  }
  return {};
}

Status plan_sqlite_table(const PlanInput& in, Plan* plan) {
  HEADRACE_TRY(check_dialect(in));
  if (in.sink.dialect != Dialect::kSqlite) return {};
  HEADRACE_TRY(check_layout(in, *plan));
  plan->strict = in.request.sqlite.strict && plan->creates_table;
  if (in.request.sqlite.strict && !plan->creates_table) {
    decide(plan, "strict", "no", "the table is there, and stays as it is");
  }
  HEADRACE_TRY(plan_primary_key(in, plan));
  HEADRACE_TRY(plan_feature_id(in, plan));
  HEADRACE_TRY(plan_indexes(in, plan));
  // What is left is for decoded batches and blocks of rows.
  plan->sort_bytes = in.request.tuning.memory_bytes / 2;
  return {};
}

}  // namespace headrace
