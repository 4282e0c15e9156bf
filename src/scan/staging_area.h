#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/export_spec.h"
#include "model/job.h"
#include "scan/pressure/pressure_note.h"
#include "scan/row_source.h"

namespace longshore {

/// Whose copy it is. Everything that tells copies apart is in it, so whoever finds one knows what to do with it.
struct CopyName {
  std::string deployment;  ///< SnapshotStore::deployment()
  JobId job;
  int attempt = 0;  ///< how many copies of this export were lost before it

  bool operator==(const CopyName&) const = default;
};

/// A table that holds what an export selects, as it was at one moment, and that can be planned by. Not thread-safe.
/// Keeps a connection; the table stays when it goes.
class StagedCopy : public PlanningView {
 public:
  /// Its `id` is the table's name, `schema.table`.
  virtual const ExportSnapshot& what() const = 0;
};

/// Where the rows of materialized exports are copied to. Thread-safe. Errors as RowSource::next, unless said otherwise.
class StagingArea {
 public:
  virtual ~StagingArea() = default;
  /// Makes the copy of this name, or finds that it is there: whoever repeats the call after a crash gets the same one.
  /// It appears whole or not at all, and then is one moment of the relation. Sessions that are still making it are
  /// ended: the caller has a better right to. `pressure` is told what is waited for, in this call only. Errors besides:
  /// `copy_refused` (too many rows; final), `copy_timeout` (Staging::timeout; final).
  virtual Result<std::unique_ptr<StagedCopy>> make_copy(const ExportSpec& spec, const CopyName& name,
                                                        PressureNote* pressure, std::stop_token stop) = 0;
  /// All copies of this deployment that are there; none of another's, whatever their names.
  virtual Result<std::vector<CopyName>> copies(const std::string& deployment, std::stop_token stop) = 0;
  /// Drops a copy, if it is there. Waits some seconds for those who read it, then fails (retriable).
  virtual Status drop_copy(const CopyName& name, std::stop_token stop) = 0;
};

}  // namespace longshore
