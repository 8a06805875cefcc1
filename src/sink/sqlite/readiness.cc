#include "sink/sqlite/readiness.h"

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <utility>

#include "sink/sqlite/catalog.h"
#include "sink/sqlite/connection.h"
#include "sink/sqlite/ddl.h"
#include "sink/sqlite/file_io.h"
#include "sink/sqlite/target_file.h"

namespace headrace {
namespace {

using enum FindingState;

constexpr double kMegabyte = 1e6;
constexpr double kFewMegabytes = 100;

void add_error(const char* subject, const Error& error, Readiness* out) {
  out->add(subject, kError, error.message,
           error.hint.empty() ? "make it so that a file can be written there, or give another path"
                              : error.hint);
}

void check_disk(const std::string& path, Readiness* out) {
  struct statvfs disk;
  if (::statvfs(folder_of(path).c_str(), &disk) != 0) {
    return add_error("free disk space", io_error(errno, "look at folder", folder_of(path)), out);
  }
  const double megabytes =
      static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize) / kMegabyte;
  const std::string detail = fmt::format("{:.0f} MB", megabytes);
  if (megabytes >= kFewMegabytes) {
    out->add("free disk space", kOk, detail);
  } else {
    out->add("free disk space", kWarning, detail,
             "replacing a file needs room for the old one and the new one");
  }
}

// Nothing is written, and a journal that a crash left is not played back: that is a load's work.
Status check_content(const std::string& path, const std::string& table, Readiness* out) {
  HEADRACE_ASSIGN(Connection db, Connection::open(path, Connection::kReadOnly, 0));
  HEADRACE_ASSIGN(const SqliteCatalog catalog, read_sqlite_catalog(db, table));
  HEADRACE_ASSIGN(const std::string journal_mode, db.value("PRAGMA journal_mode"));
  out->add("file", kOk,
           fmt::format("exists and is a SQLite database, journal mode {}", journal_mode));
  if (table.empty()) return {};
  if (!catalog.table_exists) {
    out->add("table", kMissing, fmt::format("{} does not exist: a load creates it", table));
  } else if (catalog.relation_kind != "table") {
    out->add("table", kError, fmt::format("{} is a {}, not a table", table, catalog.relation_kind),
             "load into a table");
  } else {
    out->add("table", kOk,
             fmt::format("exists: {}, columns: {}, indexes: {}",
                         catalog.table_is_empty ? "empty" : "has rows", catalog.columns.size(),
                         catalog.indexes.size()),
             "give another --mode than create");
  }
  return {};
}

// Takes SQLite's lock for writers and gives it back at once; that changes nothing in the file.
void check_busy(const std::string& path, Readiness* out) {
  if (has_journal(path)) {
    out->add("busy", kWarning,
             "a -journal or -wal lies beside the file: a process uses it, or died while it did",
             "a load waits for such a process, and recovers the file if there is none");
    return;
  }
  auto db = Connection::open(path, Connection::kReadWrite, 0);
  if (!db.ok()) return add_error("busy", db.error(), out);
  if (db->is_read_only()) {
    out->add("writable", kError, fmt::format("{} may only be read", path),
             "check the permissions of the file");
    return;
  }
  Status locked = db->run("BEGIN IMMEDIATE");
  if (locked.ok()) locked = db->run("ROLLBACK");
  if (locked.ok()) {
    out->add("busy", kOk, "no other process writes to the file");
  } else {
    out->add("busy", kWarning, locked.error().message,
             "a load waits for the other process, see --lock-timeout");
  }
}

void check_file(const std::string& path, const std::string& table, Readiness* out) {
  const auto exists = file_is_there(path);
  if (!exists.ok()) return add_error("file", exists.error(), out);
  if (!*exists) {
    out->best_method = "pages";
    out->reason = "a new file: its pages are written directly";
    out->add("file", kOk, fmt::format("{} does not exist: a load creates it", path));
    if (Status journal = check_no_journal(path); !journal.ok()) {
      add_error("busy", journal.error(), out);
    }
    return;
  }
  out->best_method = "api";
  out->reason = "the file exists; a load that replaces all of it takes pages";
  if (Status content = check_content(path, table, out); !content.ok()) {
    add_error("file", content.error(), out);
    return;
  }
  check_busy(path, out);
}

}  // namespace

Status check_sqlite(const std::string& target, const std::string& table, Readiness* out) {
  const std::string given = sqlite_path(target);
  if (given.empty() || given == ":memory:") {
    return Error(ErrorCode::kUsage, fmt::format("'{}' names no file", target), "give sqlite:PATH");
  }
  if (!table.empty()) HEADRACE_TRY(check_sqlite_table_name(table));
  out->target = target;
  out->table = table;
  out->server_kind = "file";
  out->add("sqlite", kOk, fmt::format("SQLite {}", sqlite3_libversion()));
  const auto path = resolve_links(given);
  if (!path.ok()) {
    add_error("file", path.error(), out);
    return {};
  }
  if (Status folder = check_folder(*path); !folder.ok()) {
    add_error("folder", folder.error(), out);
    return {};
  }
  out->add("folder", kOk, fmt::format("files can be made in {}", folder_of(*path)));
  check_disk(*path, out);
  check_file(*path, table, out);
  return {};
}

}  // namespace headrace
