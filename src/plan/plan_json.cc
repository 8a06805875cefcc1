// A Plan as JSON and back. Every field is written, and every field must be there when read.
#include "plan/plan_json.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace headrace {

static constexpr int kSchemaVersion = 1;

static constexpr auto enum_names(TypeId) {
  return std::to_array<EnumName<TypeId>>({
      {TypeId::kNull, "null"},
      {TypeId::kBool, "bool"},
      {TypeId::kInt8, "int8"},
      {TypeId::kInt16, "int16"},
      {TypeId::kInt32, "int32"},
      {TypeId::kInt64, "int64"},
      {TypeId::kUint8, "uint8"},
      {TypeId::kUint16, "uint16"},
      {TypeId::kUint32, "uint32"},
      {TypeId::kUint64, "uint64"},
      {TypeId::kFloat16, "float16"},
      {TypeId::kFloat32, "float32"},
      {TypeId::kFloat64, "float64"},
      {TypeId::kDecimal, "decimal"},
      {TypeId::kUtf8, "utf8"},
      {TypeId::kLargeUtf8, "large_utf8"},
      {TypeId::kUtf8View, "utf8_view"},
      {TypeId::kBinary, "binary"},
      {TypeId::kLargeBinary, "large_binary"},
      {TypeId::kBinaryView, "binary_view"},
      {TypeId::kFixedSizeBinary, "fixed_size_binary"},
      {TypeId::kDate32, "date32"},
      {TypeId::kDate64, "date64"},
      {TypeId::kTime32, "time32"},
      {TypeId::kTime64, "time64"},
      {TypeId::kTimestamp, "timestamp"},
      {TypeId::kDuration, "duration"},
      {TypeId::kIntervalMonths, "interval_months"},
      {TypeId::kIntervalDayTime, "interval_day_time"},
      {TypeId::kIntervalMonthDayNano, "interval_month_day_nano"},
      {TypeId::kDictionary, "dictionary"},
      {TypeId::kList, "list"},
      {TypeId::kLargeList, "large_list"},
      {TypeId::kFixedSizeList, "fixed_size_list"},
      {TypeId::kListView, "list_view"},
      {TypeId::kLargeListView, "large_list_view"},
      {TypeId::kStruct, "struct"},
      {TypeId::kMap, "map"},
      {TypeId::kUnion, "union"},
      {TypeId::kRunEndEncoded, "run_end_encoded"},
  });
}

static constexpr auto enum_names(TimeUnit) {
  return std::to_array<EnumName<TimeUnit>>({{TimeUnit::kSecond, "s"},
                                            {TimeUnit::kMilli, "ms"},
                                            {TimeUnit::kMicro, "us"},
                                            {TimeUnit::kNano, "ns"}});
}

static constexpr auto enum_names(Dialect) {
  return std::to_array<EnumName<Dialect>>(
      {{Dialect::kNone, "none"}, {Dialect::kPostgres, "postgres"}, {Dialect::kSqlite, "sqlite"}});
}

static auto enum_names(Mode) {
  constexpr std::array kModes = {Mode::kCreate,   Mode::kAppend, Mode::kReplace,
                                 Mode::kTruncate, Mode::kUpsert, Mode::kDeleteInsert};
  std::array<EnumName<Mode>, kModes.size()> names{};
  std::ranges::transform(kModes, names.begin(),
                         [](Mode mode) { return EnumName<Mode>{mode, mode_name(mode)}; });
  return names;
}

static auto enum_names(OnDuplicate) {
  std::array<EnumName<OnDuplicate>, 3> names{};
  std::ranges::transform(
      std::array{OnDuplicate::kError, OnDuplicate::kFirst, OnDuplicate::kLast}, names.begin(),
      [](OnDuplicate choice) { return EnumName<OnDuplicate>{choice, on_duplicate_name(choice)}; });
  return names;
}

static auto enum_names(VerifyLevel) {
  std::array<EnumName<VerifyLevel>, 3> names{};
  std::ranges::transform(
      std::array{VerifyLevel::kNone, VerifyLevel::kQuick, VerifyLevel::kFull}, names.begin(),
      [](VerifyLevel level) { return EnumName<VerifyLevel>{level, verify_level_name(level)}; });
  return names;
}

static auto enum_names(RowFormat) {
  std::array<EnumName<RowFormat>, 3> names{};
  std::ranges::transform(
      std::array{RowFormat::kPgBinary, RowFormat::kText, RowFormat::kSqliteRecord}, names.begin(),
      [](RowFormat format) { return EnumName<RowFormat>{format, row_format_name(format)}; });
  return names;
}

static auto enum_names(CommitScope) {
  constexpr std::array kScopes = {CommitScope::kNone, CommitScope::kSingle, CommitScope::kSwap,
                                  CommitScope::kStaged, CommitScope::kFile,
                                  CommitScope::kTogether};
  std::array<EnumName<CommitScope>, kScopes.size()> names{};
  std::ranges::transform(kScopes, names.begin(), [](CommitScope scope) {
    return EnumName<CommitScope>{scope, commit_scope_name(scope)};
  });
  return names;
}

