#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/relation_info.h"
#include "scan/postgres/servers.h"
#include "scan/row_source.h"
#include "scan/staging_area.h"

namespace longshore {

/// Copies as tables of the source's staging schema. One transaction makes a copy, its primary key and its mark
/// (copy_mark.h), so that a crash leaves a whole one or none; REPEATABLE READ, so that it is of one moment, whose
/// position is known. Thread-safe.
///
/// They are logged tables: an unlogged one is emptied by the server's recovery, and readers that come back after a
/// crash would find no rows where there were some. The price is that the copy goes through the write-ahead log, and so
/// to all standbys.
class PostgresStaging final : public StagingArea {
 public:
  /// `source` has a staging. The area has the source's budget, and servers, gate and pacing of its own. Errors:
  /// `bad_source`.
  static Result<std::unique_ptr<PostgresStaging>> make(const Source& source, std::shared_ptr<ConnectionBudget> budget);

  Result<std::unique_ptr<StagedCopy>> make_copy(const ExportSpec& spec, const CopyName& name, PressureNote* pressure,
                                                std::stop_token stop) override;
  Result<std::vector<CopyName>> copies(const std::string& deployment, std::stop_token stop) override;
  Status drop_copy(const CopyName& name, std::stop_token stop) override;

  /// Reads `request.copy`.
  Result<std::unique_ptr<RowSource>> open_scan(ScanRequest request, std::stop_token stop);
  /// As SchemaInspector::staging_faults().
  Result<std::vector<ReadingHint>> faults(const Dataset& dataset);
  SourceHealth health() const { return servers_->health(); }

 private:
  explicit PostgresStaging(std::shared_ptr<const PostgresServers> servers) : servers_(std::move(servers)) {}

  const Staging& settings() const { return *servers_->source().staging; }
  std::string relation_of(const CopyName& name) const;

  std::shared_ptr<const PostgresServers> servers_;
};

/// The question that has the same answer from the copy as `spec` has from the relation: tenant and filters are in the
/// copy already.
ExportSpec ask_copy(const ExportSpec& spec, const ExportSnapshot& copy);

}  // namespace longshore
