#include "encode/row_encoder.h"

#include <gtest/gtest.h>

#include <limits>
#include <memory>

#include "encode/format/sqlite_record.h"
#include "support/arrays.h"

namespace headrace {
namespace {

using test::Raw;
using test::raw;

DataType simple(TypeId id) {
  DataType t;
  t.id = id;
  return t;
}

std::vector<ColumnPlan> two_columns(Dialect dialect) {
  std::vector<ColumnPlan> columns;
  for (const Field& field : {Field{"id", simple(TypeId::kInt64), false}, Field{"name", simple(TypeId::kUtf8), true}}) {
    ColumnPlan plan;
    plan.source_index = static_cast<int>(columns.size());
    plan.field = field;
    plan.target = field.name;
    plan.target_type = find_type_family(field.type)->default_target(field.type, dialect);
    columns.push_back(plan);
  }
  return columns;
}

RecordBatch batch_of(const std::vector<ColumnPlan>& plan, const std::vector<Raw>& ids,
                     const std::vector<Raw>& names, int64_t offset, int64_t length) {
  RecordBatch batch;
  auto schema = std::make_shared<Schema>();
  for (const ColumnPlan& c : plan) schema->fields.push_back(c.field);
  batch.schema = schema;
  batch.array = test::build_struct({test::build_array(plan[0].field.type, ids),
                                    test::build_array(plan[1].field.type, names)},
                                   offset, length);
  return batch;
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (unsigned char c : bytes) {
    out += "0123456789abcdef"[c >> 4];
    out += "0123456789abcdef"[c & 15];
  }
  return out;
}

TEST(RowEncoder, PgBinaryRowsAsTheServerWritesThem) {
  auto columns = two_columns(Dialect::kPostgres);
  auto encoder = RowEncoder::make(columns, RowFormat::kPgBinary, {}, 1 << 20);
  ASSERT_TRUE(encoder.ok());
  auto batch = batch_of(columns, {raw<int64_t>(1), raw<int64_t>(-2)}, {"ab", std::nullopt}, 0, 2);
  ASSERT_TRUE((*encoder)->start(batch).ok());
  RowBlock block;
  ASSERT_TRUE((*encoder)->fill(&block).ok());
  EXPECT_TRUE((*encoder)->done());
  EXPECT_EQ(hex(block.bytes.view()),
            "0002" "00000008" "0000000000000001" "00000002" "6162"
            "0002" "00000008" "fffffffffffffffe" "ffffffff");
  EXPECT_EQ(block.row_starts, (std::vector<uint32_t>{0, 20}));
  EXPECT_TRUE(block.last_in_batch);
}

// What an option changes is counted when it is written, and once, also in dictionaries.
TEST(RowEncoder, ChangesOfAColumn) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  DataType dictionary = simple(TypeId::kDictionary);
  dictionary.children.push_back({"", simple(TypeId::kFloat64), true});
  std::vector<ColumnPlan> columns;
  for (const Field& field : {Field{"x", simple(TypeId::kFloat64), true}, Field{"d", dictionary, true}}) {
    ColumnPlan plan;
    plan.field = field;
    plan.target_type = {"REAL", "REAL", -1};
    columns.push_back(plan);
  }
  std::vector<Raw> x, d;
  for (int i = 0; i < 1000; ++i) {
    x.push_back(i % 10 == 0 ? raw(nan) : i % 10 == 1 ? Raw() : raw(1.0 * i));
    d.push_back(i % 4 == 0 ? raw(nan) : i % 4 == 1 ? Raw() : raw(1.0 * (i % 4)));
  }
  ValueOptions options;
  options.nan_as_null = true;
  auto encoder = RowEncoder::make(columns, RowFormat::kSqliteRecord, options, 2000);
  ASSERT_TRUE(encoder.ok());
  EXPECT_TRUE((*encoder)->changes().empty());
  auto batch = batch_of(columns, x, d, 0, 1000);
  ASSERT_TRUE((*encoder)->start(batch).ok());
  RowBlock block;
  while (!(*encoder)->done()) ASSERT_TRUE((*encoder)->fill(&block).ok());
  const auto changes = (*encoder)->changes();
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[0].column, "x");
  EXPECT_EQ(changes[0].count, 100);
  EXPECT_EQ(changes[0].change, "of NaN stored as NULL (--nan-as-null)");
  EXPECT_EQ(changes[1].column, "d");
  EXPECT_EQ(changes[1].count, 250);
}

