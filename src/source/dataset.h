// Dataset: what request.source names (files, folders, globs), as a sorted list of files with the
// values of their Hive folders. No Arrow, no file is opened here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "headrace/facts.h"
#include "headrace/result.h"

namespace headrace {

inline constexpr const char* kStandardInput = "-";

// One Partition per file: index, uri, byte_count and hive are set. "-" stays as it is.
// Fails with kNotFound on what is not there, with kUsage on a file that is named twice.
Result<std::vector<Partition>> expand_sources(const std::vector<std::string>& sources);

// "year=2025" -> {"year", "2025"}, URL-decoded; nullopt when `folder` is not of that form.
std::optional<std::pair<std::string, std::optional<std::string>>> hive_value(
    std::string_view folder);

// What tells one state of a file from another. A file that changes between reading its metadata and
// reading its rows would give rows of two states.
struct FileStamp {
  int64_t bytes = 0;
  int64_t modified_seconds = 0;
  int64_t modified_nanos = 0;

  bool operator==(const FileStamp&) const = default;
};

Result<FileStamp> file_stamp(const std::string& path);
Status check_unchanged(const std::string& path, const FileStamp& stamp);

}  // namespace headrace
