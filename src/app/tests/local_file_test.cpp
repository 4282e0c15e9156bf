#include "app/local_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "batch/column_types.h"

namespace longshore {
namespace {

namespace fs = std::filesystem;

/// Ids from behind `after` to `upto`, three to a batch.
class IdRows final : public RowSource {
 public:
  explicit IdRows(const KeyRange& range)
      : next_(range.after ? std::stoll(range.after->front()) + 1 : 1), last_(std::stoll(range.upto->front())) {}

  Result<bool> next(RowBatch& batch) override {
    batch.clear();
    for (int i = 0; i < 3 && next_ <= last_; ++i, ++next_) {
      batch.column(0).append<std::int64_t>(next_);
      batch.finish_row();
    }
    if (last_ == kBroken && batch.row_count() == 0) return fail(external_error("source_unavailable", "gone"));
    return batch.row_count() > 0;
  }

  static constexpr std::int64_t kBroken = 99;

 private:
  std::int64_t next_;
  std::int64_t last_;
};

class IdSource final : public SourceDatabase {
 public:
  Result<RelationInfo> describe(const std::string&) override { return RelationInfo{}; }
  Result<std::vector<std::string>> list_relations() override { return std::vector<std::string>{}; }
  Status ping() override { return {}; }
  Result<ScanEstimate> estimate(const ExportSpec&, std::stop_token) override { return ScanEstimate{}; }
  Result<PartitionPlan> plan_partitions(const ExportSpec&, const PartitionRequest&, std::stop_token) override {
    return PartitionPlan{};
  }
  Result<std::unique_ptr<RowSource>> open_scan(ScanRequest request, std::stop_token) override {
    return std::make_unique<IdRows>(request.range);
  }
};

/// `<7 rows: 1 2 3|4 5 6|7>`: chunks by bars, and everything a frame is told written into it.
class ToldFormat final : public Format {
 public:
  explicit ToldFormat(bool streamable) {
    traits_.name = streamable ? "streamed" : "held";
    traits_.streamable = streamable;
  }
  const FormatTraits& traits() const override { return traits_; }

  Result<std::unique_ptr<PartitionEncoder>> make_encoder(const ExportSpec&, const ChunkSummary&) const override {
    class Encoder final : public PartitionEncoder {
      Result<std::optional<ChunkSummary>> encode(const RowBatch& batch, ByteBuffer& out) override {
        open_.rows += static_cast<std::int64_t>(batch.row_count());
        out.append("r" + std::to_string(batch.row_count()));
        return std::nullopt;
      }
      Result<std::optional<ChunkSummary>> finish(ByteBuffer& out) override {
        if (open_.rows == 0) return std::nullopt;
        out.append("|");
        open_.fidelity.resize(1);
        open_.fidelity[0].guarded = 1;
        return open_;
      }
      ChunkSummary open_;
    };
    return std::make_unique<Encoder>();
  }
  Result<std::unique_ptr<FileFrame>> make_frame(const ExportSpec&) const override {
    class Frame final : public FileFrame {
      static std::string rows(const std::vector<EncodedPartition>& partitions) {
        std::string text;
        for (const EncodedPartition& one : partitions) {
          text += (text.empty() ? "" : ",") + std::to_string(one.summary.rows);
        }
        return text;
      }
      Status prologue(const std::vector<EncodedPartition>& partitions, ByteBuffer& out) const override {
        out.append("<" + rows(partitions) + ":");
        return {};
      }
      Status glue(const std::vector<EncodedPartition>& partitions, std::size_t index, ByteBuffer& out) const override {
        out.append("(" + std::to_string(index) + (partitions[index].summary.rows > 0 ? "+" : "-") + " of " +
                   std::to_string(partitions.size()) + ")");
        return {};
      }
      Status epilogue(const std::vector<EncodedPartition>& partitions, const std::vector<std::int64_t>& offsets,
                      ByteBuffer& out) const override {
        out.append(">" + rows(partitions) + " at");
        for (std::size_t i = 0; i < offsets.size(); ++i) {
          out.append(" " + std::to_string(offsets[i]) + "+" + std::to_string(partitions[i].bytes));
        }
        return {};
      }
    };
    return std::make_unique<Frame>();
  }

