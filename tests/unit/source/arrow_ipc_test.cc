// Arrow IPC files and streams through open_source().
#include <gtest/gtest.h>

#include "unit/source/arrow_tables.h"

namespace headrace {
namespace {

using arrow::field;
using test::error_of;
using test::names_and_types;
using test::PipedInput;
using test::request_of;
using test::Rows;
using test::rows_of;
using test::schema_of;
using test::table_of;
using test::TempFolder;
using test::write_ipc;

std::shared_ptr<arrow::Table> small_table() {
  return table_of(
      {{field("id", arrow::int64(), false), "[1, 2, 3, 4, 5]"},
       {field("v", arrow::utf8_view()), R"(["a", null, "longer than twelve bytes", "d", ""])"},
       {field("d", arrow::dictionary(arrow::int8(), arrow::utf8())),
        R"(["x", "y", null, "x", "x"])"},
       {field("l", arrow::list(arrow::int16())), "[[1], null, [], [2, null], [3]]"}});
}

const Rows kSmallRows = {"1|a|x|list<item: int16>[1]", "2|NULL|y|NULL",
                         "3|longer than twelve bytes|NULL|list<item: int16>[]",
                         "4|d|x|list<item: int16>[2, null]", "5||x|list<item: int16>[3]"};
constexpr const char* kSmallSchema =
    "id int64 not null, v utf8_view, d dictionary<int8, utf8>, l list<item: int16>";

TEST(ArrowIpc, FilesAndStreams) {
  TempFolder folder;
  for (const bool footer : {true, false}) {
    for (const auto codec : {arrow::Compression::UNCOMPRESSED, arrow::Compression::LZ4_FRAME,
                             arrow::Compression::ZSTD}) {
      const std::string path = folder.at(footer ? "a.arrow" : "a.arrows");
      write_ipc(path, *small_table(), footer, 2, codec);
      auto source = open_source(request_of({path})).value();
      EXPECT_EQ(source->facts().format, "arrow");
      EXPECT_EQ(names_and_types(source->facts().schema), kSmallSchema);
      EXPECT_EQ(source->facts().row_count, footer ? 5 : -1);
      EXPECT_EQ(source->facts().row_count_is_exact, footer);
      ASSERT_EQ(source->facts().partitions.size(), 1u);
      EXPECT_EQ(rows_of(request_of({path})), kSmallRows);
      EXPECT_EQ(rows_of(request_of({path}), 1), kSmallRows);
      ReadOptions options;
      options.columns = {2};
      EXPECT_EQ(test::read_rows(*source, options).value(), (Rows{"x", "y", "NULL", "x", "x"}));
    }
  }
}

TEST(ArrowIpc, StandardInput) {
  TempFolder folder;
  for (const bool footer : {true, false}) {
    const std::string path = folder.at("a");
    write_ipc(path, *small_table(), footer, 2);
    PipedInput input(TempFolder::read(path));
    auto source = open_source(request_of({"-"})).value();
    EXPECT_EQ(names_and_types(source->facts().schema), kSmallSchema);
    ReadOptions options = test::all_columns(source->facts(), 1);
    EXPECT_EQ(test::read_rows(*source, options).value(), kSmallRows);
    EXPECT_FALSE(source->open(source->facts().partitions[0], options).ok());
    char rest[4096];
    while (read(STDIN_FILENO, rest, sizeof rest) > 0) continue;
  }
}

TEST(ArrowIpc, ChosenColumnsOfStandardInput) {
  TempFolder folder;
  write_ipc(folder.at("a"), *small_table(), false, 2);
  PipedInput input(TempFolder::read(folder.at("a")));
  auto source = open_source(request_of({"-"})).value();
  ReadOptions options;
  options.columns = {0, 2};
  EXPECT_EQ(test::read_rows(*source, options).value(),
            (Rows{"1|x", "2|y", "3|NULL", "4|x", "5|x"}));
}

TEST(ArrowIpc, RecognisedByContent) {
  TempFolder folder;
  write_ipc(folder.at("no_suffix"), *small_table(), true);
  EXPECT_EQ(rows_of(request_of({folder.at("no_suffix")})), kSmallRows);
  write_ipc(folder.at("no_suffix"), *small_table(), false);
  EXPECT_EQ(rows_of(request_of({folder.at("no_suffix")})), kSmallRows);
}

TEST(ArrowIpc, SeveralFilesWithFolders) {
  TempFolder folder;
  write_ipc(
      folder.at("p=1/a.arrow"),
      *table_of({{field("id", arrow::int8()), "[1]"}, {field("t", arrow::utf8()), R"(["x"])"}}),
      true);
  write_ipc(folder.at("p=2/a.arrow"),
            *table_of({{field("t", arrow::dictionary(arrow::int32(), arrow::utf8())), R"(["y"])"},
                       {field("id", arrow::uint16()), "[2]"}}),
            true);
  EXPECT_EQ(names_and_types(schema_of(request_of({folder.path()}))),
            "id int32, t utf8, p int64 not null");
  EXPECT_EQ(rows_of(request_of({folder.path()})), (Rows{"1|x|1", "2|y|2"}));
}

TEST(ArrowIpc, ReplacedDictionaries) {
  TempFolder folder;
  const auto type = arrow::dictionary(arrow::int8(), arrow::utf8());
  auto schema = arrow::schema({field("d", type)});
  auto out = arrow::io::FileOutputStream::Open(folder.at("a.arrows")).ValueOrDie();
  auto writer = arrow::ipc::MakeStreamWriter(out, schema).ValueOrDie();
  for (const char* json : {R"(["a", "b"])", R"(["c", "a"])", R"([null, "d"])"}) {
    auto table = table_of({{field("d", type), json}});
    ASSERT_TRUE(writer->WriteTable(*table).ok());
  }
  ASSERT_TRUE(writer->Close().ok());
  ASSERT_TRUE(out->Close().ok());
  EXPECT_EQ(rows_of(request_of({folder.path()})), (Rows{"a", "b", "c", "a", "NULL", "d"}));
}

TEST(ArrowIpc, DamagedFilesSaySo) {
  TempFolder folder;
  const auto code = [&](const std::string& name, const std::string& content) {
    const Error error = error_of(request_of({folder.write(name, content)}));
    EXPECT_EQ(error.where.file, folder.at(name)) << error.message;
    return error.code;
  };
  EXPECT_EQ(code("zero.arrow", ""), ErrorCode::kSource);
  EXPECT_EQ(code("text.arrow", "this is text, not Arrow"), ErrorCode::kSource);
  EXPECT_EQ(code("old.feather", "FEA1 and so on"), ErrorCode::kUnsupported);
  write_ipc(folder.at("a"), *small_table(), true, 2);
  const std::string file = TempFolder::read(folder.at("a"));
  EXPECT_EQ(code("cut.arrow", file.substr(0, file.size() - 30)), ErrorCode::kSource);
  write_ipc(folder.at("a"), *small_table(), false, 2);
  const std::string stream = TempFolder::read(folder.at("a"));
  EXPECT_EQ(code("cut.arrows", stream.substr(0, stream.size() - 100)), ErrorCode::kSource);
}

// Touches every byte of the first column, as an encoder does. False when the source reports an
// error.
bool touch_all(const std::string& path) {
  auto source = open_source(request_of({path}));
  if (!source.ok()) return false;
  const ReadOptions options = test::all_columns((*source)->facts(), 2);
  auto reader = (*source)->open((*source)->facts().partitions[0], options);
  if (!reader.ok()) return false;
  size_t sum = 0;
  for (;;) {
    auto batch = (*reader)->next();
    if (!batch.ok()) return false;
    if (*batch == nullptr) return sum < SIZE_MAX;
    OwnedSchema schema = schema_to_arrow(*(*batch)->schema);
    const auto imported =
        arrow::ImportRecordBatch((*batch)->array.get(), schema.get()).ValueOrDie();
    for (int64_t row = 0; imported->num_columns() > 0 && row < imported->num_rows(); ++row) {
      sum += imported->column(0)->GetScalar(row).ValueOrDie()->ToString().size();
    }
  }
}

// Values that point outside of their buffers must be found before anybody follows them.
TEST(ArrowIpc, WildOffsetsAreFound) {
  TempFolder folder;
  const std::string marker(40, 'M');
  for (const auto& type :
       {arrow::utf8(), arrow::large_utf8(), arrow::utf8_view(), arrow::list(arrow::int8()),
        arrow::dictionary(arrow::int8(), arrow::utf8())}) {
    const bool list = type->id() == arrow::Type::LIST;
    write_ipc(
        folder.at("a"),
        *table_of({{field("t", type), list ? "[[1, 2], [3], []]"
                                           : "[\"" + marker + "\", \"" + marker + "\", \"x\"]"}}),
        false);
    const std::string stream = TempFolder::read(folder.at("a"));
    int refused = 0;
    for (size_t at = 0; at < stream.size(); at += 7) {
      std::string damaged = stream;
      damaged[at] ^= '\x40';
      refused += !touch_all(folder.write("b.arrows", damaged));
    }
    EXPECT_GT(refused, 0);
  }
}

}  // namespace
}  // namespace headrace
