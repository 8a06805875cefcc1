#include "source/arrow_cpp.h"

#include <arrow/buffer.h>
#include <arrow/c/bridge.h>
#include <arrow/io/file.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/io_util.h>
#include <fmt/format.h>
#include <parquet/exception.h>

#include <algorithm>
#include <cerrno>

#include "source/standard_input.h"

namespace headrace {
namespace {

constexpr int64_t kReadStepBytes = 64 << 20;

Error located(Error error, const std::string& file) {
  error.where.file = file;
  return error;
}

// StandardInput::read as an Arrow stream; its errors keep their code in `last_error`.
class StandardInputStream final : public arrow::io::InputStream {
 public:
  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return closed_; }
  arrow::Result<int64_t> Tell() const override { return StandardInput::get().position(); }

  arrow::Result<int64_t> Read(int64_t count, void* out) override {
    auto got = StandardInput::get().read(out, count);
    if (got.ok()) return *got;
    if (got.error().code == ErrorCode::kCancelled)
      return arrow::Status::Cancelled(got.error().message);
    return arrow::Status::IOError(got.error().message);
  }

  // Grows with what comes: a damaged length must not become an allocation.
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t count) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(
                                           std::min(count, kReadStepBytes), message_memory_pool()));
    int64_t done = 0;
    for (;;) {
      ARROW_ASSIGN_OR_RAISE(const int64_t got,
                            Read(buffer->size() - done, buffer->mutable_data() + done));
      done += got;
      if (done < buffer->size() || done == count) break;
      ARROW_RETURN_NOT_OK(buffer->Resize(std::min(count, 2 * done)));
    }
    ARROW_RETURN_NOT_OK(buffer->Resize(done, /*shrink_to_fit=*/false));
    return std::shared_ptr<arrow::Buffer>(std::move(buffer));
  }

 private:
  bool closed_ = false;
};

arrow::MemoryPool* choose_pool() {
  arrow::MemoryPool* pool = nullptr;
  if (arrow::jemalloc_memory_pool(&pool).ok()) return pool;
  return arrow::default_memory_pool();
}

}  // namespace

Error arrow_error(const arrow::Status& status, const std::string& file) {
  const std::string text = fmt::format("cannot read {}: {}", file, status.message());
  if (status.IsCancelled())
    return located(Error(ErrorCode::kCancelled, "the load was cancelled"), file);
  if (status.IsOutOfMemory()) {
    return located(Error(ErrorCode::kInternal, text, "lower --memory, or load on a larger machine"),
                   file);
  }
  if (status.IsNotImplemented()) {
    return located(
        Error(ErrorCode::kUnsupported, text, "write the file again without this feature"), file);
  }
  const int code = arrow::internal::ErrnoFromStatus(status);
  if (code == ENOENT) return located(Error(ErrorCode::kNotFound, text, "check the path"), file);
  if (code != 0) return located(Error(ErrorCode::kIo, text), file);
  return located(Error(ErrorCode::kSource, text, "the file is damaged or not what its name says"),
                 file);
}

Error parquet_error(const std::string& file) {
  try {
    throw;
  } catch (const parquet::ParquetStatusException& e) {
    return arrow_error(e.status(), file);
  } catch (const parquet::ParquetException& e) {
    return located(Error(ErrorCode::kSource, fmt::format("cannot read {}: {}", file, e.what()),
                         "the file is damaged or was written wrongly; write it again"),
                   file);
  }
}

arrow::MemoryPool* source_memory_pool() {
  static arrow::MemoryPool* const pool = choose_pool();
  return pool;
}

Result<Schema> schema_of(const arrow::Schema& schema, const std::string& file) {
  ArrowSchema c_schema{};
  HEADRACE_ARROW_TRY(arrow::ExportSchema(schema, &c_schema), file);
  const OwnedSchema owner(&c_schema);
  auto result = schema_from_arrow(*owner.get());
  if (!result.ok()) return located(std::move(result).error(), file);
  return result;
}

Result<std::shared_ptr<arrow::DataType>> arrow_type_of(const Field& field) {
  OwnedSchema c_schema = schema_to_arrow(Schema{{field}});
  HEADRACE_ARROW_ASSIGN(auto schema, arrow::ImportSchema(c_schema.get()), field.name);
  return schema->field(0)->type();
}

arrow::MemoryPool* message_memory_pool() { return arrow::system_memory_pool(); }

Result<std::shared_ptr<arrow::io::RandomAccessFile>> open_file(const std::string& path,
                                                               arrow::MemoryPool* pool) {
  HEADRACE_ARROW_ASSIGN(auto file, arrow::io::ReadableFile::Open(path, pool), path);
  return std::shared_ptr<arrow::io::RandomAccessFile>(std::move(file));
}

std::shared_ptr<arrow::io::InputStream> standard_input_stream() {
  return std::make_shared<StandardInputStream>();
}

Result<std::shared_ptr<const OwnedArray>> share_batch(const arrow::RecordBatch& batch,
                                                      const std::string& file) {
  ArrowArray array{};
  HEADRACE_ARROW_TRY(arrow::ExportRecordBatch(batch, &array), file);
  return std::make_shared<const OwnedArray>(&array);
}

}  // namespace headrace
