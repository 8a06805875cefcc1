#include "sink/sqlite/page_claims.h"

#include <gtest/gtest.h>

#include <deque>
#include <thread>

#include "sink/sqlite/page_format.h"

namespace headrace {
namespace {

Claim& make_claim(std::deque<Claim>* claims, int64_t batch, int index, bool last, uint64_t pages) {
  Claim& claim = claims->emplace_back();
  claim.batch = batch;
  claim.index_in_batch = index;
  claim.last_in_batch = last;
  claim.pages = pages;
  return claim;
}

TEST(PageClaims, GrantsInOrderOfBlocks) {
  PageClaims claims(4096, 3, 2);
  std::deque<Claim> all;
  Claim& b10 = make_claim(&all, 1, 0, true, 5);
  Claim& b01 = make_claim(&all, 0, 1, true, 7);
  Claim& b00 = make_claim(&all, 0, 0, false, 2);
  ASSERT_TRUE(claims.submit(&b10).ok());
  ASSERT_TRUE(claims.submit(&b01).ok());
  EXPECT_FALSE(b10.granted());
  EXPECT_FALSE(b01.granted());
  EXPECT_FALSE(claims.finish().ok());
  ASSERT_TRUE(claims.submit(&b00).ok());
  ASSERT_TRUE(b00.granted() && b01.granted() && b10.granted());
  EXPECT_EQ(b00.range().first, 3u);
  EXPECT_EQ(b01.range().first, 5u);
  EXPECT_EQ(b10.range().first, 12u);
  EXPECT_EQ(claims.page_count(), 16u);
  EXPECT_TRUE(claims.finish().ok());
}

TEST(PageClaims, SkipsTheLockBytePage) {
  const uint32_t lock = sqlite_page::lock_byte_page(65536);
  std::deque<Claim> all;
  {
    PageClaims claims(65536, lock - 2, 1);  // a range over it
    Claim& a = make_claim(&all, 0, 0, true, 4);
    ASSERT_TRUE(claims.submit(&a).ok());
    EXPECT_EQ(a.range().number(1), lock - 1);
    EXPECT_EQ(a.range().number(2), lock + 1);
    EXPECT_EQ(claims.page_count(), lock + 2);
  }
  {
    PageClaims claims(65536, lock - 2, 1);  // a range up to it, and the next
    Claim& a = make_claim(&all, 0, 0, false, 2);
    Claim& b = make_claim(&all, 0, 1, true, 1);
    ASSERT_TRUE(claims.submit(&a).ok());
    EXPECT_EQ(claims.page_count(), lock - 1);
    ASSERT_TRUE(claims.submit(&b).ok());
    EXPECT_EQ(b.range().first, lock + 1);
    claims.give_back_last();
    EXPECT_EQ(claims.page_count(), lock - 1);
  }
}

TEST(PageClaims, EndsWithThePageNumbers) {
  PageClaims claims(4096, 0xFFFFFFF0, 1);
  std::deque<Claim> all;
  Claim& fits = make_claim(&all, 0, 0, false, 15);
  Claim& one_more = make_claim(&all, 0, 1, true, 1);
  ASSERT_TRUE(claims.submit(&fits).ok());
  EXPECT_EQ(claims.page_count(), 0xFFFFFFFEu);
  const Status status = claims.submit(&one_more);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kUnsupported);
}

TEST(PageClaims, RefusesTheSameBlockTwice) {
  PageClaims claims(4096, 2, 1);
  std::deque<Claim> all;
  ASSERT_TRUE(claims.submit(&make_claim(&all, 0, 0, true, 1)).ok());
  const Status status = claims.submit(&make_claim(&all, 0, 0, true, 1));
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kInternal);
}

// An owner that takes pages away from every claim of two, and refuses one.
class Owner : public ClaimOwner {
 public:
  void due(Claim* claim) override {
    if (claim->pages == 2) claim->pages = 0;
  }
  Status granted(const Claim& claim) override {
    if (claim.pages == 9) return Error(ErrorCode::kRejectedValue, "nine");
    firsts.push_back(claim.range().first);
    return {};
  }
  std::vector<uint32_t> firsts;
};

TEST(PageClaims, AskTheirOwnerInOrder) {
  Owner owner;
  PageClaims claims(4096, 2, 1, &owner);
  std::deque<Claim> all;
  ASSERT_TRUE(claims.submit(&make_claim(&all, 1, 0, true, 5)).ok());
  EXPECT_TRUE(owner.firsts.empty());
  ASSERT_TRUE(claims.submit(&make_claim(&all, 0, 0, true, 2)).ok());
  EXPECT_EQ(owner.firsts, (std::vector<uint32_t>{2, 2}));
  EXPECT_EQ(claims.next_page(), 7u);
  const Status status = claims.submit(&make_claim(&all, 2, 0, true, 9));
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().message, "nine");
}

TEST(PageClaims, WaitingEndsWithTheGrant) {
  PageClaims claims(4096, 2, 2);
  std::deque<Claim> all;
  Claim& later = make_claim(&all, 1, 0, true, 1);
  ASSERT_TRUE(claims.submit(&later).ok());
  Status waited = Error();
  std::thread waiter([&] { waited = claims.wait(&later); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  ASSERT_TRUE(claims.submit(&make_claim(&all, 0, 0, true, 1)).ok());
  waiter.join();
  EXPECT_TRUE(waited.ok());
  EXPECT_EQ(later.range().first, 3u);
}

TEST(PageClaims, FailureWakesWhoWaits) {
  PageClaims claims(4096, 2, 2);
  std::deque<Claim> all;
  Claim& later = make_claim(&all, 1, 0, true, 1);
  ASSERT_TRUE(claims.submit(&later).ok());
  Status waited;
  std::thread waiter([&] { waited = claims.wait(&later); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  claims.fail(Error(ErrorCode::kIo, "first"));
  claims.fail(Error(ErrorCode::kIo, "second"));
  waiter.join();
  ASSERT_FALSE(waited.ok());
  EXPECT_EQ(waited.error().message, "first");
  EXPECT_FALSE(claims.submit(&make_claim(&all, 0, 0, true, 1)).ok());
}

TEST(PageClaims, AHoleInTheOrderIsAnErrorAndNoHang) {
  PageClaims claims(4096, 2, 2);
  std::deque<Claim> all;
  Claim& later = make_claim(&all, 1, 0, true, 1);
  ASSERT_TRUE(claims.submit(&later).ok());
  claims.writer_done();  // the other writer, without batch 0
  const Status waited = claims.wait(&later);
  ASSERT_FALSE(waited.ok());
  EXPECT_EQ(waited.error().code, ErrorCode::kInternal);
}

}  // namespace
}  // namespace headrace