static constexpr auto enum_names(ValueOptions::Decimal) {
  using E = ValueOptions::Decimal;
  return std::to_array<EnumName<E>>(
      {{E::kAuto, "auto"}, {E::kText, "text"}, {E::kReal, "real"}, {E::kScaled, "scaled"}});
}

static constexpr auto enum_names(ValueOptions::Boolean) {
  using E = ValueOptions::Boolean;
  return std::to_array<EnumName<E>>({{E::kInteger, "integer"}, {E::kText, "text"}});
}

static constexpr auto enum_names(ValueOptions::Date) {
  using E = ValueOptions::Date;
  return std::to_array<EnumName<E>>(
      {{E::kText, "text"}, {E::kInteger, "integer"}, {E::kReal, "real"}});
}

static constexpr auto enum_names(ValueOptions::Geometry) {
  using E = ValueOptions::Geometry;
  return std::to_array<EnumName<E>>({{E::kNone, "none"},
                                     {E::kWkt, "wkt"},
                                     {E::kWkb, "wkb"},
                                     {E::kGeoPackage, "geopackage"},
                                     {E::kSpatialite, "spatialite"}});
}

static constexpr auto enum_names(PartitionBy) {
  return std::to_array<EnumName<PartitionBy>>({{PartitionBy::kNone, "none"},
                                               {PartitionBy::kList, "list"},
                                               {PartitionBy::kRange, "range"},
                                               {PartitionBy::kHash, "hash"}});
}

static constexpr auto enum_names(KeyForm) {
  return std::to_array<EnumName<KeyForm>>(
      {{KeyForm::kSigned, "signed"}, {KeyForm::kBytes, "bytes"}, {KeyForm::kPadded, "padded"}});
}

// What a type cannot be without; everything else is written only when it is not the default.
static bool has_unit(TypeId id) {
  return id == TypeId::kTime32 || id == TypeId::kTime64 || id == TypeId::kTimestamp ||
         id == TypeId::kDuration;
}

static bool has_children(TypeId id) { return id >= TypeId::kDictionary; }

template <class Archive, Either<DataType> T>
void describe(Archive& archive, T& type) {
  const DataType plain;
  archive.note("name", type_name(type));
  archive("id", type.id);
  const bool decimal = type.id == TypeId::kDecimal;
  archive.when(has_unit(type.id), "unit", type.unit, plain.unit);
  archive.when(decimal, "precision", type.precision, plain.precision);
  archive.when(decimal, "scale", type.scale, plain.scale);
  archive.when(decimal, "bit_width", type.bit_width, plain.bit_width);
  archive.when(type.id == TypeId::kFixedSizeBinary || type.id == TypeId::kFixedSizeList,
               "byte_width", type.byte_width, plain.byte_width);
  archive.when(type.id == TypeId::kDictionary, "index_id", type.index_id, plain.index_id);
  archive.when(type.id == TypeId::kTimestamp, "timezone", type.timezone, plain.timezone);
  archive.when(false, "extension", type.extension, plain.extension);
  archive.when(has_children(type.id), "children", type.children, plain.children);
}

template <class Archive, Either<Field> T>
void describe(Archive& archive, T& field) {
  archive("name", field.name);
  archive("type", field.type);
  archive("nullable", field.nullable);
}

template <class Archive, Either<TargetType> T>
void describe(Archive& archive, T& type) {
  archive("sql", type.sql);
  archive("base", type.base);
  archive("typmod", type.typmod);
  archive.when(false, "labels", type.labels, std::vector<std::string>());
}

template <class Archive, Either<ColumnPlan> T>
void describe(Archive& archive, T& column) {
  archive("source_index", column.source_index);
  archive("field", column.field);
  archive("target", column.target);
  archive("target_type", column.target_type);
  archive("not_null", column.not_null);
  archive("codec", column.codec);
  archive.when(false, "is_rowid", column.is_rowid, false);
  archive.when(false, "is_geometry", column.is_geometry, false);
}

template <class Archive, Either<IndexPlan> T>
void describe(Archive& archive, T& index) {
  archive("name", index.name);
  archive("columns", index.columns);
  archive("suffixes", index.suffixes);
  archive("unique", index.unique);
}

template <class Archive, Either<PartitionKey> T>
void describe(Archive& archive, T& key) {
  archive("column", key.column);
  archive("type", key.type);
  archive("base", key.base);
  archive("form", key.form);
}

template <class Archive, Either<PartitionNode> T>
void describe(Archive& archive, T& node) {
  archive("schema", node.schema);
  archive("table", node.table);
  archive("oid", node.oid);
  archive("parent", node.parent);
  archive("bound", node.bound);
  archive("is_default", node.is_default);
  archive("from", node.from);
  archive("to", node.to);
  archive("modulus", node.modulus);
  archive("remainder", node.remainder);
  archive("by", node.by);
  archive("keys", node.keys);
  archive("is_empty", node.is_empty);
  archive("obstacle", node.obstacle);
}

