// Which format a source is taken for; also in a build without Arrow C++.
#include <gtest/gtest.h>

#include "unit/source/temp_folder.h"

namespace headrace {
namespace {

using test::request_of;
using test::TempFolder;

Error error_of(const LoadRequest& request) {
  auto source = open_source(request);
  if (!source.ok()) return source.error();
  ADD_FAILURE() << "no error";
  return {};
}

TEST(Sources, WhatIsMissingIsSaidFirst) {
  EXPECT_EQ(error_of(request_of({"no_such_file.parquet"})).code, ErrorCode::kNotFound);
  EXPECT_EQ(error_of(request_of({})).code, ErrorCode::kUsage);
}

#ifdef HEADRACE_ARROW
TEST(Sources, FormatByNameThenByContent) {
  TempFolder folder;
  EXPECT_EQ(open_source(request_of({folder.write("a.CSV", "a\n1\n")})).value()->facts().format,
            "csv");
  EXPECT_EQ(error_of(request_of({folder.write("unknown", "a\n1\n")})).code, ErrorCode::kUsage);
  EXPECT_NE(error_of(request_of({folder.at("unknown")})).hint.find("csv"), std::string::npos);
  LoadRequest request = request_of({folder.at("unknown")});
  request.source_format = "csv";
  EXPECT_EQ(open_source(request).value()->facts().format, "csv");
  request.source_format = "excel";
  EXPECT_EQ(error_of(request).code, ErrorCode::kUsage);
}

TEST(Sources, OneFormatForAllFiles) {
  TempFolder folder;
  folder.write("a.csv", "a\n1\n");
  folder.write("b.parquet", "PAR1");
  const Error error = error_of(request_of({folder.path()}));
  EXPECT_EQ(error.code, ErrorCode::kUsage);
  EXPECT_NE(error.message.find("a.csv is csv"), std::string::npos);
  EXPECT_NE(error.message.find("b.parquet is parquet"), std::string::npos);
}
#else
TEST(Sources, FilesNeedArrow) {
  TempFolder folder;
  const Error error = error_of(request_of({folder.write("a.csv", "a\n1\n")}));
  EXPECT_EQ(error.code, ErrorCode::kUnsupported);
  EXPECT_NE(error.message.find("without Arrow C++"), std::string::npos);
}
#endif

}  // namespace
}  // namespace headrace
