#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "catalog/catalog.h"
#include "dispatch/work_signal.h"
#include "encode/encoder.h"
#include "jobs/export_service.h"
#include "jobs/queue_positions.h"
#include "metadata/job_store.h"
#include "scan/source_table.h"
#include "storage/object_store.h"
#include "telemetry/metrics.h"

namespace longshore {

/// What the coordinator stands on. References outlive it; everything behind them is thread-safe.
struct CoordinatorRooms {
  const Catalog& catalog;
  const FormatTable& formats;
  const SourceTable& sources;
  JobStore& jobs;
  ObjectStore& store;
  LinkSigner& links;
  WorkSignal& signal;
  Metrics& metrics;
};

struct LinkPolicy {
  std::chrono::seconds lifetime{300};
  std::chrono::seconds lifetime_max{24 * 3600};
};

/// The ExportService: validates, records, and tells workers. It never touches the rows of an export.
class ExportCoordinator final : public ExportService {
 public:
  ExportCoordinator(const CoordinatorRooms& rooms, LinkPolicy links) : rooms_(rooms), links_(links) {}

  Result<CreateOutcome> create(const Principal& who, std::string_view body,
                               const std::string& idempotency_key) override;
  Result<Estimate> estimate(const Principal& who, std::string_view body) override;
  Result<JobView> get(const Principal& who, const JobId& id) override;
  Result<JobPage> list(const Principal& who, const JobQuery& query) override;
  Result<JobView> cancel(const Principal& who, const JobId& id) override;
  Status remove(const Principal& who, const JobId& id) override;
  Result<DownloadLink> mint_link(const Principal& who, const JobId& id, std::optional<std::chrono::seconds> lifetime,
                                 const ClientInfo& client) override;
  Result<std::string> manifest(const Principal& who, const JobId& id) override;
  Result<std::vector<Partition>> partitions(const Principal& who, const JobId& id) override;
  Result<std::vector<DownloadAudit>> downloads(const Principal& who, const JobId& id) override;
  std::vector<Dataset> datasets(const Principal& who) override;
  Result<std::vector<WorkerRecord>> workers(const Principal& who) override;

 private:
  Result<ExportSpec> validate(const Principal& who, std::string_view body) const;
  Result<ExportJob> find(const Principal& who, const JobId& id);
  Result<JobView> view_of(ExportJob job);
  Result<std::string> read_manifest(const ExportJob& job);
  Result<std::vector<ColumnFidelity>> fidelity_of(const ExportJob& job);
  Result<double> rows_per_second(const Principal& who, const ExportSpec& spec);

  const CoordinatorRooms rooms_;
  const LinkPolicy links_;

  QueuePositions queue_{rooms_.jobs};
  std::mutex fidelity_mutex_;
  std::unordered_map<JobId, std::vector<ColumnFidelity>> fidelity_;  ///< of succeeded jobs; they never change
};

/// 0 to 100: how far the rows seen are of the rows expected; below 100 until the job has succeeded.
double progress_percent(const ExportJob& job);
/// `tenant/exports/yyyy/mm/uuid.ext`; characters of the tenant that an object key cannot hold are written `=XX`, and a
/// tenant that would take more than 200 bytes so is written `==` + the beginning of its SHA-256.
std::string artefact_key(const TenantId& tenant, const JobId& job, Timestamp now, const std::string& extension);
/// What the browser saves the file as: the title, or dataset and date; then the extension.
std::string download_file_name(const ExportJob& job, const std::string& extension);

}  // namespace longshore
