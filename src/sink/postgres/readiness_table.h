// check of a PostgreSQL table: is it there, and what may a load do with it?
#pragma once

#include "headrace/check.h"
#include "headrace/result.h"
#include "sink/postgres/connection.h"
#include "sink/postgres/ddl.h"

namespace headrace {

// `name` without a table: looks at the schema in which a new table would be made.
Status check_table(Connection& connection, const TableName& name, Readiness* out);

}  // namespace headrace
