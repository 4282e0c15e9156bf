#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "scan/row_source.h"
#include "scan/staging_area.h"

namespace longshore {

/// A database of made-up rows: ids 1 to `rows`, each with a text of `width` bytes. A test may act before any batch.
class ScriptedSource final : public SourceDatabase {
 public:
  ScriptedSource(std::int64_t rows, std::size_t width) : rows_(rows), width_(width) {}

  /// Called before each batch with the first id it will hold; an error is returned from next().
  std::function<Status(std::int64_t first_id, const std::stop_token& stop)> before_batch;
  std::atomic<std::int64_t> rows_read{0};
  /// The rows are written to: what is read from now on has capital letters.
  std::atomic<bool> changed{false};
  std::unique_ptr<StagingArea> area;  ///< where exports are copied to, if anywhere
  std::atomic<int> copies_read{0};    ///< scans that were told to read a copy
  bool one_session = false;           ///< one moment is read by one session: each scan's is the one in which it began
  std::atomic<int> moments_read{0};

  bool reads_one_moment() const override { return one_session; }
  StagingArea* staging() override { return area.get(); }

  Result<RelationInfo> describe(const std::string&) override { return RelationInfo{}; }
  Result<std::vector<std::string>> list_relations() override { return std::vector<std::string>{}; }
  Status ping() override { return {}; }
  Result<ScanEstimate> estimate(const ExportSpec&, std::stop_token) override {
    return ScanEstimate{rows_, true, static_cast<std::int64_t>(width_) + 10};
  }
  Result<PartitionPlan> plan_partitions(const ExportSpec&, const PartitionRequest& request, std::stop_token) override {
    PartitionPlan plan;
    if (rows_ == 0) return plan;
    for (int i = 0; i < request.partitions; ++i) {
      KeyRange range;
      if (i > 0) range.after = plan.ranges.back().upto;
      range.upto = KeyTuple{std::to_string(rows_ * (i + 1) / request.partitions)};
      plan.ranges.push_back(std::move(range));
    }
    return plan;
  }
  Result<std::unique_ptr<RowSource>> open_scan(ScanRequest request, std::stop_token stop) override {
    if (request.copy != nullptr) ++copies_read;
    return std::make_unique<Rows>(*this, std::move(request), std::move(stop));
  }

 private:
  class Rows final : public RowSource {
   public:
    Rows(ScriptedSource& source, ScanRequest request, std::stop_token stop)
        : source_(source), limits_(request.batch), stop_(std::move(stop)) {
      next_ = request.range.after ? std::stoll(request.range.after->front()) + 1 : 1;
      last_ = request.range.upto ? std::stoll(request.range.upto->front()) : source.rows_;
      if (!request.one_moment) return;
      moment_.emplace();
      moment_->server = "session " + std::to_string(++source.moments_read);
    }
    const ExportSnapshot* moment() const override { return moment_ ? &*moment_ : nullptr; }
    Result<bool> next(RowBatch& batch) override {
      batch.clear();
      if (stop_.stop_requested()) return fail(external_error("scan_stopped", "stopped"));
      if (next_ > last_) return false;
      if (source_.before_batch) CHECK_OK(source_.before_batch(next_, stop_));
      while (next_ <= last_ && !batch.full(limits_)) {
        batch.column(0).append<std::int64_t>(next_);
        const char first = source_.changed ? 'A' : 'a';
        batch.column(1).append_text(std::string(source_.width_, static_cast<char>(first + next_ % 26)));
        batch.finish_row();
        ++source_.rows_read;
        ++next_;
      }
      batch.set_last_key({std::to_string(next_ - 1)});
      return true;
    }

   private:
    ScriptedSource& source_;
    BatchLimits limits_;
    std::stop_token stop_;
    std::int64_t next_;
    std::int64_t last_;
    std::optional<ExportSnapshot> moment_;
  };

  const std::int64_t rows_;
  const std::size_t width_;
};

}  // namespace longshore
