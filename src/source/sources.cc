// Every file format, and which of them a source is in. A new format is one file and one line here.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <fstream>

#include "source/dataset.h"
#include "source/formats.h"
#include "source/source.h"
#include "source/standard_input.h"

namespace headrace {

namespace {

constexpr int64_t kMagicBytes = 16;

const std::vector<SourceFormat>& source_formats() {
  static const std::vector<SourceFormat> formats = {
#ifdef HEADRACE_ARROW
      parquet_format(),
      arrow_ipc_format(),
      csv_format(),
#endif
  };
  return formats;
}

const SourceFormat* find_format(const std::string& name) {
  for (const SourceFormat& format : source_formats()) {
    if (name == format.name) return &format;
  }
  return nullptr;
}

std::string format_names() {
  std::string names;
  for (const SourceFormat& format : source_formats()) {
    if (!names.empty()) names += ", ";
    names += format.name;
  }
  return names;
}

const SourceFormat* by_suffix(const std::string& path) {
  std::string lower = path;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  for (const SourceFormat& format : source_formats()) {
    for (const std::string& suffix : format.suffixes) {
      if (lower.ends_with(suffix)) return &format;
    }
  }
  return nullptr;
}

const SourceFormat* by_content(const std::string& first_bytes, const std::string& last_bytes) {
  for (const SourceFormat& format : source_formats()) {
    if (format.recognises(first_bytes, last_bytes)) return &format;
  }
  return nullptr;
}

Result<const SourceFormat*> format_of_standard_input() {
  HEADRACE_ASSIGN(const std::string first, StandardInput::get().peek(kMagicBytes));
  const SourceFormat* format = by_content(first, {});
  // Text has no magic bytes.
  return format != nullptr ? format : find_format("csv");
}

Result<const SourceFormat*> format_of_file(const Partition& file) {
  if (file.uri == kStandardInput) return format_of_standard_input();
  if (const SourceFormat* format = by_suffix(file.uri)) return format;
  std::ifstream input(file.uri, std::ios::binary);
  std::string first(kMagicBytes, '\0'), last(kMagicBytes, '\0');
  input.read(first.data(), kMagicBytes);
  first.resize(static_cast<size_t>(input.gcount()));
  input.clear();
  input.seekg(-std::min(kMagicBytes, file.byte_count), std::ios::end);
  input.read(last.data(), kMagicBytes);
  last.resize(static_cast<size_t>(input.gcount()));
  if (const SourceFormat* format = by_content(first, last)) return format;
  Error error(ErrorCode::kUsage, fmt::format("cannot tell the format of {}", file.uri),
              fmt::format("give --format ({})", format_names()));
  error.where.file = file.uri;
  return error;
}

// One format for all files.
Result<const SourceFormat*> format_of(const LoadRequest& request,
                                      const std::vector<Partition>& files) {
  if (source_formats().empty()) {
    return Error(ErrorCode::kUnsupported,
                 "this headrace was built without Arrow C++ and reads no files",
                 "build it with -DHEADRACE_ARROW=on, or load an Arrow C stream");
  }
  if (!request.source_format.empty()) {
    if (const SourceFormat* format = find_format(request.source_format)) return format;
    return Error(ErrorCode::kUsage,
                 fmt::format("source format {} is not known", request.source_format),
                 fmt::format("known: {}", format_names()));
  }
  HEADRACE_ASSIGN(const SourceFormat* format, format_of_file(files.front()));
  for (const Partition& file : files) {
    HEADRACE_ASSIGN(const SourceFormat* other, format_of_file(file));
    if (other == format) continue;
    return Error(ErrorCode::kUsage,
                 fmt::format("the files have different formats: {} is {}, {} is {}",
                             files.front().uri, format->name, file.uri, other->name),
                 "name the files of one format, for example with a glob");
  }
  return format;
}

}  // namespace

Result<std::unique_ptr<Source>> open_source(const LoadRequest& request) {
  HEADRACE_ASSIGN(const auto files, expand_sources(request.source));
  if (files.front().uri == kStandardInput) StandardInput::get().set_cancel(request.cancel);
  HEADRACE_ASSIGN(const SourceFormat* format, format_of(request, files));
  return format->open(request, files);
}

}  // namespace headrace
