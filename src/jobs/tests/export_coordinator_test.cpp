#include "jobs/export_coordinator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <utility>

#include "assemble/manifest.h"
#include "base/digest.h"
#include "base/random.h"
#include "encode/csv/csv_format.h"
#include "jobs/page_token.h"
#include "jobs/request_digest.h"
#include "metadata/tests/temporary_store.h"
#include "storage/memory/memory_store.h"
#include "storage/object_key.h"

namespace longshore {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

constexpr const char* kCatalog = R"(
sources:
  app: { driver: sqlite, path: app.db }
datasets:
  items:
    source: app
    relation: items
    tenant_column: tenant_id
    key: [id]
    permission: exports.items
    retention: 2h
    columns:
      id: { type: int64 }
      email: { type: text, permission: pii.read }
    filters: [id]
)";

constexpr const char* kBody = R"({"exportType":"items","format":"csv","columns":["id"]})";

/// A source that knows only its size.
class SizedSource final : public SourceDatabase {
 public:
  Result<RelationInfo> describe(const std::string&) override { return RelationInfo{}; }
  Result<std::vector<std::string>> list_relations() override { return std::vector<std::string>{}; }
  Status ping() override { return {}; }
  Result<ScanEstimate> estimate(const ExportSpec&, std::stop_token) override {
    return ScanEstimate{250'000, false, 40};
  }
  Result<PartitionPlan> plan_partitions(const ExportSpec&, const PartitionRequest&, std::stop_token) override {
    return PartitionPlan{};
  }
  Result<std::unique_ptr<RowSource>> open_scan(ScanRequest, std::stop_token) override {
    return fail(internal_error("unused", "the coordinator never reads rows"));
  }
};

class PlainLinks final : public LinkSigner {
 public:
  Result<std::string> sign(const std::string& key, const LinkOptions& options) override {
    return "https://files/" + key + "?name=" + options.file_name + "&for=" + std::to_string(options.lifetime.count());
  }
};

class CoordinatorTest : public testing::Test {
 protected:
  void SetUp() override {
    formats_.add(std::make_unique<CsvFormat>());
    sources_.add("app", std::make_unique<SizedSource>());
    auto catalog = Catalog::parse(kCatalog, "catalog.yaml");
    ASSERT_TRUE(catalog) << catalog.error().message;
    catalog_ = *std::move(catalog);
    rooms_.emplace(CoordinatorRooms{catalog_, formats_, sources_, *metadata_, store_, links_, signal_, metrics_});
    service_ = std::make_unique<ExportCoordinator>(*rooms_, LinkPolicy{});
  }

  static Principal caller(const std::string& tenant, const std::string& user, std::set<std::string> permissions) {
    return {TenantId(tenant), UserId(user), {}, std::move(permissions)};
  }
  JobId create(const std::string& key = "") {
    const auto created = service_->create(ann_, kBody, key);
    EXPECT_TRUE(created) << created.error().message;
    clock_.advance(seconds{1});
    return created->view.job.id;
  }
  /// Plays the worker of a job with one partition of 5 rows.
  void finish(const JobId& id) {
    const WorkerId worker("test-worker");
    ASSERT_TRUE(metadata_->register_worker(worker, "test", 1));
    auto claimed = metadata_->claim_next(worker);
    ASSERT_TRUE(claimed && *claimed);
    const auto& plan = std::get<PlanWork>(**claimed);
    ASSERT_EQ(plan.job.id, id);
    Partition only;
    only.range.upto = KeyTuple{"5"};
    ASSERT_TRUE(metadata_->save_plan(plan.claim, {only}, 8 << 20, 5));
    claimed = metadata_->claim_next(worker);
    ASSERT_TRUE(claimed && *claimed);
    const auto& partition = std::get<PartitionWork>(**claimed);
    clock_.advance(seconds{10});
    AssembledFile file;
    file.fidelity.resize(partition.job.spec.columns.size());
    file.fidelity[0].guarded = 3;
    const auto manifest = make_manifest(partition.job, {}, file, "app", clock_.now(), *ManifestKey::generate());
    ASSERT_TRUE(manifest);
    ASSERT_TRUE(store_.put(partition.job.object_key, "id\r\n1\r\n", {}));
    ASSERT_TRUE(store_.put(manifest_object_key(partition.job.object_key), *manifest, {}));
    ASSERT_TRUE(metadata_->complete_and_publish(partition.claim, 5, {5, 7}));
  }

