#include "source/dataset.h"

#include <gtest/gtest.h>

#include "unit/source/temp_folder.h"

namespace headrace {
namespace {

using test::TempFolder;

std::vector<std::string> names(const TempFolder& folder, const std::vector<std::string>& sources) {
  auto files = expand_sources(sources);
  if (!files.ok()) return {files.error().message};
  std::vector<std::string> out;
  for (const Partition& file : *files) out.push_back(file.uri.substr(folder.path().size() + 1));
  return out;
}

using Names = std::vector<std::string>;

TEST(Dataset, FolderIsSortedAndHiddenNamesAreSkipped) {
  TempFolder folder;
  for (const char* name :
       {"b.parquet", "a.parquet", "sub/c.parquet", "_SUCCESS", "_metadata", "_common_metadata",
        ".a.parquet.crc", ".hidden/d.parquet", "_temporary/0/e.parquet"}) {
    folder.write(name, "x");
  }
  EXPECT_EQ(names(folder, {folder.path()}), (Names{"a.parquet", "b.parquet", "sub/c.parquet"}));
  EXPECT_EQ(names(folder, {folder.path() + "/"}),
            (Names{"a.parquet", "b.parquet", "sub/c.parquet"}));
}

TEST(Dataset, Globs) {
  TempFolder folder;
  for (const char* name : {"a1.csv", "a2.csv", "b.txt", "x/a3.csv", "x/y/a4.csv", "_a5.csv"})
    folder.write(name, "x");
  EXPECT_EQ(names(folder, {folder.path() + "/*.csv"}), (Names{"a1.csv", "a2.csv"}));
  EXPECT_EQ(names(folder, {folder.path() + "/a[2-9].csv"}), (Names{"a2.csv"}));
  EXPECT_EQ(names(folder, {folder.path() + "/*/a?.csv"}), (Names{"x/a3.csv"}));
  EXPECT_EQ(names(folder, {folder.path() + "/**/*.csv"}),
            (Names{"a1.csv", "a2.csv", "x/a3.csv", "x/y/a4.csv"}));
  EXPECT_EQ(names(folder, {folder.path() + "/**/y/**/*.csv"}), (Names{"x/y/a4.csv"}));
  EXPECT_EQ(names(folder, {folder.path() + "/_*.csv"}), (Names{"_a5.csv"}));
  EXPECT_EQ(names(folder, {folder.path() + "/x*"}), (Names{"x/a3.csv", "x/y/a4.csv"}));
}

TEST(Dataset, NameWithWildcardCharactersThatExists) {
  TempFolder folder;
  folder.write("a[1].csv", "x");
  folder.write("a1.csv", "x");
  EXPECT_EQ(names(folder, {folder.path() + "/a[1].csv"}), (Names{"a[1].csv"}));
}

TEST(Dataset, HiveFoldersBelowTheRoot) {
  TempFolder folder;
  folder.write("year=2024/city=K%C3%B6ln%2FS%C3%BCd/a.parquet", "x");
  folder.write("year=__HIVE_DEFAULT_PARTITION__/city=/b.parquet", "x");
  auto files = expand_sources({folder.path()}).value();
  ASSERT_EQ(files.size(), 2u);
  const auto& first = files[0].hive;
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0].first, "year");
  EXPECT_EQ(first[0].second, "2024");
  EXPECT_EQ(first[1].second, "Köln/Süd");
  EXPECT_EQ(files[1].hive[0].second, std::nullopt);
  EXPECT_EQ(files[1].hive[1].second, "");
  // The named root itself is no column, and neither are the folders of a single file.
  EXPECT_EQ(expand_sources({folder.path() + "/year=2024"}).value()[0].hive.size(), 1u);
  EXPECT_TRUE(expand_sources({files[0].uri}).value()[0].hive.empty());
  EXPECT_EQ(expand_sources({folder.path() + "/year=*/*/*.parquet"}).value()[0].hive.size(), 2u);
}

TEST(Dataset, WhatIsNotThere) {
  TempFolder folder;
  const auto code = [](const std::string& source) { return expand_sources({source}).error().code; };
  EXPECT_EQ(code(folder.path() + "/nothing.parquet"), ErrorCode::kNotFound);
  EXPECT_EQ(code(folder.path() + "/*.parquet"), ErrorCode::kNotFound);
  EXPECT_EQ(code(folder.path() + "/no/such/*/x"), ErrorCode::kNotFound);
  EXPECT_EQ(code(folder.path()), ErrorCode::kNotFound);
  EXPECT_EQ(code("s3://bucket/key"), ErrorCode::kUnsupported);
  EXPECT_EQ(code("/dev/null"), ErrorCode::kUnsupported);
  EXPECT_EQ(expand_sources({}).error().code, ErrorCode::kUsage);
  const Error error = expand_sources({folder.path() + "/nothing.parquet"}).error();
  EXPECT_NE(error.message.find("nothing.parquet"), std::string::npos);
  EXPECT_EQ(error.where.file, folder.path() + "/nothing.parquet");
}

TEST(Dataset, AFileThatIsNamedTwice) {
  TempFolder folder;
  folder.write("a.csv", "x");
  EXPECT_EQ(expand_sources({folder.path(), folder.path() + "/./a.csv"}).error().code,
            ErrorCode::kUsage);
}

TEST(Dataset, LoopOfLinks) {
  TempFolder folder;
  folder.write("a/b.csv", "x");
  std::filesystem::create_directory_symlink(folder.path(), folder.path() + "/a/loop");
  EXPECT_FALSE(expand_sources({folder.path()}).ok());
}

TEST(Dataset, TablesWithHistoryAreRefused) {
  TempFolder folder;
  folder.write("t/_delta_log/00000000000000000000.json", "{}");
  folder.write("t/part-0.parquet", "x");
  for (const char* source : {"/t", "", "/t/*.parquet", "/**/*.parquet"}) {
    auto files = expand_sources({folder.path() + source});
    ASSERT_FALSE(files.ok()) << source;
    EXPECT_EQ(files.error().code, ErrorCode::kUnsupported) << source;
  }
  EXPECT_TRUE(expand_sources({folder.path() + "/t/part-0.parquet"}).ok());
}

TEST(Dataset, StandardInputStandsAlone) {
  EXPECT_EQ(expand_sources({"-"}).value()[0].uri, "-");
  EXPECT_EQ(expand_sources({"-", "/dev/null"}).error().code, ErrorCode::kUsage);
}

TEST(Dataset, AChangedFileIsNoticed) {
  TempFolder folder;
  const std::string path = folder.write("a.csv", "x");
  const FileStamp stamp = file_stamp(path).value();
  EXPECT_TRUE(check_unchanged(path, stamp).ok());
  folder.write("a.csv", "xy");
  EXPECT_EQ(check_unchanged(path, stamp).error().code, ErrorCode::kSource);
  std::filesystem::remove(path);
  EXPECT_EQ(check_unchanged(path, stamp).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace headrace
