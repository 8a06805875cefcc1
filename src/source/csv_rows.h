// CsvRows: the text of a CSV file, unpacked, cut into rows and cells. A cell may be as long as 1
// GiB.
#pragma once

#include <arrow/csv/options.h>
#include <arrow/csv/parser.h>
#include <arrow/io/type_fwd.h>
#include <arrow/util/type_fwd.h>

#include <memory>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "headrace/result.h"

namespace headrace {

class CsvRows {
 public:
  // `path` may be "-". Opens nothing before the first row is asked for.
  CsvRows(std::string path, arrow::csv::ParseOptions options);
  ~CsvRows();

  // The cells of the first row, empty when there is none. With `keep` it is a row of data too.
  // REQUIRES: nothing was read before.
  Result<std::vector<std::string>> first_row(bool keep);

  // Up to `max_rows` further rows of as many cells as the first row had; nullptr at the end.
  Result<std::shared_ptr<arrow::csv::BlockParser>> next(int32_t max_rows);

  // Row of the file, 0-based without header, that comes next.
  int64_t row() const { return row_; }
  int64_t bytes_read() const;                         // as stored
  int64_t text_bytes() const { return text_bytes_; }  // unpacked, in rows handed out so far

  // Makes all text since the beginning come again; for input that cannot be opened twice.
  // REQUIRES: keep_text(true) before the first row.
  void keep_text(bool keep) { keeps_text_ = keep; }
  void rewind();

 private:
  Status open();
  Status read_more();
  void end_last_line();
  Result<int64_t> read(uint8_t* out, int64_t count);
  Status skip_byte_order_mark();
  // nullptr when there is no whole row yet.
  Result<std::shared_ptr<arrow::csv::BlockParser>> parse(int32_t max_rows);
  Error parse_error(const arrow::Status& status) const;

  const std::string path_;
  arrow::csv::ParseOptions options_;
  std::unique_ptr<arrow::util::Codec> codec_;  // of input_, when the text is packed
  std::shared_ptr<arrow::io::InputStream> raw_, input_;
  Buffer text_;  // bytes [begin_, text_.size()) are not yet handed out
  size_t begin_ = 0;
  bool at_end_ = false;
  bool after_return_ = false;  // the last byte handed out was CR
  int32_t columns_ = -1;
  int64_t row_ = 0;
  int64_t text_bytes_ = 0;
  bool keeps_text_ = false;
  std::string kept_;
};

}  // namespace headrace
