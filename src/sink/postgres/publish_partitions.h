// Publishing tables beside partitions, in one transaction:
//
//   lock against changes of the tree     readers and writers go on
//   merge   where a partition has rows: INSERT of all, and the next two are not done
//   fresh   ATTACH of partitions that did not exist
//   lock against readers, unless there are merges only
//   swap    the old partition is dropped, its twin takes its name and
//           place; in mode replace the others are truncated
//
// A CHECK that says the same as the bound was there before the rows: ATTACH does not scan them.
//
// Used by the sink's thread.
#pragma once

#include "sink/postgres/partition_stages.h"
#include "sink/postgres/publish.h"

namespace headrace {

Result<Published> publish_partitions(const Publication& publication, PartitionStages& stages,
                                     int64_t rows, PublishStats* stats);

}  // namespace headrace
