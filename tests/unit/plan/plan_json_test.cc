#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "headrace/plan.h"

namespace headrace {
namespace {

using Json = nlohmann::ordered_json;

DataType simple(TypeId id) {
  DataType type;
  type.id = id;
  return type;
}

DataType with_children(TypeId id, std::vector<Field> children) {
  DataType type = simple(id);
  type.children = std::move(children);
  return type;
}

// One type of each id, with the members that it cannot be without.
std::vector<DataType> one_type_of_each() {
  std::vector<DataType> types;
  for (int id = 0; id <= static_cast<int>(TypeId::kRunEndEncoded); ++id) {
    DataType type = simple(static_cast<TypeId>(id));
    if (type.id == TypeId::kDecimal) {
      type.bit_width = 256;
      type.precision = 40;
      type.scale = -2;
    }
    if (type.id == TypeId::kFixedSizeBinary) type.byte_width = 16;
    if (type.id == TypeId::kFixedSizeList) type.byte_width = 3;
    if (type.id == TypeId::kTime32) type.unit = TimeUnit::kMilli;
    if (type.id == TypeId::kTime64 || type.id == TypeId::kDuration) type.unit = TimeUnit::kNano;
    if (type.id == TypeId::kTimestamp) {
      type.unit = TimeUnit::kMicro;
      type.timezone = "Europe/Berlin";
    }
    if (type.id == TypeId::kDictionary) type.index_id = TypeId::kUint8;
    if (type.id >= TypeId::kDictionary) type.children = {{"item", simple(TypeId::kUtf8), false}};
    types.push_back(type);
  }
  return types;
}

ColumnPlan column(int index, DataType type) {
  ColumnPlan plan;
  plan.source_index = index;
  plan.field = {"source \"" + std::to_string(index) + "\"", std::move(type), index % 2 == 0};
  plan.target = "target_" + std::to_string(index);
  plan.target_type = {"numeric(15,2)", "numeric", 983046};
  plan.not_null = index % 3 == 0;
  plan.codec = "codec" + std::to_string(index);
  return plan;
}

// Every field differs from its default.
Plan full_plan() {
  Plan plan;
  plan.source = "data/dataset=x";
  plan.source_format = "parquet";
  plan.target = "postgresql://u@localhost/db";
  plan.dialect = Dialect::kPostgres;
  plan.schema = "public";
  plan.table = "t";
  plan.mode = Mode::kReplace;
  plan.method = "copy";
  plan.method_requested = "auto";
  plan.method_reason = "many rows";
  plan.row_format = RowFormat::kText;
  plan.commit_scope = CommitScope::kSwap;
  plan.index_action = "build after";
  int index = 0;
  for (DataType& type : one_type_of_each()) plan.columns.push_back(column(index++, type));
  plan.partitions = {{0, "a.parquet", {0, 1}, 0, 10, 100, {{"dataset", "x"}, {"year", {}}}},
                     {1, "b.parquet", {}, -1, -1, -1, {}}};
  plan.row_count = int64_t{1} << 60;
  plan.creates_table = true;
  plan.stage_is_temporary = true;
  plan.ddl = {"CREATE TABLE t (\n  a int)", "DROP TABLE t"};
  plan.readers = 2;
  plan.workers = 4;
  plan.batch_rows = 16384;
  plan.insert_rows = 10000;
  plan.block_bytes = 524288;
  plan.read_ahead_bytes = 1 << 28;
  plan.page_bytes = 65536;
  plan.layout = {true, 1000, "day"};
  plan.verify = VerifyLevel::kFull;
  plan.analyze = false;
  plan.lock_timeout_ms = 5000;
  plan.values.nan_as_null = true;
  plan.values.srid = 27700;
  plan.values.promote_to_multi = true;
  plan.decisions = {{"method", "copy", "fast"}, {"workers", "4", "2 cores"}};
  plan.warnings = {"careful", ""};
  return plan;
}

void expect_equal(const Plan& a, const Plan& b) {
  EXPECT_EQ(a.source, b.source);
  EXPECT_EQ(a.source_format, b.source_format);
  EXPECT_EQ(a.target, b.target);
  EXPECT_EQ(a.dialect, b.dialect);
  EXPECT_EQ(a.schema, b.schema);
  EXPECT_EQ(a.table, b.table);
  EXPECT_EQ(a.mode, b.mode);
  EXPECT_EQ(a.method, b.method);
  EXPECT_EQ(a.method_requested, b.method_requested);
  EXPECT_EQ(a.method_reason, b.method_reason);
  EXPECT_EQ(a.row_format, b.row_format);
  EXPECT_EQ(a.commit_scope, b.commit_scope);
  EXPECT_EQ(a.index_action, b.index_action);
  EXPECT_EQ(a.layout, b.layout);
  EXPECT_EQ(a.verify, b.verify);
  EXPECT_TRUE(a.columns == b.columns);
  EXPECT_TRUE(a.partitions == b.partitions);
  EXPECT_EQ(a.row_count, b.row_count);
  EXPECT_EQ(a.creates_table, b.creates_table);
  EXPECT_EQ(a.stage_is_temporary, b.stage_is_temporary);
  EXPECT_EQ(a.ddl, b.ddl);
  EXPECT_EQ(a.readers, b.readers);
  EXPECT_EQ(a.workers, b.workers);
  EXPECT_EQ(a.batch_rows, b.batch_rows);
  EXPECT_EQ(a.insert_rows, b.insert_rows);
  EXPECT_EQ(a.block_bytes, b.block_bytes);
  EXPECT_EQ(a.read_ahead_bytes, b.read_ahead_bytes);
  EXPECT_EQ(a.page_bytes, b.page_bytes);
  EXPECT_EQ(a.analyze, b.analyze);
  EXPECT_EQ(a.lock_timeout_ms, b.lock_timeout_ms);
  EXPECT_EQ(a.values.nan_as_null, b.values.nan_as_null);
  EXPECT_EQ(a.values.srid, b.values.srid);
  EXPECT_EQ(a.values.promote_to_multi, b.values.promote_to_multi);
  EXPECT_TRUE(a.decisions == b.decisions);
  EXPECT_EQ(a.warnings, b.warnings);
}

void expect_same_after_json(const Plan& plan) {
  auto read = Plan::from_json(plan.to_json());
  ASSERT_TRUE(read.ok()) << read.error().message;
  expect_equal(*read, plan);
  EXPECT_EQ(read->to_json(), plan.to_json());
}

// Message of the kUsage error that reading `text` gives.
std::string problem_of(const std::string& text) {
  auto read = Plan::from_json(text);
  if (read.ok()) return "no error";
  EXPECT_EQ(read.error().code, ErrorCode::kUsage);
  EXPECT_FALSE(read.error().hint.empty());
  return read.error().message;
}

std::string problem_after(const std::function<void(Json&)>& change) {
  Json json = Json::parse(full_plan().to_json());
  change(json);
  return problem_of(json.dump());
}

TEST(PlanJson, FullPlanComesBack) { expect_same_after_json(full_plan()); }

TEST(PlanJson, DefaultPlanComesBack) { expect_same_after_json(Plan{}); }

TEST(PlanJson, EveryChoiceComesBack) {
  Plan plan;
  for (Dialect dialect : {Dialect::kNone, Dialect::kPostgres, Dialect::kSqlite}) {
    plan.dialect = dialect;
    expect_same_after_json(plan);
  }
  for (Mode mode : {Mode::kCreate, Mode::kAppend, Mode::kReplace}) {
    plan.mode = mode;
    expect_same_after_json(plan);
  }
  for (RowFormat format : {RowFormat::kPgBinary, RowFormat::kText, RowFormat::kSqliteRecord}) {
    plan.row_format = format;
    expect_same_after_json(plan);
  }
  for (CommitScope scope :
       {CommitScope::kNone, CommitScope::kSingle, CommitScope::kSwap, CommitScope::kFile}) {
    plan.commit_scope = scope;
    expect_same_after_json(plan);
  }
}

TEST(PlanJson, UnusualTypesComeBack) {
  Plan plan;
  DataType odd = simple(TypeId::kInt32);  // members that an integer does not need
  odd.unit = TimeUnit::kNano;
  odd.precision = 7;
  odd.byte_width = 9;
  odd.timezone = "UTC";
  odd.extension = "arrow.uuid";
  odd.index_id = TypeId::kInt64;
  const DataType list = with_children(TypeId::kList, {{"item", simple(TypeId::kBool), true}});
  const DataType deep =
      with_children(TypeId::kStruct,
                    {{"a", list, false}, {"b", with_children(TypeId::kMap, {{"", list}}), true}});
  DataType zoneless = simple(TypeId::kTimestamp);
  for (const DataType& type : {odd, list, deep, zoneless, with_children(TypeId::kStruct, {})}) {
    plan.columns.push_back(column(0, type));
  }
  expect_same_after_json(plan);
}

TEST(PlanJson, LabelsComeBackAndAreWrittenOnlyWhereThereAreSome) {
  Plan plan;
  plan.columns.push_back(column(0, simple(TypeId::kUtf8)));
  EXPECT_EQ(plan.to_json().find("labels"), std::string::npos);
  plan.columns[0].target_type = {"mood", "enum", -1, {"sad", "", "very \"happy\""}};
  expect_same_after_json(plan);
  EXPECT_NE(plan.to_json().find("labels"), std::string::npos);
}

TEST(PlanJson, StringsComeBack) {
  Plan plan;
  plan.table = std::string("a\"b\\c\n\t\x01\0 z", 11);
  plan.source = "straße/數據";
  expect_same_after_json(plan);
}

TEST(PlanJson, BytesThatAreNotUtf8DoNotThrow) {
  Plan plan;
  plan.source = "caf\xE9.parquet";
  plan.columns = {column(0, simple(TypeId::kBool))};
  plan.columns[0].field.name = "\xFF\xFE";
  auto read = Plan::from_json(plan.to_json());
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->source, "caf\xEF\xBF\xBD.parquet");
}

TEST(PlanJson, EveryMissingFieldIsNamed) {
  const Json json = Json::parse(full_plan().to_json());
  for (const auto& [name, value] : json.items()) {
    Json without = json;
    without.erase(name);
    EXPECT_NE(problem_of(without.dump()).find("\"" + name + "\" is missing"), std::string::npos)
        << name;
  }
}

TEST(PlanJson, MissingInnerFieldsAreNamed) {
  const auto column_without = [](const char* field) {
    return problem_after([&](Json& json) { json["columns"][2].erase(field); });
  };
  for (const char* field :
       {"source_index", "field", "target", "target_type", "not_null", "codec"}) {
    EXPECT_NE(column_without(field).find("columns[2]." + std::string(field)), std::string::npos);
  }
  const int decimal = static_cast<int>(TypeId::kDecimal);
  const std::string problem =
      problem_after([&](Json& json) { json["columns"][decimal]["field"]["type"].erase("scale"); });
  EXPECT_NE(problem.find("field.type.scale\" is missing"), std::string::npos) << problem;
}

TEST(PlanJson, UnknownFieldsAreNamed) {
  EXPECT_NE(problem_after([](Json& json) { json["colour"] = "red"; }).find("\"colour\""),
            std::string::npos);
  EXPECT_NE(problem_after([](Json& json) {
              json["partitions"][1]["size"] = 1;
            }).find("unknown field \"partitions[1].size\""),
            std::string::npos);
}

TEST(PlanJson, WrongTypesAreNamed) {
  struct Case {
    const char* field;
    Json value;
    const char* problem;
  };
  for (const Case& c :
       std::vector<Case>{{"table", 1, "table is not a string"},
                         {"readers", "2", "readers is not an integer"},
                         {"readers", 1.5, "readers is not an integer"},
                         {"readers", int64_t{1} << 31, "readers is not an integer"},
                         {"readers", -(int64_t{1} << 31) - 1, "readers is not"},
                         {"row_count", ~uint64_t{0}, "row_count is not an integer"},
                         {"creates_table", 0, "creates_table is not true or false"},
                         {"columns", Json::object(), "columns is not an array"},
                         {"values", Json::array(), "values is not an object"},
                         {"mode", "merge", "mode has an unknown value"},
                         {"mode", 1, "mode has an unknown value"},
                         {"schema_version", 2, "schema_version is 2, known is 1"}}) {
    const std::string problem = problem_after([&](Json& json) { json[c.field] = c.value; });
    EXPECT_NE(problem.find(c.problem), std::string::npos) << problem;
  }
}

TEST(PlanJson, WhatIsNoPlanIsRefused) {
  for (const char* text : {"", "{", "[]", "null", "{}", "\"plan\"", "\xFF"}) {
    EXPECT_NE(problem_of(text).find("this is not a plan"), std::string::npos) << text;
  }
}

TEST(PlanJson, DeepNestingIsRefused) {
  DataType type = simple(TypeId::kBool);
  for (int i = 0; i < 200; ++i) type = with_children(TypeId::kList, {{"item", type, true}});
  Plan plan;
  plan.columns = {column(0, type)};
  EXPECT_NE(problem_of(plan.to_json()).find("nested too deeply"), std::string::npos);
}

TEST(PlanText, SaysEverythingThatMatters) {
  Plan plan = full_plan();
  plan.columns = {column(0, simple(TypeId::kInt64))};
  plan.row_count = 6001215;
  const std::string text = plan.to_text();
  for (const char* part :
       {"data/dataset=x (parquet, 6,001,215 rows, 2 partitions)", "postgresql://u@localhost/db",
        "public.t", "replace", "copy (asked for: auto): many rows", "swap", "numeric(15,2)",
        "not null", "  CREATE TABLE t (\n    a int)\n", "2 readers, 4 writers", "16,384 rows", "10,000 rows a statement",
        "method   copy    fast", "NaN is stored as NULL", "careful"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

TEST(PlanText, TerminalSequencesAreShownNotSent) {
  Plan plan = full_plan();
  plan.table = "t\x1B[2J";
  plan.columns[0].field.name = "a\nb\xC2\x9B";
  plan.ddl = {"x\x1B"};
  plan.warnings = {"\x07"};
  const std::string text = plan.to_text();
  EXPECT_EQ(text.find('\x1B'), std::string::npos);
  EXPECT_EQ(text.find('\x07'), std::string::npos);
  EXPECT_NE(text.find("t\\x1b[2J"), std::string::npos);
  EXPECT_NE(text.find("a\\nb\\x9b"), std::string::npos);
}

TEST(PlanText, NamesOfChoices) {
  EXPECT_STREQ(mode_name(Mode::kAppend), "append");
  EXPECT_STREQ(row_format_name(RowFormat::kSqliteRecord), "sqlite_record");
  EXPECT_STREQ(commit_scope_name(CommitScope::kFile), "file");
}

}  // namespace
}  // namespace headrace