  ManualClock clock_;
  InProcessSignal signal_;
  Metrics metrics_;
  FormatTable formats_;
  SourceTable sources_;
  MemoryStore store_;
  PlainLinks links_;
  Catalog catalog_;
  TemporaryStore metadata_{clock_};
  std::optional<CoordinatorRooms> rooms_;
  std::unique_ptr<ExportCoordinator> service_;
  const Principal ann_ = caller("acme", "ann", {"*"});
  const Principal clerk_ = caller("acme", "bob", {"exports.items"});
  const Principal stranger_ = caller("globex", "gil", {"*"});
};

TEST_F(CoordinatorTest, CreatesAQueuedJobOfTheCaller) {
  const auto created = service_->create(ann_, kBody, "key-1");
  ASSERT_TRUE(created) << created.error().message;
  const ExportJob& job = created->view.job;
  EXPECT_FALSE(created->replayed);
  EXPECT_EQ(job.state, JobState::queued);
  EXPECT_EQ(job.tenant.str(), "acme");
  EXPECT_EQ(job.requested_by.str(), "ann");
  EXPECT_THAT(job.object_key, testing::MatchesRegex("acme/exports/[0-9]{4}/[0-9]{2}/" + job.id.str() + "\\.csv"));
  EXPECT_EQ(job.spec.requested_at, job.created_at) << "what files say of when they were made";
  EXPECT_EQ(created->view.queue_position, 1);
  EXPECT_EQ(created->view.progress_percent, 0);
}

TEST_F(CoordinatorTest, AKeyReplaysTheSameRequestAndRefusesAnother) {
  const JobId first = create("key-1");
  const auto again = service_->create(ann_, R"({ "columns":["id"], "format":"csv", "exportType":"items" })", "key-1");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_TRUE(again->replayed);
  EXPECT_EQ(again->view.job.id, first) << "white space and the order of members do not matter";

  const auto other = service_->create(ann_, R"({"exportType":"items","format":"csv"})", "key-1");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, "idempotency_key_reused");
  EXPECT_FALSE(service_->create(clerk_, kBody, "key-1")) << "another user's request is another request";
  EXPECT_TRUE(service_->create(stranger_, kBody, "key-1")) << "keys belong to a tenant";
}

TEST_F(CoordinatorTest, AnotherTenantSeesNothing) {
  const JobId id = create();
  finish(id);
  const auto expect_unknown = [](const auto& result) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, "export_not_found");
  };
  expect_unknown(service_->get(stranger_, id));
  expect_unknown(service_->cancel(stranger_, id));
  expect_unknown(service_->remove(stranger_, id));
  expect_unknown(service_->mint_link(stranger_, id, std::nullopt, {}));
  expect_unknown(service_->manifest(stranger_, id));
  expect_unknown(service_->partitions(stranger_, id));
  expect_unknown(service_->downloads(stranger_, id));
  EXPECT_THAT(service_->list(stranger_, {})->jobs, testing::IsEmpty());
  EXPECT_EQ(service_->get(ann_, id)->job.state, JobState::succeeded);
}

TEST_F(CoordinatorTest, AFinishedExportShowsItsFigures) {
  const JobId id = create();
  finish(id);
  const auto view = service_->get(ann_, id);
  ASSERT_TRUE(view) << view.error().message;
  EXPECT_EQ(view->progress_percent, 100);
  EXPECT_EQ(view->job.row_count, 5);
  EXPECT_EQ(view->elapsed, seconds{10});
  ASSERT_EQ(view->fidelity.size(), 1U);
  EXPECT_EQ(view->fidelity[0].guarded, 3);
  EXPECT_EQ(view->job.expires_at, *view->job.completed_at + std::chrono::hours{2});
}

