#include <algorithm>
#include <memory>
#include <utility>

#include "scan/postgres/estimate.h"
#include "scan/postgres/key_query.h"
#include "scan/postgres/keyset_reader.h"
#include "scan/postgres/partition_planner.h"
#include "scan/postgres/reading_hints.h"
#include "scan/postgres/schema_reader.h"
#include "scan/postgres/servers.h"
#include "scan/postgres/snapshot.h"
#include "scan/source_database.h"

namespace longshore {

namespace {

using namespace std::chrono_literals;

/// So long somebody who asks for an estimate may wait for a source that lags.
constexpr Duration kEstimatePause = 3s;

/// Plans by sessions of its own.
class PostgresPlanning final : public PlanningView {
 public:
  /// `pressure` may be nullptr.
  PostgresPlanning(std::shared_ptr<const PostgresServers> servers, PressureNote* pressure)
      : servers_(std::move(servers)), pressure_(pressure) {}

  Result<ScanEstimate> estimate(const ExportSpec& spec, std::stop_token stop) override {
    // Planning waits as scans do. Who cannot be stopped is answering somebody: a source that lags is reported then.
    const Duration pause = stop.stop_possible() ? servers_->source().max_pause : kEstimatePause;
    TRY(const PostgresLease lease, PostgresLease::open_guarded(*servers_, "estimate", nullptr, pause, stop, pressure_));
    return estimate_export(*lease.connection, spec, stop);
  }

  Result<PartitionPlan> plan_partitions(const ExportSpec& spec, const PartitionRequest& request,
                                        std::stop_token stop) override {
    TRY(const PostgresLease lease,
        PostgresLease::open_guarded(*servers_, "plan", &spec, servers_->source().max_pause, stop, pressure_));
    TRY(PostgresKeyQuery query, PostgresKeyQuery::make(*lease.connection, spec, stop));
    return PostgresPartitionPlanner(query).plan(request);
  }

 private:
  std::shared_ptr<const PostgresServers> servers_;
  PressureNote* pressure_;
};

class PostgresSource final : public SourceDatabase {
 public:
  explicit PostgresSource(std::shared_ptr<const PostgresServers> servers) : servers_(std::move(servers)) {}

  Result<std::unique_ptr<RowSource>> open_scan(ScanRequest request, std::stop_token stop) override {
    return std::make_unique<PostgresKeysetReader>(servers_, std::move(request), std::move(stop));
  }

  Result<ScanEstimate> estimate(const ExportSpec& spec, std::stop_token stop) override {
    return PostgresPlanning(servers_, nullptr).estimate(spec, std::move(stop));
  }

  Result<PartitionPlan> plan_partitions(const ExportSpec& spec, const PartitionRequest& request,
                                        std::stop_token stop) override {
    return PostgresPlanning(servers_, nullptr).plan_partitions(spec, request, std::move(stop));
  }

  std::unique_ptr<PlanningView> planning(PressureNote& pressure) override {
    return std::make_unique<PostgresPlanning>(servers_, &pressure);
  }

  Status ping() override {
    const auto lease = PostgresLease::open(*servers_, "ping", {}, 500ms);
    // Exports have all connections: nobody who asks for readiness should wait for their end, and the source is there.
    if (!lease && lease.error().code == "source_busy") return {};
    if (!lease) return fail(lease.error());
    CHECK_OK(lease->connection->query("SELECT 1", {}, {}));
    return {};
  }

  Result<RelationInfo> describe(const std::string& relation) override {
    TRY(const PostgresLease lease, PostgresLease::open(*servers_, "catalog", {}));
    return describe_relation(*lease.connection, relation, {});
  }

  Result<std::vector<std::string>> list_relations() override {
    TRY(const PostgresLease lease, PostgresLease::open(*servers_, "catalog", {}));
    return longshore::list_relations(*lease.connection, {});
  }

  Result<std::vector<ReadingHint>> reading_hints(const Dataset& dataset) override {
    TRY(const PostgresLease lease, PostgresLease::open(*servers_, "catalog", {}));
    return longshore::reading_hints(*lease.connection, dataset, servers_->source().batch_rows, {});
  }

  Result<std::vector<ReadingHint>> snapshot_hints() override {
    std::vector<ReadingHint> hints;
    TRY(const ConnectionSlot slot, servers_->acquire_slot({}));
    for (std::size_t i = 0; i < servers_->count(); ++i) {
      const std::string path = servers_->is_primary(i) ? "primary" : "replicas." + std::to_string(i);
      const auto connection = servers_->connect(i, "catalog", {}, slot);
      if (!connection) {
        hints.push_back({path, "server_unavailable",
                         "the server " + servers_->name(i) + " cannot be asked: " + connection.error().message});
        continue;
      }
      TRY(auto hint, snapshot_hint(**connection, path, servers_->name(i), {}));
      if (hint) hints.push_back(*std::move(hint));
    }
    return hints;
  }

  Result<std::unique_ptr<KeptSnapshot>> take_snapshot(const ExportSpec& spec, const std::string& label,
                                                      std::stop_token stop, PressureNote* pressure) override {
    return PostgresSnapshot::take(servers_, spec, label, std::move(stop), pressure);
  }

  Result<std::unique_ptr<KeptSnapshot>> share_snapshot(const ExportSpec& spec, const PinnedSnapshot& pinned,
                                                       const std::string& label, std::stop_token stop) override {
    return PostgresSnapshot::share(servers_, spec, pinned, label, std::move(stop));
  }

  int max_connections() const override { return servers_->source().max_connections; }

  SourceHealth health() const override { return servers_->health(); }

 private:
  std::shared_ptr<const PostgresServers> servers_;
};

}  // namespace

Result<std::unique_ptr<SourceDatabase>> make_postgres_source(const Source& source,
                                                             std::shared_ptr<ConnectionBudget> budget) {
  TRY(std::shared_ptr<const PostgresServers> servers, PostgresServers::make(source, std::move(budget)));
  if (servers->count() == 0) {
    return fail(user_error("bad_source", "source " + source.name + " names neither replicas nor a primary"));
  }
  for (std::size_t i = 0; i < servers->count(); ++i) {
    if (Status checked = check_connection_string(servers->connection_string(i)); !checked) {
      return fail(std::move(checked).error().with_context("source " + source.name));
    }
  }
  return std::make_unique<PostgresSource>(std::move(servers));
}

}  // namespace longshore
