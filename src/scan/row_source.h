#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "batch/row_batch.h"
#include "model/export_spec.h"
#include "model/key.h"
#include "model/relation_info.h"
#include "scan/pressure/pressure_note.h"
#include "scan/pressure/source_health.h"
#include "scan/source_snapshot.h"

namespace longshore {

/// What to read: the rows of one key range of one dataset, for one tenant, in key order.
struct ScanRequest {
  const ExportSpec* spec = nullptr;  ///< outlives the scan
  KeyRange range;
  BatchLimits batch;
  std::string label;                 ///< who reads, e.g. the export id; shown in the database (application_name)
  PressureNote* pressure = nullptr;  ///< is told what holds the scan up; outlives it
  /// The state to read; nullptr: whatever is there. Then the scan stays on one server, and an error is added to those
  /// of RowSource::next: `snapshot_gone` (external, retriable). Outlives the scan.
  const PinnedSnapshot* snapshot = nullptr;
  /// All that is read is of one moment, in one transaction of this scan's only session; for sources that read so
  /// (SourceDatabase::reads_one_moment()). Errors besides: `snapshot_gone` (external, retriable) when the session is
  /// lost, and `snapshot_unsupported` (user) when the relation cannot be read so.
  bool one_moment = false;
  /// The copy that StagingArea::make_copy() made for this export, to be read in place of the relation; nullptr: there
  /// is none. An error is added to those of RowSource::next: `copy_gone` (external, retriable), when it is not there
  /// any more. Outlives the scan.
  const ExportSnapshot* copy = nullptr;
};

class StagingArea;

/// Rows of one range, in key order, by keyset statements of at most `Source::batch_rows` rows. One connection while it
/// lives. Not thread-safe.
class RowSource {
 public:
  virtual ~RowSource() = default;
  /// Clears `batch` and fills it up to the request's BatchLimits. Returns false when there are no more rows (the batch
  /// is empty then). Waits, with no statement running, while the source lags or paces. Lost connections and recovery
  /// conflicts are mended inside, from the last key on, within a budget that progress refills; what remains is
  /// returned: `source_unavailable`, `source_conflict` (the server cancelled the statement), `source_timeout`,
  /// `source_paused` (lag held it up for Source::max_pause; all these external, retriable), `primary_refused` (only
  /// the primary could serve, and not so many rows; retriable where there are replicas), `source_schema_changed`
  /// (external, final: names what changed), `source_denied` (credentials or permissions), `source_query_failed`,
  /// `source_value_mismatch` (names column and key of a value that is not of the declared type), `bad_filter_value`
  /// (user), `scan_stopped` when `stop` was requested. After an error `batch` is of no use.
  virtual Result<bool> next(RowBatch& batch) = 0;
  /// With ScanRequest::one_moment, the moment, once next() has returned a value; else nullptr.
  virtual const ExportSnapshot* moment() const { return nullptr; }
};

/// How large an export would be.
struct ScanEstimate {
  std::int64_t rows = 0;
  bool exact = false;
  std::int64_t bytes_per_row = 0;  ///< rough width of the exported columns as text; at least 1
};

/// How to cut a dataset into ranges.
///
/// With a limit (`max_rows`, `group_rows`, `max_total_rows`) the rows are counted, also for one partition: by the exact
/// pass, whether `exact` says so or not. When counting takes longer than `time_limit`, statistics serve, with twice as
/// many rows taken to be there as they say; the plan then has no `rows`.
struct PartitionRequest {
  int partitions = 1;         ///< wanted; fewer come back when there are few distinct keys
  bool exact = false;         ///< one index-only pass instead of statistics
  std::int64_t max_rows = 0;  ///< no partition holds more; 0: any number
  /// Neighbouring partitions are put together in groups of at most so many rows (sheets of a workbook): they are cut so
  /// that no group more is needed than the rows need; 0: no groups.
  std::int64_t group_rows = 0;
  std::int64_t max_total_rows = 0;  ///< with more rows than this counting stops and nothing is cut; 0: any number
  std::chrono::milliseconds time_limit{10'000};  ///< exact falls back to statistics after it

  bool limited() const { return max_rows > 0 || group_rows > 0 || max_total_rows > 0; }
};

struct PartitionPlan {
  std::vector<KeyRange>
      ranges;  ///< contiguous, in order; covers every row that is there now; none when there are no rows
  bool exact = false;
  /// The rows that are there, if they were counted. More than `max_total_rows`: there are at least so many, and no
  /// ranges.
  std::optional<std::int64_t> rows;
};

/// What an export is planned by. Errors as RowSource::next.
class PlanningView {
 public:
  virtual ~PlanningView() = default;
  /// The rows that `spec` selects. Cheap: planner statistics, or a bounded count for small relations.
  virtual Result<ScanEstimate> estimate(const ExportSpec& spec, std::stop_token stop) = 0;
  /// Ranges of about the same number of rows; the last one's upper end is the greatest key of now.
  virtual Result<PartitionPlan> plan_partitions(const ExportSpec& spec, const PartitionRequest& request,
                                                std::stop_token stop) = 0;
};

/// One state of a source that stays in sight of others while this lives, and is planned by. Not thread-safe. The
/// destructor lets go of it.
class KeptSnapshot : public PlanningView {
 public:
  /// Its `id` is the name under which it can be imported from this one.
  virtual const ExportSnapshot& what() const = 0;
  /// To be called every second or so. An error means that the state is gone (but for `scan_stopped`).
  virtual Status keep_alive(std::stop_token stop) = 0;
};

/// A database that is exported from. Thread-safe; every call uses a connection of its own or of its pool.
class SourceDatabase : public SchemaInspector, public PlanningView {
 public:
  /// Errors as RowSource::next.
  virtual Result<std::unique_ptr<RowSource>> open_scan(ScanRequest request, std::stop_token stop) = 0;
  /// What an export is planned by when somebody shall be told what holds that up. `pressure` and this database outlive
  /// it.
  virtual std::unique_ptr<PlanningView> planning(PressureNote& pressure);
  /// The state of now, kept by a connection of its own, on a server that may serve `spec`. `label` and `pressure` as in
  /// ScanRequest; the latter is needed for this call only. Errors besides: `snapshot_unsupported` (user).
  virtual Result<std::unique_ptr<KeptSnapshot>> take_snapshot(const ExportSpec& spec, const std::string& label,
                                                              std::stop_token stop, PressureNote* pressure = nullptr);
  /// Keeps the state that others keep, beside them. Errors besides: `snapshot_gone`, `source_busy` (no connection is
  /// free for it).
  virtual Result<std::unique_ptr<KeptSnapshot>> share_snapshot(const ExportSpec& spec, const PinnedSnapshot& pinned,
                                                               const std::string& label, std::stop_token stop);
  /// Whether a scan can read one moment by itself (ScanRequest::one_moment): where no snapshot can be shared, one
  /// session reads an export of one moment from its beginning to its end.
  virtual bool reads_one_moment() const { return false; }
  /// Where materialized exports are copied to; nullptr: the source has no such place. Lives as long as the source.
  virtual StagingArea* staging() { return nullptr; }
  /// How many connections there may be; what is kept of a snapshot is among them.
  virtual int max_connections() const { return 1; }
  /// Whether a connection can be had; the error says what is wrong. When exports have all connections, what was heard
  /// of the servers lately says it; `source_busy`: nothing was, so nothing is known.
  virtual Status ping() = 0;
  /// What is known of the servers, without asking them.
  virtual SourceHealth health() const { return {}; }
};

}  // namespace longshore
