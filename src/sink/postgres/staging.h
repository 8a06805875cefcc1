// Staging: the table that N connections fill and nobody sees (scope swap).
//
// While a load lives, its control connection holds an advisory lock of the staging table's id
// inside an open transaction. A lock of the session would be wrong behind a pooler in transaction
// mode, which may give the session to someone else; an open transaction keeps it. The transaction
// is idle without snapshot and transaction id, so it holds back no VACUUM, and publishing goes on
// in it.
//
// Used by the sink's thread.
#pragma once

#include <string>
#include <vector>

#include "headrace/plan.h"
#include "headrace/result.h"
#include "sink/postgres/catalog.h"
#include "sink/postgres/connection.h"
#include "sink/postgres/pool.h"
#include "sink/postgres/table_copy.h"

namespace headrace {

// Opens the control connection's transaction and takes the lock. Fails with kServer when a live
// load has the same id.
Status claim_load_id(Connection& control, const std::string& load_id);

// Makes and commits the empty staging table on a connection of the pool. A table that a crashed
// load of the same id left is dropped first. REQUIRES: claim_load_id. For an existing target, *copy
// tells how the table was made; it fails with kServer when the target is not what `catalog` says
// any more.
Status create_staging(ConnectionPool& pool, const Plan& plan, const CatalogFacts& catalog,
                      const std::string& load_id, const std::string& stage, TableCopy* copy);

// The same for a staging table that is merged (merge.h): `statements` make it.
Status create_merge_stage(ConnectionPool& pool, const std::vector<std::string>& statements,
                          const std::string& load_id, const std::string& schema,
                          const std::string& stage);

// Drops `stage`, a qualified name, if a crashed load of the same id left it. In the transaction that
// makes it anew.
Status drop_leftover(Connection& connection, const std::string& stage, const std::string& load_id);

// Rights and properties are given at the end, when nobody needs to write any more; that they can be
// given is tried here, before hours of loading.
Status rehearse(Connection& connection, const TableCopy& copy);

// Drops the staging table on `control`, or on a new connection when that one is dead. Does not wait
// long: a table that cannot be dropped is left under its recognisable name and comment.
void drop_staging(Connection* control, const ConnectionPool& pool,
                  const std::string& qualified_stage) noexcept;

}  // namespace headrace
