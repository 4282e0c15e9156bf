#include "metadata/sql_store.h"

#include <fmt/format.h>

#include "base/random.h"
#include "metadata/claim_guard.h"
#include "metadata/migrate.h"
#include "metadata/records.h"

namespace longshore {
namespace {

using records::kJobColumns;

Result<std::optional<ExportJob>> find_job(sql::Transaction& transaction, const TenantId& tenant, const JobId& id) {
  static const std::string kSelect =
      fmt::format("SELECT {} FROM export_jobs WHERE id = $1 AND tenant_id = $2", kJobColumns);
  // Whoever asks with something that is no UUID asks for a job that cannot exist; databases with a uuid type would
  // fail.
  if (!is_uuid(id.str())) return std::nullopt;
  TRY(const sql::Rows rows, transaction.query(kSelect, {id, tenant}));
  if (rows.empty()) return std::nullopt;
  return records::read_job(rows[0]);
}

/// The same for a change: other transactions leave the row alone meanwhile.
Result<std::optional<JobState>> lock_state(sql::Transaction& transaction, const TenantId& tenant, const JobId& id) {
  if (!is_uuid(id.str())) return std::nullopt;
  TRY(const sql::Rows rows,
      transaction.query("SELECT status FROM export_jobs WHERE id = $1 AND tenant_id = $2 {lock}", {id, tenant}));
  if (rows.empty()) return std::nullopt;
  return parse_job_state(rows[0].text("status"));
}

Error not_found(const JobId& id) {
  return user_error("export_not_found", "there is no export " + id.str());
}

/// The job that this tenant made with this key before, if its request was the same.
Result<InsertOutcome> replay(sql::Transaction& transaction, const NewJob& request) {
  TRY(const sql::Rows rows,
      transaction.query("SELECT id, request_digest FROM export_jobs WHERE tenant_id = $1 AND idempotency_key = $2",
                        {request.job.tenant, request.idempotency_key}));
  if (rows.empty())
    return fail(internal_error("metadata_constraint", "an idempotency key vanished while it was looked up"));
  const JobId earlier(rows[0].text("id"));
  if (rows[0].text("request_digest") != request.request_digest) {
    return fail(
        user_error("idempotency_key_reused",
                   fmt::format("the Idempotency-Key was used before for a different request (export {}): use a new "
                               "key for a new request",
                               earlier.str())));
  }
  TRY(auto job, find_job(transaction, request.job.tenant, earlier));
  return InsertOutcome{*std::move(job), true};
}

}  // namespace

SqlStore::SqlStore(std::unique_ptr<sql::Database> database) : database_(std::move(database)) {}

Result<std::unique_ptr<SqlStore>> SqlStore::make(std::unique_ptr<sql::Database> database) {
  CHECK_OK(sql::check_schema(*database));
  return std::unique_ptr<SqlStore>(new SqlStore(std::move(database)));
}

Result<InsertOutcome> SqlStore::insert(const NewJob& request) {
  if (!is_uuid(request.job.id.str())) {
    return fail(internal_error("bad_job_id", "a job's id must be a UUID: " + request.job.id.str()));
  }
  return write([&](sql::Transaction& transaction) -> Result<InsertOutcome> {
    TRY(const bool inserted, records::insert_job(transaction, request));
    if (!inserted) return replay(transaction, request);
    TRY(auto job, find_job(transaction, request.job.tenant, request.job.id));
    return InsertOutcome{*std::move(job), false};
  });
}

Result<std::optional<ExportJob>> SqlStore::find(const TenantId& tenant, const JobId& id) {
  return look_up([&](sql::Transaction& transaction) { return find_job(transaction, tenant, id); });
}

Result<std::vector<ExportJob>> SqlStore::list(const JobFilter& filter) {
  std::string sql = fmt::format("SELECT {} FROM export_jobs WHERE tenant_id = $1", kJobColumns);
  std::vector<sql::Param> params{filter.tenant};
  const auto bind = [&](sql::Param value) {
    params.push_back(std::move(value));
    return "$" + std::to_string(params.size());
  };
  if (filter.state) sql += " AND status = " + bind(to_string(*filter.state));
  if (!filter.export_type.empty()) sql += " AND export_type = " + bind(filter.export_type);
  if (!filter.requested_by.empty()) sql += " AND requested_by = " + bind(filter.requested_by);
  if (filter.after) {
    const std::string created_at = "{time " + bind(filter.after->first) + "}";
    sql += " AND (created_at, id) < (" + created_at + ", " + bind(filter.after->second) + ")";
  }
  sql += " ORDER BY created_at DESC, id DESC LIMIT " + bind(filter.limit);
  return look_up([&](sql::Transaction& transaction) -> Result<std::vector<ExportJob>> {
    TRY(const sql::Rows rows, transaction.query(sql, params));
    std::vector<ExportJob> jobs;
    jobs.reserve(rows.size());
    for (const sql::Row row : rows) {
      TRY(auto job, records::read_job(row));
      jobs.push_back(std::move(job));
    }
    return jobs;
  });
}

Result<std::vector<JobId>> SqlStore::queue_head() {
  return look_up([&](sql::Transaction& transaction) -> Result<std::vector<JobId>> {
    // In the order of the partial index on queued jobs, so that it is walked from its beginning, however long it is.
    TRY(const sql::Rows rows,
        transaction.query("SELECT id FROM export_jobs WHERE status = 'QUEUED' ORDER BY created_at, id LIMIT $1",
                          {kMostQueuePosition}));
    std::vector<JobId> head;
    head.reserve(rows.size());
    for (const sql::Row row : rows) head.emplace_back(row.text("id"));
    return head;
  });
}

Result<ActiveJobs> SqlStore::count_active() {
  return look_up([&](sql::Transaction& transaction) -> Result<ActiveJobs> {
    // One count for each state, so that each finds its own partial index.
    TRY(const sql::Rows rows, transaction.query(R"(
      SELECT (SELECT count(*) FROM export_jobs WHERE status = 'QUEUED') AS queued,
             (SELECT count(*) FROM export_jobs WHERE status = 'RUNNING') AS running)",
                                                {}));
    return ActiveJobs{rows[0].integer("queued"), rows[0].integer("running")};
  });
}

