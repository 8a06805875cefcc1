// Partitions of a PostgreSQL table, as its catalog has them: facts, and then part of a plan.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace headrace {

// By what a table is partitioned. kNone: it holds rows itself, it is a leaf.
enum class PartitionBy { kNone, kList, kRange, kHash };

// How the bytes of a key column, as COPY BINARY has them, become a string whose bytewise order, or
// at least equality, is the server's.
enum class KeyForm {
  kSigned,  // an integer, date or timestamp: its sign bit is turned
  kBytes,   // as they are
  kPadded,  // character(n): blanks at the end do not count
};

struct PartitionKey {
  std::string column;
  std::string type;  // as SQL: "integer"
  std::string base;  // pg_type.typname of the base type: "int4"
  KeyForm form = KeyForm::kBytes;

  bool operator==(const PartitionKey&) const = default;
};

// A table of the tree. The root comes first, and every parent before its children.
struct PartitionNode {
  std::string schema;
  std::string table;
  int64_t oid = 0;
  int parent = -1;      // index of a node
  std::string bound;    // as SQL: "FOR VALUES IN ('a')", "DEFAULT"; empty: the root
  bool is_default = false;
  // Values of the bound, of a list or one a key column: "=" and the bytes as COPY BINARY has them, in
  // hex; or "null", "min", "max". A list has `from` only.
  std::vector<std::string> from;
  std::vector<std::string> to;
  int modulus = 0;  // of a hash bound
  int remainder = 0;
  PartitionBy by = PartitionBy::kNone;
  std::vector<PartitionKey> keys;  // by which its children are told apart
  bool is_empty = false;           // leaves: it was, when the load was planned
  std::string obstacle;            // leaves: why a new table cannot take its place; empty: it can

  bool operator==(const PartitionNode&) const = default;
};

// Rows [first, first + count) of the whole source, 0-based.
struct RowInterval {
  int64_t first = 0;
  int64_t count = 0;

  bool operator==(const RowInterval&) const = default;
};

// What is there of a load whose commits were interrupted (commit scope together).
struct InterruptedLoad {
  std::string source;
  std::string mode;
  int64_t rows = 0;                    // committed
  std::vector<RowInterval> committed;  // in order; rows of the source

  bool operator==(const InterruptedLoad&) const = default;
};

}  // namespace headrace
