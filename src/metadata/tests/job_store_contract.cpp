#include "metadata/tests/job_store_contract.h"

namespace longshore {

NewJob JobStoreContract::new_job(const std::string& tenant, const std::string& key, const std::string& digest) {
  NewJob request;
  ExportJob& job = request.job;
  job.id = new_id();
  job.tenant = TenantId(tenant);
  job.requested_by = UserId("usr_1");
  job.spec.dataset.name = "audit_logs";
  job.spec.dataset.source = "app";
  job.spec.dataset.relation = "public.audit_logs";
  job.spec.dataset.tenant_column = "tenant_id";
  job.spec.dataset.key = {"id"};
  job.spec.dataset.key_types = {DataType{LogicalType::int64}};
  job.spec.columns = {{"id", "id", {LogicalType::int64}, "", "", false},
                      {"createdAt", "created_at", {LogicalType::timestamptz}, "pii", "", false}};
  job.spec.filters = {Filter{.column = "status", .op = FilterOp::eq, .values = {Value{{LogicalType::int32}, "200"}}}};
  job.spec.format = "csv";
  job.spec.tenant = tenant;
  job.spec.title = "Größe \"1\"";
  job.object_key = tenant + "/exports/2026/06/" + job.id.str() + ".csv";
  request.idempotency_key = key;
  request.request_digest = digest;
  request.retention = std::chrono::hours{24 * 7};
  return request;
}

ExportJob JobStoreContract::insert(const std::string& tenant) {
  auto outcome = jobs_->insert(new_job(tenant));
  EXPECT_THAT(outcome, Succeeded());
  // So that the order of creation is the order of time.
  advance(std::chrono::milliseconds{1});
  return outcome ? outcome->job : ExportJob{};
}

WorkerId JobStoreContract::register_worker(const std::string& name) {
  const WorkerId id(name);
  EXPECT_THAT(queue_->register_worker(id, "host-1", 4711), Succeeded());
  return id;
}

std::vector<Partition> JobStoreContract::make_partitions(int count) {
  std::vector<Partition> partitions;
  for (int i = 0; i < count; ++i) {
    Partition partition;
    partition.index = i;
    if (i > 0) partition.range.after = KeyTuple{std::to_string(i * 1000)};
    partition.range.upto = KeyTuple{std::to_string((i + 1) * 1000)};
    partition.base_part_number = 1 + i * 10;
    partition.part_slots = 10;
    partitions.push_back(partition);
  }
  return partitions;
}

Part JobStoreContract::make_part(int sequence, std::int64_t rows, std::int64_t bytes) {
  Part part;
  part.sequence = sequence;
  part.number = sequence == 0 ? 0 : 1 + sequence;
  part.etag = "\"etag-" + std::to_string(sequence) + "\"";
  part.bytes = bytes;
  part.sha256 = std::string(64, 'a');
  part.crc32c = 0xFFFFFFFFU - static_cast<std::uint32_t>(sequence);
  part.last_key = {"key \"" + std::to_string(sequence) + "\"", "zwölf"};
  part.summary.rows = rows;
  part.summary.raw_bytes = bytes * 3;
  part.summary.fidelity = {{.guarded = 1}, {.truncated = 2}};
  part.summary.detail = std::string("\0row group\xff", 11);
  return part;
}

bool JobStoreContract::idle(const WorkerId& worker) {
  auto work = queue_->claim_next(worker);
  EXPECT_THAT(work, Succeeded());
  return work && !work->has_value();
}

ExportJob JobStoreContract::planned(const std::string& tenant, const WorkerId& worker, int partitions) {
  const ExportJob job = insert(tenant);
  const auto plan = claim_of<PlanWork>(job, worker);
  EXPECT_THAT(queue_->save_upload(plan.claim, "upload-1"), Succeeded());
  EXPECT_THAT(queue_->save_plan(plan.claim, make_partitions(partitions), 8 << 20, 12345), Succeeded());
  return find(job);
}

ExportJob JobStoreContract::assembling(const std::string& tenant, const WorkerId& worker) {
  const ExportJob job = planned(tenant, worker, 1);
  const auto work = claim_of<PartitionWork>(job, worker);
  EXPECT_THAT(queue_->checkpoint(work.claim, make_part(0)), Succeeded());
  EXPECT_THAT(queue_->complete_partition(work.claim, 100, 1000), Succeeded());
  return find(job);
}

ExportJob JobStoreContract::succeeded(const std::string& tenant, const WorkerId& worker) {
  const ExportJob job = assembling(tenant, worker);
  const auto work = claim_of<AssembleWork>(job, worker);
  EXPECT_THAT(queue_->publish(work.claim, {.rows = 100, .bytes = 1010}), Succeeded());
  return find(job);
}

ExportJob JobStoreContract::find(const ExportJob& job) {
  auto found = jobs_->find(job.tenant, job.id);
  EXPECT_THAT(found, Succeeded());
  if (!found || !*found) {
    ADD_FAILURE() << "no job " << job.id;
    return {};
  }
  return **std::move(found);
}

Partition JobStoreContract::partition(const ExportJob& job, int index) {
  auto partitions = jobs_->partitions(job.id);
  EXPECT_THAT(partitions, Succeeded());
  if (!partitions || static_cast<int>(partitions->size()) <= index) {
    ADD_FAILURE() << "no partition " << index;
    return {};
  }
  return (*partitions)[static_cast<std::size_t>(index)];
}

namespace {

JobFilter all_of(const std::string& tenant) {
  JobFilter filter;
  filter.tenant = TenantId(tenant);
  return filter;
}

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_P(JobStoreContract, InsertKeepsTheRequestAndTakesTimesFromTheDatabase) {
  const NewJob request = new_job("acme");
  const auto now = jobs_->now();
  ASSERT_THAT(now, Succeeded());
  const auto outcome = jobs_->insert(request);
  ASSERT_THAT(outcome, Succeeded());
  EXPECT_FALSE(outcome->replayed);
  const ExportJob job = find(request.job);
  EXPECT_EQ(job.id, request.job.id);
  EXPECT_EQ(job.requested_by, request.job.requested_by);
  EXPECT_EQ(job.state, JobState::queued);
  EXPECT_EQ(job.object_key, request.job.object_key);
  EXPECT_EQ(to_json(job.spec), to_json(request.job.spec));
  EXPECT_EQ(job.created_at, *now);
  EXPECT_EQ(job.expires_at, *now + request.retention);
  EXPECT_EQ(job.started_at, std::nullopt);
  EXPECT_EQ(job.completed_at, std::nullopt);
  EXPECT_EQ(job.row_count, 0);
  EXPECT_EQ(job.error_code, "");
}

TEST_P(JobStoreContract, AnotherTenantsJobIsNoJob) {
  const ExportJob job = insert("acme");
  const auto found = jobs_->find(TenantId("globex"), job.id);
  ASSERT_THAT(found, Succeeded());
  EXPECT_EQ(*found, std::nullopt);
  EXPECT_THAT(jobs_->cancel(TenantId("globex"), job.id), FailedWith("export_not_found"));
  EXPECT_THAT(jobs_->expire(TenantId("globex"), job.id), FailedWith("export_not_found"));
  DownloadAudit audit;
  audit.job = job.id;
  audit.tenant = TenantId("globex");
  EXPECT_THAT(jobs_->add_download(audit), FailedWith("export_not_found"));
}

TEST_P(JobStoreContract, AnIdThatIsNoUuidIsNoJob) {
  for (const char* id : {"", "1", "'; DROP TABLE export_jobs; --", "0192f0c4-0000-7000-8000-00000000000G"}) {
    const auto found = jobs_->find(TenantId("acme"), JobId(id));
    ASSERT_THAT(found, Succeeded());
    EXPECT_EQ(*found, std::nullopt);
    EXPECT_THAT(jobs_->cancel(TenantId("acme"), JobId(id)), FailedWith("export_not_found"));
    EXPECT_THAT(*queue_->active_among({JobId(id)}), IsEmpty());
  }
}

TEST_P(JobStoreContract, TheSameKeyAndRequestIsReplayed) {
  const auto first = jobs_->insert(new_job("acme", "key-1"));
  ASSERT_THAT(first, Succeeded());
  const auto second = jobs_->insert(new_job("acme", "key-1"));
  ASSERT_THAT(second, Succeeded());
  EXPECT_TRUE(second->replayed);
  EXPECT_EQ(second->job.id, first->job.id);
  EXPECT_EQ(jobs_->list(all_of("acme"))->size(), 1U);
}

TEST_P(JobStoreContract, TheSameKeyWithAnotherRequestIsRefused) {
  const auto first = jobs_->insert(new_job("acme", "key-1"));
  ASSERT_THAT(first, Succeeded());
  const auto second = jobs_->insert(new_job("acme", "key-1", "another digest"));
  ASSERT_THAT(second, FailedWith("idempotency_key_reused"));
  EXPECT_EQ(second.error().source, ErrorSource::user);
  EXPECT_THAT(second.error().message, HasSubstr(first->job.id.str()));
}

TEST_P(JobStoreContract, KeysBelongToTheirTenantAndNoKeyNeverCollides) {
  ASSERT_THAT(jobs_->insert(new_job("acme", "key-1")), Succeeded());
  const auto other = jobs_->insert(new_job("globex", "key-1", "another digest"));
  ASSERT_THAT(other, Succeeded());
  EXPECT_FALSE(other->replayed);
  EXPECT_FALSE(jobs_->insert(new_job("acme"))->replayed);
  EXPECT_FALSE(jobs_->insert(new_job("acme"))->replayed);
}

TEST_P(JobStoreContract, AKeyOutlivesItsExport) {
  const auto first = jobs_->insert(new_job("acme", "key-1"));
  ASSERT_THAT(first, Succeeded());
  ASSERT_THAT(jobs_->cancel(TenantId("acme"), first->job.id), Succeeded());
  advance(std::chrono::hours{24 * 365});
  const auto second = jobs_->insert(new_job("acme", "key-1"));
  ASSERT_THAT(second, Succeeded());
  EXPECT_TRUE(second->replayed);
  EXPECT_EQ(second->job.state, JobState::cancelled);
}

TEST_P(JobStoreContract, ListIsNewestFirstInPages) {
  std::vector<JobId> ids;
  for (int i = 0; i < 7; ++i) ids.insert(ids.begin(), insert("acme").id);
  insert("globex");
  JobFilter filter = all_of("acme");
  filter.limit = 3;
  std::vector<JobId> seen;
  while (true) {
    const auto page = jobs_->list(filter);
    ASSERT_THAT(page, Succeeded());
    if (page->empty()) break;
    for (const ExportJob& job : *page) seen.push_back(job.id);
    filter.after = std::pair(page->back().created_at, page->back().id);
  }
  EXPECT_EQ(seen, ids);
}

TEST_P(JobStoreContract, PagesHoldJobsOfTheSameInstantOnce) {
  for (int i = 0; i < 5; ++i) ASSERT_THAT(jobs_->insert(new_job("acme")), Succeeded());  // the clock stands still
  JobFilter filter = all_of("acme");
  filter.limit = 2;
  std::set<JobId> seen;
  for (int page_number = 0; page_number < 3; ++page_number) {
    const auto page = jobs_->list(filter);
    ASSERT_THAT(page, Succeeded());
    for (const ExportJob& job : *page) EXPECT_TRUE(seen.insert(job.id).second);
    filter.after = std::pair(page->back().created_at, page->back().id);
  }
  EXPECT_EQ(seen.size(), 5U);
}

TEST_P(JobStoreContract, ListFilters) {
  const ExportJob cancelled = insert("acme");
  ASSERT_THAT(jobs_->cancel(cancelled.tenant, cancelled.id), Succeeded());
  NewJob other = new_job("acme");
  other.job.requested_by = UserId("usr_2");
  other.job.spec.dataset.name = "orders";
  ASSERT_THAT(jobs_->insert(other), Succeeded());
  const auto ids = [&](const std::function<void(JobFilter&)>& narrow) {
    JobFilter filter = all_of("acme");
    narrow(filter);
    std::vector<JobId> found;
    const auto listed = jobs_->list(filter);
    EXPECT_THAT(listed, Succeeded());
    for (const ExportJob& job : *listed) found.push_back(job.id);
    return found;
  };
  EXPECT_THAT(ids([](JobFilter& filter) { filter.state = JobState::cancelled; }), ElementsAre(cancelled.id));
  EXPECT_THAT(ids([](JobFilter& filter) { filter.export_type = "orders"; }), ElementsAre(other.job.id));
  EXPECT_THAT(ids([](JobFilter& filter) { filter.requested_by = "usr_2"; }), ElementsAre(other.job.id));
  EXPECT_THAT(ids([](JobFilter& filter) {
                filter.state = JobState::queued;
                filter.export_type = "audit_logs";
              }),
              IsEmpty());
  EXPECT_THAT(ids([](JobFilter&) {}), ElementsAre(other.job.id, cancelled.id));
}

TEST_P(JobStoreContract, TheHeadOfTheQueueIsOfAllTenants) {
  const ExportJob first = insert("acme");
  const ExportJob second = insert("globex");
  const ExportJob third = insert("acme");
  EXPECT_THAT(*jobs_->queue_head(), ElementsAre(first.id, second.id, third.id));
  ASSERT_THAT(jobs_->cancel(first.tenant, first.id), Succeeded());
  EXPECT_THAT(*jobs_->queue_head(), ElementsAre(second.id, third.id));
  for (int i = 2; i < kMostQueuePosition; ++i) insert("acme");
  const ExportJob beyond = insert("acme");
  const std::vector<JobId> head = *jobs_->queue_head();
  EXPECT_EQ(std::ssize(head), kMostQueuePosition);
  EXPECT_EQ(std::count(head.begin(), head.end(), beyond.id), 0);
}

TEST_P(JobStoreContract, ActiveJobsOfAllTenantsAreCounted) {
  insert("acme");
  const ExportJob cancelled = insert("acme");
  insert("globex");
  ASSERT_THAT(jobs_->cancel(cancelled.tenant, cancelled.id), Succeeded());
  EXPECT_EQ(jobs_->count_active()->queued, 2);
  EXPECT_EQ(jobs_->count_active()->running, 0);
  const WorkerId worker("counting-worker");
  ASSERT_THAT(queue_->register_worker(worker, "test", 1), Succeeded());
  ASSERT_THAT(queue_->claim_next(worker), Succeeded());
  EXPECT_EQ(jobs_->count_active()->queued, 1);
  EXPECT_EQ(jobs_->count_active()->running, 1);
}

TEST_P(JobStoreContract, DownloadsAreAudited) {
  const ExportJob job = insert("acme");
  const auto first_at = *jobs_->now();
  DownloadAudit audit{.id = uuid_v7(first_at),
                      .job = job.id,
                      .actor = UserId("usr_1"),
                      .tenant = job.tenant,
                      .client_ip = "2001:0db8:85a3:0000:0000:8a2e:0370:7334",
                      .user_agent = "curl/7.88 \"quoted\"",
                      .at = {}};
  ASSERT_THAT(jobs_->add_download(audit), Succeeded());
  advance(std::chrono::seconds{5});
  audit.id.clear();
  audit.user_agent.clear();
  ASSERT_THAT(jobs_->add_download(audit), Succeeded());
  const auto audits = jobs_->downloads(job.id);
  ASSERT_THAT(audits, Succeeded());
  ASSERT_EQ(audits->size(), 2U);
  EXPECT_EQ((*audits)[0].at, first_at + std::chrono::seconds{5});
  EXPECT_TRUE(is_uuid((*audits)[0].id));
  EXPECT_EQ((*audits)[0].user_agent, "");
  EXPECT_EQ((*audits)[1].at, first_at);
  EXPECT_EQ((*audits)[1].user_agent, "curl/7.88 \"quoted\"");
  EXPECT_EQ((*audits)[1].client_ip, audit.client_ip);
  EXPECT_EQ((*audits)[1].actor, audit.actor);
}

TEST_P(JobStoreContract, OfManyIdsTheActiveOnesAreKnown) {
  const WorkerId worker = register_worker("w1");
  const ExportJob done = succeeded("acme", worker);
  const ExportJob running = planned("acme", worker, 1);
  const ExportJob queued = insert("acme");
  const auto active = queue_->active_among({done.id, running.id, queued.id, new_id(), JobId("no uuid")});
  ASSERT_THAT(active, Succeeded());
  EXPECT_THAT(*active, testing::UnorderedElementsAre(running.id, queued.id));
  EXPECT_THAT(*queue_->active_among({}), IsEmpty());
}

}  // namespace
}  // namespace longshore
