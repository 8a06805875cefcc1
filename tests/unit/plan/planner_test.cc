// make_plan is pure: facts in, plan or error out.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "headrace/plan.h"

namespace headrace {
namespace {

Field field(const std::string& name, TypeId id, bool nullable = true) {
  Field f;
  f.name = name;
  f.type.id = id;
  f.nullable = nullable;
  return f;
}

SourceFacts source_facts(int64_t rows = 1000000) {
  SourceFacts facts;
  facts.uri = "trips.parquet";
  facts.format = "parquet";
  facts.schema.fields = {field("id", TypeId::kInt64, false), field("name", TypeId::kUtf8)};
  for (int i = 0; i < 8; ++i) {
    Partition p;
    p.index = i;
    p.uri = "trips.parquet";
    facts.partitions.push_back(p);
  }
  facts.row_count = rows;
  facts.row_count_is_exact = true;
  return facts;
}

SinkFacts postgres_facts() {
  SinkFacts facts;
  facts.dialect = Dialect::kPostgres;
  facts.server_kind = "plain";
  facts.schema = "public";
  facts.table = "trips";
  facts.max_writers = 90;
  return facts;
}

SinkFacts existing_table(bool empty) {
  SinkFacts facts = postgres_facts();
  facts.table_exists = true;
  facts.table_is_empty = empty;
  facts.relation_kind = "table";
  facts.columns = {{"id", {"bigint", "int8", -1}, true}, {"name", {"text", "text", -1}}};
  return facts;
}

LoadRequest request(Mode mode) {
  LoadRequest r;
  r.target = "postgresql://localhost/db";
  r.table = "trips";
  r.mode = mode;
  return r;
}

Result<Plan> plan_for(const LoadRequest& r, const SinkFacts& sink,
                      const SourceFacts& source = source_facts()) {
  return make_plan(r, source, sink, HostFacts{2, 8LL << 30});
}

TEST(Planner, NewTableIsSwappedInBySeveralConnections) {
  auto plan = plan_for(request(Mode::kCreate), postgres_facts());
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_TRUE(plan->creates_table);
  EXPECT_EQ(plan->method, "copy");
  EXPECT_EQ(plan->commit_scope, CommitScope::kSwap);
  EXPECT_GT(plan->workers, 1);
  EXPECT_EQ(plan->columns[0].target_type.sql, "bigint");
  EXPECT_TRUE(plan->columns[0].not_null);
  EXPECT_FALSE(plan->columns[1].not_null);
  ASSERT_FALSE(plan->decisions.empty());
  for (const Decision& d : plan->decisions) EXPECT_FALSE(d.reason.empty()) << d.subject;
}

TEST(Planner, FewRowsTakeOneTransaction) {
  auto plan = plan_for(request(Mode::kCreate), postgres_facts(), source_facts(1000));
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->commit_scope, CommitScope::kSingle);
  EXPECT_EQ(plan->workers, 1);
}

TEST(Planner, CreateRefusesAnExistingTableAndNamesTheOtherModes) {
  auto plan = plan_for(request(Mode::kCreate), existing_table(true));
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.error().code, ErrorCode::kTargetExists);
  EXPECT_NE(plan.error().hint.find("append"), std::string::npos);
  EXPECT_NE(plan.error().hint.find("replace"), std::string::npos);
}

TEST(Planner, AppendToFilledTableIsOneTransaction) {
  auto plan = plan_for(request(Mode::kAppend), existing_table(false));
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->commit_scope, CommitScope::kSingle);
  EXPECT_EQ(plan->workers, 1);
}

bool has_decision(const Plan& plan, const std::string& subject, const std::string& choice,
                  const std::string& part_of_reason) {
  for (const Decision& d : plan.decisions) {
    if (d.subject == subject && d.choice == choice) {
      return d.reason.find(part_of_reason) != std::string::npos;
    }
  }
  return false;
}

TEST(Planner, AppendToATableOfFewRowsBuildsANewOne) {
  SinkFacts facts = existing_table(false);
  facts.indexes = {"t_key"};
  facts.row_estimate = 30000;
  const LoadRequest r = request(Mode::kAppend);
  auto plan = plan_for(r, facts, source_facts(300000));
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_EQ(plan->commit_scope, CommitScope::kSwap);
  EXPECT_TRUE(plan->keeps_rows);
  EXPECT_EQ(plan->index_action, "build after");
  EXPECT_TRUE(has_decision(*plan, "indexes", "rebuilt", "300000 rows are new, about 30000 old"));
  facts.row_estimate = 30001;
  plan = plan_for(r, facts, source_facts(300000));
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->commit_scope, CommitScope::kSingle);
  EXPECT_FALSE(plan->keeps_rows);
  EXPECT_TRUE(has_decision(*plan, "indexes", "kept", "30001 rows for 300000 new ones"));
}

