// PartWriter: around another writer. Leaves out the rows that an interrupted run of the load has
// committed, and with commit scope together records which rows its transaction holds.
//
// A writer belongs to one thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "headrace/plan.h"
#include "sink/postgres/connection.h"
#include "sink/sink.h"

namespace headrace {

// A transaction that is complete and not committed.
struct HeldTransaction {
  std::unique_ptr<Connection> connection;  // set by WriterConnection::commit
};

class PartWriter final : public SinkWriter {
 public:
  // `held` may be null: the rows are not recorded. Plan and held live as long.
  PartWriter(std::unique_ptr<SinkWriter> writer, const Plan& plan, std::string load_id,
             HeldTransaction* held)
      : writer_(std::move(writer)), plan_(plan), load_id_(std::move(load_id)), held_(held) {}

  Status write(const RowBlock& block) override;
  Status finish() override;
  void abort(const std::string& reason) noexcept override;

 private:
  Status pass(const RowBlock& block, int64_t begin, int64_t end);
  Error explained(Error error) const;

  std::unique_ptr<SinkWriter> writer_;
  const Plan& plan_;
  const std::string load_id_;
  HeldTransaction* const held_;
  std::vector<RowInterval> intervals_;
  RowBlock trimmed_;
};

}  // namespace headrace
