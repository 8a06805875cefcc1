// Descriptions for json_archive.h of the values that plans, reports and inspections share.
#pragma once

#include "headrace/plan.h"
#include "plan/json_archive.h"

namespace headrace {

template <class Archive, Either<Decision> T>
void describe(Archive& archive, T& decision) {
  archive("subject", decision.subject);
  archive("choice", decision.choice);
  archive("reason", decision.reason);
}

using HiveValue = std::pair<std::string, std::optional<std::string>>;

template <class Archive, Either<HiveValue> T>
void describe(Archive& archive, T& hive) {
  archive("name", hive.first);
  archive("value", hive.second);
}

template <class Archive, Either<Partition> T>
void describe(Archive& archive, T& partition) {
  archive("index", partition.index);
  archive("uri", partition.uri);
  archive("row_groups", partition.row_groups);
  archive("first_row", partition.first_row);
  archive("row_count", partition.row_count);
  archive("byte_count", partition.byte_count);
  archive("hive", partition.hive);
}

}  // namespace headrace
