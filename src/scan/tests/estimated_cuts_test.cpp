#include "scan/estimated_cuts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

#include "scan/value_text.h"

namespace longshore {
namespace {

/// A database whose estimates are right: it knows all keys.
class KnownKeys {
 public:
  explicit KnownKeys(std::vector<std::int64_t> keys) : keys_(std::move(keys)) { std::ranges::sort(keys_); }

  RowsUpTo estimates() {
    return [this](const std::vector<std::string>& values) -> Result<std::vector<double>> {
      ++calls;
      std::vector<double> rows;
      for (const std::string& value : values) {
        if (asked == limit) break;
        ++asked;
        rows.push_back(static_cast<double>(rows_up_to(parse_int64(value).value())));
      }
      return rows;
    };
  }
  std::int64_t rows_up_to(std::int64_t key) const { return std::ranges::upper_bound(keys_, key) - keys_.begin(); }

  std::vector<std::int64_t> sizes(const std::vector<std::string>& cuts) const {
    std::vector<std::int64_t> sizes;
    std::int64_t before = 0;
    for (const std::string& cut : cuts) {
      const std::int64_t rows = rows_up_to(parse_int64(cut).value());
      sizes.push_back(rows - before);
      before = rows;
    }
    sizes.push_back(static_cast<std::int64_t>(keys_.size()) - before);
    return sizes;
  }
  NumberRange range() const { return {keys_.front(), keys_.back()}; }

  int calls = 0;
  int asked = 0;
  int limit = 1'000'000;

 private:
  std::vector<std::int64_t> keys_;
};

KeyDomain int64s() {
  return *KeyDomain::of({.logical = LogicalType::int64});
}

TEST(EstimatedCuts, FindAClusterInAnEmptyRangeWithoutAHint) {
  std::vector<std::int64_t> keys{0, 9'000'000'000'000'000'000};
  for (std::int64_t i = 0; i < 100'000; ++i) keys.push_back(777'000'000'000'000 + i * 3);
  KnownKeys known(keys);
  const auto cuts = cut_numbers(8, int64s(), known.range(), {}, known.estimates());
  ASSERT_TRUE(cuts);
  ASSERT_TRUE(cuts->has_value());
  EXPECT_THAT(known.sizes((*cuts)->values), testing::SizeIs(8));
  EXPECT_THAT(known.sizes((*cuts)->values), testing::Each(testing::AllOf(testing::Gt(11'000), testing::Lt(14'000))));
  EXPECT_LT((*cuts)->spread, 1.15);
  EXPECT_LE(known.asked, 100 + 24 * 8 + 8);
}

TEST(EstimatedCuts, HintsSaveQuestions) {
  std::vector<std::int64_t> keys;
  std::vector<Int128> hints;
  for (std::int64_t i = 0; i < 100'000; ++i) {
    keys.push_back(i * i * i);
    if (i % 1000 == 0) hints.emplace_back(keys.back());
  }
  KnownKeys known(keys);
  const auto cuts = cut_numbers(10, int64s(), known.range(), hints, known.estimates());
  ASSERT_TRUE(cuts && cuts->has_value());
  EXPECT_THAT(known.sizes((*cuts)->values), testing::Each(testing::AllOf(testing::Gt(9'000), testing::Lt(11'000))));
  EXPECT_LE(known.calls, 3);
}

TEST(EstimatedCuts, SayHowUnevenTheyAre) {
  std::vector<std::int64_t> keys;
  for (std::int64_t i = 0; i < 100'000; ++i) keys.push_back(i % 4 * 1'000'000);
  KnownKeys known(keys);
  const auto cuts = cut_numbers(8, int64s(), known.range(), {}, known.estimates());
  ASSERT_TRUE(cuts && cuts->has_value());
  EXPECT_GE((*cuts)->spread, 2);
  EXPECT_THAT(known.sizes((*cuts)->values), testing::Each(testing::Gt(0)));
}

TEST(EstimatedCuts, SayNothingWhereEveryEstimateIsAlike) {
  const RowsUpTo same = [](const std::vector<std::string>& values) -> Result<std::vector<double>> {
    return std::vector<double>(values.size(), 333.0);
  };
  EXPECT_FALSE(cut_numbers(4, int64s(), {.low = 0, .high = 1000}, {}, same)->has_value());
  EXPECT_FALSE(cut_candidates(2, "a", "z", {"b", "c", "d", "e"}, same)->has_value());
  EXPECT_THAT(even_cuts(4, int64s(), {.low = 0, .high = 1000}), testing::ElementsAre("250", "500", "750"));
  EXPECT_THAT(even_cuts(8, int64s(), {.low = 0, .high = 3}), testing::ElementsAre("1", "2"));
}

TEST(EstimatedCuts, ADatabaseThatStopsAnsweringIsNotAskedAgain) {
  std::vector<std::int64_t> keys;
  for (std::int64_t i = 0; i < 10'000; ++i) keys.push_back(i * i);
  KnownKeys known(keys);
  known.limit = 10;
  const auto cuts = cut_numbers(8, int64s(), known.range(), {}, known.estimates());
  ASSERT_TRUE(cuts && cuts->has_value());
  EXPECT_EQ(known.calls, 2);
  EXPECT_FALSE((*cuts)->values.empty());
  EXPECT_TRUE(std::ranges::is_sorted((*cuts)->values, {}, [](const std::string& cut) { return parse_int64(cut); }));
}

TEST(EstimatedCuts, CandidatesAreChosenByWhatLiesBelowThem) {
  // Words: the position in the alphabet is squared, so most rows are at the end.
  const RowsUpTo squares = [](const std::vector<std::string>& values) -> Result<std::vector<double>> {
    std::vector<double> rows;
    rows.reserve(values.size());
    for (const std::string& value : values) rows.push_back((value[0] - 'a') * (value[0] - 'a'));
    return rows;
  };
  std::vector<std::string> letters;
  for (char letter = 'b'; letter < 'z'; ++letter) letters.emplace_back(1, letter);
  const auto cuts = cut_candidates(4, "a", "z", letters, squares);
  ASSERT_TRUE(cuts && cuts->has_value());
  // A quarter of 625 is at 12.5, half at 17.7, three quarters at 21.7.
  EXPECT_THAT((*cuts)->values, testing::ElementsAre(testing::AnyOf("m", "n"), "s", "w"));
  EXPECT_NEAR((*cuts)->spread, 1.1, 0.15);
  EXPECT_FALSE(cut_candidates(20, "a", "z", letters, squares)->has_value());
}

}  // namespace
}  // namespace longshore