TEST_F(CoordinatorTest, LinksAreAuditedAndBounded) {
  const JobId id = create();
  const auto early = service_->mint_link(ann_, id, std::nullopt, {});
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code, "export_not_ready");
  finish(id);

  const auto link = service_->mint_link(clerk_, id, std::nullopt, {"192.0.2.1", "curl/8"});
  ASSERT_TRUE(link) << link.error().message;
  EXPECT_EQ(link->lifetime, seconds{300});
  EXPECT_THAT(link->url, HasSubstr("&for=300"));
  const auto audit = service_->downloads(ann_, id);
  ASSERT_TRUE(audit);
  ASSERT_EQ(audit->size(), 1U);
  EXPECT_EQ(audit->front().actor.str(), "bob");
  EXPECT_EQ(audit->front().client_ip, "192.0.2.1");

  for (const seconds lifetime : {seconds{0}, seconds{-5}, seconds{86'401}}) {
    const auto refused = service_->mint_link(ann_, id, lifetime, {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "invalid_request");
    EXPECT_EQ(refused.error().details.front().where, "/expiresInSeconds");
  }
  EXPECT_TRUE(service_->mint_link(ann_, id, seconds{86'400}, {}));
}

TEST_F(CoordinatorTest, AFileIsForThoseWhoMaySeeAllOfIt) {
  const auto created = service_->create(ann_, R"({"exportType":"items","format":"csv"})", "");
  ASSERT_TRUE(created);
  finish(created->view.job.id);
  const auto refused = service_->mint_link(clerk_, created->view.job.id, std::nullopt, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "permission_denied");
  EXPECT_THAT(refused.error().message, HasSubstr("pii.read"));
}

TEST_F(CoordinatorTest, RemovingExpiresAtOnce) {
  const JobId id = create();
  const auto active = service_->remove(ann_, id);
  ASSERT_FALSE(active);
  EXPECT_EQ(active.error().code, "export_active");
  finish(id);
  ASSERT_TRUE(service_->remove(ann_, id));
  EXPECT_EQ(service_->get(ann_, id)->job.state, JobState::expired);
  EXPECT_EQ(service_->mint_link(ann_, id, std::nullopt, {}).error().code, "export_expired");
  EXPECT_EQ(service_->manifest(ann_, id).error().code, "export_expired");
}

TEST_F(CoordinatorTest, CancelledIsFinal) {
  const JobId id = create();
  EXPECT_EQ(service_->cancel(ann_, id)->job.state, JobState::cancelled);
  const auto again = service_->cancel(ann_, id);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, "export_finished");
}

TEST_F(CoordinatorTest, PagesHoldEveryJobOnceNewestFirst) {
  std::vector<JobId> created;
  for (int i = 0; i < 7; ++i) created.insert(created.begin(), create());
  std::vector<JobId> seen;
  JobQuery query;
  query.page_size = 3;
  do {
    const auto page = service_->list(ann_, query);
    ASSERT_TRUE(page) << page.error().message;
    for (const JobView& view : page->jobs) seen.push_back(view.job.id);
    query.page_token = page->next_page_token;
  } while (!query.page_token.empty());
  EXPECT_EQ(seen, created);

  query.page_token = "not-a-token";
  EXPECT_EQ(service_->list(ann_, query).error().code, "malformed_request");
}

TEST_F(CoordinatorTest, EstimatesLearnFromFinishedExports) {
  const auto first = service_->estimate(ann_, kBody);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->rows, 250'000);
  EXPECT_EQ(first->bytes, 10'000'000);
  EXPECT_EQ(first->seconds, 3) << "100,000 rows a second are assumed before anything is known";
  finish(create());  // 5 rows in 10 s
  EXPECT_EQ(service_->estimate(ann_, kBody)->seconds, 500'000);
  EXPECT_THAT(service_->list(ann_, {})->jobs, testing::SizeIs(1)) << "estimating creates nothing";
}

TEST_F(CoordinatorTest, DatasetsShowOnlyWhatTheCallerMaySee) {
  EXPECT_EQ(service_->datasets(ann_).front().columns.size(), 2U);
  const std::vector<Dataset> seen = service_->datasets(clerk_);
  ASSERT_EQ(seen.size(), 1U);
  ASSERT_EQ(seen.front().columns.size(), 1U);
  EXPECT_EQ(seen.front().columns.front().name, "id");
  EXPECT_THAT(service_->datasets(caller("acme", "eve", {})), testing::IsEmpty());
}

TEST(Progress, StaysBelowAHundredUntilSucceeded) {
  ExportJob job;
  job.state = JobState::running;
  job.estimated_rows = 100;
  job.row_count = 50;
  EXPECT_EQ(progress_percent(job), 50);
  job.row_count = 500;
  EXPECT_EQ(progress_percent(job), 99) << "the estimate was too low";
  job.estimated_rows = 0;
  EXPECT_EQ(progress_percent(job), 0);
  job.state = JobState::succeeded;
  EXPECT_EQ(progress_percent(job), 100);
}

TEST(ArtefactKey, HoldsAnyTenant) {
  const Timestamp time = *parse_rfc3339("2026-06-06T14:20:00Z");
  EXPECT_EQ(artefact_key(TenantId("acme"), JobId("u"), time, "csv.gz"), "acme/exports/2026/06/u.csv.gz");
  EXPECT_EQ(artefact_key(TenantId("../a b/é"), JobId("u"), time, "csv"),
            "=2e=2e=2fa=20b=2f=c3=a9/exports/2026/06/u.csv");
  std::string longest;
  for (int i = 0; i < 64; ++i) longest += "界";
  const std::string key = artefact_key(TenantId(longest), JobId(uuid_v7(time)), time, "jsonl.gz");
  EXPECT_TRUE(check_object_key(key)) << key;
  EXPECT_NE(key.substr(0, 34),
            artefact_key(TenantId(longest.substr(3) + "a"), JobId("u"), time, "jsonl.gz").substr(0, 34));
}

TEST_F(CoordinatorTest, PositionsInTheQueueAreRemembered) {
  const JobId first = create();
  const JobId second = create();
  QueuePositions remembering(*metadata_, std::chrono::hours{1});
  QueuePositions asking(*metadata_, std::chrono::milliseconds{0});
  EXPECT_EQ(*remembering.position_of(second), 2);
  ASSERT_TRUE(metadata_->cancel(TenantId("acme"), first));
  EXPECT_EQ(*asking.position_of(second), 1);
  EXPECT_EQ(*asking.position_of(first), std::nullopt);
  EXPECT_EQ(*remembering.position_of(second), 2) << "as it was";
  EXPECT_EQ(*remembering.position_of(create()), 2) << "one that it does not know has come meanwhile";
  EXPECT_EQ(*remembering.position_of(second), 1);
  for (int i = 2; i < kMostQueuePosition; ++i) create();
  const JobId beyond = create();
  EXPECT_EQ(*remembering.position_of(beyond), kMostQueuePosition);
  EXPECT_EQ(*asking.position_of(beyond), kMostQueuePosition) << "or more";
}

TEST(DownloadName, IsTheTitleOrDatasetAndDay) {
  ExportJob job;
  job.spec.dataset.name = "orders";
  job.created_at = *parse_rfc3339("2026-06-06T14:20:00Z");
  EXPECT_EQ(download_file_name(job, "csv"), "orders_2026-06-06.csv");
  job.spec.title = "Q2 öffnen";
  EXPECT_EQ(download_file_name(job, "csv"), "Q2 öffnen.csv");
}

TEST(PageToken, RoundTripsAndRefusesForgery) {
  const JobId id("0192f0c4-0000-7000-8000-000000000001");
  const Timestamp time(Duration(1'780'000'000'123'456));
  EXPECT_EQ(*read_page_token(make_page_token(time, id)), std::pair(time, id));
  for (const char* token : {"", "!!!", "YWJj", "MTIzL25vLXV1aWQ"}) EXPECT_FALSE(read_page_token(token)) << token;
  for (const char* micros : {"-1", "253402300800000000", "9223372036854775807", "-9223372036854775808"}) {
    EXPECT_FALSE(read_page_token(base64url_encode(std::string(micros) + "/" + id.str()))) << micros;
  }
}

}  // namespace
}  // namespace longshore
