#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "model/dataset.h"
#include "scan/pressure/retry_budget.h"

namespace longshore {

/// What a scan does about failures that pass. After a timeout its statements ask for fewer rows, and grow again slowly;
/// after a lost connection it tries the source's servers in turn, with pauses that grow from round to round, until too
/// many failures have come in a row or its budget is used up. Not thread-safe.
class ScanRetries {
 public:
  ScanRetries(const Source& source, std::size_t servers);

  /// How many rows the next statement asks for.
  std::int64_t limit() const { return limit_; }
  /// A row came: what failed before is over.
  void row_came() { failures_ = timeouts_ = 0; }
  /// A statement delivered all the rows that it was to.
  void statement_ended_well();
  /// The next statements are smaller: the last one stood in somebody's way.
  void make_smaller();
  /// A statement took longer than the server allows. Errors: `source_timeout`, when smaller ones do, too.
  Status timed_out(const Error& error);
  /// A session was lost, or could not be had: how long to wait before another is tried. Errors: `error` when there have
  /// been enough of them, or `refused` (why the primary may not serve) if that is given.
  Result<Duration> session_lost(Error error, const std::optional<Error>& refused);

 private:
  const std::string source_;
  const std::size_t servers_;
  const std::int64_t full_limit_;
  std::int64_t limit_;
  int good_statements_ = 0;  ///< since limit_ was changed
  int failures_ = 0;         ///< in a row, without a row in between
  int timeouts_ = 0;         ///< the same, of statements at the smallest LIMIT
  RetryBudget budget_;
};

}  // namespace longshore