TEST(RowEncoder, TextRowsEscape) {
  auto columns = two_columns(Dialect::kPostgres);
  auto encoder = RowEncoder::make(columns, RowFormat::kText, {}, 1 << 20);
  ASSERT_TRUE(encoder.ok());
  auto batch = batch_of(columns, {raw<int64_t>(1), raw<int64_t>(-2)}, {"a\tb\\", std::nullopt}, 0, 2);
  ASSERT_TRUE((*encoder)->start(batch).ok());
  RowBlock block;
  ASSERT_TRUE((*encoder)->fill(&block).ok());
  EXPECT_EQ(block.bytes.view(), "1\ta\\tb\\\\\n-2\t\\N\n");
}

TEST(RowEncoder, SqliteCellsCarryRowidsAndShortIntegers) {
  auto columns = two_columns(Dialect::kSqlite);
  auto encoder = RowEncoder::make(columns, RowFormat::kSqliteRecord, {}, 1 << 20);
  ASSERT_TRUE(encoder.ok());
  auto batch = batch_of(columns, {raw<int64_t>(1), raw<int64_t>(300)}, {"ab", std::nullopt}, 0, 2);
  batch.first_row = 9;
  ASSERT_TRUE((*encoder)->start(batch).ok());
  RowBlock block;
  ASSERT_TRUE((*encoder)->fill(&block).ok());
  // payload 5: header 3, serial 9 (the integer 1), serial 17 (text of 2); rowid 10
  EXPECT_EQ(hex(block.bytes.view()), "050a03091161" "62" "050b0302" "00" "012c");
}

TEST(RowEncoder, SlicedBatchesGiveTheSameBytes) {
  auto columns = two_columns(Dialect::kPostgres);
  std::vector<Raw> ids, names;
  for (int i = 0; i < 1000; ++i) {
    ids.push_back(raw<int64_t>(i * 7));
    names.push_back(i % 3 == 0 ? Raw() : Raw(std::string(static_cast<size_t>(i % 40), 'x')));
  }
  std::string whole, parts;
  for (const auto& [offset, length] : {std::pair<int64_t, int64_t>{0, 1000}}) {
    auto encoder = RowEncoder::make(columns, RowFormat::kPgBinary, {}, 1 << 20);
    auto batch = batch_of(columns, ids, names, offset, length);
    ASSERT_TRUE((*encoder)->start(batch).ok());
    RowBlock block;
    while (!(*encoder)->done()) {
      ASSERT_TRUE((*encoder)->fill(&block).ok());
      whole += block.bytes.view();
    }
  }
  auto encoder = RowEncoder::make(columns, RowFormat::kPgBinary, {}, 100);  // many small blocks
  int64_t rows = 0;
  for (int64_t offset = 0; offset < 1000; offset += 333) {
    const int64_t length = std::min<int64_t>(333, 1000 - offset);
    auto batch = batch_of(columns, ids, names, offset, length);
    ASSERT_TRUE((*encoder)->start(batch).ok());
    RowBlock block;
    int index = 0;
    while (!(*encoder)->done()) {
      ASSERT_TRUE((*encoder)->fill(&block).ok());
      EXPECT_EQ(block.index_in_batch, index++);
      EXPECT_EQ(block.last_in_batch, (*encoder)->done());
      EXPECT_EQ(block.row_starts.size(), static_cast<size_t>(block.row_count));
      rows += block.row_count;
      parts += block.bytes.view();
    }
  }
  EXPECT_EQ(rows, 1000);
  EXPECT_EQ(parts, whole);
}

