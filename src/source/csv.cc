// CSV: one partition per file, columns by name, types declared or inferred from the first rows.
#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "source/arrow_cpp.h"
#include "source/arrow_cpp_shape.h"
#include "source/csv_columns.h"
#include "source/csv_rows.h"
#include "source/dataset.h"
#include "source/formats.h"

namespace headrace {
namespace {

constexpr int32_t kRowsAtOnce = 16384;
// Text that types are inferred from: of each file, and of all files together.
constexpr int64_t kInferenceBytes = 4 << 20;
constexpr int64_t kMinInferenceBytes = 64 << 10;
constexpr int64_t kAllInferenceBytes = 64 << 20;

struct CsvFile {
  std::string path;
  FileStamp stamp;
  std::vector<std::string> names;
  std::vector<CsvGuess> guesses;
  std::shared_ptr<CsvRows> input;  // standard input, rewound after the inference
};

char delimiter_of(const CsvOptions& options, const std::string& path) {
  if (options.delimiter != 0) return options.delimiter;
  std::string name = path;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  for (const char* packed : {".gz", ".zst"}) {
    if (name.ends_with(packed)) name.resize(name.size() - std::string_view(packed).size());
  }
  if (name.ends_with(".tsv")) return '\t';
  if (name.ends_with(".psv")) return '|';
  return ',';
}

std::shared_ptr<CsvRows> rows_of(const CsvOptions& options, const std::string& path) {
  auto parse = arrow::csv::ParseOptions::Defaults();
  parse.delimiter = delimiter_of(options, path);
  parse.newlines_in_values = true;
  return std::make_shared<CsvRows>(path, parse);
}

// Names of the header; the unnamed ones, and all without header, are numbered.
Status name_columns(const CsvOptions& options, std::vector<std::string> cells, CsvFile* file) {
  std::set<std::string> seen;
  for (size_t i = 0; i < cells.size(); ++i) {
    std::string& name = cells[i];
    if (!options.header || name.empty()) name = fmt::format("column_{}", i + 1);
    if (seen.insert(name).second) continue;
    Error error(ErrorCode::kSource, fmt::format("{} has two columns named {}", file->path, name),
                "columns are matched by name; rename one of them in the header");
    error.where.file = file->path;
    error.where.column = name;
    return error;
  }
  file->names = std::move(cells);
  return {};
}

Status infer(const CsvNulls& nulls, int64_t bytes, CsvRows* rows, CsvFile* file) {
  file->guesses.resize(file->names.size());
  while (rows->text_bytes() < bytes) {
    HEADRACE_ASSIGN(const auto parser, rows->next(kRowsAtOnce));
    if (parser == nullptr) break;
    for (size_t i = 0; i < file->guesses.size(); ++i) {
      const auto add = [&](const uint8_t* data, uint32_t size, bool quoted, bool) {
        file->guesses[i].add({reinterpret_cast<const char*>(data), size}, quoted, nulls);
        return arrow::Status::OK();
      };
      HEADRACE_ARROW_TRY(parser->VisitColumn(static_cast<int32_t>(i), add), file->path);
    }
  }
  return {};
}

Result<CsvFile> describe(const CsvOptions& options, const CsvNulls& nulls, const std::string& path,
                         int64_t bytes) {
  CsvFile file;
  file.path = path;
  const bool is_input = path == kStandardInput;
  if (!is_input) {
    HEADRACE_ASSIGN(file.stamp, file_stamp(path));
  }
  auto rows = rows_of(options, path);
  rows->keep_text(is_input);
  HEADRACE_ASSIGN(auto cells, rows->first_row(!options.header));
  HEADRACE_TRY(name_columns(options, std::move(cells), &file));
  HEADRACE_TRY(infer(nulls, bytes, rows.get(), &file));
  if (is_input) {
    rows->rewind();
    file.input = std::move(rows);
  }
  return file;
}

class CsvReader final : public BatchReader {
 public:
  CsvReader(std::string path, std::shared_ptr<CsvRows> rows, BatchShaper shaper,
            std::vector<std::unique_ptr<CsvColumn>> columns, int64_t batch_rows)
      : path_(std::move(path)),
        rows_(std::move(rows)),
        shaper_(std::move(shaper)),
        columns_(std::move(columns)),
        batch_rows_(static_cast<int32_t>(std::clamp<int64_t>(batch_rows, 1, kRowsAtOnce * 4))) {
    std::vector<std::shared_ptr<arrow::Field>> fields;
    for (const auto& column : columns_) fields.push_back(column->arrow_field());
    schema_ = arrow::schema(std::move(fields));
  }

