#include "scan/postgres/snapshot.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/clock.h"
#include "scan/postgres/estimate.h"
#include "scan/postgres/key_query.h"
#include "scan/postgres/keyset_query.h"
#include "scan/postgres/partition_planner.h"
#include "scan/scan_errors.h"
#include "scan/sql_text.h"
#include "scan/value_text.h"

namespace longshore {

namespace {

using namespace std::chrono_literals;

/// A second keeper waits so long for a connection; then readers have them all, and it comes back later.
constexpr Duration kPatience = 30s;
/// Of the question that keeps a session in use.
constexpr Duration kPingTimeout = 5s;

/// How long replay may stand still until it is taken to wait for the end of the snapshot.
constexpr Duration kReplayPatience = 10s;

constexpr const char* kBegin = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;";

/// The virtual transaction that exported a snapshot, `3/27` of `00000003-0000001B-1`: as pg_locks spells the lock that
/// it holds on itself as long as it lives. (The name's form: ExportSnapshot() in PostgreSQL's snapmgr.c, all versions.)
std::string exporting_transaction(std::string_view id) {
  const auto part = [&](std::size_t at) {
    std::uint32_t number = 0;
    if (id.size() >= at + 8) std::from_chars(id.data() + at, id.data() + at + 8, number, 16);
    return std::to_string(number);
  };
  return part(0) + "/" + part(9);
}

Result<bool> any_alive(PostgresConnection& connection, const std::vector<std::string>& ids,
                       const std::stop_token& stop) {
  for (const std::string& id : ids) {
    TRY(const PostgresRows rows, connection.query("SELECT FROM pg_catalog.pg_locks WHERE locktype = 'virtualxid' AND "
                                                  "virtualxid = $1 AND mode = 'ExclusiveLock' AND granted LIMIT 1",
                                                  {exporting_transaction(id)}, stop));
    if (!rows.rows.empty()) return true;
  }
  return false;
}

}  // namespace

std::string system_identifier(PostgresConnection& connection, const std::stop_token& stop) {
  const auto rows = connection.query("SELECT system_identifier::text FROM pg_catalog.pg_control_system()", {}, stop);
  return rows && !rows->rows.empty() ? rows->at(0, 0) : std::string();
}

Status read_moment(PostgresConnection& connection, ExportSnapshot& what, const std::stop_token& stop) {
  TRY(const PostgresRows rows, connection.query(R"(
    SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
                ELSE pg_catalog.pg_current_wal_lsn() END::text,
           (extract(epoch FROM pg_catalog.transaction_timestamp()) * 1000000)::int8::text)",
                                                {}, stop));
  if (rows.rows[0][0]) what.lsn = rows.at(0, 0);
  what.taken_at = Timestamp{Duration{parse_int64(rows.at(0, 1)).value_or(0)}};
  return {};
}

Result<bool> in_recovery(PostgresConnection& connection, const std::stop_token& stop) {
  TRY(const PostgresRows rows, connection.query("SELECT pg_catalog.pg_is_in_recovery()", {}, stop));
  return rows.at(0, 0) == "t";
}

Status prove_keeper(PostgresConnection& connection, const std::string& exporter, const std::stop_token& stop) {
  TRY(const PostgresRows begin, connection.query("SELECT pg_catalog.pg_last_wal_replay_lsn()::text", {}, stop));
  const std::string since = begin.rows[0][0].value_or("0/0");
  const SystemClock clock;
  const auto until = clock.steady_now() + kReplayPatience;
  while (true) {
    TRY(const PostgresRows moved, connection.query(R"(
      SELECT pg_catalog.pg_last_wal_replay_lsn() > $1::pg_lsn
             OR coalesce(pg_catalog.pg_last_wal_replay_lsn() >= pg_catalog.pg_last_wal_receive_lsn(), false))",
                                                   {since}, stop));
    if (moved.at(0, 0) == "t") break;
    if (clock.steady_now() > until) {
      return fail(
          snapshot_gone("replay on the standby stands still, perhaps because it waits for the end of this "
                        "snapshot (see hot_standby_feedback and max_standby_streaming_delay)"));
    }
    if (!SystemClock().sleep_for(20ms, stop)) return fail(scan_stopped());
  }
  TRY(const bool alive, any_alive(connection, {exporter}, stop));
  if (alive) return {};
  return fail(
      snapshot_gone("the keeper that the snapshot was imported from ended before it was sure that replay had not "
                    "removed rows of it"));
}

Status prove_reading(PostgresConnection& connection, const PinnedSnapshot& pinned, const std::stop_token& stop) {
  TRY(const std::vector<std::string> ids, pinned.importable());
  TRY(const bool alive, any_alive(connection, ids, stop));
  if (alive) return {};
  return fail(
      snapshot_gone("no keeper is left who could say that the standby had all rows of the snapshot to the end"));
}