TEST(Planner, RowsStayWhereTheyAreForAReason) {
  struct Case {
    std::function<void(SinkFacts*, LoadRequest*)> change;
    const char* reason;
  };
  for (const Case& c : std::vector<Case>{
           {[](SinkFacts* f, LoadRequest*) { f->row_estimate = -1; }, "not known"},
           {[](SinkFacts* f, LoadRequest*) { f->is_owner = false; }, "does not own"},
           {[](SinkFacts* f, LoadRequest*) { f->has_identity = true; }, "sequence of the table's own"},
           {[](SinkFacts* f, LoadRequest*) { f->dependents = {"view v (why)"}; }, "view v (why)"},
           {[](SinkFacts*, LoadRequest* r) { r->tuning.connections = 1; }, "one connection requested"}}) {
    SinkFacts facts = existing_table(false);
    facts.indexes = {"t_key"};
    facts.row_estimate = 100;
    LoadRequest r = request(Mode::kAppend);
    c.change(&facts, &r);
    auto plan = plan_for(r, facts, source_facts(300000));
    ASSERT_TRUE(plan.ok());
    EXPECT_EQ(plan->commit_scope, CommitScope::kSingle) << c.reason;
    EXPECT_TRUE(has_decision(*plan, "indexes", "kept", c.reason)) << c.reason;
  }
}

TEST(Planner, DeleteInsertOfMostRowsIsASwap) {
  SinkFacts facts = existing_table(false);
  facts.row_estimate = 1000000;
  facts.matching_estimate = 800000;
  LoadRequest r = request(Mode::kDeleteInsert);
  r.replace_where = "id > 0";
  auto plan = plan_for(r, facts, source_facts(300000));
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_EQ(plan->commit_scope, CommitScope::kSwap);
  EXPECT_TRUE(plan->keeps_rows);
  EXPECT_TRUE(has_decision(*plan, "commit_scope", "swap", "800000 of 1000000"));
  facts.matching_estimate = 799999;
  plan = plan_for(r, facts, source_facts(300000));
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->commit_scope, CommitScope::kStaged);
  EXPECT_TRUE(has_decision(*plan, "swap", "no", "200001 of its 1000000 rows stay"));
}

TEST(Planner, WhatIsCarriedIsSaid) {
  SinkFacts facts = existing_table(false);
  facts.carried = {"view v", "trigger g"};
  auto plan = plan_for(request(Mode::kReplace), facts);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->commit_scope, CommitScope::kSwap);
  EXPECT_TRUE(has_decision(*plan, "carried over", "2 objects", "view v, trigger g"));
}

TEST(Planner, AppendToEmptyTableIsSwapped) {
  auto plan = plan_for(request(Mode::kAppend), existing_table(true));
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->commit_scope, CommitScope::kSwap);
}

TEST(Planner, ReplaceWithDependentViewIsNeverASwap) {
  SinkFacts facts = existing_table(false);
  facts.dependents = {"view v_trips"};
  auto plan = plan_for(request(Mode::kReplace), facts);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->commit_scope, CommitScope::kSingle);
  ASSERT_EQ(plan->warnings.size(), 1u);
  EXPECT_NE(plan->warnings[0].find("view v_trips"), std::string::npos);
}

TEST(Planner, AppendWorksWithoutCreateOnTheSchema) {
  SinkFacts facts = existing_table(true);
  facts.can_create = false;
  auto plan = plan_for(request(Mode::kAppend), facts);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->commit_scope, CommitScope::kSingle);
}

TEST(Planner, ConnectionSlotsBoundTheWorkers) {
  SinkFacts facts = postgres_facts();
  facts.max_writers = 2;
  LoadRequest r = request(Mode::kCreate);
  r.tuning.connections = 8;
  auto plan = plan_for(r, facts);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->workers, 2);
  EXPECT_EQ(plan->warnings.size(), 1u);
}