 private:
  FormatTraits traits_;
};

class LocalFileTest : public testing::Test {
 protected:
  LocalFileTest() {
    folder_ = (fs::temp_directory_path() / "longshore-local-XXXXXX").string();
    EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
    formats_.add(std::make_unique<ToldFormat>(true));
    formats_.add(std::make_unique<ToldFormat>(false));
    spec_.columns.resize(1);
    spec_.columns[0].type = *parse_data_type("int64");
  }
  ~LocalFileTest() override { fs::remove_all(folder_); }

  void plan(const std::vector<std::int64_t>& ends) {
    plan_ = {};
    for (const std::int64_t end : ends) {
      Partition partition;
      if (!plan_.partitions.empty()) partition.range.after = plan_.partitions.back().range.upto;
      partition.range.upto = KeyTuple{std::to_string(end)};
      plan_.partitions.push_back(std::move(partition));
    }
  }
  Result<LocalFile> write(const std::string& format, const std::string& path) {
    spec_.format = format;
    return write_local_file({spec_, formats_, source_, plan_, path},
                            [this](std::int64_t rows, std::int64_t) { progress_.push_back(rows); }, {});
  }
  std::string written(const std::string& format) {
    const auto file = write(format, folder_ + "/out");
    if (!file) return file.error().message;
    std::ifstream in(folder_ + "/out", std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    EXPECT_EQ(file->bytes, std::ssize(text));
    EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1) << "nothing else is left";
    return text;
  }

  std::string folder_;
  FormatTable formats_;
  IdSource source_;
  ExportSpec spec_;
  ExportPlan plan_;
  std::vector<std::int64_t> progress_;
};

TEST_F(LocalFileTest, AStreamedFileKnowsOnlyWhatHasBeen) {
  plan({7, 7, 9});
  EXPECT_EQ(written("streamed"), "<:r3r3r1|(1- of 2)(2+ of 3)r2|>7,0,2 at 2+7 18+0 27+3");
  EXPECT_THAT(progress_, testing::ElementsAre(3, 6, 7, 9));
  plan({7, 9, 9});
  EXPECT_EQ(written("streamed"), "<:r3r3r1|(1+ of 2)r2|(2- of 3)>7,2,0 at 2+7 18+3 30+0");
}

TEST_F(LocalFileTest, AHeldFileKnowsEverythingFromItsFirstByte) {
  plan({7, 7, 9});
  EXPECT_EQ(written("held"), "<7,0,2:r3r3r1|(1- of 3)(2+ of 3)r2|>7,0,2 at 7+7 23+0 32+3");
}

TEST_F(LocalFileTest, NoRowsMakeAFileAllTheSame) {
  plan({});
  EXPECT_EQ(written("streamed"), "<:> at");
  EXPECT_EQ(written("held"), "<:> at");
}

TEST_F(LocalFileTest, CountsAndSumsUpAllPartitions) {
  plan({7, 9});
  const auto file = write("held", folder_ + "/out");
  ASSERT_TRUE(file);
  EXPECT_EQ(file->total.rows, 9);
  EXPECT_EQ(file->total.fidelity.at(0).guarded, 2);
}

TEST_F(LocalFileTest, WhatFailsLeavesNothing) {
  plan({7, IdRows::kBroken});
  for (const std::string format : {"streamed", "held"}) {
    const auto file = write(format, folder_ + "/out");
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().code, "source_unavailable");
    EXPECT_TRUE(fs::is_empty(folder_)) << format;
  }
  plan({7});
  const auto nowhere = write("held", folder_ + "/none/out");
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code, "output_failed");
  EXPECT_EQ(nowhere.error().message, "cannot create " + folder_ + "/none/out.part: No such file or directory");
}

TEST_F(LocalFileTest, StandardOutputIsHeldBackInTheTemporaryFolder) {
  plan({7, 9});
  const std::string path = folder_ + "/captured";
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv("TMPDIR", folder_.c_str(), 1);
    ::dup2(::open(path.c_str(), O_WRONLY | O_CREAT, 0600), STDOUT_FILENO);
    ::_exit(write("held", "-") ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  std::ifstream in(path, std::ios::binary);
  EXPECT_EQ((std::string{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()}),
            "<7,2:r3r3r1|(1+ of 2)r2|>7,2 at 5+7 21+3");
}

}  // namespace
}  // namespace longshore
