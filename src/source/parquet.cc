// Parquet: one partition per row group, everything known from the footers.
#include "source/parquet.h"

#include <arrow/io/interfaces.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <parquet/arrow/schema.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>
#include <parquet/schema.h>

#include <array>
#include <map>

#include "source/arrow_cpp.h"
#include "source/formats.h"
#include "source/parquet_flat.h"

namespace headrace {
namespace {

constexpr int64_t kSmallestFile = 12;  // magic, footer length, magic

Error bad_file(const std::string& path, std::string message, std::string hint) {
  Error error(ErrorCode::kSource, fmt::format("{} {}", path, message), std::move(hint));
  error.where.file = path;
  return error;
}

Error encrypted(const std::string& path) {
  Error error(ErrorCode::kUnsupported, fmt::format("{} is encrypted", path),
              "headrace has no keys; write the file without encryption");
  error.where.file = path;
  return error;
}

// The magic bytes at both ends tell the usual accidents apart.
Status check_magic(arrow::io::RandomAccessFile& file, const std::string& path, int64_t size) {
  if (size == 0)
    return bad_file(path, "is empty (0 bytes), not a Parquet file", "was it written completely?");
  std::array<char, 4> first{}, last{};
  if (size >= kSmallestFile) {
    HEADRACE_ARROW_TRY(file.ReadAt(0, 4, first.data()).status(), path);
    HEADRACE_ARROW_TRY(file.ReadAt(size - 4, 4, last.data()).status(), path);
  }
  const std::string_view begin(first.data(), 4), end(last.data(), 4);
  if (end == "PARE") return encrypted(path);
  if (end == "PAR1") return {};
  if (begin == "PAR1") {
    return bad_file(
        path,
        fmt::format("is cut off: it has {} bytes and does not end as a Parquet file does", size),
        "copy or write it again, completely");
  }
  return bad_file(path, "is not a Parquet file", "give its format by --format");
}

Status check_features(const parquet::FileMetaData& metadata, const std::string& path) {
  if (metadata.is_encryption_algorithm_set()) return encrypted(path);
  if (metadata.num_row_groups() == 0 || metadata.num_columns() == 0) return {};
  const auto chunk = metadata.RowGroup(0)->ColumnChunk(0);
  if (chunk->file_path().empty()) return {};
  return bad_file(path, fmt::format("holds only metadata: its rows are in {}", chunk->file_path()),
                  "name the files that hold the rows, or their folder");
}

ParquetColumn column_of(const parquet::SchemaDescriptor& schema, const parquet::schema::Node* node,
                        const std::vector<int>& leaves, Field* field) {
  ParquetColumn column;
  column.leaves = leaves;
  for (int leaf : leaves)
    column.int96 |= schema.Column(leaf)->physical_type() == parquet::Type::INT96;
  if (!node->is_primitive()) return column;
  if (auto flat = flat_field(*schema.Column(leaves.front()), *field)) {
    column.flat = true;
    *field = std::move(*flat);
  }
  return column;
}

Status describe_columns(ParquetFile* file) {
  const parquet::SchemaDescriptor& schema = *file->metadata->schema();
  std::shared_ptr<arrow::Schema> arrow_schema;
  HEADRACE_ARROW_TRY(
      parquet::arrow::FromParquetSchema(&schema, parquet_arrow_properties(*file, 1),
                                        file->metadata->key_value_metadata(), &arrow_schema),
      file->path);
  HEADRACE_ASSIGN(file->schema, schema_of(*arrow_schema, file->path));
  std::map<const parquet::schema::Node*, std::vector<int>> leaves;
  for (int i = 0; i < schema.num_columns(); ++i) leaves[schema.GetColumnRoot(i)].push_back(i);
  for (int i = 0; i < schema.group_node()->field_count(); ++i) {
    const parquet::schema::Node* node = schema.group_node()->field(i).get();
    file->columns.push_back(
        column_of(schema, node, leaves[node], &file->schema.fields[static_cast<size_t>(i)]));
  }
  return {};
}

class ParquetSource final : public Source {
 public:
  ParquetSource(std::vector<ParquetFile> files, UnifiedSchema unified, SourceFacts facts)
      : files_(std::move(files)), unified_(std::move(unified)), facts_(std::move(facts)) {
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
    return open_parquet_reader(files_[found->second], found->second, unified_, partition, options,
                               pool_);
  }

