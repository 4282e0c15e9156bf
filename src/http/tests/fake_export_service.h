#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "jobs/export_service.h"

namespace longshore::test {

inline const JobId kJob{"0192f0c4-7a3b-7c1d-8e2f-1234567890ab"};
inline const std::string kExport = "exp_0192f0c4-7a3b-7c1d-8e2f-1234567890ab";
inline const Timestamp kCreated{std::chrono::seconds{1'780'000'000}};  // 2026-05-28T20:26:40Z

inline Dataset audit_logs() {
  Dataset dataset;
  dataset.name = "audit_logs";
  dataset.time_column = "created_at";
  dataset.retention = std::chrono::hours(24 * 7);
  dataset.consistencies = {Consistency::snapshot, Consistency::best_effort};
  dataset.columns = {{.name = "id",
                      .source = "id",
                      .type = {.logical = LogicalType::int64},
                      .classification = {},
                      .permission = {},
                      .filterable = false},
                     {.name = "action",
                      .source = "action",
                      .type = {.logical = LogicalType::text},
                      .classification = {},
                      .permission = {},
                      .filterable = true},
                     {.name = "details",
                      .source = "details",
                      .type = {.logical = LogicalType::json},
                      .classification = "pii",
                      .permission = "pii.read",
                      .filterable = true}};
  return dataset;
}

inline JobView queued_view() {
  JobView view;
  view.job.id = kJob;
  view.job.tenant = TenantId("acme");
  view.job.requested_by = UserId("usr_1");
  view.job.spec.dataset = audit_logs();
  view.job.spec.columns = view.job.spec.dataset.columns;
  view.job.spec.format = "csv";
  view.job.created_at = kCreated;
  view.job.expires_at = kCreated + std::chrono::hours(24 * 7);
  view.queue_position = 3;
  return view;
}

/// Answers from `view`, or with `error` when one is set; remembers what it was asked.
class FakeExportService final : public ExportService {
 public:
  JobView view = queued_view();
  std::optional<Error> error;
  bool replayed = false;
  std::string next_page_token;

  struct Asked {
    std::string call;
    Principal who;
    std::string body;
    std::string idempotency_key;
    JobId id;
    JobQuery query;
    std::optional<std::chrono::seconds> lifetime;
    ClientInfo client;
  };
  Asked last() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

  Result<CreateOutcome> create(const Principal& who, std::string_view body, const std::string& key) override {
    Asked asked = make("create", who, {});
    asked.body = body;
    asked.idempotency_key = key;
    return answer(std::move(asked), CreateOutcome{view, replayed});
  }
  Result<Estimate> estimate(const Principal& who, std::string_view body) override {
    Asked asked = make("estimate", who, {});
    asked.body = body;
    return answer(std::move(asked), Estimate{.rows = 10,
                                             .exact = true,
                                             .bytes = 2000,
                                             .seconds = 1,
                                             .max_rows = 5,
                                             .sheets = std::nullopt,
                                             .limits_hit = {"too big"}});
  }
  Result<JobView> get(const Principal& who, const JobId& id) override { return answer(make("get", who, id), view); }
  Result<JobPage> list(const Principal& who, const JobQuery& query) override {
    Asked asked = make("list", who, {});
    asked.query = query;
    return answer(std::move(asked), JobPage{{view}, next_page_token});
  }
  Result<JobView> cancel(const Principal& who, const JobId& id) override {
    return answer(make("cancel", who, id), view);
  }
  Status remove(const Principal& who, const JobId& id) override {
    const Result<int> done = answer(make("remove", who, id), 0);
    if (!done) return fail(done.error());
    return {};
  }
  Result<DownloadLink> mint_link(const Principal& who, const JobId& id, std::optional<std::chrono::seconds> lifetime,
                                 const ClientInfo& client) override {
    Asked asked = make("mint_link", who, id);
    asked.lifetime = lifetime;
    asked.client = client;
    return answer(std::move(asked),
                  DownloadLink{"https://x.example/v1/files/k?sig=s", lifetime.value_or(std::chrono::seconds(300))});
  }
  Result<std::string> manifest(const Principal& who, const JobId& id) override {
    return answer(make("manifest", who, id), std::string("{ \"exact\": \"bytes\" }\n"));
  }
  Result<std::vector<Partition>> partitions(const Principal& who, const JobId& id) override {
    Partition partition;
    partition.range.upto = KeyTuple{"100"};
    partition.state = PartitionState::running;
    partition.worker = "w-1";
    partition.attempts = 1;
    partition.row_count = 42;
    partition.byte_count = 4200;
    partition.started_at = kCreated;
    return answer(make("partitions", who, id), std::vector{partition});
  }
  Result<std::vector<DownloadAudit>> downloads(const Principal& who, const JobId& id) override {
    const DownloadAudit audit{.id = "a1",
                              .job = id,
                              .actor = UserId("usr_1"),
                              .tenant = TenantId("acme"),
                              .client_ip = "10.0.0.1",
                              .user_agent = "curl/7.88",
                              .at = kCreated};
    return answer(make("downloads", who, id), std::vector{audit});
  }
  std::vector<Dataset> datasets(const Principal&) override { return {audit_logs()}; }
  Result<std::vector<WorkerRecord>> workers(const Principal&) override {
    const Timestamp time{std::chrono::seconds{1'780'000'000}};
    return std::vector<WorkerRecord>{{WorkerId("host-1-a"), "host-1", 4711, time, time, true, 2}};
  }

 private:
  static Asked make(std::string call, const Principal& who, JobId id) {
    Asked asked;
    asked.call = std::move(call);
    asked.who = who;
    asked.id = std::move(id);
    return asked;
  }
  template <class T>
  Result<T> answer(Asked asked, T value) {
    const std::lock_guard lock(mutex_);
    asked_ = std::move(asked);
    if (error) return fail(*error);
    return value;
  }

  mutable std::mutex mutex_;
  Asked asked_;
};

}  // namespace longshore::test
