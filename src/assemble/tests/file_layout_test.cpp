#include "assemble/file_layout.h"

#include <gtest/gtest.h>

#include "plan/export_plan.h"

namespace longshore {
namespace {

constexpr std::int64_t kMiB = std::int64_t{1} << 20;
constexpr std::int64_t kPartSize = 8 * kMiB;

/// `[`, a comma between partitions that both hold rows, `]`.
class BracketFrame final : public FileFrame {
 public:
  Status prologue(const std::vector<EncodedPartition>&, ByteBuffer& out) const override {
    out.append("[");
    return {};
  }
  Status glue(const std::vector<EncodedPartition>& partitions, std::size_t index, ByteBuffer& out) const override {
    if (partitions[index].summary.rows > 0) out.append(",");
    return {};
  }
  Status epilogue(const std::vector<EncodedPartition>&, const std::vector<std::int64_t>&,
                  ByteBuffer& out) const override {
    out.append("]");
    return {};
  }
};

class EmptyFrame final : public FileFrame {
 public:
  Status prologue(const std::vector<EncodedPartition>&, ByteBuffer&) const override { return {}; }
  Status glue(const std::vector<EncodedPartition>&, std::size_t, ByteBuffer&) const override { return {}; }
  Status epilogue(const std::vector<EncodedPartition>&, const std::vector<std::int64_t>&, ByteBuffer&) const override {
    return {};
  }
};

/// Partition `index` with a head and further parts of these sizes; none: no rows.
FinishedPartition partition_of(int index, const std::vector<std::int64_t>& sizes) {
  FinishedPartition finished;
  finished.partition.index = index;
  finished.partition.base_part_number = 1 + index * 100;
  finished.partition.part_slots = 100;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    Part part;
    part.sequence = static_cast<int>(i);
    part.number = i == 0 ? 0 : finished.partition.base_part_number + part.sequence;
    part.etag = i == 0 ? "staging/job/head" : "etag";
    part.bytes = sizes[i];
    part.summary.rows = 10;
    finished.parts.push_back(part);
  }
  return finished;
}

/// What S3 asks of a multipart upload: ascending numbers, every part but the last at least 5 MiB, no gap between bytes.
void expect_valid(const FileLayout& layout) {
  std::int64_t position = 0;
  int number = 0;
  for (const FilePart& part : layout.parts) {
    EXPECT_EQ(part.offset, position);
    EXPECT_GT(part.number, number);
    EXPECT_LE(part.number, kMaxPartNumber);
    if (&part != &layout.parts.back()) {
      EXPECT_GE(part.size, kMinPartBytes) << "part " << part.number;
    }
    number = part.number;
    position += part.size;
  }
  EXPECT_EQ(layout.size, position);
}

TEST(FileLayout, SmallPartitionsBecomeOnePart) {
  const std::vector<FinishedPartition> partitions{partition_of(0, {100}), partition_of(1, {}), partition_of(2, {200})};
  const auto layout = make_layout(partitions, BracketFrame(), 1, kPartSize);
  ASSERT_TRUE(layout);
  expect_valid(*layout);
  ASSERT_EQ(layout->parts.size(), 1U);
  EXPECT_EQ(layout->size, 1 + 100 + 1 + 200 + 1);
  EXPECT_EQ(layout->partition_offsets, (std::vector<std::int64_t>{1, 101, 102}));
  EXPECT_EQ(layout->rows, 20);
}

TEST(FileLayout, HeadsAreCarriedToTheNextUploadedPart) {
  const std::vector<FinishedPartition> partitions{
      partition_of(0, {kMiB}), partition_of(1, {8 * kMiB, 8 * kMiB, 6 * kMiB}), partition_of(2, {2 * kMiB})};
  const auto layout = make_layout(partitions, BracketFrame(), 1, kPartSize);
  ASSERT_TRUE(layout);
  expect_valid(*layout);
  std::vector<int> numbers;
  for (const FilePart& part : layout->parts) numbers.push_back(part.number);
  EXPECT_EQ(numbers, (std::vector<int>{101, 102, 103, kLastPartNumber}));
  EXPECT_EQ(layout->parts[0].size, 1 + kMiB + 1 + 8 * kMiB);
  EXPECT_EQ(layout->parts[3].size, 1 + 2 * kMiB + 1) << "comma, head, bracket";
}

TEST(FileLayout, ManySmallPartitionsFlushAtThePartSize) {
  std::vector<FinishedPartition> partitions;
  for (int i = 0; i < 20; ++i) partitions.push_back(partition_of(i, {3 * kMiB}));
  const auto layout = make_layout(partitions, EmptyFrame(), 1, kPartSize);
  ASSERT_TRUE(layout);
  expect_valid(*layout);
  EXPECT_EQ(layout->size, 60 * kMiB);
  EXPECT_EQ(layout->parts.size(), 7U);
}

TEST(FileLayout, NothingAtAllIsOneEmptyPart) {
  const auto layout = make_layout({}, EmptyFrame(), 3, kPartSize);
  ASSERT_TRUE(layout);
  ASSERT_EQ(layout->parts.size(), 1U);
  EXPECT_EQ(layout->size, 0);
  EXPECT_EQ(layout->fidelity.size(), 3U);
}

TEST(FileLayout, FidelityIsSummedOverAllParts) {
  std::vector<FinishedPartition> partitions{partition_of(0, {8 * kMiB, 6 * kMiB}), partition_of(1, {10})};
  partitions[0].parts[1].summary.fidelity = {{1, 0, 0, 2}, {}};
  partitions[1].parts[0].summary.fidelity = {{3, 0, 0, 0}, {0, 1, 0, 0}};
  const auto layout = make_layout(partitions, EmptyFrame(), 2, kPartSize);
  ASSERT_TRUE(layout);
  EXPECT_EQ(layout->fidelity, (std::vector<ColumnFidelity>{{4, 0, 0, 2}, {0, 1, 0, 0}}));
}

TEST(StagedKeys, TellTheirJob) {
  const JobId job("0192f0c4-0000-7000-8000-000000000001");
  const std::string key = staged_head_key(job, 7, 3);
  EXPECT_TRUE(key.starts_with(staging_prefix(job)));
  EXPECT_EQ(job_of_staged_key(key), job);
  EXPECT_EQ(job_of_staged_key("tenant/exports/x"), JobId());
  EXPECT_NE(staged_head_key(job, 7, 4), key) << "a worker that lost its claim writes another key";
}

}  // namespace
}  // namespace longshore
