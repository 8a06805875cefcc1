// RowEncoder over random schemas, values, slices and block sizes: every row must be the cells that
// each column's codec gives alone. Cells are written over each other's room, so the order of
// writing counts.
#include <gtest/gtest.h>

#include <random>

#include "encode/row_encoder.h"
#include "unit/encode/codec_check.h"
#include "unit/encode/raw_values.h"

namespace headrace::test {
namespace {

const char* const kTypes[] = {"bool",
                              "int8",
                              "int16",
                              "int32",
                              "int64",
                              "uint8",
                              "uint16",
                              "uint32",
                              "uint64",
                              "float16",
                              "float32",
                              "float64",
                              "decimal32(9, 2)",
                              "decimal64(15, 2)",
                              "decimal128(15, 2)",
                              "decimal128(38, 10)",
                              "decimal256(76, 5)",
                              "utf8",
                              "large_utf8",
                              "utf8_view",
                              "binary",
                              "large_binary",
                              "binary_view",
                              "fixed_size_binary[5]",
                              "date32",
                              "date64",
                              "time32[s]",
                              "time32[ms]",
                              "time64[us]",
                              "time64[ns]",
                              "timestamp[s]",
                              "timestamp[ms, tz=UTC]",
                              "timestamp[us]",
                              "timestamp[ns, tz=UTC]",
                              "duration[us]",
                              "interval_months",
                              "interval_day_time",
                              "interval_month_day_nano",
                              "null"};

using Random = std::mt19937_64;

std::string random_text(Random& random) {
  const size_t most = random() % 20 == 0 ? 400 : random() % 3 == 0 ? 60 : 14;
  std::string text;
  for (size_t n = random() % (most + 1); n > 0; --n) text += "abc XYZ\\\t\n,"[random() % 11];
  return text;
}

// A value that every target of the default kind stores.
std::string random_value(Random& random, const DataType& type) {
  const auto below = [&](int64_t limit) {
    return static_cast<int64_t>(random() % static_cast<uint64_t>(limit));
  };
  const auto digits = [&](int most) {
    std::string text(random() % 2 == 0 ? "-" : "");
    for (int n = 1 + static_cast<int>(below(most)); n > 0; --n)
      text += static_cast<char>('0' + below(10));
    return raw_integer(text, static_cast<size_t>(type.bit_width) / 8);
  };
  switch (type.id) {
    case TypeId::kBool:
      return std::string(1, static_cast<char>(random() % 2));
    case TypeId::kUint64:
      return raw(random() >> (1 + random() % 60));
    case TypeId::kFloat16:
      return raw(static_cast<uint16_t>(random() % 0x7C00));
    case TypeId::kFloat32:
      return raw(static_cast<float>(below(1000000)) / 8);
    case TypeId::kFloat64:
      return raw(static_cast<double>(below(1000000)) / 7);
    case TypeId::kDecimal:
      return digits(type.precision);
    case TypeId::kFixedSizeBinary:
      return random_text(random).append(5, 'f').substr(0, 5);
    case TypeId::kDate32:
      return raw(static_cast<int32_t>(below(100000) - 40000));
    case TypeId::kDate64:
      return raw((below(100000) - 40000) * 86400000);
    case TypeId::kTime32:
      return raw(static_cast<int32_t>(below(type.unit == TimeUnit::kSecond ? 86400 : 86400000)));
    case TypeId::kTime64:
      return raw(below(86400000) * (type.unit == TimeUnit::kMicro ? 1000 : 1000000));
    case TypeId::kTimestamp:
      return raw((below(4000000000) - 1000000000) * (type.unit == TimeUnit::kSecond ? 1
                                                     : type.unit == TimeUnit::kNano ? 1000000000
                                                                                    : 1234));
    case TypeId::kDuration:
      return raw(below(1LL << 40) - (1LL << 39));
    case TypeId::kIntervalMonths:
      return raw(static_cast<int32_t>(below(1000) - 500));
    case TypeId::kIntervalMonthDayNano:
      return raw(below(1LL << 34)) + raw(below(1LL << 40) * 1000);
    default:
      break;
  }
  if (type.id >= TypeId::kUtf8 && type.id <= TypeId::kBinaryView) return random_text(random);
  const uint64_t bits = random() >> (random() % 64);
  return raw(bits).substr(0, value_bytes(type));
}

struct RandomColumn {
  ColumnPlan plan;
  std::vector<Raw> values;
};

RandomColumn random_column(Random& random, RowFormat format, size_t rows) {
  RandomColumn column;
  DataType type = type_of(kTypes[random() % std::size(kTypes)]);
  const size_t entries = random() % 3 == 0 ? 1 + random() % 5 : rows;
  const int null_percent = random() % 2 == 0 ? 0 : static_cast<int>(random() % 60);
  std::vector<Raw> pool;
  for (size_t i = 0; i < entries; ++i) {
    pool.push_back(type.id == TypeId::kNull ? Raw() : Raw(random_value(random, type)));
  }
  for (size_t i = 0; i < rows; ++i) {
    const bool null = static_cast<int>(random() % 100) < null_percent;
    column.values.push_back(null ? Raw() : pool[entries == rows ? i : random() % entries]);
  }
  if (entries < rows && type.id != TypeId::kNull && random() % 2 == 0) {
    type = dictionary_of(random() % 2 == 0 ? TypeId::kInt8 : TypeId::kInt32, type);
  }
  const Dialect dialect =
      format == RowFormat::kSqliteRecord ? Dialect::kSqlite : Dialect::kPostgres;
  column.plan.field = {"c", type, true};
  column.plan.target_type = default_target(type, dialect);
  return column;
}

// Cells of a column as its codec gives them when it is alone.
Encoded alone(const RandomColumn& column, RowFormat format) {
  const DataType& type = column.plan.field.type;
  OwnedArray array(std::make_unique<ArrowArray>(build_array(type, column.values)).get());
  return encode_array(*array.get(), type, column.plan.target_type, format);
}

std::string varint(uint64_t v) {
  uint8_t bytes[9];
  return std::string(reinterpret_cast<char*>(bytes),
                     static_cast<size_t>(sqlite_record::put_varint(bytes, v) - bytes));
}

std::string sqlite_row(const std::vector<Encoded>& columns, size_t row, uint64_t rowid) {
  std::string serials, bodies;
  for (const Encoded& column : columns) {
    const std::string& cell = column.cells[row];
    const size_t colon = cell.find(':');
    serials += varint(std::stoul(cell.substr(0, colon)));
    bodies += unhex(cell.substr(colon + 1));
  }
  size_t header = serials.size() + 1;
  if (header > 127) ++header;
  const std::string record = varint(header) + serials + bodies;
  return varint(record.size()) + varint(rowid) + record;
}

std::string expected_row(const std::vector<Encoded>& columns, RowFormat format, size_t row,
                         uint64_t rowid) {
  if (format == RowFormat::kSqliteRecord) return sqlite_row(columns, row, rowid);
  std::string out;
  if (format == RowFormat::kPgBinary) {
    out += static_cast<char>(columns.size() >> 8);
    out += static_cast<char>(columns.size());
  }
  for (const Encoded& column : columns) out += column.cells[row];
  if (format == RowFormat::kText) out.back() = '\n';
  return out;
}

void check(Random& random, RowFormat format) {
  const size_t rows = 1 + random() % 700;
  const size_t column_count = random() % 10 == 0 ? 130 : 1 + random() % 24;
  std::vector<RandomColumn> columns;
  std::vector<ColumnPlan> plans;
  std::vector<Encoded> cells;
  std::vector<ArrowArray> arrays;
  auto schema = std::make_shared<Schema>();
  for (size_t c = 0; c < column_count; ++c) {
    columns.push_back(random_column(random, format, rows));
    plans.push_back(columns.back().plan);
    cells.push_back(alone(columns.back(), format));
    ASSERT_TRUE(cells.back().rejects.empty())
        << type_name(plans.back().field.type) << ": " << cells.back().rejects.begin()->second;
    arrays.push_back(build_array(plans.back().field.type, columns.back().values));
    schema->fields.push_back(plans.back().field);
  }
  const auto offset = static_cast<int64_t>(random() % rows);
  const auto length = static_cast<int64_t>(1 + random() % (rows - static_cast<size_t>(offset)));
  RecordBatch batch;
  batch.schema = schema;
  batch.array = build_struct(std::move(arrays), offset, length);
  batch.first_row = random() % 2 == 0 ? static_cast<int64_t>(random() % 20000)
                                      : static_cast<int64_t>(random() >> (1 + random() % 60));
  const int64_t block_bytes =
      random() % 3 == 0 ? 1 << 20 : static_cast<int64_t>(1 + random() % 30000);
  auto encoder = RowEncoder::make(plans, format, {}, block_bytes);
  ASSERT_TRUE(encoder.ok());
  for (int repeat = 0; repeat < 2; ++repeat) {
    ASSERT_TRUE((*encoder)->start(batch).ok());
    RowBlock block;
    int64_t row = offset;
    while (!(*encoder)->done()) {
      ASSERT_TRUE((*encoder)->fill(&block).ok());
      ASSERT_TRUE(block.row_count == 1 || static_cast<int64_t>(block.bytes.size()) <= block_bytes);
      for (int64_t i = 0; i < block.row_count; ++i, ++row) {
        const auto rowid = static_cast<uint64_t>(batch.first_row + (row - offset) + 1);
        const size_t from = block.row_starts[static_cast<size_t>(i)];
        const size_t to = i + 1 < block.row_count ? block.row_starts[static_cast<size_t>(i + 1)]
                                                  : block.bytes.size();
        ASSERT_EQ(hex(block.bytes.view().substr(from, to - from)),
                  hex(expected_row(cells, format, static_cast<size_t>(row), rowid)))
            << "row " << row << " of " << column_count << " columns";
      }
    }
    ASSERT_EQ(row, offset + length);
  }
}

class RandomRows : public testing::TestWithParam<RowFormat> {};

TEST_P(RandomRows, AreTheCellsOfTheirColumns) {
  Random random(42);
  for (int round = 0; round < 60; ++round) {
    check(random, GetParam());
    if (HasFatalFailure()) FAIL() << "round " << round;
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, RandomRows,
                         testing::Values(RowFormat::kPgBinary, RowFormat::kText,
                                         RowFormat::kSqliteRecord),
                         [](const auto& info) -> std::string {
                           return info.param == RowFormat::kPgBinary ? "PgBinary"
                                  : info.param == RowFormat::kText   ? "Text"
                                                                     : "SqliteRecord";
                         });

}  // namespace
}  // namespace headrace::test