  Result<std::unique_ptr<RecordBatch>> next() override {
    const int64_t first_row = rows_->row();
    HEADRACE_ASSIGN(const auto parser, rows_->next(batch_rows_));
    if (parser == nullptr) return std::unique_ptr<RecordBatch>();
    std::vector<std::shared_ptr<arrow::Array>> arrays;
    for (size_t i = 0; i < columns_.size(); ++i) {
      HEADRACE_ASSIGN(auto array,
                      columns_[i]->convert(*parser, shaper_.file_columns()[i], first_row, path_));
      arrays.push_back(std::move(array));
    }
    const auto batch = arrow::RecordBatch::Make(schema_, parser->num_rows(), std::move(arrays));
    HEADRACE_ASSIGN(const auto shared, share_batch(*batch, path_));
    std::vector<BorrowedColumn> columns;
    for (int i = 0; i < batch->num_columns(); ++i) columns.push_back(borrow_child(shared, i, 0));
    return shaper_.shape(columns, batch->num_rows(), first_row);
  }

  int64_t bytes_read() const override { return rows_->bytes_read(); }

 private:
  const std::string path_;
  const std::shared_ptr<CsvRows> rows_;
  const BatchShaper shaper_;
  const std::vector<std::unique_ptr<CsvColumn>> columns_;
  const int32_t batch_rows_;
  std::shared_ptr<arrow::Schema> schema_;
};

class CsvSource final : public Source {
 public:
  CsvSource(const CsvOptions& options, std::vector<CsvFile> files, std::vector<FileSchema> schemas,
            UnifiedSchema unified, SourceFacts facts)
      : options_(options),
        files_(std::move(files)),
        schemas_(std::move(schemas)),
        unified_(std::move(unified)),
        facts_(std::move(facts)),
        nulls_(std::make_shared<const CsvNulls>(options.null_values)),
        convert_(csv_convert_options(*nulls_)) {
    for (size_t i = 0; i < files_.size(); ++i) by_path_.emplace(files_[i].path, i);
  }

  const SourceFacts& facts() const override { return facts_; }

  Result<std::unique_ptr<BatchReader>> open(const Partition& partition,
                                            const ReadOptions& options) override {
    const auto found = by_path_.find(partition.uri);
    if (found == by_path_.end()) {
      return Error(ErrorCode::kInternal,
                   fmt::format("{} is not part of this source", partition.uri));
    }
    CsvFile& file = files_[found->second];
    const Schema& schema = schemas_[found->second].schema;
    ReadOptions read = options;
    read.batch_rows = std::max<int64_t>(options.batch_rows, 1);
    HEADRACE_ASSIGN(BatchShaper shaper,
                    BatchShaper::make(unified_, found->second, schema, partition, read));
    std::shared_ptr<CsvRows> rows;
    if (file.path == kStandardInput) {
      if (file.input == nullptr)
        return Error(ErrorCode::kUsage, "standard input can be read only once");
      rows = std::move(file.input);
    } else {
      HEADRACE_TRY(check_unchanged(file.path, file.stamp));
      rows = rows_of(options_, file.path);
    }
    HEADRACE_ASSIGN(const auto cells, rows->first_row(!options_.header));
    std::vector<std::unique_ptr<CsvColumn>> columns;
    for (int position : shaper.file_columns()) {
      const Field& field = schema.fields[static_cast<size_t>(position)];
      HEADRACE_ASSIGN(auto column, CsvColumn::make(field, options_.types.contains(field.name),
                                                   convert_, nulls_));
      columns.push_back(std::move(column));
    }
    return std::unique_ptr<BatchReader>(std::make_unique<CsvReader>(
        file.path, std::move(rows), std::move(shaper), std::move(columns), read.batch_rows));
  }

