// The place of a SQLite target: which path its words mean, and whether a database can be there.
#pragma once

#include <string>

#include "headrace/result.h"

namespace headrace {

// The path of "sqlite:PATH", or of a plain path by its suffix; "" when it is neither.
std::string sqlite_path(const std::string& target);

// Follows symbolic links, so that a rename replaces the file and not a link to it.
Result<std::string> resolve_links(const std::string& path);

// Fails unless the folder of `path` is there and files can be made in it.
Status check_folder(const std::string& path);

// Whether a regular file is at `path`; anything else there, and what is surely no database, is an error. The file is not opened:
// closing a descriptor would drop the locks that a connection of this process has on the file.
Result<bool> file_is_there(const std::string& path);

// True when a -journal or -wal lies beside the file.
bool has_journal(const std::string& path);

// Fails when a -journal or -wal lies beside `path`. SQLite finds them by name and would play them
// into whatever file has that name: a new file must never be put beside an old one.
Status check_no_journal(const std::string& path);

}  // namespace headrace