TEST(Planner, WithoutAFreeSlotOneConnectionDoesIt) {
  SinkFacts facts = existing_table(true);
  facts.max_writers = 0;
  for (const Mode mode : {Mode::kAppend, Mode::kReplace}) {
    auto plan = plan_for(request(mode), facts);
    ASSERT_TRUE(plan.ok());
    EXPECT_EQ(plan->commit_scope, CommitScope::kSingle);
    EXPECT_EQ(plan->workers, 1);
  }
}

TEST(Planner, SourceColumnWithoutTargetIsAnError) {
  SinkFacts facts = existing_table(true);
  facts.columns = {{"id", {"bigint", "int8", -1}, true}, {"label", {"text", "text", -1}}};
  auto plan = plan_for(request(Mode::kAppend), facts);
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.error().code, ErrorCode::kTypeMismatch);
  EXPECT_NE(plan.error().message.find("name"), std::string::npos);
  EXPECT_NE(plan.error().hint.find("label"), std::string::npos);
}

TEST(Planner, NotNullTargetWithoutSourceNeedsADefault) {
  SinkFacts facts = existing_table(true);
  facts.columns.push_back({"kind", {"text", "text", -1}, true});
  EXPECT_FALSE(plan_for(request(Mode::kAppend), facts).ok());
  facts.columns.back().has_default = true;
  EXPECT_TRUE(plan_for(request(Mode::kAppend), facts).ok());
}

TEST(Planner, TypeThatDoesNotFitNamesTheColumn) {
  SinkFacts facts = existing_table(true);
  facts.columns[0].type = {"date", "date", -1};
  auto plan = plan_for(request(Mode::kAppend), facts);
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.error().code, ErrorCode::kTypeMismatch);
  EXPECT_EQ(plan.error().where.column, "id");
}

TEST(Planner, UnknownAndUnimplementedMethodsAreErrors) {
  LoadRequest r = request(Mode::kCreate);
  r.method = "carrier-pigeon";
  EXPECT_EQ(plan_for(r, postgres_facts()).error().code, ErrorCode::kUsage);
  r.method = "s3_import";
  EXPECT_EQ(plan_for(r, postgres_facts()).error().code, ErrorCode::kUnsupported);
}

LoadRequest request_method(const char* method) {
  LoadRequest r = request(Mode::kCreate);
  r.method = method;
  return r;
}

TEST(Planner, InsertMethodsHaveTheScopesOfCopy) {
  for (const char* method : {"optimized", "async"}) {
    SCOPED_TRACE(method);
    auto plan = plan_for(request_method(method), postgres_facts());
    ASSERT_TRUE(plan.ok()) << plan.error().message;
    EXPECT_EQ(plan->method, method);
    EXPECT_EQ(plan->method_reason, "requested");
    EXPECT_EQ(plan->commit_scope, CommitScope::kSwap);
    EXPECT_GT(plan->workers, 1);
    EXPECT_EQ(plan->row_format, RowFormat::kPgBinary);
    plan = plan_for(request_method(method), postgres_facts(), source_facts(1000));
    ASSERT_TRUE(plan.ok());
    EXPECT_EQ(plan->commit_scope, CommitScope::kSingle);
    EXPECT_EQ(plan->workers, 1);
  }
}

TEST(Planner, StandardIsOneConnectionWhateverIsAskedFor) {
  LoadRequest r = request_method("standard");
  r.tuning.connections = 4;
  auto plan = plan_for(r, postgres_facts());
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_EQ(plan->commit_scope, CommitScope::kSingle);
  EXPECT_EQ(plan->workers, 1);
  EXPECT_EQ(plan->insert_rows, 1);
  r.mode = Mode::kReplace;
  plan = plan_for(r, existing_table(false));
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->commit_scope, CommitScope::kSingle);
  ASSERT_EQ(plan->warnings.size(), 1u);
  EXPECT_NE(plan->warnings[0].find("DELETE and INSERT"), std::string::npos);
}

TEST(Planner, RowsOfAnInsertGoByTheRowsToLoad) {
  const auto rows_for = [](LoadRequest r, int64_t rows) {
    auto plan = plan_for(r, postgres_facts(), source_facts(rows));
    return plan.ok() ? plan->insert_rows : -1;
  };
  LoadRequest r = request_method("optimized");
  EXPECT_EQ(rows_for(r, 9999), 1000);
  EXPECT_EQ(rows_for(r, 10000), 5000);
  EXPECT_EQ(rows_for(r, 99999), 5000);
  EXPECT_EQ(rows_for(r, 100000), 10000);
  EXPECT_EQ(rows_for(r, -1), 10000);
  r.tuning.batch_size = 77;
  EXPECT_EQ(rows_for(r, 5), 77);
  r.method = "copy";
  EXPECT_EQ(rows_for(r, 5), 0);
  r.tuning.batch_size = -1;
  EXPECT_EQ(plan_for(r, postgres_facts()).error().code, ErrorCode::kUsage);
}

