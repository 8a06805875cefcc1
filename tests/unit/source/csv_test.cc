// CSV through open_source(): what is inferred, what is kept as it is, and what is said about the
// rest.
#include <arrow/util/compression.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "unit/source/arrow_tables.h"

namespace headrace {
namespace {

using test::error_of;
using test::names_and_types;
using test::PipedInput;
using test::request_of;
using test::Rows;
using test::rows_of;
using test::schema_of;
using test::TempFolder;

std::string packed(const std::string& text, arrow::Compression::type type) {
  auto codec = arrow::util::Codec::Create(type).ValueOrDie();
  auto compressor = codec->MakeCompressor().ValueOrDie();
  std::string out(text.size() + 1000, '\0');
  auto* bytes = reinterpret_cast<uint8_t*>(out.data());
  const auto size = static_cast<int64_t>(out.size());
  const auto step = compressor
                        ->Compress(static_cast<int64_t>(text.size()),
                                   reinterpret_cast<const uint8_t*>(text.data()), size, bytes)
                        .ValueOrDie();
  const auto end =
      compressor->End(size - step.bytes_written, bytes + step.bytes_written).ValueOrDie();
  EXPECT_EQ(step.bytes_read, static_cast<int64_t>(text.size()));
  out.resize(static_cast<size_t>(step.bytes_written + end.bytes_written));
  return out;
}

TEST(Csv, TypesAreInferred) {
  TempFolder folder;
  const std::string path = folder.write(
      "a.csv",
      "b,i,f,d,ts,tz,t,zip,empty\n"
      "true,1,1.5,2024-02-29,2024-01-01 10:00:00.25,2024-01-01T10:00:00+02:00,hello,007,\n"
      "FALSE,-2,2,2024-03-01,2024-01-01T10:00,2024-01-01 10:00Z,\"a,b\",42,\n"
      ",,,,,,,,\n");
  EXPECT_EQ(names_and_types(schema_of(request_of({path}))),
            "b bool, i int64, f float64, d date32, ts timestamp[us], tz timestamp[us, tz=UTC], t "
            "utf8, zip utf8, empty utf8");
  EXPECT_EQ(rows_of(request_of({path})),
            (Rows{"true|1|1.5|2024-02-29|2024-01-01 10:00:00.250000|2024-01-01 "
                  "08:00:00.000000Z|hello|007|NULL",
                  "false|-2|2|2024-03-01|2024-01-01 10:00:00.000000|2024-01-01 "
                  "10:00:00.000000Z|a,b|42|NULL",
                  "NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL"}));
}

TEST(Csv, QuotedEmptyTextIsNotNull) {
  TempFolder folder;
  const std::string path = folder.write("a.csv", "id,t\n1,\"\"\n2,\n3,\"\"\"\"\n");
  EXPECT_EQ(rows_of(request_of({path})), (Rows{"1|", "2|NULL", "3|\""}));
}

TEST(Csv, NullTexts) {
  TempFolder folder;
  LoadRequest request = request_of({folder.write("a.csv", "i,t\nNA,NA\n1,\"NA\"\n\\N,\n")});
  request.csv.null_values = {"NA", "\\N"};
  EXPECT_EQ(rows_of(request), (Rows{"NULL|NULL", "1|NA", "NULL|"}));
  EXPECT_EQ(names_and_types(schema_of(request)), "i int64, t utf8");
}

TEST(Csv, NewlinesQuotesAndBlanks) {
  TempFolder folder;
  const std::string path = folder.write(
      "a.csv", "id,t\r\n1,\"two\nlines, \"\"quoted\"\"\"\r\n2, blanks stay \r\n\r\n3,\"a\r\nb\"");
  EXPECT_EQ(rows_of(request_of({path})),
            (Rows{"1|two\nlines, \"quoted\"", "2| blanks stay ", "3|a\r\nb"}));
}

TEST(Csv, DelimitersByNameAndByRequest) {
  TempFolder folder;
  EXPECT_EQ(rows_of(request_of({folder.write("a.tsv", "x\ty\n1,5\t2\n")})), Rows{"1,5|2"});
  EXPECT_EQ(rows_of(request_of({folder.write("a.psv", "x|y\n1,5|2\n")})), Rows{"1,5|2"});
  EXPECT_EQ(rows_of(request_of({folder.write("a.txt", "x,y\n1,2\n")})), Rows{"1|2"});
  LoadRequest request = request_of({folder.write("semicolon.csv", "x;y\n1,5;2\n")});
  request.csv.delimiter = ';';
  EXPECT_EQ(rows_of(request), Rows{"1,5|2"});
}

TEST(Csv, Headers) {
  TempFolder folder;
  LoadRequest request = request_of({folder.write("a.csv", "1,x\n2,y\n")});
  request.csv.header = false;
  EXPECT_EQ(names_and_types(schema_of(request)), "column_1 int64, column_2 utf8");
  EXPECT_EQ(rows_of(request), (Rows{"1|x", "2|y"}));
  EXPECT_EQ(
      names_and_types(schema_of(request_of({folder.write("b.csv", ",\"two words\"\n1,2\n")}))),
      "column_1 int64, two words int64");
  EXPECT_EQ(rows_of(request_of({folder.write("c.csv", "\xef\xbb\xbfid,t\n1,x\n")})), Rows{"1|x"});
  EXPECT_EQ(names_and_types(schema_of(request_of({folder.at("c.csv")}))), "id int64, t utf8");
  EXPECT_EQ(rows_of(request_of({folder.write("only_header.csv", "id,t\n")})), Rows{});
  EXPECT_EQ(rows_of(request_of({folder.write("no_newline.csv", "id,t")})), Rows{});
  const Error twice = error_of(request_of({folder.write("twice.csv", "id,id\n1,2\n")}));
  EXPECT_EQ(twice.code, ErrorCode::kSource);
  EXPECT_EQ(twice.where.column, "id");
}

TEST(Csv, OneColumnKeepsItsEmptyRows) {
  TempFolder folder;
  EXPECT_EQ(rows_of(request_of({folder.write("a.csv", "t\nx\n\ny\n")})), (Rows{"x", "NULL", "y"}));
  EXPECT_EQ(rows_of(request_of({folder.write("b.csv", "t,u\nx,1\n\ny,2\n")})),
            (Rows{"x|1", "y|2"}));
}

TEST(Csv, DeclaredTypes) {
  TempFolder folder;
  LoadRequest request = request_of({folder.write(
      "a.csv",
      "id,zip,price,raw,flag,ts\n007,007,1.50,ab,t,2024-01-01 10:00:00.123456789\n,,,,,\n")});
  request.csv.types = {{"id", "int64"},   {"zip", "text"},     {"price", "decimal(10, 2)"},
                       {"raw", "binary"}, {"flag", "boolean"}, {"ts", "timestamp[ns]"}};
  EXPECT_EQ(names_and_types(schema_of(request)),
            "id int64, zip utf8, price decimal128(10, 2), raw binary, flag bool, ts timestamp[ns]");
  EXPECT_EQ(rows_of(request), (Rows{"7|007|1.50|ab|true|2024-01-01 10:00:00.123456789",
                                    "NULL|NULL|NULL|NULL|NULL|NULL"}));
  request.csv.types = {{"nothing", "int64"}};
  EXPECT_EQ(error_of(request).code, ErrorCode::kUsage);
  request.csv.types = {{"id", "geometry"}};
  EXPECT_EQ(error_of(request).code, ErrorCode::kUsage);
  request.csv.types = {{"price", "decimal128(3, 0)"}};
  EXPECT_EQ(error_of(request).code, ErrorCode::kRejectedValue);
}

TEST(Csv, DeclaredTypeThatDoesNotFitNamesTheCell) {
  TempFolder folder;
  LoadRequest request = request_of({folder.write("a.csv", "id,n\n1,1\n2,2\n3,oops\n4,4\n")});
  request.csv.types = {{"n", "int32"}};
  const Error error = error_of(request);
  EXPECT_EQ(error.code, ErrorCode::kRejectedValue);
  EXPECT_EQ(error.where.row, 3);
  EXPECT_EQ(error.where.column, "n");
  EXPECT_EQ(error.where.file, folder.at("a.csv"));
  EXPECT_NE(error.message.find("oops"), std::string::npos) << error.message;
}

// Types come from the first megabytes only: what is found behind them is never bent to fit.
TEST(Csv, ValueBehindTheInferredRows) {
  TempFolder folder;
  std::string text = "id,code\n";
  int64_t rows = 0;
  while (text.size() < (6 << 20)) text += std::to_string(++rows) + ",1234567890\n";
  const auto error_with = [&](const std::string& cell) {
    return error_of(request_of({folder.write("a.csv", text + "0," + cell + "\n")}));
  };
  for (const char* cell : {"007", "abc", "1.5", "99999999999999999999", "\"\""}) {
    const Error error = error_with(cell);
    EXPECT_EQ(error.code, ErrorCode::kRejectedValue) << cell;
    EXPECT_EQ(error.where.row, rows + 1) << cell;
    EXPECT_EQ(error.where.column, "code");
    EXPECT_NE(error.hint.find("--type code=utf8"), std::string::npos);
  }
  LoadRequest request = request_of({folder.at("a.csv")});
  request.csv.types = {{"code", "utf8"}};
  EXPECT_EQ(rows_of(request, 16384).back(), "0|");
}

TEST(Csv, MalformedRowsNameTheRow) {
  TempFolder folder;
  const Error many = error_of(request_of({folder.write("a.csv", "a,b\n1,2\n3,4\n5,6,7\n")}));
  EXPECT_EQ(many.code, ErrorCode::kSource);
  EXPECT_EQ(many.where.row, 3);
  EXPECT_NE(many.message.find("row 3"), std::string::npos) << many.message;
  EXPECT_EQ(error_of(request_of({folder.write("b.csv", "a,b\n1\n")})).where.row, 1);
  const Error open =
      error_of(request_of({folder.write("c.csv", "a,b\n1,2\n3,\"never closed\n5,6\n")}));
  EXPECT_EQ(open.code, ErrorCode::kSource) << open.message;
  EXPECT_NE(open.message.find("never closed"), std::string::npos) << open.message;
  EXPECT_EQ(error_of(request_of({folder.write("d.csv", "")})).code, ErrorCode::kSource);
  EXPECT_NE(error_of(request_of({folder.write("e.csv", std::string("\xff\xfe"
                                                                   "a\0,\0b\0\n\0",
                                                                   10))}))
                .message.find("UTF-16"),
            std::string::npos);
}

TEST(Csv, Packed) {
  TempFolder folder;
  std::string text = "id,t\n";
  for (int i = 0; i < 5000; ++i) text += std::to_string(i) + ",row\n";
  const Rows plain = rows_of(request_of({folder.write("a.csv", text)}));
  ASSERT_EQ(plain.size(), 5000u);
  const std::string gz = packed(text, arrow::Compression::GZIP);
  const std::string zst = packed(text, arrow::Compression::ZSTD);
  EXPECT_EQ(rows_of(request_of({folder.write("a.csv.gz", gz)})), plain);
  EXPECT_EQ(rows_of(request_of({folder.write("a.csv.zst", zst)})), plain);
  EXPECT_EQ(rows_of(request_of({folder.write("lies.csv", gz)})), plain);
  EXPECT_EQ(rows_of(request_of({folder.write("unnamed", zst)})), plain);
  // Several members one after the other are one text.
  EXPECT_EQ(rows_of(request_of(
                {folder.write("two.csv.gz", packed("id,t\n1,x\n", arrow::Compression::GZIP) +
                                                packed("2,y\n", arrow::Compression::GZIP))})),
            (Rows{"1|x", "2|y"}));
  EXPECT_EQ(error_of(request_of({folder.write("cut.csv.gz", gz.substr(0, gz.size() / 2))})).code,
            ErrorCode::kSource);
  EXPECT_EQ(error_of(request_of({folder.write("cut.csv.zst", zst.substr(0, zst.size() / 2))})).code,
            ErrorCode::kSource);
}

TEST(Csv, SeveralFilesByName) {
  TempFolder folder;
  folder.write("year=2024/1.csv", "id,v,t\n1,1,x\n");
  folder.write("year=2024/2.csv", "t,id,v\ny,2,2.5\n");
  folder.write("year=2025/3.csv", "v,id\n3,3\n");
  folder.write("year=2025/4.csv", "");
  const auto request = request_of({folder.path()});
  EXPECT_EQ(names_and_types(schema_of(request)),
            "id int64, v float64, t utf8, year int64 not null");
  EXPECT_EQ(rows_of(request), (Rows{"1|1|x|2024", "2|2.5|y|2024", "3|3|NULL|2025"}));
  // One file's numbers are another file's text.
  folder.write("year=2025/5.csv", "v,id\nn/a,007\n");
  EXPECT_EQ(names_and_types(schema_of(request)), "id utf8, v utf8, t utf8, year int64 not null");
  EXPECT_EQ(rows_of(request).back(), "007|n/a|NULL|2025");
}

TEST(Csv, WithoutHeaderTheWidthsMustAgree) {
  TempFolder folder;
  LoadRequest request = request_of({folder.path()});
  request.csv.header = false;
  folder.write("1.csv", "1,x\n");
  folder.write("2.csv", "2,y\n");
  EXPECT_EQ(rows_of(request), (Rows{"1|x", "2|y"}));
  folder.write("3.csv", "3\n");
  EXPECT_EQ(error_of(request).code, ErrorCode::kTypeMismatch);
}

TEST(Csv, StandardInput) {
  std::string text = "id,t\n";
  // More than is read for the types, and more than a pipe holds.
  for (int i = 0; text.size() < (6 << 20); ++i)
    text += std::to_string(i) + ",\"row\n" + std::to_string(i) + "\"\n";
  TempFolder folder;
  const Rows wanted = rows_of(request_of({folder.write("a.csv", text)}), 4096);
  {
    PipedInput input(text);
    EXPECT_EQ(rows_of(request_of({"-"}), 4096), wanted);
  }
  {
    PipedInput input(packed(text, arrow::Compression::GZIP));
    EXPECT_EQ(rows_of(request_of({"-"}), 4096), wanted);
  }
  {
    PipedInput input(
        "\xef\xbb\xbf"
        "a\tb\n1\t2\n");
    LoadRequest request = request_of({"-"});
    request.csv.delimiter = '\t';
    EXPECT_EQ(rows_of(request), Rows{"1|2"});
  }
  PipedInput input("");
  EXPECT_EQ(error_of(request_of({"-"})).code, ErrorCode::kSource);
}

TEST(Csv, WaitingForInputIsCancelled) {
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  const int saved = dup(STDIN_FILENO);
  dup2(pipe_ends[0], STDIN_FILENO);
  std::atomic<bool> cancel{false};
  LoadRequest request = request_of({"-"});
  request.cancel = &cancel;
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    cancel = true;
  });
  EXPECT_EQ(error_of(request).code, ErrorCode::kCancelled);
  later.join();
  dup2(saved, STDIN_FILENO);
  for (int end : {saved, pipe_ends[0], pipe_ends[1]}) close(end);
}