TEST(RowEncoder, FirstBadRowIsNamedWithItsPlace) {
  auto columns = two_columns(Dialect::kPostgres);
  columns[0].target_type = {"smallint", "int2", -1};
  auto encoder = RowEncoder::make(columns, RowFormat::kPgBinary, {}, 1 << 20);
  ASSERT_TRUE(encoder.ok());
  auto batch = batch_of(columns, {raw<int64_t>(1), raw<int64_t>(2), raw<int64_t>(40000)},
                        {"ok", std::string("a\0b", 3), "ok"}, 0, 3);
  batch.partition = 4;
  batch.partition_row = 100;
  ASSERT_TRUE((*encoder)->start(batch).ok());
  RowBlock block;
  Status status = (*encoder)->fill(&block);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kRejectedValue);
  EXPECT_EQ(status.error().where.column, "name");  // row 102 comes before row 103
  EXPECT_EQ(status.error().where.row, 102);
  EXPECT_EQ(status.error().where.partition, 4);
  EXPECT_EQ(block.row_count, 0);
}

TEST(RowEncoder, NullInANotNullColumnOfSqliteIsRejected) {
  auto columns = two_columns(Dialect::kSqlite);
  columns[0].not_null = true;
  auto encoder = RowEncoder::make(columns, RowFormat::kSqliteRecord, {}, 1 << 20);
  ASSERT_TRUE(encoder.ok());
  auto batch = batch_of(columns, {raw<int64_t>(1), std::nullopt}, {"a", "b"}, 0, 2);
  ASSERT_TRUE((*encoder)->start(batch).ok());
  RowBlock block;
  Status status = (*encoder)->fill(&block);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kRejectedValue);
  EXPECT_EQ(status.error().where.row, 2);
  EXPECT_EQ(status.error().where.column, "id");
}

TEST(RowEncoder, ColumnThatChangesItsTypeIsAnError) {
  auto columns = two_columns(Dialect::kPostgres);
  auto encoder = RowEncoder::make(columns, RowFormat::kPgBinary, {}, 1 << 20);
  auto batch = batch_of(columns, {raw<int64_t>(1)}, {"x"}, 0, 1);
  auto other = std::make_shared<Schema>(*batch.schema);
  other->fields[0].type.id = TypeId::kInt32;
  batch.schema = other;
  EXPECT_FALSE((*encoder)->start(batch).ok());
}

TEST(SqliteRecord, IntegersTakeTheFewestBytes) {
  using sqlite_record::serial_of_integer;
  const std::pair<int64_t, uint32_t> cases[] = {
      {0, 8}, {1, 9}, {2, 1}, {-1, 1}, {127, 1}, {-128, 1}, {128, 2}, {-129, 2}, {32767, 2},
      {32768, 3}, {-32769, 3}, {8388607, 3}, {8388608, 4}, {2147483647, 4}, {2147483648LL, 5},
      {140737488355327LL, 5}, {140737488355328LL, 6}, {INT64_MAX, 6}, {INT64_MIN, 6}};
  for (const auto& [value, serial] : cases) EXPECT_EQ(serial_of_integer(value), serial) << value;
}

TEST(SqliteRecord, VarintsReadBack) {
  for (int bit = 0; bit < 64; ++bit) {
    for (uint64_t v : {1ULL << bit, (1ULL << bit) - 1, ~0ULL >> bit}) {
      uint8_t bytes[9];
      uint8_t* end = sqlite_record::put_varint(bytes, v);
      EXPECT_EQ(end - bytes, sqlite_record::varint_bytes(v));
      uint64_t back = 0;
      EXPECT_EQ(sqlite_record::get_varint(bytes, &back), end);
      EXPECT_EQ(back, v);
    }
  }
}

}  // namespace
}  // namespace headrace
