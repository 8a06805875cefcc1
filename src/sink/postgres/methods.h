// The methods of writing rows into a PostgreSQL table (SPEC 2.1), by the names that plans use.
#pragma once

#include <memory>
#include <string_view>

#include "sink/postgres/write_job.h"
#include "sink/sink.h"

namespace headrace {

struct PostgresMethod {
  const char* name;
  Result<std::unique_ptr<SinkWriter>> (*open)(WriterConnection connection, WriteJob job,
                                              WriterTotals& totals);
};

// nullptr: there is none of this name.
const PostgresMethod* find_postgres_method(std::string_view name);

// One a file: copy.cc, insert_standard.cc, insert_optimized.cc, insert_async.cc.
extern const PostgresMethod kCopyMethod;
extern const PostgresMethod kStandardMethod;
extern const PostgresMethod kOptimizedMethod;
extern const PostgresMethod kAsyncMethod;

}  // namespace headrace