 private:
  const std::vector<ParquetFile> files_;
  const UnifiedSchema unified_;
  const SourceFacts facts_;
  std::map<std::string, size_t> by_path_;
  std::shared_ptr<SlabPool> pool_ = std::make_shared<SlabPool>();
};

Result<std::unique_ptr<Source>> open_parquet(const LoadRequest& request,
                                             const std::vector<Partition>& files) {
  if (files.front().uri == kStandardInput) {
    return Error(ErrorCode::kUnsupported,
                 "Parquet cannot be read from standard input: its metadata stands at the end",
                 "write it to a file first");
  }
  std::vector<ParquetFile> opened;
  std::vector<FileSchema> schemas;
  for (const Partition& file : files) {
    HEADRACE_ASSIGN(ParquetFile one, open_parquet_file(file));
    schemas.push_back({one.path, one.schema});
    opened.push_back(std::move(one));
  }
  HEADRACE_ASSIGN(UnifiedSchema unified, unify_schemas(schemas, files));
  HEADRACE_TRY(choose_dictionaries(&opened, &unified));
  SourceFacts facts;
  facts.uri = fmt::format("{}", fmt::join(request.source, " "));
  facts.format = "parquet";
  facts.schema = unified.schema;
  fill_parquet_facts(opened, files, unified, &facts);
  return std::unique_ptr<Source>(
      std::make_unique<ParquetSource>(std::move(opened), std::move(unified), std::move(facts)));
}

bool recognises(const std::string& first_bytes, const std::string& last_bytes) {
  return first_bytes.starts_with("PAR1") || last_bytes.ends_with("PAR1") ||
         last_bytes.ends_with("PARE");
}

}  // namespace

parquet::ArrowReaderProperties parquet_arrow_properties(const ParquetFile& file,
                                                        int64_t batch_rows) {
  parquet::ArrowReaderProperties properties(/*use_threads=*/false);
  properties.set_batch_size(batch_rows);
  properties.set_pre_buffer(false);
  // Nanoseconds in 64 bits end in 2262; INT96 is used for dates of year 9999.
  properties.set_coerce_int96_timestamp_unit(arrow::TimeUnit::MICRO);
  properties.set_arrow_extensions_enabled(true);
  for (const ParquetColumn& column : file.columns) {
    if (column.dictionary) properties.set_read_dictionary(column.leaves.front(), true);
  }
  return properties;
}

Result<ParquetFile> open_parquet_file(const Partition& file) {
  ParquetFile out;
  out.path = file.uri;
  HEADRACE_ASSIGN(out.stamp, file_stamp(file.uri));
  HEADRACE_ASSIGN(auto input, open_file(file.uri));
  HEADRACE_TRY(check_magic(*input, file.uri, out.stamp.bytes));
  try {
    out.metadata = parquet::ReadMetaData(input);
    HEADRACE_TRY(check_features(*out.metadata, file.uri));
    HEADRACE_TRY(describe_columns(&out));
    int64_t row = 0;
    for (int i = 0; i < out.metadata->num_row_groups(); ++i) {
      out.first_rows.push_back(row);
      row += out.metadata->RowGroup(i)->num_rows();
    }
  } catch (const parquet::ParquetException&) {
    return parquet_error(file.uri);
  }
  return out;
}

SourceFormat parquet_format() { return {"parquet", {".parquet", ".pq"}, recognises, open_parquet}; }

}  // namespace headrace