Result<ExportJob> SqlStore::cancel(const TenantId& tenant, const JobId& id) {
  return write([&](sql::Transaction& transaction) -> Result<ExportJob> {
    TRY(const auto state, lock_state(transaction, tenant, id));
    if (!state) return fail(not_found(id));
    if (is_terminal(*state)) {
      return fail(user_error("export_finished", fmt::format("export {} cannot be cancelled: it is {} already", id.str(),
                                                            to_string(*state))));
    }
    CHECK_OK(claims::end_job(transaction, id, JobState::cancelled));
    TRY(auto job, find_job(transaction, tenant, id));
    return *std::move(job);
  });
}

Status SqlStore::expire(const TenantId& tenant, const JobId& id) {
  return write([&](sql::Transaction& transaction) -> Status {
    TRY(const auto state, lock_state(transaction, tenant, id));
    if (!state) return fail(not_found(id));
    if (!is_terminal(*state)) {
      return fail(
          user_error("export_active", fmt::format("export {} is {}: cancel it first", id.str(), to_string(*state))));
    }
    if (*state != JobState::succeeded) return {};
    // Cleaning that is under way began with a file that was still to be kept, so it must not be the one that ends with
    // `mark_clean`: the epoch rises and cleaning is due anew.
    CHECK_OK(transaction.execute(R"(
      UPDATE export_jobs SET status = 'EXPIRED', expires_at = {now}, needs_cleaning = 1, cleaning_attempts = 0,
        not_before = {now}, worker_id = NULL, claimed_for = NULL, epoch = epoch + 1
      WHERE id = $1)",
                                 {id}));
    return {};
  });
}

Result<std::vector<Partition>> SqlStore::partitions(const JobId& id) {
  if (!is_uuid(id.str())) return std::vector<Partition>();
  static const std::string kSelect = fmt::format(
      "SELECT {} FROM export_job_partitions WHERE job_id = $1 ORDER BY partition_index", records::kPartitionColumns);
  return look_up([&](sql::Transaction& transaction) -> Result<std::vector<Partition>> {
    TRY(const sql::Rows rows, transaction.query(kSelect, {id}));
    std::vector<Partition> partitions;
    partitions.reserve(rows.size());
    for (const sql::Row row : rows) {
      TRY(auto partition, records::read_partition(row));
      partitions.push_back(std::move(partition));
    }
    return partitions;
  });
}

Result<std::vector<Part>> SqlStore::parts(const JobId& id, int partition) {
  if (!is_uuid(id.str())) return std::vector<Part>();
  return look_up([&](sql::Transaction& transaction) { return records::read_parts(transaction, id, partition); });
}

Status SqlStore::add_download(const DownloadAudit& audit) {
  return write([&](sql::Transaction& transaction) -> Status {
    TRY(const auto state, lock_state(transaction, audit.tenant, audit.job));
    if (!state) return fail(not_found(audit.job));
    TRY(const Timestamp now, records::read_now(transaction));
    CHECK_OK(transaction.execute(R"(
      INSERT INTO export_download_audits (id, export_id, actor_id, tenant_id, client_ip, user_agent, downloaded_at)
      VALUES ($1, $2, $3, $4, $5, $6, {time $7}))",
                                 {audit.id.empty() ? uuid_v7(now) : audit.id, audit.job, audit.actor, audit.tenant,
                                  audit.client_ip, sql::null_if_empty(records::readable(audit.user_agent)), now}));
    return {};
  });
}

Result<std::vector<DownloadAudit>> SqlStore::downloads(const JobId& id) {
  if (!is_uuid(id.str())) return std::vector<DownloadAudit>();
  return look_up([&](sql::Transaction& transaction) -> Result<std::vector<DownloadAudit>> {
    TRY(const sql::Rows rows, transaction.query(R"(
      SELECT id, export_id, actor_id, tenant_id, client_ip, user_agent, {micros downloaded_at} AS at
      FROM export_download_audits WHERE export_id = $1 ORDER BY downloaded_at DESC, id DESC)",
                                                {id}));
    std::vector<DownloadAudit> audits;
    audits.reserve(rows.size());
    for (const sql::Row row : rows) {
      audits.push_back({.id = row.text("id"),
                        .job = JobId(row.text("export_id")),
                        .actor = UserId(row.text("actor_id")),
                        .tenant = TenantId(row.text("tenant_id")),
                        .client_ip = row.text("client_ip"),
                        .user_agent = row.text("user_agent"),
                        .at = row.time("at")});
    }
    return audits;
  });
}

Result<Timestamp> SqlStore::now() {
  return look_up([](sql::Transaction& transaction) { return records::read_now(transaction); });
}

}  // namespace longshore
