#include "sink/postgres/methods.h"

namespace headrace {
namespace {

constexpr const PostgresMethod* kMethods[] = {&kCopyMethod, &kOptimizedMethod, &kAsyncMethod,
                                              &kStandardMethod};

}  // namespace

const PostgresMethod* find_postgres_method(std::string_view name) {
  for (const PostgresMethod* method : kMethods) {
    if (name == method->name) return method;
  }
  return nullptr;
}

}  // namespace headrace
