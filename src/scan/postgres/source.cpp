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
#include "scan/postgres/staging.h"
#include "scan/scan_errors.h"
#include "scan/source_database.h"

namespace longshore {

namespace {

using namespace std::chrono_literals;

/// So long somebody who asks for an estimate may wait for a source that lags.
constexpr Duration kEstimatePause = 3s;

/// A standby cancels what stands in the way of its replay, however short. A question is asked so often before that is
/// its answer.
constexpr int kAskedAtMost = 3;

/// What `question` answers on a connection of the lease that `open` gives, whose session is left to others; after a
/// conflict with replay it is asked again, in a new session.
template <class Open, class Question>
auto asked(const PostgresServers& servers, const Open& open, const Question& question)
    -> decltype(question(*open()->connection)) {
  for (int times = 1;; ++times) {
    TRY(PostgresLease lease, open());
    auto answer = question(*lease.connection);
    if (answer) servers.park(lease.server, std::move(lease.connection), std::move(lease.slot));
    if (answer || answer.error().code != "source_conflict" || times == kAskedAtMost) return answer;
  }
}

/// Plans by sessions of its own.
class PostgresPlanning final : public PlanningView {
 public:
  /// `pressure` may be nullptr.
  PostgresPlanning(std::shared_ptr<const PostgresServers> servers, PressureNote* pressure)
      : servers_(std::move(servers)), pressure_(pressure) {}

  Result<ScanEstimate> estimate(const ExportSpec& spec, std::stop_token stop) override {
    // Planning waits as scans do. Who cannot be stopped is answering somebody: a source that lags is reported then.
    const Duration pause = stop.stop_possible() ? servers_->source().max_pause : kEstimatePause;
    return asked(
        *servers_, [&] { return PostgresLease::open_guarded(*servers_, "estimate", nullptr, pause, stop, pressure_); },
        [&](PostgresConnection& connection) { return estimate_export(connection, spec, stop); });
  }

  Result<PartitionPlan> plan_partitions(const ExportSpec& spec, const PartitionRequest& request,
                                        std::stop_token stop) override {
    return asked(
        *servers_,
        [&] {
          return PostgresLease::open_guarded(*servers_, "plan", &spec, servers_->source().max_pause, stop, pressure_);
        },
        [&](PostgresConnection& connection) -> Result<PartitionPlan> {
          TRY(PostgresKeyQuery query, PostgresKeyQuery::make(connection, spec, stop));
          return PostgresPartitionPlanner(query).plan(request);
        });
  }

 private:
  std::shared_ptr<const PostgresServers> servers_;
  PressureNote* pressure_;
};

class PostgresSource final : public SourceDatabase {
 public:
  /// `staging` may be nullptr.
  PostgresSource(std::shared_ptr<const PostgresServers> servers, std::unique_ptr<PostgresStaging> staging)
      : servers_(std::move(servers)), staging_(std::move(staging)) {}

  Result<std::unique_ptr<RowSource>> open_scan(ScanRequest request, std::stop_token stop) override {
    if (request.copy != nullptr && staging_ != nullptr) return staging_->open_scan(std::move(request), std::move(stop));
    if (request.copy != nullptr) {
      return fail(copy_gone("source " + servers_->source().name + " has no staging any more"));
    }
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
    return ping_servers(*servers_, [](PostgresConnection& connection) -> Status {
      CHECK_OK(connection.query("SELECT 1", {}, {}));
      return {};
    });
  }

  Result<RelationInfo> describe(const std::string& relation) override {
    return asked(
        *servers_, [&] { return PostgresLease::open(*servers_, "catalog", {}); },
        [&](PostgresConnection& connection) { return describe_relation(connection, relation, {}); });
  }

  Result<std::vector<std::string>> list_relations() override {
    return asked(
        *servers_, [&] { return PostgresLease::open(*servers_, "catalog", {}); },
        [&](PostgresConnection& connection) { return longshore::list_relations(connection, {}); });
  }

  Result<std::vector<ReadingHint>> reading_hints(const Dataset& dataset) override {
    return asked(
        *servers_, [&] { return PostgresLease::open(*servers_, "catalog", {}); },
        [&](PostgresConnection& connection) {
          return longshore::reading_hints(connection, dataset, servers_->source().batch_rows, {});
        });
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

  Result<std::vector<ReadingHint>> staging_faults(const Dataset& dataset) override {
    return staging_ == nullptr ? std::vector<ReadingHint>() : staging_->faults(dataset);
  }

  StagingArea* staging() override { return staging_.get(); }

  SourceHealth health() const override {
    SourceHealth all = servers_->health();
    if (staging_ == nullptr) return all;
    SourceHealth staged = staging_->health();
    for (ServerHealth& server : staged.servers) {
      // The primary may be both.
      if (std::ranges::find(all.servers, server.name, &ServerHealth::name) == all.servers.end()) {
        all.servers.push_back(std::move(server));
      }
    }
    all.paused_scans += staged.paused_scans;
    all.paused_seconds += staged.paused_seconds;
    return all;
  }

 private:
  std::shared_ptr<const PostgresServers> servers_;
  std::unique_ptr<PostgresStaging> staging_;
};

}  // namespace

Result<std::unique_ptr<SourceDatabase>> make_postgres_source(const Source& source,
                                                             std::shared_ptr<ConnectionBudget> budget) {
  std::vector<std::string> elsewhere;
  if (source.staging) elsewhere.push_back(source.staging->server);
  TRY(std::shared_ptr<const PostgresServers> servers, PostgresServers::make(source, budget, std::move(elsewhere)));
  if (servers->count() == 0) {
    return fail(user_error("bad_source", "source " + source.name + " names neither replicas nor a primary"));
  }
  for (std::size_t i = 0; i < servers->count(); ++i) {
    if (Status checked = check_connection_string(servers->connection_string(i)); !checked) {
      return fail(std::move(checked).error().with_context("source " + source.name));
    }
  }
  std::unique_ptr<PostgresStaging> staging;
  if (source.staging) {
    auto made = PostgresStaging::make(source, std::move(budget));
    if (!made) return fail(std::move(made).error().with_context("the staging of source " + source.name));
    staging = *std::move(made);
  }
  return std::make_unique<PostgresSource>(std::move(servers), std::move(staging));
}

}  // namespace longshore