TEST(Planner, InsertMethodsNeedAServerAndBinaryRows) {
  LoadRequest r = request_method("async");
  r.tuning.row_format = "text";
  EXPECT_EQ(plan_for(r, postgres_facts()).error().code, ErrorCode::kUsage);
  for (const char* kind : {"file", "null"}) {
    SinkFacts facts = postgres_facts();
    facts.server_kind = kind;
    EXPECT_EQ(plan_for(request_method("optimized"), facts).error().code, ErrorCode::kUsage);
  }
}

SinkFacts sqlite_facts() {
  SinkFacts facts;
  facts.dialect = Dialect::kSqlite;
  facts.server_kind = "file";
  facts.table = "trips";
  return facts;
}

TEST(Planner, NewSqliteFileIsWrittenAsPages) {
  auto plan = plan_for(request(Mode::kCreate), sqlite_facts());
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_EQ(plan->method, "pages");
  EXPECT_EQ(plan->commit_scope, CommitScope::kFile);
  EXPECT_EQ(plan->row_format, RowFormat::kSqliteRecord);
  EXPECT_EQ(plan->workers, 2);
}

TEST(Planner, ExistingSqliteFileGoesThroughTheApi) {
  SinkFacts facts = sqlite_facts();
  facts.file_exists = true;
  auto plan = plan_for(request(Mode::kCreate), facts);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->method, "api");
  EXPECT_EQ(plan->commit_scope, CommitScope::kSingle);
  EXPECT_EQ(plan->workers, 1);
  LoadRequest r = request(Mode::kCreate);
  r.method = "pages";
  EXPECT_EQ(plan_for(r, facts).error().code, ErrorCode::kUnsupported);
}

TEST(Planner, SqliteAffinityThatWouldChangeValuesIsRefused) {
  SinkFacts facts = sqlite_facts();
  facts.file_exists = facts.table_exists = true;
  facts.relation_kind = "table";
  facts.columns = {{"id", {"INTEGER", "INTEGER", -1}}, {"name", {"INTEGER", "INTEGER", -1}}};
  auto plan = plan_for(request(Mode::kAppend), facts);  // text "007" would become 7
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.error().code, ErrorCode::kTypeMismatch);
}

TEST(Planner, NestedTypesAreJsonTextInSqlite) {
  SourceFacts source = source_facts();
  DataType list;
  list.id = TypeId::kList;
  list.children = {{"item", source.schema.fields[0].type, true}};
  source.schema.fields[1].type = list;
  SinkFacts facts = sqlite_facts();
  auto plan = plan_for(request(Mode::kCreate), facts, source);
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_EQ(plan->columns[1].target_type, (TargetType{"TEXT", "TEXT", -1}));
  facts.file_exists = facts.table_exists = true;
  facts.relation_kind = "table";
  for (const char* affinity : {"INTEGER", "REAL", "NUMERIC", "TEXT", "BLOB"}) {
    facts.columns = {{"id", {"INTEGER", "INTEGER", -1}}, {"name", {affinity, affinity, -1}}};
    const bool keeps = affinity == std::string("TEXT") || affinity == std::string("BLOB");
    EXPECT_EQ(plan_for(request(Mode::kAppend), facts, source).ok(), keeps) << affinity;
  }
}

TEST(Planner, DuplicateColumnNamesAreRefused) {
  SourceFacts source = source_facts();
  source.schema.fields[1].name = "ID";
  EXPECT_FALSE(plan_for(request(Mode::kCreate), sqlite_facts(), source).ok());
  EXPECT_TRUE(plan_for(request(Mode::kCreate), postgres_facts(), source).ok());
}

TEST(Planner, MemoryAndPageSizeAreChecked) {
  LoadRequest r = request(Mode::kCreate);
  r.tuning.page_bytes = 5000;
  EXPECT_EQ(plan_for(r, sqlite_facts()).error().code, ErrorCode::kUsage);
  r.tuning.page_bytes = 0;
  r.tuning.memory_bytes = 1;
  EXPECT_EQ(plan_for(r, sqlite_facts()).error().code, ErrorCode::kUsage);
}

}  // namespace
}  // namespace headrace
