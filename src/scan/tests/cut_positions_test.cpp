#include "scan/cut_positions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace longshore {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(CutPositions, AreEven) {
  EXPECT_THAT(cut_positions(1001, {.partitions = 4}), ElementsAre(250, 500, 750));
  EXPECT_THAT(cut_positions(3, {.partitions = 7}), ElementsAre(1, 2));
  EXPECT_THAT(cut_positions(1000, {.partitions = 1}), IsEmpty());
  EXPECT_THAT(cut_positions(0, {.partitions = 4}), IsEmpty());
}

TEST(CutPositions, KeepEveryPartitionUnderItsLimit) {
  EXPECT_THAT(cut_positions(1000, {.partitions = 1, .max_rows = 1000}), IsEmpty());
  EXPECT_THAT(cut_positions(1001, {.partitions = 1, .max_rows = 1000}), ElementsAre(500));
  EXPECT_THAT(cut_positions(0, {.partitions = 1, .max_rows = 1000}), IsEmpty());
  for (const std::int64_t rows : {1LL, 999LL, 1000LL, 1001LL, 5'000'000LL, 1'048'575LL * 9 + 1}) {
    for (const int wanted : {1, 2, 9, 40}) {
      const PartitionRequest request{.partitions = wanted, .max_rows = rows < 5000 ? 10 : 1'048'575};
      auto cuts = cut_positions(rows, request);
      cuts.push_back(rows);
      std::int64_t before = 0;
      for (const std::int64_t cut : cuts) {
        EXPECT_LE(cut - before, request.max_rows) << rows << " rows, " << wanted << " wanted";
        before = cut;
      }
    }
  }
}

TEST(CutPositions, NeighboursFillTheGroupsThatAreNeeded) {
  // 2,500,000 rows need three sheets; nine partitions are wanted, and three of them make a sheet.
  EXPECT_EQ(partition_count_for(2'500'000, {.partitions = 9, .group_rows = 1'048'575}), 9);
  EXPECT_EQ(partition_count_for(2'500'000, {.partitions = 7, .group_rows = 1'048'575}), 9);
  EXPECT_EQ(partition_count_for(0, {.group_rows = 1'048'575}), 1);
  // Ten full sheets of partitions of at most 100,000 rows: eleven to a sheet.
  EXPECT_EQ(partition_count_for(10'485'750, {.max_rows = 100'000, .group_rows = 1'048'575}), 110);
  // Put together in order, as many as fit, they never need a sheet more than the rows do.
  for (std::int64_t rows = 1; rows < 400; rows += 7) {
    for (const int wanted : {1, 3, 7, 20}) {
      auto cuts = cut_positions(rows, {.partitions = wanted, .max_rows = 30, .group_rows = 100});
      cuts.push_back(rows);
      std::int64_t sheets = 1;
      std::int64_t before = 0;
      std::int64_t in_sheet = 0;
      for (const std::int64_t cut : cuts) {
        if (in_sheet + cut - before > 100) {
          ++sheets;
          in_sheet = 0;
        }
        EXPECT_LE(cut - before, 30);
        in_sheet += cut - before;
        before = cut;
      }
      EXPECT_EQ(sheets, (rows + 99) / 100) << rows << " rows, " << wanted << " wanted";
    }
  }
}

}  // namespace
}  // namespace longshore
