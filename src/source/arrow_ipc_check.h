// Checks that values of a batch from a file lie inside its buffers. Arrow's own full validation
// also decodes UTF-8 and decimals, which the encoders do anyway, and takes more time than reading.
#pragma once

#include <arrow/status.h>
#include <arrow/type_fwd.h>

namespace headrace {

arrow::Status check_batch(const arrow::RecordBatch& batch);

}  // namespace headrace
