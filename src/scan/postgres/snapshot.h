#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "scan/postgres/servers.h"
#include "scan/row_source.h"
#include "scan/source_snapshot.h"

namespace longshore {

/// A session with a REPEATABLE READ, READ ONLY transaction whose snapshot others import: `pg_export_snapshot()`, which
/// standbys have, too (PostgreSQL's documentation, "Snapshot Synchronization Functions"). Whoever has imported a
/// snapshot can export it again, and that one outlives the first. Not thread-safe.
///
/// The transaction has the relation locked (ACCESS SHARE), so that no TRUNCATE and no ALTER TABLE that writes the rows
/// anew takes them out of the snapshot's sight: these are not MVCC-safe, and wait instead.
class PostgresSnapshot final : public KeptSnapshot {
 public:
  /// A new one on the server that is best to read from, if it may serve `spec`. Errors as RowSource::next.
  static Result<std::unique_ptr<KeptSnapshot>> take(std::shared_ptr<const PostgresServers> servers,
                                                    const ExportSpec& spec, const std::string& label,
                                                    std::stop_token stop, PressureNote* pressure = nullptr);
  /// The same as others keep. Errors besides: `snapshot_gone`, `source_busy`.
  static Result<std::unique_ptr<KeptSnapshot>> share(std::shared_ptr<const PostgresServers> servers,
                                                     const ExportSpec& spec, const PinnedSnapshot& pinned,
                                                     const std::string& label, std::stop_token stop);

  const ExportSnapshot& what() const override { return what_; }
  Result<ScanEstimate> estimate(const ExportSpec& spec, std::stop_token stop) override;
  Result<PartitionPlan> plan_partitions(const ExportSpec& spec, const PartitionRequest& request,
                                        std::stop_token stop) override;
  Status keep_alive(std::stop_token stop) override;

 private:
  PostgresSnapshot(std::shared_ptr<const PostgresServers> servers, PostgresLease lease)
      : servers_(std::move(servers)), lease_(std::move(lease)) {}

  Status hold_relation(const ExportSpec& spec, const std::stop_token& stop);
  Status export_again(const std::stop_token& stop);

  std::shared_ptr<const PostgresServers> servers_;  ///< outlives the lease
  PostgresLease lease_;
  ExportSnapshot what_;
  bool idle_ = false;  ///< nothing but keep_alive() runs any more
};

/// The server that a pinned snapshot is on. Errors: `snapshot_gone` when the source has it no more.
Result<std::size_t> server_of(const PostgresServers& servers, const PinnedSnapshot& pinned);
/// Begins a transaction on `connection` that sees what `pinned` is; returns the name that it was imported by. Errors:
/// `snapshot_gone` (external, retriable) when it cannot be imported from anybody now.
Result<std::string> import_snapshot(PostgresConnection& connection, const PinnedSnapshot& pinned,
                                    const std::stop_token& stop);

/// On a standby an imported snapshot is not safe by itself. Before replay removes rows it ends all transactions that
/// see them, but it makes the list of these once, and then waits for them (max_standby_streaming_delay): one that
/// imports an old snapshot meanwhile is not on the list, and rows vanish before its eyes without any error. So a keeper
/// counts only once it is sure to be on every such list, and what was read counts if such a keeper is still there
/// afterwards.
///
/// Waits until replay has moved on since the import from `exporter`, and fails unless that one is still there: then
/// nothing was waiting for its end, and whatever waits later waits for `connection` too. Errors: `snapshot_gone`.
Status prove_keeper(PostgresConnection& connection, const std::string& exporter, const std::stop_token& stop);
/// That a keeper of the snapshot is there, so that all that was read of it so far is right. Errors: `snapshot_gone`.
Status prove_reading(PostgresConnection& connection, const PinnedSnapshot& pinned, const std::stop_token& stop);
/// Which cluster the server is of; a replica has the number of its primary. Empty: some managed services do not tell.
/// To be asked outside of a transaction.
std::string system_identifier(PostgresConnection& connection, const std::stop_token& stop);
/// Notes in `what` the moment that the running transaction sees, which is its snapshot's if it is REPEATABLE READ:
/// where the log stood (all that it sees is at or before that), and when it was.
Status read_moment(PostgresConnection& connection, ExportSnapshot& what, const std::stop_token& stop);
/// Whether the server is a standby, where keepers and readers have to prove what they read.
Result<bool> in_recovery(PostgresConnection& connection, const std::stop_token& stop);

}  // namespace longshore