 private:
  const CsvOptions options_;
  std::vector<CsvFile> files_;
  const std::vector<FileSchema> schemas_;
  const UnifiedSchema unified_;
  const SourceFacts facts_;
  const std::shared_ptr<const CsvNulls> nulls_;
  const std::shared_ptr<const arrow::csv::ConvertOptions> convert_;
  std::map<std::string, size_t> by_path_;
};

// One type a column for all files: declared, or what the first rows of all of them are.
Result<std::vector<FileSchema>> type_columns(const CsvOptions& options,
                                             const std::vector<CsvFile>& files) {
  std::map<std::string, CsvGuess> guesses;
  for (const CsvFile& file : files) {
    for (size_t i = 0; i < file.names.size(); ++i) guesses[file.names[i]].add(file.guesses[i]);
  }
  std::map<std::string, DataType> types;
  for (const auto& [name, guess] : guesses) types[name] = csv_kind_type(guess.kind());
  for (const auto& [name, declared] : options.types) {
    if (!types.contains(name)) {
      std::vector<std::string> names;
      for (const auto& [known, type] : types) names.push_back(known);
      return Error(
          ErrorCode::kUsage,
          fmt::format("a type is declared for column {}, which the source does not have", name),
          fmt::format("its columns: {}", fmt::join(names, ", ")));
    }
    HEADRACE_ASSIGN(types[name], declared_csv_type(name, declared));
  }
  std::vector<FileSchema> schemas;
  for (const CsvFile& file : files) {
    FileSchema& schema = schemas.emplace_back();
    schema.uri = file.path;
    for (const std::string& name : file.names)
      schema.schema.fields.push_back({name, types[name], true});
  }
  return schemas;
}

// Files without header are matched by position, so they must agree on the number of columns.
Status check_widths(const CsvOptions& options, const std::vector<CsvFile>& files) {
  const CsvFile* first = nullptr;
  for (const CsvFile& file : files) {
    if (file.names.empty()) continue;  // not even a header: no rows
    if (first == nullptr) first = &file;
    if (options.header || first->names.size() == file.names.size()) continue;
    return Error(ErrorCode::kTypeMismatch,
                 fmt::format("the files have no header and differ: {} columns in {}, {} in {}",
                             first->names.size(), first->path, file.names.size(), file.path),
                 "load them one by one");
  }
  if (first != nullptr) return {};
  Error error(ErrorCode::kSource,
              fmt::format("{} is empty: it has not even a header", files.front().path),
              "was it written completely?");
  error.where.file = files.front().path;
  return error;
}

Result<std::unique_ptr<Source>> open_csv(const LoadRequest& request,
                                         const std::vector<Partition>& files) {
  const CsvNulls nulls(request.csv.null_values);
  const int64_t bytes = std::clamp<int64_t>(kAllInferenceBytes / static_cast<int64_t>(files.size()),
                                            kMinInferenceBytes, kInferenceBytes);
  std::vector<CsvFile> opened;
  SourceFacts facts;
  facts.uri = fmt::format("{}", fmt::join(request.source, " "));
  facts.format = "csv";
  facts.byte_count = 0;
  for (const Partition& file : files) {
    HEADRACE_ASSIGN(CsvFile one, describe(request.csv, nulls, file.uri, bytes));
    Partition partition = file;
    partition.byte_count = file.uri == kStandardInput ? -1 : one.stamp.bytes;
    facts.byte_count = facts.byte_count < 0 || partition.byte_count < 0
                           ? -1
                           : facts.byte_count + partition.byte_count;
    facts.files.push_back(file.uri);
    facts.partitions.push_back(std::move(partition));
    opened.push_back(std::move(one));
  }
  HEADRACE_TRY(check_widths(request.csv, opened));
  HEADRACE_ASSIGN(auto schemas, type_columns(request.csv, opened));
  HEADRACE_ASSIGN(UnifiedSchema unified, unify_schemas(schemas, files));
  facts.schema = unified.schema;
  return std::unique_ptr<Source>(std::make_unique<CsvSource>(
      request.csv, std::move(opened), std::move(schemas), std::move(unified), std::move(facts)));
}

// Text has no magic bytes; packed text is taken for CSV.
bool recognises(const std::string& first_bytes, const std::string&) {
  return first_bytes.starts_with("\x1f\x8b") || first_bytes.starts_with("\x28\xb5\x2f\xfd");
}

std::vector<std::string> suffixes() {
  std::vector<std::string> out;
  for (const char* suffix : {".csv", ".tsv", ".psv", ".txt"}) {
    for (const char* packed : {"", ".gz", ".zst"}) out.push_back(std::string(suffix) + packed);
  }
  return out;
}

}  // namespace

SourceFormat csv_format() { return {"csv", suffixes(), recognises, open_csv}; }

}  // namespace headrace
