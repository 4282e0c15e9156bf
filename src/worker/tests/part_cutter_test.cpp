#include "worker/part_cutter.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "plan/export_plan.h"

namespace longshore {
namespace {

constexpr std::int64_t kMiB = std::int64_t{1} << 20;

void add_chunk(PartCutter& cutter, std::int64_t size, const std::string& last_key) {
  cutter.out().append(std::string(static_cast<std::size_t>(size), last_key.back()));
  ChunkSummary summary;
  summary.rows = 1;
  cutter.close_chunk(summary, {last_key});
}

TEST(PartCutter, CutsAtAChunkBorderOnceEnoughStaysBehind) {
  PartCutter cutter;
  for (int i = 1; i <= 12; ++i) {
    add_chunk(cutter, kMiB, std::to_string(i));
    EXPECT_FALSE(cutter.cut(8 * kMiB)) << i << " MiB gathered";
  }
  add_chunk(cutter, kMiB, "13");
  const auto part = cutter.cut(8 * kMiB);
  ASSERT_TRUE(part);
  EXPECT_EQ(part->bytes.size(), 8 * kMiB);
  EXPECT_EQ(part->last_key, KeyTuple{"8"});
  EXPECT_EQ(part->summary.rows, 8);
  EXPECT_EQ(part->bytes.back(), '8');
  cutter.drop(*part);

  EXPECT_FALSE(cutter.cut(8 * kMiB));
  const auto rest = cutter.rest();
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->bytes.size(), 5 * kMiB);
  EXPECT_EQ(rest->bytes.front(), '9');
  EXPECT_EQ(rest->last_key, KeyTuple{"13"});
}

TEST(PartCutter, OpenChunksAreNotCut) {
  PartCutter cutter;
  add_chunk(cutter, 8 * kMiB, "1");
  cutter.out().append(std::string(static_cast<std::size_t>(20 * kMiB), 'x'));
  EXPECT_FALSE(cutter.cut(8 * kMiB)) << "only whole chunks count";
  EXPECT_EQ(cutter.rest()->bytes.size(), 8 * kMiB);
}

TEST(PartCutter, NothingIsNoPart) {
  const PartCutter cutter;
  EXPECT_FALSE(cutter.cut(1));
  EXPECT_FALSE(cutter.rest());
}

TEST(PartCutter, CutsDoNotDependOnWhereReadingBegan) {
  // A partition of odd chunks, cut from its beginning, and again from after its first part: the same parts.
  const auto chunk = [](int i) { return (i * 37 % 11 + 1) * kMiB / 3; };
  const auto cut_from = [&](int first) {
    std::vector<std::string> ends;
    PartCutter cutter;
    for (int i = first; i < 100; ++i) {
      add_chunk(cutter, chunk(i), std::to_string(i));
      while (const auto part = cutter.cut(8 * kMiB)) {
        ends.push_back(part->last_key[0] + ":" + std::to_string(part->bytes.size()));
        cutter.drop(*part);
      }
    }
    if (const auto rest = cutter.rest()) ends.push_back("rest:" + std::to_string(rest->bytes.size()));
    return ends;
  };
  const std::vector<std::string> whole = cut_from(0);
  ASSERT_GT(whole.size(), 3U);
  const int resume = std::stoi(whole[0]) + 1;
  EXPECT_EQ(cut_from(resume), std::vector<std::string>(whole.begin() + 1, whole.end()));
}

}  // namespace
}  // namespace longshore
