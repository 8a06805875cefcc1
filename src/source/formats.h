// The file formats that sources.cc lists; defined only in a build with Arrow C++.
#pragma once

#include "source/source.h"

namespace headrace {

SourceFormat parquet_format();
SourceFormat arrow_ipc_format();
SourceFormat csv_format();

}  // namespace headrace
