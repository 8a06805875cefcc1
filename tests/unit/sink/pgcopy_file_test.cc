#include "sink/pgcopy_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "encode/format/pg_binary.h"

namespace headrace {
namespace {

namespace fs = std::filesystem;

class PgcopyFile : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "headrace-pgcopy-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    request_.target = "pgcopy:" + (folder_ / "out.bin").string();
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::unique_ptr<Sink> open() {
    auto sink = kPgcopyFileSink.open(request_);
    EXPECT_TRUE(sink.ok());
    return sink.ok() ? std::move(sink).value() : nullptr;
  }
  Plan plan(Mode mode) {
    Plan plan;
    plan.mode = mode;
    plan.commit_scope = CommitScope::kFile;
    return plan;
  }
  Status load(Sink& sink, const Plan& plan, const std::string& bytes) {
    HEADRACE_TRY(sink.prepare(plan, "0123456789abcdef"));
    HEADRACE_ASSIGN(auto writer, sink.open_writer(0));
    RowBlock block;
    block.bytes.append(bytes.data(), bytes.size());
    HEADRACE_TRY(writer->write(block));
    HEADRACE_TRY(writer->finish());
    HEADRACE_TRY(sink.publish());
    return {};
  }
  std::string content(const std::string& name = "out.bin") {
    std::ifstream in(folder_ / name, std::ios::binary);
    std::stringstream all;
    all << in.rdbuf();
    return all.str();
  }
  int files() {
    return static_cast<int>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  fs::path folder_;
  LoadRequest request_;
};

TEST_F(PgcopyFile, Recognises) {
  EXPECT_TRUE(kPgcopyFileSink.recognises("pgcopy:x"));
  EXPECT_FALSE(kPgcopyFileSink.recognises("x.pgcopy"));
  request_.target = "pgcopy:";
  EXPECT_FALSE(kPgcopyFileSink.open(request_).ok());
}

TEST_F(PgcopyFile, BinaryHasHeaderAndTrailer) {
  auto sink = open();
  auto facts = sink->facts();
  ASSERT_TRUE(facts.ok());
  EXPECT_EQ(facts->server_kind, "file");
  EXPECT_EQ(facts->dialect, Dialect::kPostgres);
  EXPECT_FALSE(facts->table_exists);
  EXPECT_EQ(facts->max_writers, 1);
  ASSERT_TRUE(load(*sink, plan(Mode::kCreate), "rows").ok());
  EXPECT_EQ(content(),
            std::string(pg_binary::header()) + "rows" + std::string(pg_binary::trailer()));
  EXPECT_EQ(files(), 1);
}

TEST_F(PgcopyFile, TextHasNeither) {
  auto sink = open();
  Plan p = plan(Mode::kCreate);
  p.row_format = RowFormat::kText;
  ASSERT_TRUE(load(*sink, p, "1\ta\n").ok());
  EXPECT_EQ(content(), "1\ta\n");
}

TEST_F(PgcopyFile, ModesWithAnExistingFile) {
  std::ofstream(folder_ / "out.bin") << "old";
  ASSERT_EQ(chmod((folder_ / "out.bin").c_str(), 0640), 0);
  auto sink = open();
  EXPECT_TRUE(sink->facts()->table_exists);
  EXPECT_EQ(sink->facts()->relation_kind, "file");
  EXPECT_EQ(load(*sink, plan(Mode::kCreate), "x").error().code, ErrorCode::kTargetExists);
  EXPECT_EQ(load(*open(), plan(Mode::kAppend), "x").error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(content(), "old");
  ASSERT_TRUE(load(*open(), plan(Mode::kReplace), "x").ok());
  EXPECT_NE(content(), "old");
  EXPECT_EQ(files(), 1);
  struct stat status{};
  ASSERT_EQ(stat((folder_ / "out.bin").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640u);
}

TEST_F(PgcopyFile, ALinkStaysOne) {
  std::ofstream(folder_ / "real.bin") << "old";
  fs::create_symlink("real.bin", folder_ / "out.bin");
  ASSERT_TRUE(load(*open(), plan(Mode::kReplace), "x").ok());
  EXPECT_TRUE(fs::is_symlink(folder_ / "out.bin"));
  EXPECT_NE(content("real.bin"), "old");
}

TEST_F(PgcopyFile, AFileThatAppearedMeanwhile) {
  auto sink = open();
  ASSERT_TRUE(sink->prepare(plan(Mode::kCreate), "x").ok());
  auto writer = sink->open_writer(0);
  ASSERT_TRUE((*writer)->finish().ok());
  std::ofstream(folder_ / "out.bin") << "mine";
  auto stats = sink->publish();
  ASSERT_FALSE(stats.ok());
  EXPECT_EQ(stats.error().code, ErrorCode::kTargetExists);
  sink.reset();
  EXPECT_EQ(content(), "mine");
  EXPECT_EQ(files(), 1);
}

TEST_F(PgcopyFile, NothingIsLeftBehind) {
  std::ofstream(folder_ / "out.bin") << "old";
  {
    auto sink = open();
    ASSERT_TRUE(sink->prepare(plan(Mode::kReplace), "x").ok());
    EXPECT_EQ(files(), 2);
    auto writer = sink->open_writer(0);
    (*writer)->abort("test");
    EXPECT_FALSE(sink->publish().ok());
  }
  EXPECT_EQ(files(), 1);
  EXPECT_EQ(content(), "old");
}

TEST_F(PgcopyFile, Errors) {
  request_.target = "pgcopy:" + (folder_ / "missing/out.bin").string();
  EXPECT_EQ(open()->facts().error().code, ErrorCode::kNotFound);
  request_.target = "pgcopy:" + folder_.string();
  EXPECT_EQ(open()->facts().error().code, ErrorCode::kUnsupported);
  request_.target = "pgcopy:/dev/null";
  EXPECT_EQ(open()->facts().error().code, ErrorCode::kUnsupported);
}

TEST_F(PgcopyFile, Cancel) {
  std::atomic<bool> cancel{false};
  request_.cancel = &cancel;
  auto sink = open();
  ASSERT_TRUE(sink->prepare(plan(Mode::kCreate), "x").ok());
  auto writer = sink->open_writer(0);
  cancel = true;
  RowBlock block;
  const Status status = (*writer)->write(block);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace headrace
