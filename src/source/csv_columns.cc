#include "source/csv_columns.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "source/arrow_cpp.h"

namespace headrace {
namespace {

constexpr size_t kMaxShown = 60;

struct Alias {
  const char* name;
  const char* type;
};

constexpr Alias kAliases[] = {
    {"text", "utf8"},
    {"string", "utf8"},
    {"varchar", "utf8"},
    {"int", "int32"},
    {"integer", "int32"},
    {"smallint", "int16"},
    {"bigint", "int64"},
    {"real", "float32"},
    {"float", "float64"},
    {"double", "float64"},
    {"double precision", "float64"},
    {"boolean", "bool"},
    {"date", "date32"},
    {"time", "time64[us]"},
    {"timestamp", "timestamp[us]"},
    {"timestamptz", "timestamp[us, tz=UTC]"},
    {"bytea", "binary"},
};

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::string shown(std::string_view cell) {
  return cell.size() <= kMaxShown ? std::string(cell)
                                  : std::string(cell.substr(0, kMaxShown)) + "...";
}

Error rejected(std::string message, std::string hint, const std::string& path, int64_t row,
               const std::string& column) {
  Error error(ErrorCode::kRejectedValue, std::move(message), std::move(hint));
  error.where.file = path;
  error.where.row = row;
  error.where.column = column;
  return error;
}

}  // namespace

Result<DataType> declared_csv_type(const std::string& column, const std::string& name) {
  std::string known = name;
  for (const Alias& alias : kAliases) {
    if (lower(name) == alias.name) known = alias.type;
  }
  for (const char* decimal : {"decimal(", "numeric("}) {
    if (lower(name).starts_with(decimal)) known = "decimal128(" + name.substr(8);
  }
  bool ok = false;
  DataType type = parse_type_name(known, &ok);
  if (ok && type.id != TypeId::kNull) return type;
  return Error(
      ErrorCode::kUsage, fmt::format("column {}: {} is not a type of a CSV column", column, name),
      "for example utf8, int64, float64, bool, date32, timestamp[us], decimal128(12, 2), binary");
}

void CsvGuess::add(std::string_view cell, bool quoted, const CsvNulls& nulls) {
  if (nulls.contains(cell, quoted)) return;
  has_value = true;
  if (most_specific(kinds) != CsvKind::kText) kinds = csv_kinds_of(cell, kinds);
}

void CsvGuess::add(const CsvGuess& other) {
  kinds &= other.kinds;
  has_value = has_value || other.has_value;
}

std::shared_ptr<const arrow::csv::ConvertOptions> csv_convert_options(const CsvNulls& nulls) {
  auto options =
      std::make_shared<arrow::csv::ConvertOptions>(arrow::csv::ConvertOptions::Defaults());
  options->check_utf8 = false;  // the encoders check it, and say where it is wrong
  options->null_values = nulls.texts();
  options->strings_can_be_null = true;
  options->quoted_strings_can_be_null = false;
  for (const char* text : {"t", "T"}) options->true_values.emplace_back(text);
  for (const char* text : {"f", "F"}) options->false_values.emplace_back(text);
  return options;
}

Result<std::unique_ptr<CsvColumn>> CsvColumn::make(
    const Field& field, bool declared, std::shared_ptr<const arrow::csv::ConvertOptions> options,
    std::shared_ptr<const CsvNulls> nulls) {
  auto out = std::make_unique<CsvColumn>();
  out->field_ = field;
  out->declared_ = declared;
  out->options_ = std::move(options);
  out->nulls_ = std::move(nulls);
  HEADRACE_ASSIGN(const auto type, arrow_type_of(field));
  out->arrow_field_ = arrow::field(field.name, type);
  if (!declared && field.type.id != TypeId::kUtf8) return out;
  auto converter = arrow::csv::Converter::Make(type, *out->options_, source_memory_pool());
  if (!converter.ok()) {
    return Error(
        ErrorCode::kUsage,
        fmt::format("column {}: CSV cells cannot be read as {}", field.name, type_name(field.type)),
        "declare it as utf8, int64, float64, bool, date32, timestamp[us] or decimal128(p, s)");
  }
  out->converter_ = std::move(*converter);
  return out;
}

Error CsvColumn::converter_error(const std::string& message, const std::string& path) const {
  // "Row #12: CSV conversion error to int64: invalid value 'abc'"
  int64_t row = -1;
  std::string_view text = message;
  if (const auto at = text.find("Row #"); at != std::string_view::npos) {
    std::from_chars(text.data() + at + 5, text.data() + text.size(), row);
  }
  if (const auto at = text.find("error to "); at != std::string_view::npos)
    text.remove_prefix(at + 9);
  return rejected(fmt::format("{}: row {}, column {}: cannot be read as {}: {}", path, row,
                              field_.name, type_name(field_.type), shown(text)),
                  fmt::format("declare another type: --type {}=utf8", field_.name), path, row,
                  field_.name);
}

Error CsvColumn::not_of_kind(std::string_view cell, int64_t row, const std::string& path) const {
  return rejected(fmt::format("{}: row {}, column {}: '{}' is not {}, which the first rows are",
                              path, row, field_.name, shown(cell), type_name(field_.type)),
                  fmt::format("declare the column's type: --type {}=utf8", field_.name), path, row,
                  field_.name);
}

template <typename Builder, typename Value>
Result<std::shared_ptr<arrow::Array>> CsvColumn::convert_strictly(
    const arrow::csv::BlockParser& parser, int index, int64_t first_row, const std::string& path,
    bool (*parse)(std::string_view, Value*)) const {
  Builder builder(arrow_field_->type(), source_memory_pool());
  HEADRACE_ARROW_TRY(builder.Reserve(parser.num_rows()), path);
  int64_t row = first_row;
  std::string_view bad;
  const auto visit = [&](const uint8_t* data, uint32_t size, bool quoted, bool) {
    const std::string_view cell(reinterpret_cast<const char*>(data), size);
    ++row;
    Value value{};
    if (nulls_->contains(cell, quoted)) {
      builder.UnsafeAppendNull();
    } else if (parse(cell, &value)) {
      builder.UnsafeAppend(value);
    } else {
      bad = cell;
      return arrow::Status::Invalid("not of this kind");
    }
    return arrow::Status::OK();
  };
  if (!parser.VisitColumn(index, visit).ok()) return not_of_kind(bad, row, path);
  std::shared_ptr<arrow::Array> array;
  HEADRACE_ARROW_TRY(builder.Finish(&array), path);
  return array;
}

Result<std::shared_ptr<arrow::Array>> CsvColumn::convert(const arrow::csv::BlockParser& parser,
                                                         int index, int64_t first_row,
                                                         const std::string& path) const {
  if (converter_ != nullptr) {
    auto array = converter_->Convert(parser, index);
    if (!array.ok()) return converter_error(array.status().message(), path);
    return std::move(*array);
  }
  switch (field_.type.id) {
    case TypeId::kBool:
      return convert_strictly<arrow::BooleanBuilder>(parser, index, first_row, path,
                                                     parse_csv_bool);
    case TypeId::kInt64:
      return convert_strictly<arrow::Int64Builder>(parser, index, first_row, path, parse_csv_int64);
    case TypeId::kFloat64:
      return convert_strictly<arrow::DoubleBuilder>(parser, index, first_row, path,
                                                    parse_csv_float64);
    case TypeId::kDate32:
      return convert_strictly<arrow::Date32Builder>(parser, index, first_row, path, parse_csv_date);
    default:
      return convert_strictly<arrow::TimestampBuilder>(
          parser, index, first_row, path,
          field_.type.timezone.empty() ? parse_csv_timestamp : parse_csv_timestamp_utc);
  }
}

}  // namespace headrace
