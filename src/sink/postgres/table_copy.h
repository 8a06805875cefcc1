// TableCopy: what makes an empty staging table the exact twin of an existing table, as statements.
//
// CREATE TABLE ... (LIKE target INCLUDING ALL) carries column names, types, collations, NOT NULL,
// defaults, generated and identity columns, CHECK constraints, storage, compression and the
// comments of these. It does not carry owner, grants, storage parameters, tablespace, statistics
// targets, the table's comment, replica identity, and it names indexes and constraints anew: all
// that is here. So are the objects that hang on the table (carried_objects.h). What cannot be
// carried exactly is a dependent, in words; the plan then does not swap.
//
//   create settings   the empty table, committed; then the rows
//   indexes keys      on the filled table, committed
//   objects rights finish referring   in the publishing transaction, without a lock on the target
//   locks             readers wait from here to the COMMIT
//   sequences, renames, repointings, DROP of the old table, indexes' names, names
//
// A value; reading it is a function of the catalogs alone, so that two readings can be compared.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "headrace/result.h"
#include "sink/postgres/connection.h"

namespace headrace {

struct IndexCopy {
  std::string name;
  std::string temporary;
  std::string build;                  // on the staging table, under a temporary name
  std::vector<std::string> finish;    // right after: constraint, comments; still under that name
  std::string rename;                 // in the swap

  bool operator==(const IndexCopy&) const = default;
};

// An identity column: the twin gets a sequence of its own, which goes on where the old one stood.
struct IdentityCopy {
  std::string column;
  std::string schema;
  std::string sequence;

  bool operator==(const IdentityCopy&) const = default;
};

struct TableCopy {
  std::string create;
  std::vector<std::string> settings;  // right after create
  std::vector<std::string> objects;   // before the swap: triggers, policies
  std::vector<std::string> rights;    // then: owner and grants
  std::vector<IndexCopy> indexes;
  std::vector<std::string> sequences;  // in the swap: serial sequences change their owning column
  std::vector<IdentityCopy> identities;
  std::vector<std::string> finish;  // then: comment, replica identity, row-level security
  std::vector<std::string> keys;    // each in a transaction of its own: foreign keys, checked
  std::vector<std::string> referring;    // before the swap: foreign keys of others, checked
  std::vector<std::string> trials;       // tried and rolled back before the load: views' definitions
  std::vector<std::string> locks;        // parent and views, exclusively, before the table
  std::vector<std::string> repointings;  // in the swap: views, rules, keys of others, parent
  std::vector<std::string> names;        // in the swap, the old table gone
  std::vector<std::string> carried;      // the objects above, in words
  std::vector<std::string> dependents;

  bool operator==(const TableCopy&) const = default;
};

// The first 18 bytes of a staging table's name, where the load id is not known yet.
inline constexpr char kStagePlaceholder[] = "_headrace_xxxxxxxx";

// How the temporary names of a staging table's indexes and the like begin.
std::string temporary_prefix(const std::string& stage);

// Whether the swap is of the table itself, or of one of many partitions of the target: that it is a
// partition is looked after by who attaches it, and what hangs on it is a dependent.
enum class SwapOf { kTable, kPartition };

// Reads it for the table `oid` and a staging table named `stage` in the same schema. REQUIRES: a
// transaction is open; search_path is empty from here to its end, or to the end of the savepoint.
Result<TableCopy> read_table_copy(Connection& connection, uint32_t oid, const std::string& stage,
                                  SwapOf swap_of = SwapOf::kTable);

}  // namespace headrace
