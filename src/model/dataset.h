#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "model/data_type.h"

namespace longshore {

/// A column of a dataset: what the API calls it and where it comes from.
struct Column {
  std::string name;    ///< API name and header, e.g. `createdAt`
  std::string source;  ///< column of the relation, e.g. `created_at`
  DataType type;
  std::string classification;  ///< free word for people and audit, e.g. `pii`; may be empty
  std::string permission;      ///< who lacks it never sees the column; empty: everybody with the dataset
  bool filterable = false;
};

/// How the rows of an export belong together in time.
///
/// best_effort: each batch as it is when it is read. snapshot: all rows as of one moment, which a transaction on the
/// source keeps in sight. materialized: all rows as of one moment, which a copy of them keeps.
enum class Consistency { best_effort, snapshot, materialized };

/// What becomes of an export whose snapshot is lost: it begins again with a new one, or it fails.
enum class SnapshotLoss { restart, fail };

/// An exportable thing of the catalog; the API field is `exportType`.
struct Dataset {
  std::string name;
  std::string source;               ///< name of a Source
  std::string relation;             ///< `schema.table` or `table`
  std::string tenant_column;        ///< source column that every query is bound on
  std::string subject_column;       ///< source column; may be empty
  std::vector<std::string> key;     ///< source columns: unique together, not null, indexed
  std::vector<DataType> key_types;  ///< one for each key column, in the same order
  /// People vouch for the key where the database cannot prove it (a view); only `catalog check` asks.
  bool unique_key_declared = false;
  std::string time_column;  ///< source column of `filters.from/to`; may be empty
  std::optional<DataType> time_type;
  DataType tenant_type;
  std::string permission;
  std::string description;
  Duration retention{};
  bool exact_boundaries = false;  ///< count rows exactly when planning
  /// What a request may ask for; the first is what it gets that says nothing. At least one.
  std::vector<Consistency> consistencies{Consistency::best_effort};
  SnapshotLoss on_snapshot_loss = SnapshotLoss::restart;
  std::vector<Column> columns;  ///< in catalog order

  /// nullptr when there is no column of that API name.
  const Column* find_column(const std::string& api_name) const;
};

enum class SourceDriver { postgres, sqlite, mysql };

/// How much of a source's time the exports of one process take.
struct PacingRule {
  double duty = 1;        ///< the most of its time that one connection's worth of statements may run; 1: no limit
  double least_duty = 1;  ///< down to here while the database answers more slowly than it can
  Duration pause{};       ///< at least so long between two statements of one scan

  bool off() const { return duty >= 1 && pause <= Duration::zero(); }
};

/// Another rule for a time of the day.
struct PacingWindow {
  int from = 0;  ///< minutes since midnight, 0 to 1439
  int to = 0;    ///< the same, exclusive; before `from`: on the next day
  std::string time_zone = "UTC";
  PacingRule rule;
};

struct Pacing {
  PacingRule rule;  ///< outside all windows
  std::vector<PacingWindow> windows;
};

/// `Source::primary_max_rows` and `Staging::max_rows` without a limit.
inline constexpr std::int64_t kAnyRows = INT64_MAX;

/// Where a source's materialized exports are copied to, and read from.
struct Staging {
  std::string server;  ///< connection string of a server that may be written to and has the source's relations
  std::string schema;  ///< exists there, and the connection's user may create tables in it
  Duration timeout = std::chrono::minutes{10};  ///< of each statement that makes a copy
  std::int64_t max_rows = 1'000'000;            ///< only exports of fewer estimated rows are copied, or kAnyRows
};

/// A database that datasets live in. What is made by hand is neither paced nor watched; the catalog's defaults are in
/// docs/catalog.md.
struct Source {
  std::string name;
  SourceDriver driver = SourceDriver::sqlite;
  std::vector<std::string> replicas;       ///< connection strings; the least-lagged healthy one serves
  std::string primary;                     ///< connection string; for small exports while no replica is healthy
  std::int64_t primary_max_rows = 10'000;  ///< the primary serves exports of fewer estimated rows only, or kAnyRows
  std::string path;                        ///< file (sqlite)
  int max_connections = 4;
  Duration max_lag{};     ///< zero: lag is not looked at
  std::string lag_query;  ///< a statement that returns the lag in seconds; empty: the driver's own way
  Duration max_pause = std::chrono::hours{1};  ///< a scan that was held up so long by lag fails
  Duration statement_timeout{};
  int batch_rows = 5000;  ///< rows a statement may return, 1 to 10,000
  Pacing pacing;
  std::optional<Staging> staging;  ///< there is none without
};

}  // namespace longshore
