#include "source/csv_rows.h"

#include <arrow/buffer.h>
#include <arrow/io/compressed.h>
#include <arrow/io/interfaces.h>
#include <arrow/util/compression.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "source/arrow_cpp.h"
#include "source/dataset.h"
#include "source/standard_input.h"

namespace headrace {
namespace {

constexpr int64_t kBlockBytes = 1 << 20;
constexpr size_t kMaxRowBytes = (size_t{1} << 30) + (64 << 20);
constexpr size_t kMaxShown = 200;

Result<std::string> first_bytes(const std::string& path, arrow::io::RandomAccessFile* file) {
  if (file == nullptr) return StandardInput::get().peek(4);
  std::array<char, 4> bytes{};
  HEADRACE_ARROW_ASSIGN(const int64_t got, file->Read(4, bytes.data()), path);
  HEADRACE_ARROW_TRY(file->Seek(0), path);
  return std::string(bytes.data(), static_cast<size_t>(got));
}

// Whatever the name says, the first bytes tell whether the text is packed.
arrow::Compression::type packing(const std::string& first_bytes) {
  if (first_bytes.starts_with("\x1f\x8b")) return arrow::Compression::GZIP;
  if (first_bytes.starts_with("\x28\xb5\x2f\xfd")) return arrow::Compression::ZSTD;
  return arrow::Compression::UNCOMPRESSED;
}

}  // namespace

CsvRows::CsvRows(std::string path, arrow::csv::ParseOptions options)
    : path_(std::move(path)), options_(std::move(options)) {}

CsvRows::~CsvRows() = default;

Status CsvRows::open() {
  std::shared_ptr<arrow::io::RandomAccessFile> file;
  if (path_ == kStandardInput) {
    raw_ = standard_input_stream();
  } else {
    HEADRACE_ASSIGN(file, open_file(path_));
    raw_ = file;
  }
  HEADRACE_ASSIGN(const std::string begin, first_bytes(path_, file.get()));
  input_ = raw_;
  if (const auto type = packing(begin); type != arrow::Compression::UNCOMPRESSED) {
    HEADRACE_ARROW_ASSIGN(codec_, arrow::util::Codec::Create(type), path_);
    HEADRACE_ARROW_ASSIGN(
        input_, arrow::io::CompressedInputStream::Make(codec_.get(), raw_, source_memory_pool()),
        path_);
  }
  HEADRACE_TRY(read_more());
  return skip_byte_order_mark();
}

Status CsvRows::skip_byte_order_mark() {
  const std::string_view begin = text_.view().substr(begin_, 3);
  if (begin == "\xef\xbb\xbf") begin_ += 3;
  if (!begin.starts_with("\xff\xfe") && !begin.starts_with("\xfe\xff")) return {};
  Error error(ErrorCode::kSource, fmt::format("{} is UTF-16", path_),
              "convert it to UTF-8, for example with iconv");
  error.where.file = path_;
  return error;
}

int64_t CsvRows::bytes_read() const { return raw_ == nullptr ? 0 : raw_->Tell().ValueOr(0); }

Result<int64_t> CsvRows::read(uint8_t* out, int64_t count) {
  int64_t done = 0;
  // Packed input gives what one step of unpacking gives.
  while (done < count) {
    HEADRACE_ARROW_ASSIGN(const int64_t got, input_->Read(count - done, out + done), path_);
    if (got == 0) break;
    done += got;
  }
  if (keeps_text_) kept_.append(reinterpret_cast<const char*>(out), static_cast<size_t>(done));
  return done;
}

void CsvRows::rewind() {
  // Text behind what was kept is still to come from the input.
  text_.clear();
  text_.append(kept_.data(), kept_.size());
  kept_.clear();
  kept_.shrink_to_fit();
  keeps_text_ = false;
  begin_ = text_.view().starts_with("\xef\xbb\xbf") ? 3 : 0;
  after_return_ = false;
  columns_ = -1;
  row_ = text_bytes_ = 0;
  if (at_end_) end_last_line();
}

// The last line may lack its end. With it, a row that does not end has a quote that is never
// closed.
void CsvRows::end_last_line() {
  if (text_.size() == begin_) return;
  const char last = text_.view().back();
  if (last != '\n' && last != '\r') text_.append("\n", 1);
}

// Twice as much each time, up to the longest row.
Status CsvRows::read_more() {
  const size_t rest = text_.size() - begin_;
  if (rest >= kMaxRowBytes) {
    Error error(ErrorCode::kSource, fmt::format("{}: row {} is longer than 1 GiB", path_, row_ + 1),
                "is there a quote that is never closed?");
    error.where.file = path_;
    error.where.row = row_ + 1;
    return error;
  }
  if (begin_ > 0) std::memmove(text_.data(), text_.data() + begin_, rest);
  text_.set_size(rest);
  begin_ = 0;
  const size_t more = std::clamp<size_t>(rest, kBlockBytes, kMaxRowBytes + kBlockBytes - rest);
  HEADRACE_ASSIGN(const int64_t got, read(text_.extend(more), static_cast<int64_t>(more)));
  text_.set_size(rest + static_cast<size_t>(got));
  at_end_ = static_cast<size_t>(got) < more;
  if (at_end_) end_last_line();
  return {};
}

Error CsvRows::parse_error(const arrow::Status& status) const {
  // "CSV parse error: Row #3: Expected 2 columns, got 3: 1,2,3"
  std::string_view text = status.message();
  int64_t row = -1;
  if (const auto at = text.find("Row #"); at != std::string_view::npos) {
    const char* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data() + at + 5, end, row);
    text = std::string_view(parsed.ptr, static_cast<size_t>(end - parsed.ptr));
    if (text.starts_with(": ")) text.remove_prefix(2);
  }
  const std::string where = row > 0        ? fmt::format("row {}", row)
                            : columns_ < 0 ? "the first row"
                                           : fmt::format("after row {}", row_);
  Error error(ErrorCode::kSource,
              fmt::format("{}: {}: {}", path_, where, text.substr(0, kMaxShown)),
              "check the delimiter and the quotes; \"\" stands for a quote inside of quotes");
  error.where.file = path_;
  error.where.row = row;
  return error;
}

