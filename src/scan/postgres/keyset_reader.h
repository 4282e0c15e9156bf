#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "scan/postgres/copy_decoder.h"
#include "scan/postgres/servers.h"
#include "scan/pressure/paced_statements.h"
#include "scan/pressure/scan_retries.h"
#include "scan/pressure/server_gate.h"
#include "scan/row_source.h"

namespace longshore {

/// Reads one key range by COPY statements of at most `Source::batch_rows` rows each, each starting behind the last key
/// of the one before. Where a statement ends has no influence on where a batch ends.
///
/// When a statement has delivered its last row the next one is sent at once, so that the server works while the batch
/// is encoded, unless the pacing or the lag guard wants a pause: that is made where next() would wait anyway. After a
/// failure that may pass (see scan_errors.h), or when its server falls behind, it goes on behind the last row that was
/// decoded, on another server of the source, keeping the rows of the batch that is half full: every row comes exactly
/// once.
///
/// Connects, and checks the columns against the database, on the first next().
class PostgresKeysetReader final : public RowSource {
 public:
  PostgresKeysetReader(std::shared_ptr<const PostgresServers> servers, ScanRequest request, std::stop_token stop);
  Result<bool> next(RowBatch& batch) override;

 private:
  /// Connects if needed and sends the next statement, when the guard and the pacing let it.
  Status begin_statement();
  Status connect();
  /// The same for a scan of a snapshot: to its server, and into it.
  Status connect_pinned();
  /// All is read: that the snapshot was whole until now, see prove_reading().
  Status prove();
  /// Waits while the server lags, but not for ever.
  Status hold_back_pinned();
  /// Waits for the guard and the turn. Leaves a server that fell behind.
  Status hold_back();
  /// Whether hold_back() would not wait now.
  bool is_free();
  /// The columns as they are now, checked against the spec. Fills decoder_.
  Status prepare_decoder();
  /// Adds rows until the batch is full or the statement ends.
  Status read_rows(RowBatch& batch);
  /// The statement has ended: all rows are read, or another one is due.
  Status finish_statement();
  /// Makes a failure good as far as it can be: returns the error that is to be reported, if any.
  Status recover(Error error);
  /// The snapshot cannot be imported now; it may soon be again, from another keeper.
  Status wait_for_keeper(Error error);
  /// Names the column that a statement failed on, where the database tells of operators and casts. The scan is over.
  Error what_changed(const Error& error);
  /// Takes the last decoded row's key as the place to go on from.
  Status remember_position();

  std::shared_ptr<const PostgresServers> servers_;
  ScanRequest request_;
  std::stop_token stop_;
  SystemClock clock_;
  ServerGate gate_;
  PacedStatements pacing_;
  ScanRetries retries_;
  SourceServers::Use use_;

  ConnectionSlot slot_;
  std::unique_ptr<PostgresConnection> connection_;
  ServerChoice<PostgresServers> choice_;
  bool waited_enough_ = false;  ///< pinned: for the lag that there is now
  bool unproven_ = false;       ///< pinned to a standby: what was read does not count yet
  /// Pinned: since when no keeper could be imported from.
  std::optional<std::chrono::steady_clock::time_point> unkept_since_;
  std::optional<CopyDecoder> decoder_;
  std::string select_;             ///< up to the tenant and filter conditions
  std::string order_;              ///< ORDER BY …
  std::optional<KeyTuple> after_;  ///< all rows up to this key are decoded
  bool position_pending_ = false;  ///< rows were decoded since after_ was taken

  bool running_ = false;              ///< a statement was sent and not yet read to its end
  std::int64_t statement_rows_ = 0;   ///< decoded of the running statement
  std::int64_t statement_limit_ = 0;  ///< its LIMIT
  bool done_ = false;
  std::optional<Error> postponed_;  ///< of a statement sent ahead; handled by the next call
};

}  // namespace longshore
