#include "scan/source_database.h"

#include <utility>

#include "scan/scan_errors.h"

namespace longshore {

namespace {

/// A database that knows nothing to tell.
class PlainPlanning final : public PlanningView {
 public:
  explicit PlainPlanning(PlanningView& database) : database_(database) {}
  Result<ScanEstimate> estimate(const ExportSpec& spec, std::stop_token stop) override {
    return database_.estimate(spec, std::move(stop));
  }
  Result<PartitionPlan> plan_partitions(const ExportSpec& spec, const PartitionRequest& request,
                                        std::stop_token stop) override {
    return database_.plan_partitions(spec, request, std::move(stop));
  }

 private:
  PlanningView& database_;
};

}  // namespace

Result<std::unique_ptr<SourceDatabase>> make_source(const Source& source, std::shared_ptr<ConnectionBudget> budget) {
  if (budget == nullptr) budget = std::make_shared<ConnectionSlots>(source.max_connections);
  switch (source.driver) {
    case SourceDriver::postgres:
      return make_postgres_source(source, std::move(budget));
    case SourceDriver::mysql:
      return make_mysql_source(source, std::move(budget));
    case SourceDriver::sqlite:
      break;
  }
  return make_sqlite_source(source);
}

std::unique_ptr<PlanningView> SourceDatabase::planning(PressureNote& /*pressure*/) {
  return std::make_unique<PlainPlanning>(*this);
}

Result<std::unique_ptr<KeptSnapshot>> SourceDatabase::take_snapshot(const ExportSpec& /*spec*/,
                                                                    const std::string& /*label*/,
                                                                    std::stop_token /*stop*/,
                                                                    PressureNote* /*pressure*/) {
  return fail(snapshot_unsupported());
}

Result<std::unique_ptr<KeptSnapshot>> SourceDatabase::share_snapshot(const ExportSpec& /*spec*/,
                                                                     const PinnedSnapshot& /*pinned*/,
                                                                     const std::string& /*label*/,
                                                                     std::stop_token /*stop*/) {
  return fail(snapshot_unsupported());
}

}  // namespace longshore
