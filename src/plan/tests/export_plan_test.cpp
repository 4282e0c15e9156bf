#include "plan/export_plan.h"

#include <gtest/gtest.h>

namespace longshore {
namespace {

constexpr std::int64_t kMiB = std::int64_t{1} << 20;
const FormatRules kCsv{.name = "csv"};
const FormatRules kXlsx{
    .name = "xlsx", .parallel = true, .max_rows = 10'000, .max_partition_rows = 1'000, .sheet_rows = 5'000};

/// A source that claims a size and cuts as it is told.
class SizedSource final : public SourceDatabase {
 public:
  ScanEstimate size;
  int ranges_available = 1'000'000;
  std::optional<std::int64_t> counted;
  PartitionRequest asked;

  Result<RelationInfo> describe(const std::string&) override { return RelationInfo{}; }
  Result<std::vector<std::string>> list_relations() override { return std::vector<std::string>{}; }
  Result<std::unique_ptr<RowSource>> open_scan(ScanRequest, std::stop_token) override {
    return fail(internal_error("unused", "not part of planning"));
  }
  Result<ScanEstimate> estimate(const ExportSpec&, std::stop_token) override { return size; }
  Result<PartitionPlan> plan_partitions(const ExportSpec&, const PartitionRequest& request, std::stop_token) override {
    asked = request;
    PartitionPlan plan;
    plan.rows = counted;
    if (counted && request.max_total_rows > 0 && *counted > request.max_total_rows) return plan;
    plan.ranges.resize(static_cast<std::size_t>(std::min(request.partitions, ranges_available)));
    return plan;
  }
  Status ping() override { return {}; }
};

TEST(PartitionCount, SmallExportsAreOnePartition) {
  const PlanPolicy policy;
  EXPECT_EQ(partition_count(0, 100, policy), 1);
  EXPECT_EQ(partition_count(100'000, 4'000, policy), 1) << "never below partition_rows, however wide the rows are";
  EXPECT_EQ(partition_count(400'000, 300, policy), 1);
}

TEST(PartitionCount, GrowsWithBytesAndStopsAtTheLimit) {
  const PlanPolicy policy;
  EXPECT_EQ(partition_count(4'000'000, 300, policy), 9);
  EXPECT_EQ(partition_count(1'000'000'000, 300, policy), 256);
}

TEST(PartSize, LeavesRoomForBadEstimates) {
  const PlanPolicy policy;
  EXPECT_EQ(part_size_for(kMiB, policy), 8 * kMiB);
  const std::int64_t large = part_size_for(100'000 * kMiB, policy);
  EXPECT_GE(large * kMaxPartNumber, 4 * 100'000 * kMiB);
}

TEST(PartTarget, DoublesAsNumbersRunOut) {
  EXPECT_EQ(part_target(8, 0, 100), 8);
  EXPECT_EQ(part_target(8, 49, 100), 8);
  EXPECT_EQ(part_target(8, 50, 100), 16);
  EXPECT_EQ(part_target(8, 99, 100), 32);
}

TEST(PartNumbers, EveryClaimHasItsOwnAndAllStayWithinThePartition) {
  Partition partition;
  partition.base_part_number = 101;
  partition.part_slots = 40;
  const int capacity = part_capacity(partition.part_slots);
  EXPECT_EQ(capacity, 35);
  EXPECT_EQ(part_number(partition, 1, 0), 102);
  // Whatever an earlier claim may still upload comes before what a later one does in its place.
  for (int claims = 0; claims < 5; ++claims) {
    EXPECT_GT(part_number(partition, 3, claims + 1), part_number(partition, 3, claims));
  }
  EXPECT_EQ(part_number(partition, capacity - 1, 1000), 140) << "the last of the partition";
  EXPECT_GT(part_number(partition, 8, 1000), part_number(partition, 7, 1000));
  EXPECT_EQ(part_number(partition, 1, -1), 102);
  EXPECT_EQ(part_capacity(1), 1);
}

TEST(PlanExport, GivesEveryPartitionItsOwnPartNumbers) {
  SizedSource source;
  source.size = {50'000'000, false, 400};
  const auto plan = plan_export(source, ExportSpec{}, kCsv, PlanPolicy{}, {});
  ASSERT_TRUE(plan) << plan.error().message;
  ASSERT_GT(plan->partitions.size(), 100U);
  int next_free = 1;
  for (const Partition& partition : plan->partitions) {
    EXPECT_GE(partition.base_part_number, next_free);
    next_free = partition.base_part_number + partition.part_slots;
  }
  EXPECT_LE(next_free, kLastPartNumber) << "the last number is kept for the footer";
}

TEST(PlanExport, SequentialFormatsGetOnePartition) {
  SizedSource source;
  source.size = {50'000'000, false, 400};
  const auto plan = plan_export(source, ExportSpec{}, FormatRules{.name = "pdf", .parallel = false}, PlanPolicy{}, {});
  ASSERT_TRUE(plan);
  EXPECT_EQ(source.asked.partitions, 1);
  EXPECT_EQ(plan->partitions.size(), 1U);
}

TEST(PlanExport, LimitsOfTheFormatAreAskedOfTheSource) {
  SizedSource source;
  source.size = {4'000, false, 400};
  source.counted = 3'900;
  const auto plan = plan_export(source, ExportSpec{}, kXlsx, PlanPolicy{}, {});
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(source.asked.max_rows, 1'000);
  EXPECT_EQ(source.asked.group_rows, 5'000);
  EXPECT_EQ(source.asked.max_total_rows, 10'000);
  EXPECT_EQ(source.asked.time_limit, std::chrono::minutes{1});
  EXPECT_EQ(plan->estimated_rows, 3'900) << "what was counted is known better";

  ASSERT_TRUE(plan_export(source, ExportSpec{}, kCsv, PlanPolicy{}, {}));
  EXPECT_EQ(source.asked.max_rows, 0);
  EXPECT_EQ(source.asked.max_total_rows, 0);
}

TEST(PlanExport, RowsThatTheFormatCannotHoldAreAFinalErrorOfTheUser) {
  const auto refused = [](ScanEstimate size, std::optional<std::int64_t> counted) {
    SizedSource source;
    source.size = size;
    source.counted = counted;
    const auto plan = plan_export(source, ExportSpec{}, kXlsx, PlanPolicy{}, {});
    if (plan) return std::string("planned");
    EXPECT_EQ(plan.error().code, "too_many_rows");
    EXPECT_EQ(plan.error().source, ErrorSource::user);
    EXPECT_FALSE(plan.error().retriable);
    return plan.error().message;
  };
  const std::string tail = "; take fewer by a filter, e.g. a shorter time range, or another format, e.g. csv";
  EXPECT_EQ(refused({10'000, true, 40}, 10'000), "planned");
  EXPECT_EQ(refused({10'001, true, 40}, {}),
            "the format xlsx holds at most 10000 rows and the export has 10001" + tail);
  // Counting stopped behind the limit.
  EXPECT_EQ(refused({70'000, false, 40}, 10'001),
            "the format xlsx holds at most 10000 rows and the export has about 70000" + tail);
  EXPECT_EQ(refused({10, false, 40}, 10'001),
            "the format xlsx holds at most 10000 rows and the export has more than 10000" + tail);
  // Counting took too long: the statistics decide, and have to be far off before an export that fits is refused.
  EXPECT_EQ(refused({20'001, false, 40}, {}), "planned");
  EXPECT_EQ(refused({30'000, false, 40}, {}),
            "the format xlsx holds at most 10000 rows and the export has about 30000" + tail);
}

TEST(PlanExport, NoRowsMakeNoPartition) {
  SizedSource source;
  source.ranges_available = 0;
  const auto plan = plan_export(source, ExportSpec{}, kCsv, PlanPolicy{}, {});
  ASSERT_TRUE(plan);
  EXPECT_TRUE(plan->partitions.empty());
}

}  // namespace
}  // namespace longshore
