// The published table, at all of its borders, and its line in a plan.
#include "headrace/recommend.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "headrace/plan.h"

namespace headrace {
namespace {

constexpr char kSmall[] = "Small dataset - single partition recommended";
constexpr char kMedium[] = "Medium dataset - moderate parallelization";
constexpr char kLarge[] = "Large dataset - increased parallelization recommended";
constexpr char kVeryLarge[] = "Very large dataset - COPY protocol recommended";

struct Expected {
  int64_t rows;
  Recommendation recommendation;
};

TEST(Recommend, PublishedTable) {
  const Expected expected[] = {
      {0, {"optimized", 1000, 1, {kSmall}}},
      {9'999, {"optimized", 1000, 1, {kSmall}}},
      {10'000, {"optimized", 5000, 2, {kMedium}}},
      {50'000, {"optimized", 5000, 2, {kMedium}}},
      {99'999, {"optimized", 5000, 2, {kMedium}}},
      {100'000, {"optimized", 10000, 4, {kLarge}}},
      {999'999, {"optimized", 10000, 4, {kLarge}}},
      {1'000'000, {"copy", 20000, 8, {kVeryLarge}}},
      {4'499'999, {"copy", 20000, 8, {kVeryLarge}}},
      {4'500'000, {"copy", 20000, 9, {kVeryLarge}}},
      {9'999'999, {"copy", 20000, 19, {kVeryLarge}}},
      {10'000'000, {"copy", 20000, 20, {kVeryLarge}}},
      {50'000'000, {"copy", 20000, 20, {kVeryLarge}}},
      {std::numeric_limits<int64_t>::max(), {"copy", 20000, 20, {kVeryLarge}}},
  };
  for (const Expected& e : expected) {
    const auto got = recommend(e.rows);
    ASSERT_TRUE(got.ok()) << e.rows << ": " << got.error().message;
    EXPECT_EQ(*got, e.recommendation) << e.rows;
  }
}

TEST(Recommend, MemoryChangesNothing) {
  for (double gb : {0.5, 8.0, 512.0}) {
    EXPECT_EQ(recommend(2'000'000, gb).value(), recommend(2'000'000).value()) << gb;
  }
}

TEST(Recommend, NonsenseIsAUsageError) {
  for (int64_t rows : {int64_t{-1}, std::numeric_limits<int64_t>::min()}) {
    const auto got = recommend(rows);
    ASSERT_FALSE(got.ok());
    EXPECT_EQ(got.error().code, ErrorCode::kUsage);
    EXPECT_NE(got.error().message.find(std::to_string(rows)), std::string::npos);
  }
  for (double gb : {0.0, -1.0, std::nan("")}) {
    const auto got = recommend(1, gb);
    ASSERT_FALSE(got.ok()) << gb;
    EXPECT_EQ(got.error().code, ErrorCode::kUsage);
  }
}

TEST(Recommend, JsonHasTheFourFields) {
  EXPECT_EQ(recommend(50'000)->to_json(), R"({
  "method": "optimized",
  "batch_size": 5000,
  "num_partitions": 2,
  "notes": [
    "Medium dataset - moderate parallelization"
  ]
})");
}

// The decision of a plan for `rows` rows; nullopt when there is none.
std::optional<Decision> decision_of(Dialect dialect, const std::string& kind, int64_t rows,
                                    const std::string& method = "auto") {
  SourceFacts source;
  source.uri = "t.parquet";
  Field field;
  field.name = "id";
  field.type.id = TypeId::kInt64;
  source.schema.fields = {field};
  source.partitions.resize(1);
  source.row_count = rows;
  SinkFacts sink;
  sink.dialect = dialect;
  sink.server_kind = kind;
  sink.table = "t";
  sink.max_writers = 10;
  LoadRequest request;
  request.table = "t";
  request.method = method;
  const auto plan = make_plan(request, source, sink, HostFacts{2, 8LL << 30});
  if (!plan.ok()) ADD_FAILURE() << plan.error().message;
  if (!plan.ok()) return std::nullopt;
  const auto found = std::find_if(plan->decisions.begin(), plan->decisions.end(),
                                  [](const Decision& d) { return d.subject == "recommendation"; });
  if (found == plan->decisions.end()) return std::nullopt;
  return *found;
}

TEST(Recommend, PlanNamesItBesideItsOwnChoice) {
  auto decision = decision_of(Dialect::kPostgres, "plain", 50'000, "copy");
  ASSERT_TRUE(decision.has_value());
  EXPECT_EQ(decision->choice, "optimized, batch size 5000, 2 partitions");
  EXPECT_EQ(decision->reason,
            "published for < 100,000 rows; the plan chose copy because it was requested");
  decision = decision_of(Dialect::kPostgres, "plain", 2'000'000, "copy");
  ASSERT_TRUE(decision.has_value());
  EXPECT_EQ(decision->choice, "copy, batch size 20000, 8 partitions");
  EXPECT_EQ(decision->reason,
            "published for >= 1,000,000 rows; the plan chose copy too, because it was requested");
  decision = decision_of(Dialect::kPostgres, "plain", 9);
  ASSERT_TRUE(decision.has_value());
  EXPECT_EQ(decision->choice, "optimized, batch size 1000, 1 partition");
  EXPECT_NE(decision->reason.find("; the plan chose "), std::string::npos) << decision->reason;
}

TEST(Recommend, NoDecisionWithoutServerOrRowCount) {
  EXPECT_FALSE(decision_of(Dialect::kPostgres, "plain", -1));
  EXPECT_FALSE(decision_of(Dialect::kPostgres, "file", 50'000));
  EXPECT_FALSE(decision_of(Dialect::kPostgres, "null", 50'000));
  EXPECT_FALSE(decision_of(Dialect::kSqlite, "file", 50'000));
}

}  // namespace
}  // namespace headrace
