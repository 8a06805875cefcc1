// Full disks and killed processes: the target is as before, and what stays is recognisable.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdio>

#include "sqlite_test_support.h"

namespace headrace {
namespace {

using namespace sqlite_test;

Rows three_megabytes() { return sample_rows(3000, 1000); }

// A load that fails must leave the old file, or nothing, and say where there was no room.
void expect_no_room(const TempFolder& folder, const std::string& path, const std::string& method) {
  SCOPED_TRACE(method);
  const bool existed = std::filesystem::exists(path);
  const std::string before = file_bytes(path);
  const Mode mode = existed ? Mode::kReplace : Mode::kCreate;
  const Status status = load(path, plan_of(3, method, mode), make_blocks(three_megabytes(), 50'000),
                             method == "pages" ? 2 : 1);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kIo) << status.error().message;
  EXPECT_NE(status.error().message.find(folder.path()), std::string::npos);
  EXPECT_FALSE(status.error().hint.empty());
  EXPECT_EQ(std::filesystem::exists(path), existed);
  EXPECT_TRUE(file_bytes(path) == before);
}

// A file system of 2 MB, or where that may not be mounted, a limit on the size of files.
class SmallDisk {
 public:
  explicit SmallDisk(const TempFolder& folder) : path_(folder.path()) {
    mounted_ = ::mount("none", path_.c_str(), "tmpfs", 0, "size=2m") == 0;
    if (mounted_) return;
    std::puts("mounting a tmpfs is not permitted here: a limit on the file size stands in");
    ::getrlimit(RLIMIT_FSIZE, &old_limit_);
    const rlimit limit{2 << 20, old_limit_.rlim_max};
    old_handler_ = std::signal(SIGXFSZ, SIG_IGN);
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~SmallDisk() {
    if (mounted_) {
      ::umount2(path_.c_str(), MNT_DETACH);
    } else {
      ::setrlimit(RLIMIT_FSIZE, &old_limit_);
      std::signal(SIGXFSZ, old_handler_);
    }
  }

 private:
  std::string path_;
  bool mounted_ = false;
  rlimit old_limit_{};
  void (*old_handler_)(int) = SIG_DFL;
};

TEST(SqliteFault, FullDisk) {
  for (const char* method : {"pages", "api"}) {
    const TempFolder folder;
    const SmallDisk disk(folder);
    const std::string path = folder.file("a.sqlite");
    expect_no_room(folder, path, method);
    EXPECT_TRUE(folder.names().empty());
    // With an old file, which must stay.
    ASSERT_STATUS_OK(load(path, plan_of(3, "pages"), make_blocks(sample_rows(500))));
    expect_no_room(folder, path, method);
    EXPECT_EQ(folder.names(), std::vector<std::string>{"a.sqlite"});
    EXPECT_EQ(integrity(path), "ok");
    EXPECT_EQ(Db(path).integer("SELECT count(*) FROM t"), 500);
  }
}

TEST(SqliteFault, LimitOnTheFileSize) {
  const TempFolder folder;
  rlimit old_limit;
  ::getrlimit(RLIMIT_FSIZE, &old_limit);
  const rlimit limit{1 << 20, old_limit.rlim_max};
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &limit);
  expect_no_room(folder, folder.file("a.sqlite"), "pages");
  ::setrlimit(RLIMIT_FSIZE, &old_limit);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_TRUE(folder.names().empty());
}

// Runs the first half of a load in a child process that is killed before it publishes.
void load_and_die(const std::string& path, const Plan& plan, const std::string& load_id) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto sink = open_target(path);
    const bool ok = sink->prepare(plan, load_id).ok() &&
                    write_blocks(*sink, plan, make_blocks(three_megabytes())).ok();
    if (ok) ::raise(SIGKILL);
    ::_exit(1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

TEST(SqliteFault, KilledPageLoadLeavesOnlyItsTemporaryFile) {
  const TempFolder folder;
  const std::string path = folder.file("a.sqlite");
  load_and_die(path, plan_of(3, "pages"), "0123456789abcdef");
  const std::vector<std::string> left = {".a.sqlite.headrace-01234567.tmp"};
  EXPECT_EQ(folder.names(), left);
  // The same load again takes the place of the dead one.
  ASSERT_STATUS_OK(load(path, plan_of(3, "pages"), make_blocks(sample_rows(10))));
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a.sqlite"});
}

TEST(SqliteFault, KilledReplaceLeavesTheOldFile) {
  const TempFolder folder;
  const std::string path = folder.file("a.sqlite");
  ASSERT_STATUS_OK(load(path, plan_of(3, "pages"), make_blocks(sample_rows(10))));
  const std::string before = file_bytes(path);
  load_and_die(path, plan_of(3, "pages", Mode::kReplace), "x/../y");
  EXPECT_TRUE(file_bytes(path) == before);
  const std::vector<std::string> left = {".a.sqlite.headrace-x____y.tmp", "a.sqlite"};
  EXPECT_EQ(folder.names(), left);
}

TEST(SqliteFault, KilledApiLoadIsRolledBackByTheNextReader) {
  const TempFolder folder;
  const std::string path = folder.file("a.sqlite");
  ASSERT_STATUS_OK(load(path, plan_of(3, "pages"), make_blocks(sample_rows(10))));
  load_and_die(path, plan_of(3, "api", Mode::kReplace), "id");
  EXPECT_EQ(integrity(path), "ok");
  EXPECT_EQ(Db(path).integer("SELECT count(*) FROM t"), 10);
  // A journal of which nothing was synced is none to SQLite, and the next writer removes it.
  Db(path).run("PRAGMA user_version=1");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a.sqlite"});
}

TEST(SqliteFault, TwoLoadsOfOneIdDoNotShareAFile) {
  const TempFolder folder;
  const std::string path = folder.file("a.sqlite");
  auto first = open_target(path), second = open_target(path);
  const Plan plan = plan_of(1, "pages");
  ASSERT_STATUS_OK(first->prepare(plan, "same"));
  const Status status = second->prepare(plan, "same");
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kTargetExists);
  second.reset();
  ASSERT_STATUS_OK(write_blocks(*first, plan, make_blocks({{int64_t{1}}})));
  EXPECT_TRUE(first->publish().ok());
  EXPECT_EQ(integrity(path), "ok");
}

}  // namespace
}  // namespace headrace
