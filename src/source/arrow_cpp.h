// Glue to Arrow C++, shared by the file formats. Only parquet*, arrow_ipc*, csv* and arrow_cpp*
// include it.
#pragma once

#include <arrow/io/type_fwd.h>
#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include <memory>
#include <string>

#include "base/arrow_c.h"

namespace headrace {

// What Arrow reports of `file`. The codes: kNotFound, kIo, kUnsupported, kSource.
Error arrow_error(const arrow::Status& status, const std::string& file);

// An exception of Arrow's Parquet library. REQUIRES: called inside a catch block.
Error parquet_error(const std::string& file);

// Where decoded columns live. jemalloc when Arrow was built with it: batches are freed by another
// thread than the one that made them, and mimalloc then returns and touches its pages again and
// again.
arrow::MemoryPool* source_memory_pool();

Result<Schema> schema_of(const arrow::Schema& schema, const std::string& file);
Result<std::shared_ptr<arrow::DataType>> arrow_type_of(const Field& field);

// Where whole messages of a stream live: malloc keeps freed pieces of this size, jemalloc gives
// them back.
arrow::MemoryPool* message_memory_pool();

Result<std::shared_ptr<arrow::io::RandomAccessFile>> open_file(
    const std::string& path, arrow::MemoryPool* pool = source_memory_pool());

// Standard input as Arrow reads it; StandardInput holds the bytes.
std::shared_ptr<arrow::io::InputStream> standard_input_stream();

// A batch under shared ownership, to slice columns from.
Result<std::shared_ptr<const OwnedArray>> share_batch(const arrow::RecordBatch& batch,
                                                      const std::string& file);

}  // namespace headrace

#define HEADRACE_ARROW_TRY(expr, file)                                   \
  do {                                                                   \
    if (const arrow::Status arrow_status_ = (expr); !arrow_status_.ok()) \
      return ::headrace::arrow_error(arrow_status_, file);               \
  } while (false)

#define HEADRACE_ARROW_ASSIGN(target, expr, file) \
  HEADRACE_ARROW_ASSIGN_(HEADRACE_CONCAT(arrow_result_, __LINE__), target, expr, file)
#define HEADRACE_ARROW_ASSIGN_(name, target, expr, file)               \
  auto name = (expr);                                                  \
  if (!name.ok()) return ::headrace::arrow_error(name.status(), file); \
  target = std::move(name).ValueUnsafe()
