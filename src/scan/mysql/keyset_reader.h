#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "scan/mysql/keyset_query.h"
#include "scan/mysql/row_decoder.h"
#include "scan/mysql/servers.h"
#include "scan/pressure/paced_statements.h"
#include "scan/pressure/scan_retries.h"
#include "scan/pressure/server_gate.h"
#include "scan/row_source.h"

namespace longshore {

/// Reads one key range by SELECTs of at most `Source::batch_rows` rows each, unbuffered, each starting behind the last
/// key of the one before. Where a statement ends has no influence on where a batch ends.
///
/// When a statement has delivered its last row the next one is sent at once, so that the server works while the batch
/// is encoded, unless the pacing or the lag guard wants a pause. After a failure that may pass (see scan_errors.h), or
/// when its server falls behind, it goes on behind the last row that was decoded, on another server of the source,
/// keeping the rows of the batch that is half full: every row comes exactly once. A scan of one moment stays in its
/// session, and ends with it.
///
/// Connects, and checks the columns against the database, on the first next().
class MysqlKeysetReader final : public RowSource {
 public:
  MysqlKeysetReader(std::shared_ptr<const MysqlServers> servers, ScanRequest request, std::stop_token stop);
  Result<bool> next(RowBatch& batch) override;
  const ExportSnapshot* moment() const override { return moment_ ? &*moment_ : nullptr; }

 private:
  /// Connects if needed and sends the next statement, when the guard and the pacing let it.
  Status begin_statement();
  Status connect();
  /// A scan of one moment cannot leave its server.
  Status wait_for_lag();
  /// Waits for the guard and the turn. Leaves a server that fell behind.
  Status hold_back();
  /// The columns as they are now, checked against the spec. Fills decoder_, key_, select_ and order_.
  Status prepare();
  /// Adds rows until the batch is full or the statement ends.
  Status read_rows(RowBatch& batch);
  /// The statement has delivered all rows that it may: another one is due, or the range is read.
  Status finish_statement();
  /// The statement's columns are of the same types as those of the first one.
  Status check_shapes();
  /// Makes a failure good as far as it can be: returns the error that is to be reported, if any.
  Status recover(Error error);
  /// Names the column that a statement failed on. The scan is over.
  Error what_changed(Error error);

  std::shared_ptr<const MysqlServers> servers_;
  ScanRequest request_;
  std::stop_token stop_;
  SystemClock clock_;

  ServerGate gate_;
  PacedStatements pacing_;
  ScanRetries retries_;
  SourceServers::Use use_;

  ConnectionSlot slot_;
  std::unique_ptr<MysqlConnection> connection_;
  ServerChoice<MysqlServers> choice_;
  std::optional<ExportSnapshot> moment_;  ///< that the session reads, if it is to read one
  std::optional<MysqlRowDecoder> decoder_;
  std::optional<MysqlKey> key_;
  std::string select_;                 ///< behind the word SELECT, up to the tenant and filter conditions
  std::string order_;                  ///< ORDER BY …
  std::vector<std::uint64_t> shapes_;  ///< of the columns of the first statement; empty until it was read
  std::optional<KeyTuple> after_;      ///< all rows up to this key are decoded

  bool running_ = false;              ///< a statement was sent and not yet read to its end
  std::int64_t statement_rows_ = 0;   ///< decoded of the running statement
  std::int64_t statement_limit_ = 0;  ///< its LIMIT
  bool done_ = false;
  std::optional<Error> postponed_;  ///< of a statement sent ahead; handled by the next call
};

}  // namespace longshore
