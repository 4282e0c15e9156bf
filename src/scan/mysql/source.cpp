#include <algorithm>
#include <memory>
#include <utility>

#include "scan/mysql/key_query.h"
#include "scan/mysql/keyset_reader.h"
#include "scan/mysql/partition_planner.h"
#include "scan/mysql/schema_reader.h"
#include "scan/mysql/servers.h"
#include "scan/row_width.h"
#include "scan/source_database.h"

namespace longshore {

namespace {

using namespace std::chrono_literals;

/// Up to here an estimate is replaced by a count.
constexpr std::int64_t kCountUpTo = 50'000;
constexpr std::chrono::milliseconds kCountLimit = 2s;
/// So long somebody who asks for an estimate may wait for a source that lags.
constexpr Duration kEstimatePause = 3s;

/// Plans by sessions of its own.
class MysqlPlanning final : public PlanningView {
 public:
  /// `pressure` may be nullptr.
  MysqlPlanning(std::shared_ptr<const MysqlServers> servers, PressureNote* pressure)
      : servers_(std::move(servers)), pressure_(pressure) {}

  Result<ScanEstimate> estimate(const ExportSpec& spec, std::stop_token stop) override {
    // Planning waits as scans do. Who cannot be stopped is answering somebody: a source that lags is reported then.
    const Duration pause = stop.stop_possible() ? servers_->source().max_pause : kEstimatePause;
    TRY(const MysqlLease lease, MysqlLease::open_guarded(*servers_, "estimate", nullptr, pause, stop, pressure_));
    TRY(MysqlKeyQuery query, MysqlKeyQuery::make(*lease.connection, spec, stop));
    ScanEstimate estimate;
    TRY(estimate.rows, query.estimated_rows(query.where()));
    if (estimate.rows < kCountUpTo) {
      TRY(const auto rows, query.count(query.where(), kCountUpTo + 1, kCountLimit));
      // More than were counted: the statistics are stale, and only a lower bound is known.
      if (rows) {
        estimate.exact = *rows <= kCountUpTo;
        estimate.rows = std::max(estimate.exact ? 0 : estimate.rows, *rows);
      }
    }
    TRY(const auto widths, query.sampled_widths(spec.columns));
    estimate.bytes_per_row = estimated_row_width(spec.columns, widths);
    return estimate;
  }

  Result<PartitionPlan> plan_partitions(const ExportSpec& spec, const PartitionRequest& request,
                                        std::stop_token stop) override {
    TRY(const MysqlLease lease,
        MysqlLease::open_guarded(*servers_, "plan", &spec, servers_->source().max_pause, stop, pressure_));
    TRY(MysqlKeyQuery query, MysqlKeyQuery::make(*lease.connection, spec, stop));
    return MysqlPartitionPlanner(query).plan(request);
  }

 private:
  std::shared_ptr<const MysqlServers> servers_;
  PressureNote* pressure_;
};

class MysqlSource final : public SourceDatabase {
 public:
  explicit MysqlSource(std::shared_ptr<const MysqlServers> servers) : servers_(std::move(servers)) {}

  Result<std::unique_ptr<RowSource>> open_scan(ScanRequest request, std::stop_token stop) override {
    return std::make_unique<MysqlKeysetReader>(servers_, std::move(request), std::move(stop));
  }

  Result<ScanEstimate> estimate(const ExportSpec& spec, std::stop_token stop) override {
    return MysqlPlanning(servers_, nullptr).estimate(spec, std::move(stop));
  }

  Result<PartitionPlan> plan_partitions(const ExportSpec& spec, const PartitionRequest& request,
                                        std::stop_token stop) override {
    return MysqlPlanning(servers_, nullptr).plan_partitions(spec, request, std::move(stop));
  }

  std::unique_ptr<PlanningView> planning(PressureNote& pressure) override {
    return std::make_unique<MysqlPlanning>(servers_, &pressure);
  }

  bool reads_one_moment() const override { return true; }

  int max_connections() const override { return servers_->source().max_connections; }

  SourceHealth health() const override { return servers_->health(); }

  Status ping() override {
    return ping_servers(*servers_, [](MysqlConnection& connection) -> Status {
      CHECK_OK(connection.query("SELECT 1", {}));
      return {};
    });
  }

  Result<RelationInfo> describe(const std::string& relation) override {
    TRY(const MysqlLease lease, MysqlLease::open(*servers_, "catalog", {}));
    return describe_relation(*lease.connection, relation, {});
  }

  Result<std::vector<std::string>> list_relations() override {
    TRY(const MysqlLease lease, MysqlLease::open(*servers_, "catalog", {}));
    return longshore::list_relations(*lease.connection, {});
  }

 private:
  std::shared_ptr<const MysqlServers> servers_;
};

}  // namespace

Result<std::unique_ptr<SourceDatabase>> make_mysql_source(const Source& source,
                                                          std::shared_ptr<ConnectionBudget> budget) {
  TRY(auto servers, MysqlServers::make(source, std::move(budget)));
  return std::make_unique<MysqlSource>(std::move(servers));
}

}  // namespace longshore
