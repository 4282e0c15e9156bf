#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/download_audit.h"
#include "model/job.h"
#include "model/principal.h"
#include "model/worker_record.h"

namespace longshore {

/// A job together with what is only known while it is looked at.
struct JobView {
  ExportJob job;
  double progress_percent = 0;                         ///< 0 to 100; never goes backwards; 100 only when succeeded
  std::chrono::milliseconds elapsed{};                 ///< since it started; stops at completion
  std::optional<std::int64_t> estimated_seconds_left;  ///< only while running
  std::optional<int> queue_position;                   ///< 1-based, only while queued
  std::vector<ColumnFidelity> fidelity;                ///< one for each column, once succeeded; else empty
};

struct CreateOutcome {
  JobView view;
  bool replayed = false;  ///< an earlier request with the same Idempotency-Key made it
};

struct JobPage {
  std::vector<JobView> jobs;    ///< newest first
  std::string next_page_token;  ///< empty on the last page
};

struct JobQuery {
  std::optional<JobState> state;
  std::string export_type;   ///< empty: any
  std::string requested_by;  ///< empty: anybody
  int page_size = 50;        ///< 1 to 200
  std::string page_token;
};

struct Estimate {
  std::int64_t rows = 0;
  bool exact = false;
  std::int64_t bytes = 0;
  std::int64_t seconds = 0;
  std::optional<std::int64_t> max_rows;  ///< how many the format can hold; none: any number
  std::optional<std::int64_t> sheets;    ///< of a workbook: how many the rows need
  std::vector<std::string> limits_hit;   ///< sentences; empty when the export would go through
};

struct DownloadLink {
  std::string url;
  std::chrono::seconds lifetime{};
};

/// Who fetches a file, for the audit.
struct ClientInfo {
  std::string ip;
  std::string user_agent;
};

/// What an API edge (REST, gRPC) asks of the jobs room. Thread-safe. Every call is bound to the principal's tenant:
/// an id of another tenant is `export_not_found`, like one that never was.
///
/// Error codes and the HTTP status that an edge makes of them: `malformed_request` 400; `permission_denied` 403;
/// `export_not_found`, `dataset_not_found` 404; `export_active`, `export_finished`, `export_not_ready`,
/// `idempotency_key_in_flight` 409; `export_expired` 410; `invalid_request` (details: one JSON pointer for each bad
/// field), `idempotency_key_reused` 422; `store_unavailable`, `source_unavailable`, `metadata_unavailable` 503.
class ExportService {
 public:
  virtual ~ExportService() = default;
  /// `body`: the request's JSON. `idempotency_key`: empty for none.
  virtual Result<CreateOutcome> create(const Principal& who, std::string_view body,
                                       const std::string& idempotency_key) = 0;
  virtual Result<Estimate> estimate(const Principal& who, std::string_view body) = 0;
  virtual Result<JobView> get(const Principal& who, const JobId& id) = 0;
  virtual Result<JobPage> list(const Principal& who, const JobQuery& query) = 0;
  virtual Result<JobView> cancel(const Principal& who, const JobId& id) = 0;
  /// Purges the artefact now; the job turns EXPIRED.
  virtual Status remove(const Principal& who, const JobId& id) = 0;
  /// `lifetime`: nullopt for the default (300 s). Writes an audit row.
  virtual Result<DownloadLink> mint_link(const Principal& who, const JobId& id,
                                         std::optional<std::chrono::seconds> lifetime, const ClientInfo& client) = 0;
  /// The manifest's JSON, exactly the stored bytes.
  virtual Result<std::string> manifest(const Principal& who, const JobId& id) = 0;
  virtual Result<std::vector<Partition>> partitions(const Principal& who, const JobId& id) = 0;
  virtual Result<std::vector<DownloadAudit>> downloads(const Principal& who, const JobId& id) = 0;
  /// The datasets this principal may export, with only the columns it may see, in catalog order.
  virtual std::vector<Dataset> datasets(const Principal& who) = 0;
  /// The workers of this installation, whichever tenant they work for. Errors: `permission_denied` without
  /// `workers.read`.
  virtual Result<std::vector<WorkerRecord>> workers(const Principal& who) = 0;
};

}  // namespace longshore