Result<std::size_t> server_of(const PostgresServers& servers, const PinnedSnapshot& pinned) {
  for (std::size_t i = 0; i < servers.count(); ++i) {
    if (servers.name(i) == pinned.server) return i;
  }
  return fail(snapshot_gone("source " + servers.source().name + " has no server " + pinned.server + " any more"));
}

Result<std::string> import_snapshot(PostgresConnection& connection, const PinnedSnapshot& pinned,
                                    const std::stop_token& stop) {
  TRY(const std::vector<std::string> ids, pinned.importable());
  std::string why = "nobody keeps it";
  for (const std::string& id : ids) {
    const auto imported =
        connection.query_each(kBegin + std::string(" SET TRANSACTION SNAPSHOT ") + quote_text(id) + ";", stop);
    if (imported) return id;
    const Error& error = imported.error();
    // A connection that was lost is another matter: it says nothing of the snapshot.
    if (error.code == "scan_stopped" || error.code == "source_unavailable") return fail(error);
    why = error.message;
    CHECK_OK(connection.query("ROLLBACK", {}, stop));
  }
  return fail(snapshot_gone("the snapshot cannot be imported now: " + why));
}

Result<std::unique_ptr<KeptSnapshot>> PostgresSnapshot::take(std::shared_ptr<const PostgresServers> servers,
                                                             const ExportSpec& spec, const std::string& label,
                                                             std::stop_token stop, PressureNote* pressure) {
  TRY(PostgresLease lease,
      PostgresLease::open_guarded(*servers, label, &spec, servers->source().max_pause, stop, pressure));
  std::unique_ptr<PostgresSnapshot> snapshot(new PostgresSnapshot(std::move(servers), std::move(lease)));
  PostgresConnection& connection = *snapshot->lease_.connection;
  ExportSnapshot& what = snapshot->what_;
  what.server = snapshot->servers_->name(snapshot->lease_.server);
  what.system_identifier = system_identifier(connection, stop);
  CHECK_OK(connection.query_each(kBegin, stop));
  CHECK_OK(snapshot->export_again(stop));
  CHECK_OK(read_moment(connection, what, stop));
  CHECK_OK(snapshot->hold_relation(spec, stop));
  return snapshot;
}

Result<std::unique_ptr<KeptSnapshot>> PostgresSnapshot::share(std::shared_ptr<const PostgresServers> servers,
                                                              const ExportSpec& spec, const PinnedSnapshot& pinned,
                                                              const std::string& label, std::stop_token stop) {
  PostgresLease lease;
  TRY(lease.server, server_of(*servers, pinned));
  TRY(lease.slot, servers->acquire_slot(stop, kPatience));
  TRY(lease.connection, servers->connect(lease.server, label, stop, lease.slot));
  std::unique_ptr<PostgresSnapshot> snapshot(new PostgresSnapshot(std::move(servers), std::move(lease)));
  snapshot->what_.server = pinned.server;
  PostgresConnection& connection = *snapshot->lease_.connection;
  TRY(const std::string exporter, import_snapshot(connection, pinned, stop));
  CHECK_OK(snapshot->export_again(stop));
  CHECK_OK(snapshot->hold_relation(spec, stop));
  TRY(const bool standby, in_recovery(connection, stop));
  if (standby) CHECK_OK(prove_keeper(connection, exporter, stop));
  return snapshot;
}

Status PostgresSnapshot::export_again(const std::stop_token& stop) {
  TRY(const PostgresRows rows, lease_.connection->query("SELECT pg_catalog.pg_export_snapshot()", {}, stop));
  what_.id = rows.at(0, 0);
  return {};
}

Status PostgresSnapshot::hold_relation(const ExportSpec& spec, const std::stop_token& stop) {
  // Not LOCK TABLE, which a view's owner may not be allowed: reading takes the same lock, on all that a view or a
  // partitioned table is made of.
  CHECK_OK(lease_.connection->query("SELECT FROM " + from_relation(spec.dataset) + " LIMIT 0", {}, stop));
  return {};
}

Result<ScanEstimate> PostgresSnapshot::estimate(const ExportSpec& spec, std::stop_token stop) {
  return estimate_export(*lease_.connection, spec, std::move(stop));
}

Result<PartitionPlan> PostgresSnapshot::plan_partitions(const ExportSpec& spec, const PartitionRequest& request,
                                                        std::stop_token stop) {
  TRY(PostgresKeyQuery query, PostgresKeyQuery::make(*lease_.connection, spec, std::move(stop)));
  return PostgresPartitionPlanner(query).plan(request);
}

Status PostgresSnapshot::keep_alive(std::stop_token stop) {
  if (!idle_) {
    CHECK_OK(lease_.connection->set_statement_timeout(kPingTimeout, stop));
    idle_ = true;
  }
  CHECK_OK(lease_.connection->query("SELECT 1", {}, std::move(stop)));
  return {};
}

}  // namespace longshore