template <class Archive, Either<RowInterval> T>
void describe(Archive& archive, T& rows) {
  archive("first", rows.first);
  archive("count", rows.count);
}

template <class Archive, Either<ValueOptions> T>
void describe(Archive& archive, T& values) {
  archive("nan_as_null", values.nan_as_null);
  archive("srid", values.srid);
  archive("promote_to_multi", values.promote_to_multi);
  const ValueOptions plain;
  archive.when(false, "decimal", values.decimal, plain.decimal);
  archive.when(false, "boolean", values.boolean, plain.boolean);
  archive.when(false, "date", values.date, plain.date);
  archive.when(false, "geometry", values.geometry, plain.geometry);
}

template <class Archive, Either<SqliteLayout> T>
void describe(Archive& archive, T& layout) {
  archive("partitioned", layout.partitioned);
  archive("part_rows", layout.part_rows);
  archive("partition_by", layout.partition_by);
}

template <class Archive, Either<Plan> T>
void describe(Archive& archive, T& plan) {
  int schema_version = kSchemaVersion;
  archive("schema_version", schema_version);
  archive("source", plan.source);
  archive("source_format", plan.source_format);
  archive("target", plan.target);
  archive("dialect", plan.dialect);
  archive("schema", plan.schema);
  archive("table", plan.table);
  archive("mode", plan.mode);
  archive("method", plan.method);
  archive("method_requested", plan.method_requested);
  archive("method_reason", plan.method_reason);
  archive("fallback_reason", plan.fallback_reason);
  archive("row_format", plan.row_format);
  archive("commit_scope", plan.commit_scope);
  archive("index_action", plan.index_action);
  archive("columns", plan.columns);
  archive("partitions", plan.partitions);
  archive("row_count", plan.row_count);
  archive("creates_table", plan.creates_table);
  archive("already_committed", plan.already_committed);
  archive("stage_is_temporary", plan.stage_is_temporary);
  archive("keeps_rows", plan.keeps_rows);
  const Plan plain;
  archive.when(plan.mode == Mode::kUpsert, "keys", plan.keys, plain.keys);
  archive.when(plan.mode == Mode::kUpsert, "update_columns", plan.update_columns,
               plain.update_columns);
  archive.when(plan.mode == Mode::kUpsert, "on_duplicate", plan.on_duplicate, plain.on_duplicate);
  archive.when(plan.mode == Mode::kDeleteInsert, "replace_where", plan.replace_where,
               plain.replace_where);
  archive.when(false, "primary_key", plan.primary_key, plain.primary_key);
  archive.when(false, "indexes", plan.indexes, plain.indexes);
  archive.when(false, "strict", plan.strict, plain.strict);
  archive.when(false, "sort_bytes", plan.sort_bytes, plain.sort_bytes);
  archive.when(false, "tree", plan.tree, plain.tree);
  archive.when(false, "create_partitions", plan.create_partitions, plain.create_partitions);
  archive.when(false, "committed_rows", plan.committed_rows, plain.committed_rows);
  archive("ddl", plan.ddl);
  archive("readers", plan.readers);
  archive("workers", plan.workers);
  archive("batch_rows", plan.batch_rows);
  archive("insert_rows", plan.insert_rows);
  archive("block_bytes", plan.block_bytes);
  archive("read_ahead_bytes", plan.read_ahead_bytes);
  archive("page_bytes", plan.page_bytes);
  archive("layout", plan.layout);
  archive("verify", plan.verify);
  archive("analyze", plan.analyze);
  archive("maintenance_work_mem_bytes", plan.maintenance_work_mem_bytes);
  archive("lock_timeout_ms", plan.lock_timeout_ms);
  archive("values", plan.values);
  archive("decisions", plan.decisions);
  archive("warnings", plan.warnings);
}

static Error not_a_plan(const std::string& problem) {
  return Error(
      ErrorCode::kUsage, "this is not a plan: " + problem,
      "use what headrace plan --json printed, unchanged, with the same version of headrace");
}

std::string Plan::to_json() const { return dump(JsonWriter::encode(*this), 2); }

Result<Plan> Plan::from_json(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return not_a_plan("it is not JSON");
  if (!json.is_object()) return not_a_plan("it is not a JSON object");
  const auto version = json.find("schema_version");
  if (version != json.end() && *version != kSchemaVersion) {
    return not_a_plan(
        fmt::format("schema_version is {}, known is {}", dump(*version, -1), kSchemaVersion));
  }
  Plan plan;
  std::string problem;
  JsonReader reader(json, "", 0, &problem);
  describe(reader, plan);
  reader.finish();
  if (!problem.empty()) return not_a_plan(problem);
  return plan;
}

}  // namespace headrace
