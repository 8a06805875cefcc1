// Arrow IPC: files (with footer) and streams, from disk or standard input. One partition per file:
// its batches need hardly any decoding, and the work on them is done elsewhere.
#include <arrow/io/interfaces.h>
#include <arrow/ipc/reader.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "source/arrow_cpp.h"
#include "source/arrow_cpp_shape.h"
#include "source/arrow_ipc_check.h"
#include "source/dataset.h"
#include "source/formats.h"
#include "source/standard_input.h"

namespace headrace {
namespace {

constexpr std::string_view kFileMagic = "ARROW1";
constexpr int64_t kFileHeaderBytes =
    8;  // the magic and its padding; then the batches follow as in a stream
constexpr std::string_view kContinuation = "\xff\xff\xff\xff";

constexpr int64_t kMaxCountedBytes = 64 << 20;

struct IpcFile {
  std::string path;
  FileStamp stamp;
  Schema schema;
  bool has_footer = false;
  int64_t row_count = -1;
};

arrow::ipc::IpcReadOptions read_options(std::vector<int> columns) {
  auto options = arrow::ipc::IpcReadOptions::Defaults();
  options.memory_pool = message_memory_pool();
  options.use_threads = false;
  options.included_fields = std::move(columns);
  return options;
}

// Batches of a file with footer or of a stream, one after the other.
class IpcBatches {
 public:
  // `columns`: positions of those to read; empty: all.
  static Result<std::unique_ptr<IpcBatches>> open(const std::string& path, bool has_footer,
                                                  std::vector<int> columns) {
    auto out = std::make_unique<IpcBatches>();
    out->path_ = path;
    const auto options = read_options(std::move(columns));
    if (path == kStandardInput) {
      out->input_ = standard_input_stream();
      // A file piped in: behind its header stands a stream.
      if (has_footer) HEADRACE_ARROW_TRY(out->input_->Advance(kFileHeaderBytes), path);
    } else {
      HEADRACE_ASSIGN(auto file, open_file(path, message_memory_pool()));
      if (has_footer) {
        HEADRACE_ARROW_ASSIGN(out->file_, arrow::ipc::RecordBatchFileReader::Open(file, options),
                              path);
        HEADRACE_ARROW_ASSIGN(out->size_, file->GetSize(), path);
        return out;
      }
      // Bounded by the file: a damaged length must not become an allocation.
      HEADRACE_ARROW_ASSIGN(const int64_t size, file->GetSize(), path);
      HEADRACE_ARROW_ASSIGN(out->input_, arrow::io::RandomAccessFile::GetStream(file, 0, size),
                            path);
    }
    HEADRACE_ARROW_ASSIGN(out->stream_,
                          arrow::ipc::RecordBatchStreamReader::Open(out->input_, options), path);
    return out;
  }

  std::shared_ptr<arrow::Schema> schema() const {
    return file_ != nullptr ? file_->schema() : stream_->schema();
  }

  // Arrow counts by reading all of the file: not worth it for a large one. -1: not known.
  Result<int64_t> count_rows() {
    if (file_ == nullptr || size_ > kMaxCountedBytes) return int64_t{-1};
    HEADRACE_ARROW_ASSIGN(const int64_t rows, file_->CountRows(), path_);
    return rows;
  }

  // Empty at the end. Checked: a damaged file must not lead outside of its buffers.
  Result<std::shared_ptr<arrow::RecordBatch>> next() {
    std::shared_ptr<arrow::RecordBatch> batch;
    if (file_ == nullptr) {
      HEADRACE_ARROW_TRY(stream_->ReadNext(&batch), path_);
    } else if (next_ < file_->num_record_batches()) {
      HEADRACE_ARROW_ASSIGN(batch, file_->ReadRecordBatch(next_++), path_);
    }
    if (batch != nullptr) HEADRACE_ARROW_TRY(check_batch(*batch), path_);
    return batch;
  }

  int64_t bytes_read() const {
    if (file_ != nullptr)
      return file_->num_record_batches() == 0 ? 0 : size_ * next_ / file_->num_record_batches();
    return input_->Tell().ValueOr(0);
  }

