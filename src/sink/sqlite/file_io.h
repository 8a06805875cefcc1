// Plain file operations, with errors that name the path and say what to do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "headrace/result.h"

namespace headrace {

// The error of a failed call: "cannot write /d/x: No space left on device", with advice.
Error io_error(int error_number, const char* what, const std::string& path);

// Writes all bytes at `offset`, in as many calls as it takes. Any thread may call it.
Status write_at(int fd, const uint8_t* bytes, size_t count, uint64_t offset,
                const std::string& path);

// Reads exactly `count` bytes.
Status read_at(int fd, uint8_t* bytes, size_t count, uint64_t offset, const std::string& path);

Status sync_file(int fd, const std::string& path);

// Makes renames in `folder` durable. File systems without that notion are left alone.
Status sync_folder(const std::string& folder);

// "/a/b" of "/a/b/c", "." of "c".
std::string folder_of(const std::string& path);
std::string name_of(const std::string& path);
bool path_exists(const std::string& path);

}  // namespace headrace