TEST(Csv, LargeCells) {
  TempFolder folder;
  const std::string cell(9 << 20, 'x');
  const std::string path =
      folder.write("a.csv", "id,t\n1,\"" + cell + "\n\"\n2,small\n3," + cell + "\n");
  const Rows rows = rows_of(request_of({path}));
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].size(), cell.size() + 3);
  EXPECT_EQ(rows[1], "2|small");
  EXPECT_EQ(rows[2].size(), cell.size() + 2);
  // In the header too.
  EXPECT_EQ(
      schema_of(request_of({folder.write("b.csv", cell + ",b\n1,2\n")})).fields[0].name.size(),
      cell.size());
}

// Rows must not depend on where the text is cut into blocks.
TEST(Csv, LineEndsAtEveryPlaceOfABlock) {
  TempFolder folder;
  for (int shift = 0; shift < 8; ++shift) {
    std::string text = "a,b\r\n";
    const size_t block = 1 << 20;
    text +=
        std::string(block - 12 + static_cast<size_t>(shift) - text.size(), 'x') + ",\"q\"\"\"\r\n";
    while (text.size() < 2 * block) text += "1,\"a\r\n\"\"b\"\r\n";
    const Rows rows = rows_of(request_of({folder.write("a.csv", text)}));
    ASSERT_GT(rows.size(), 1000u);
    EXPECT_EQ(rows[0].substr(rows[0].size() - 3), "|q\"");
    EXPECT_EQ(static_cast<size_t>(std::count(rows.begin(), rows.end(), "1|a\r\n\"b")),
              rows.size() - 1);
    // One column, where an empty line is a row.
    std::string narrow =
        "a\r\n" + std::string(block - 8 + static_cast<size_t>(shift), 'x') + "\r\n";
    for (int i = 0; i < 20000; ++i) narrow += "y\r\n\r\n";
    EXPECT_EQ(rows_of(request_of({folder.write("b.csv", narrow)}), 4096).size(), 40001u);
  }
}

TEST(Csv, ChosenColumns) {
  TempFolder folder;
  auto source =
      open_source(request_of({folder.write("a.csv", "a,b,c\n1,x,2.5\n2,y,3.5\n")})).value();
  ReadOptions options;
  options.columns = {2};
  EXPECT_EQ(test::read_rows(*source, options).value(), (Rows{"2.5", "3.5"}));
  options.batch_rows = 1;
  options.columns = {0, 1};
  EXPECT_EQ(test::read_rows(*source, options).value(), (Rows{"1|x", "2|y"}));
}

}  // namespace
}  // namespace headrace
