#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "scan/staging_area.h"

namespace longshore {

/// Copies that are names only: what is planned by them and read from them is the source's.
class MemoryStaging final : public StagingArea {
 public:
  explicit MemoryStaging(PlanningView& source) : source_(source) {}

  Result<std::unique_ptr<StagedCopy>> make_copy(const ExportSpec&, const CopyName& name, PressureNote*,
                                                std::stop_token) override {
    const std::lock_guard lock(mutex_);
    made_.push_back(name);
    if (std::ranges::find(there_, name) == there_.end()) there_.push_back(name);
    return std::make_unique<Copy>(source_, "staging.copy_" + std::to_string(name.attempt));
  }
  Result<std::vector<CopyName>> copies(const std::string& deployment, std::stop_token) override {
    const std::lock_guard lock(mutex_);
    std::vector<CopyName> ours = there_;
    std::erase_if(ours, [&](const CopyName& name) { return name.deployment != deployment; });
    return ours;
  }
  Status drop_copy(const CopyName& name, std::stop_token) override {
    const std::lock_guard lock(mutex_);
    if (busy) {
      ++refused_;
      return fail(external_error("source_busy", "all connections are in use", true));
    }
    std::erase(there_, name);
    return {};
  }

  std::atomic<bool> busy{false};  ///< nothing can be dropped

  void put(const CopyName& name) {
    const std::lock_guard lock(mutex_);
    there_.push_back(name);
  }
  std::vector<CopyName> there() const {
    const std::lock_guard lock(mutex_);
    return there_;
  }
  /// How often nothing was dropped, because of `busy`.
  int refused() const {
    const std::lock_guard lock(mutex_);
    return refused_;
  }
  /// Every call of make_copy().
  std::vector<CopyName> made() const {
    const std::lock_guard lock(mutex_);
    return made_;
  }

 private:
  class Copy final : public StagedCopy {
   public:
    Copy(PlanningView& source, std::string id) : source_(source) { what_.id = std::move(id); }
    const ExportSnapshot& what() const override { return what_; }
    Result<ScanEstimate> estimate(const ExportSpec& spec, std::stop_token stop) override {
      return source_.estimate(spec, std::move(stop));
    }
    Result<PartitionPlan> plan_partitions(const ExportSpec& spec, const PartitionRequest& request,
                                          std::stop_token stop) override {
      return source_.plan_partitions(spec, request, std::move(stop));
    }

   private:
    PlanningView& source_;
    ExportSnapshot what_;
  };

  PlanningView& source_;
  mutable std::mutex mutex_;
  std::vector<CopyName> there_;
  std::vector<CopyName> made_;
  int refused_ = 0;
};

}  // namespace longshore