 private:
  std::string path_;
  std::shared_ptr<arrow::ipc::RecordBatchFileReader> file_;
  std::shared_ptr<arrow::io::InputStream> input_;
  std::shared_ptr<arrow::ipc::RecordBatchStreamReader> stream_;
  int next_ = 0;
  int64_t size_ = 0;
};

class IpcReader final : public BatchReader {
 public:
  // `places`: where each of shaper.file_columns() stands in the batches.
  IpcReader(std::string path, std::unique_ptr<IpcBatches> batches, BatchShaper shaper,
            std::vector<int> places, int64_t batch_rows)
      : path_(std::move(path)),
        batches_(std::move(batches)),
        shaper_(std::move(shaper)),
        places_(std::move(places)),
        batch_rows_(batch_rows) {}

  Result<std::unique_ptr<RecordBatch>> next() override {
    while (current_ == nullptr || taken_ == (*current_)->length) {
      HEADRACE_ASSIGN(const auto batch, batches_->next());
      if (batch == nullptr) return std::unique_ptr<RecordBatch>();
      current_.reset();
      HEADRACE_ASSIGN(current_, share_batch(*batch, path_));
      taken_ = 0;
    }
    const int64_t rows = std::min(batch_rows_, (*current_)->length - taken_);
    std::vector<BorrowedColumn> columns;
    for (int place : places_) columns.push_back(borrow_child(current_, place, taken_));
    HEADRACE_ASSIGN(auto batch, shaper_.shape(columns, rows, row_));
    taken_ += rows;
    row_ += rows;
    return batch;
  }

  int64_t bytes_read() const override { return batches_->bytes_read(); }

 private:
  const std::string path_;
  const std::unique_ptr<IpcBatches> batches_;
  const BatchShaper shaper_;
  const std::vector<int> places_;
  const int64_t batch_rows_;
  std::shared_ptr<const OwnedArray> current_;
  int64_t taken_ = 0;
  int64_t row_ = 0;
};

class IpcSource final : public Source {
 public:
  IpcSource(std::vector<IpcFile> files, UnifiedSchema unified, SourceFacts facts,
            std::unique_ptr<IpcBatches> input)
      : files_(std::move(files)),
        unified_(std::move(unified)),
        facts_(std::move(facts)),
        input_(std::move(input)) {
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
    const IpcFile& file = files_[found->second];
    HEADRACE_ASSIGN(BatchShaper shaper,
                    BatchShaper::make(unified_, found->second, file.schema, partition, options));
    std::vector<int> places = shaper.file_columns();
    std::unique_ptr<IpcBatches> batches;
    if (file.path == kStandardInput) {
      if (input_ == nullptr)
        return Error(ErrorCode::kUsage, "standard input can be read only once");
      batches = std::move(input_);
    } else {
      HEADRACE_TRY(check_unchanged(file.path, file.stamp));
      HEADRACE_ASSIGN(batches, IpcBatches::open(file.path, file.has_footer, places));
      // Only the chosen columns come, one after the other.
      for (size_t i = 0; i < places.size(); ++i) places[i] = static_cast<int>(i);
    }
    return std::unique_ptr<BatchReader>(
        std::make_unique<IpcReader>(file.path, std::move(batches), std::move(shaper),
                                    std::move(places), std::max<int64_t>(options.batch_rows, 1)));
  }

