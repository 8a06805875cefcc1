// Columns of CSV files: their types, declared or inferred, and the conversion of cells to Arrow
// arrays.
#pragma once

#include <arrow/csv/converter.h>
#include <arrow/csv/options.h>
#include <arrow/csv/parser.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "headrace/request.h"
#include "headrace/result.h"
#include "headrace/schema.h"
#include "source/csv_values.h"

namespace headrace {

// A type name that a user declares for a column: headrace's own, or a common alias such as "text".
Result<DataType> declared_csv_type(const std::string& column, const std::string& name);

// What cells are NULL. An empty cell in quotes never is.
class CsvNulls {
 public:
  explicit CsvNulls(std::vector<std::string> texts) : texts_(std::move(texts)) {}
  bool contains(std::string_view cell, bool quoted) const {
    if (quoted) return false;
    for (const std::string& text : texts_) {
      if (cell == text) return true;
    }
    return false;
  }
  const std::vector<std::string>& texts() const { return texts_; }

 private:
  std::vector<std::string> texts_;
};

// The kinds that all cells of a column seen so far are of.
struct CsvGuess {
  uint32_t kinds = kAllCsvKinds;
  bool has_value = false;

  void add(std::string_view cell, bool quoted, const CsvNulls& nulls);
  void add(const CsvGuess& other);
  CsvKind kind() const { return has_value ? most_specific(kinds) : CsvKind::kText; }
};

// One column of one file, read by one thread.
class CsvColumn {
 public:
  // `declared`: the user asked for this type; otherwise it was inferred, and cells must be strictly
  // of it.
  static Result<std::unique_ptr<CsvColumn>> make(
      const Field& field, bool declared, std::shared_ptr<const arrow::csv::ConvertOptions> options,
      std::shared_ptr<const CsvNulls> nulls);

  // Column `index` of the rows in `parser`; `first_row` is the first one's row of the file,
  // 0-based.
  Result<std::shared_ptr<arrow::Array>> convert(const arrow::csv::BlockParser& parser, int index,
                                                int64_t first_row, const std::string& path) const;

  const std::shared_ptr<arrow::Field>& arrow_field() const { return arrow_field_; }

 private:
  Error converter_error(const std::string& message, const std::string& path) const;
  Error not_of_kind(std::string_view cell, int64_t row, const std::string& path) const;
  template <typename Builder, typename Value>
  Result<std::shared_ptr<arrow::Array>> convert_strictly(
      const arrow::csv::BlockParser& parser, int index, int64_t first_row, const std::string& path,
      bool (*parse)(std::string_view, Value*)) const;

  Field field_;
  bool declared_ = false;
  std::shared_ptr<arrow::Field> arrow_field_;
  std::shared_ptr<const arrow::csv::ConvertOptions> options_;  // the converter refers to them
  std::shared_ptr<const CsvNulls> nulls_;
  std::shared_ptr<arrow::csv::Converter> converter_;  // nullptr: strict
};

std::shared_ptr<const arrow::csv::ConvertOptions> csv_convert_options(const CsvNulls& nulls);

}  // namespace headrace