Result<std::shared_ptr<arrow::csv::BlockParser>> CsvRows::parse(int32_t max_rows) {
  // The LF of a CR LF that was cut in two is no empty line.
  if (after_return_ && begin_ < text_.size()) {
    after_return_ = false;
    if (text_.data()[begin_] == '\n') ++begin_;
  }
  const std::string_view text = text_.view().substr(begin_);
  if (text.empty()) return std::shared_ptr<arrow::csv::BlockParser>();
  auto parser = std::make_shared<arrow::csv::BlockParser>(source_memory_pool(), options_, columns_,
                                                          row_ + 1, max_rows);
  uint32_t parsed = 0;
  const auto status = parser->Parse(text, &parsed);
  // The number of columns cannot be told from a part of the first row.
  if (!status.ok() && columns_ < 0 && !at_end_) return std::shared_ptr<arrow::csv::BlockParser>();
  if (!status.ok()) return parse_error(status);
  if (at_end_ && parsed == 0)
    return parse_error(arrow::Status::Invalid("a quote is opened and never closed"));
  if (parsed > 0) after_return_ = text[parsed - 1] == '\r';
  begin_ += parsed;
  text_bytes_ += parsed;
  if (parser->num_rows() == 0) parser = nullptr;
  return parser;
}

Result<std::vector<std::string>> CsvRows::first_row(bool keep) {
  if (input_ == nullptr) HEADRACE_TRY(open());
  std::vector<std::string> cells;
  size_t begin = begin_;
  std::shared_ptr<arrow::csv::BlockParser> parser;
  for (;;) {
    begin = begin_;
    HEADRACE_ASSIGN(parser, parse(1));
    if (parser != nullptr) break;
    if (at_end_ && begin_ == text_.size()) return cells;
    if (!at_end_) HEADRACE_TRY(read_more());
  }
  const auto add = [&cells](const uint8_t* data, uint32_t size, bool, bool) {
    cells.emplace_back(reinterpret_cast<const char*>(data), size);
    return arrow::Status::OK();
  };
  HEADRACE_ARROW_TRY(parser->VisitLastRow(add), path_);
  columns_ = parser->num_cols();
  // In a file of one column an empty line is an empty cell, in others it is nothing.
  options_.ignore_empty_lines = columns_ != 1;
  if (keep) {
    text_bytes_ -= static_cast<int64_t>(begin_ - begin);
    begin_ = begin;
    after_return_ = false;
  }
  return cells;
}

Result<std::shared_ptr<arrow::csv::BlockParser>> CsvRows::next(int32_t max_rows) {
  for (;;) {
    // Enough text for a batch, so that none is small only because a block ended.
    if (!at_end_ && text_.size() - begin_ < kBlockBytes) HEADRACE_TRY(read_more());
    HEADRACE_ASSIGN(auto parser, parse(max_rows));
    if (parser != nullptr) {
      row_ += parser->num_rows();
      return parser;
    }
    if (at_end_ && begin_ == text_.size()) return parser;
    if (!at_end_) HEADRACE_TRY(read_more());
  }
}

}  // namespace headrace