 private:
  const std::vector<IpcFile> files_;
  const UnifiedSchema unified_;
  const SourceFacts facts_;
  std::map<std::string, size_t> by_path_;
  std::unique_ptr<IpcBatches> input_;  // standard input, opened for its schema
};

Error not_arrow(const std::string& path, const std::string& first_bytes) {
  const bool feather1 = first_bytes.starts_with("FEA1");
  Error error(
      feather1 ? ErrorCode::kUnsupported : ErrorCode::kSource,
      first_bytes.empty()
          ? fmt::format("{} is empty (0 bytes), not an Arrow IPC file or stream", path)
      : feather1 ? fmt::format("{} is a Feather file of version 1", path)
                 : fmt::format("{} is not an Arrow IPC file or stream", path),
      feather1 ? "write it as Feather version 2 (Arrow IPC)" : "give its format by --format");
  error.where.file = path;
  return error;
}

Result<std::string> first_bytes(const std::string& path) {
  if (path == kStandardInput) return StandardInput::get().peek(kFileHeaderBytes);
  HEADRACE_ASSIGN(auto file, open_file(path));
  std::array<char, kFileHeaderBytes> bytes{};
  HEADRACE_ARROW_ASSIGN(const int64_t got, file->Read(kFileHeaderBytes, bytes.data()), path);
  return std::string(bytes.data(), static_cast<size_t>(got));
}

// The reader that was opened for the schema comes back in `input`, for standard input.
Result<IpcFile> describe(const std::string& path, std::unique_ptr<IpcBatches>* input) {
  IpcFile file;
  file.path = path;
  if (path != kStandardInput) {
    HEADRACE_ASSIGN(file.stamp, file_stamp(path));
  }
  HEADRACE_ASSIGN(const std::string begin, first_bytes(path));
  file.has_footer = begin.starts_with(kFileMagic);
  // Streams written before version 0.15 begin with the length of the schema instead.
  const bool old_stream = begin.size() == kFileHeaderBytes && begin[3] == 0 && begin[2] == 0;
  if (!file.has_footer && !begin.starts_with(kContinuation) && !old_stream)
    return not_arrow(path, begin);
  HEADRACE_ASSIGN(auto batches, IpcBatches::open(path, file.has_footer, {}));
  HEADRACE_ASSIGN(file.schema, schema_of(*batches->schema(), path));
  HEADRACE_ASSIGN(file.row_count, batches->count_rows());
  *input = std::move(batches);
  return file;
}

// Sums over the files; one that is not known makes the sum unknown.
int64_t sum(int64_t total, int64_t more) { return total < 0 || more < 0 ? -1 : total + more; }

void add_facts(const IpcFile& file, Partition partition, SourceFacts* facts) {
  partition.index = static_cast<int64_t>(facts->partitions.size());
  partition.first_row = facts->row_count;
  partition.row_count = file.row_count;
  partition.byte_count = file.path == kStandardInput ? -1 : file.stamp.bytes;
  facts->row_count = sum(facts->row_count, file.row_count);
  facts->byte_count = sum(facts->byte_count, partition.byte_count);
  facts->files.push_back(file.path);
  facts->partitions.push_back(std::move(partition));
}

Result<std::unique_ptr<Source>> open_arrow_ipc(const LoadRequest& request,
                                               const std::vector<Partition>& files) {
  std::vector<IpcFile> opened;
  std::vector<FileSchema> schemas;
  std::unique_ptr<IpcBatches> input;
  SourceFacts facts;
  facts.uri = fmt::format("{}", fmt::join(request.source, " "));
  facts.format = "arrow";
  facts.row_count = facts.byte_count = 0;
  for (const Partition& file : files) {
    HEADRACE_ASSIGN(IpcFile one, describe(file.uri, &input));
    schemas.push_back({one.path, one.schema});
    add_facts(one, file, &facts);
    opened.push_back(std::move(one));
  }
  if (files.front().uri != kStandardInput) input.reset();
  facts.row_count_is_exact = facts.row_count >= 0;
  HEADRACE_ASSIGN(UnifiedSchema unified, unify_schemas(schemas, files));
  facts.schema = unified.schema;
  return std::unique_ptr<Source>(std::make_unique<IpcSource>(std::move(opened), std::move(unified),
                                                             std::move(facts), std::move(input)));
}

bool recognises(const std::string& first_bytes, const std::string& last_bytes) {
  return first_bytes.starts_with(kFileMagic) || first_bytes.starts_with(kContinuation) ||
         last_bytes.ends_with(kFileMagic);
}

}  // namespace

SourceFormat arrow_ipc_format() {
  return {"arrow", {".arrow", ".feather", ".ipc", ".arrows"}, recognises, open_arrow_ipc};
}

}  // namespace headrace
