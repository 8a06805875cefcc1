#include "sink/sqlite/index_runs.h"

#include <cstring>

#include "sink/sqlite/index_key.h"

namespace headrace {

Status IndexRuns::make_uniform() {
  if (keys_.count() == 0 || shorts_.count() == 0) return {};
  ShortReader reader(shorts_);
  HEADRACE_ASSIGN(const auto begin, reader.positions(0));
  HEADRACE_ASSIGN(const auto end, reader.positions(shorts_.count()));
  ShortMerge merge(shorts_, begin, end);
  KeyRun run;
  while (const ShortKey* key = merge.next()) {
    uint8_t columns[8 * kMaxShortWords];
    key->put_columns(columns);
    const size_t bytes = key->column_bytes();
    uint8_t* out = run.reserve(bytes + 2 * sizeof(uint64_t) + 1);
    std::memcpy(out, columns, bytes);
    run.add(put_key_integer(key->rowid(), out + bytes));
    if (keys_.is_full(run)) HEADRACE_TRY(keys_.spill(&run));
  }
  HEADRACE_TRY(merge.status());
  keys_.keep(std::move(run));
  shorts_.clear();
  return {};
}

}  // namespace headrace
