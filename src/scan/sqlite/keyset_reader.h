#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "scan/connection_slots.h"
#include "scan/pressure/paced_statements.h"
#include "scan/row_source.h"
#include "scan/sqlite/connection.h"
#include "scan/sqlite/keyset_query.h"

namespace longshore {

/// Reads one key range of a SQLite file by statements of at most `Source::batch_rows` rows, so that no read transaction
/// is older than one of them and the file's writers can go on checkpointing; a scan of one moment is a single read
/// transaction. Opens the file on the first next().
class SqliteKeysetReader final : public RowSource {
 public:
  SqliteKeysetReader(Source source, std::shared_ptr<ConnectionSlots> slots, std::shared_ptr<Pacer> pacer,
                     ScanRequest request, std::stop_token stop);
  Result<bool> next(RowBatch& batch) override;
  const ExportSnapshot* moment() const override { return moment_ ? &*moment_ : nullptr; }

 private:
  Status open();
  /// Begins the transaction of a scan of one moment.
  Status begin_moment();
  /// Prepares and binds the statement behind after_.
  Status begin_statement();
  Status read_rows(RowBatch& batch);
  Status append_row(RowBatch& batch);
  /// Waits a little after an error that may pass; returns it when it stays.
  Status recover(Error error);

  Source source_;
  std::shared_ptr<ConnectionSlots> slots_;
  std::shared_ptr<Pacer> pacer_;
  ScanRequest request_;
  std::stop_token stop_;
  SystemClock clock_;
  PacedStatements pacing_;

  ConnectionSlots::Slot slot_;
  std::unique_ptr<SqliteConnection> connection_;
  std::optional<ExportSnapshot> moment_;  ///< that the connection reads, if it is to read one
  std::optional<SqliteKey> key_;
  SqliteCondition selection_;
  std::string select_;
  std::optional<SqliteStatement> statement_;  ///< the running one; gone before connection_ is
  std::optional<KeyTuple> after_;
  std::int64_t limit_;
  std::int64_t statement_rows_ = 0;
  int failures_ = 0;
  bool done_;
};

}  // namespace longshore
