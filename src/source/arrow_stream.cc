// Arrow C stream: a source of one partition that hands its batches on without copying.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "source/batch_builder.h"
#include "source/source.h"

namespace headrace {
namespace {

Error stream_error(ArrowArrayStream* stream, int code, const std::string& name) {
  const char* text = stream->get_last_error != nullptr ? stream->get_last_error(stream) : nullptr;
  Error error(ErrorCode::kSource,
              fmt::format("the Arrow stream failed: {}",
                          text != nullptr && *text != '\0' ? text : std::strerror(code)),
              "the producer of the stream reports this; nothing was loaded");
  error.where.file = name;
  return error;
}

class StreamReader final : public BatchReader {
 public:
  StreamReader(OwnedStream stream, const Schema& source, const Partition& partition,
               const ReadOptions& options)
      : stream_(std::move(stream)),
        builder_(selected(source, options.columns)),
        column_count_(static_cast<int64_t>(source.fields.size())),
        columns_(options.columns),
        partition_(partition),
        batch_rows_(std::max<int64_t>(options.batch_rows, 1)) {}

  Result<std::unique_ptr<RecordBatch>> next() override {
    while (current_ == nullptr || taken_ == (*current_)->length) {
      if (ended_) return std::unique_ptr<RecordBatch>();
      HEADRACE_TRY(pull());
    }
    const int64_t rows = std::min(batch_rows_, (*current_)->length - taken_);
    std::vector<BorrowedColumn> columns;
    for (int column : columns_) columns.push_back(borrow_child(current_, column, taken_));
    auto batch = builder_.build(std::move(columns), rows);
    batch->partition = partition_.index;
    batch->partition_row = row_;
    bytes_ += batch->byte_count;
    taken_ += rows;
    row_ += rows;
    return batch;
  }

  int64_t bytes_read() const override { return bytes_; }

 private:
  static std::shared_ptr<const Schema> selected(const Schema& source,
                                                const std::vector<int>& columns) {
    auto schema = std::make_shared<Schema>();
    for (int column : columns) schema->fields.push_back(source.fields[static_cast<size_t>(column)]);
    return schema;
  }

  Status pull() {
    current_.reset();
    taken_ = 0;
    ArrowArray array{};
    if (const int code = stream_->get_next(stream_.get(), &array); code != 0) {
      ended_ = true;
      return stream_error(stream_.get(), code, partition_.uri);
    }
    if (array.release == nullptr) {
      ended_ = true;
      return {};
    }
    current_ = std::make_shared<const OwnedArray>(&array);
    const bool null_rows = (*current_)->null_count > 0 && (*current_)->n_buffers > 0 &&
                           (*current_)->buffers[0] != nullptr;
    if ((*current_)->n_children == column_count_ && !null_rows) return {};
    ended_ = true;
    current_.reset();
    return Error(ErrorCode::kSource,
                 null_rows
                     ? "the Arrow stream has rows that are NULL as a whole"
                     : "a batch of the Arrow stream has another number of columns than its schema",
                 "give record batches, not arrays of nullable structs");
  }

  OwnedStream stream_;
  const BatchBuilder builder_;
  const int64_t column_count_;
  const std::vector<int> columns_;
  const Partition partition_;
  const int64_t batch_rows_;
  std::shared_ptr<const OwnedArray> current_;
  int64_t taken_ = 0;  // rows of `current_` that were handed on
  int64_t row_ = 0;
  int64_t bytes_ = 0;
  bool ended_ = false;
};

class StreamSource final : public Source {
 public:
  StreamSource(OwnedStream stream, Schema schema, const std::string& name, int64_t rows)
      : stream_(std::move(stream)) {
    facts_.uri = name;
    facts_.format = "stream";
    facts_.row_count = rows;  // somebody's word: never exact
    facts_.schema = std::move(schema);
    facts_.partitions.emplace_back().uri = name;
  }

  const SourceFacts& facts() const override { return facts_; }

  Result<std::unique_ptr<BatchReader>> open(const Partition& partition,
                                            const ReadOptions& options) override {
    if (opened_.exchange(true)) {
      return Error(ErrorCode::kUsage, "an Arrow stream can be read only once",
                   "make a new stream for every load");
    }
    return std::unique_ptr<BatchReader>(
        std::make_unique<StreamReader>(std::move(stream_), facts_.schema, partition, options));
  }

 private:
  OwnedStream stream_;
  SourceFacts facts_;
  std::atomic<bool> opened_{false};
};

}  // namespace

Result<std::unique_ptr<Source>> open_arrow_stream(ArrowArrayStream* stream,
                                                  const std::string& name, int64_t rows) {
  if (stream == nullptr || stream->release == nullptr) {
    return Error(ErrorCode::kUsage, "the Arrow stream was already released",
                 "give a stream that nobody has read");
  }
  OwnedStream owned(stream);
  const std::string shown = name.empty() ? "stream" : name;
  ArrowSchema c_schema{};
  if (const int code = owned->get_schema(owned.get(), &c_schema); code != 0) {
    return stream_error(owned.get(), code, shown);
  }
  const OwnedSchema schema_owner(&c_schema);
  HEADRACE_ASSIGN(Schema schema, schema_from_arrow(*schema_owner.get()));
  return std::unique_ptr<Source>(
      std::make_unique<StreamSource>(std::move(owned), std::move(schema), shown, rows));
}

}  // namespace headrace
