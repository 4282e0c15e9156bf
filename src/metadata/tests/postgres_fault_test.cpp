#include <fmt/format.h>

#include <atomic>
#include <functional>
#include <thread>

#include "metadata/tests/cutting_proxy.h"
#include "metadata/tests/postgres_testbed.h"

// Every call of the store, with the connection cut at each of its round trips in turn.

namespace longshore {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AnyOf;
using testing::HasSubstr;
using Cut = CuttingProxy::Cut;

/// What a call needs before it, and the call.
struct Call {
  std::string name;
  std::function<void(SqlStore&)> prepare;
  std::function<Status(SqlStore&)> act;
};

template <class T>
Status status_of(const Result<T>& result) {
  if (result) return {};
  return fail(result.error());
}

const WorkerId kWorker("w1");
const TenantId kTenant("acme");
const JobId kJob("0192f0c4-0000-7000-8000-000000000001");

NewJob new_job() {
  NewJob request;
  request.job.id = kJob;
  request.job.tenant = kTenant;
  request.job.requested_by = UserId("usr_1");
  request.job.spec.dataset.name = "audit_logs";
  request.job.spec.format = "csv";
  request.request_digest = "digest";
  request.retention = std::chrono::hours{24};
  return request;
}

Part first_part() {
  Part part;
  part.etag = "etag";
  part.bytes = 1000;
  part.summary.rows = 10;
  return part;
}

DownloadAudit download() {
  return {.id = "0192f0c4-0000-7000-8000-00000000000a",
          .job = kJob,
          .actor = UserId("usr_1"),
          .tenant = kTenant,
          .client_ip = "::1",
          .user_agent = "curl",
          .at = {}};
}

Claim plan_claim(std::int64_t epoch = 1) {
  return {.worker = kWorker, .job = kJob, .partition = -1, .epoch = epoch};
}
Claim partition_claim() {
  return {.worker = kWorker, .job = kJob, .partition = 0, .epoch = 1};
}

void must(const Status& status) {
  ASSERT_TRUE(status.has_value()) << status.error().message;
}

// --- states of a job, each from the one before

void registered(SqlStore& store) {
  must(store.register_worker(kWorker, "host", 1));
}
void queued(SqlStore& store) {
  registered(store);
  must(status_of(store.insert(new_job())));
}
void planning(SqlStore& store) {
  queued(store);
  must(status_of(store.claim_next(kWorker)));
}
void planned(SqlStore& store) {
  planning(store);
  must(store.save_plan(plan_claim(), {Partition{}}, 8 << 20, 100));
}
void extracting(SqlStore& store) {
  planned(store);
  must(status_of(store.claim_next(kWorker)));
}
void extracted(SqlStore& store) {
  extracting(store);
  must(store.complete_partition(partition_claim(), 10, 1000));
}
void assembling(SqlStore& store) {
  extracted(store);
  must(status_of(store.claim_next(kWorker)));
}
void succeeded(SqlStore& store) {
  assembling(store);
  must(store.publish(plan_claim(2), {.rows = 10, .bytes = 1000}));
}
void cleaning(SqlStore& store) {
  succeeded(store);
  must(status_of(store.claim_next(kWorker)));
}

const Error kHiccup = external_error("source_unavailable", "gone");

std::vector<Call> calls() {
  const auto claim_next = [](SqlStore& store) { return status_of(store.claim_next(kWorker)); };
  return {
      {"insert", registered, [](SqlStore& store) { return status_of(store.insert(new_job())); }},
      {"cancel", planning, [](SqlStore& store) { return status_of(store.cancel(kTenant, kJob)); }},
      {"expire", succeeded, [](SqlStore& store) { return store.expire(kTenant, kJob); }},
      {"add_download", succeeded, [](SqlStore& store) { return store.add_download(download()); }},
      {"register_worker", [](SqlStore&) {}, [](SqlStore& store) { return store.register_worker(kWorker, "host", 1); }},
      {"heartbeat", extracting,
       [](SqlStore& store) {
         return status_of(store.heartbeat(kWorker, {{partition_claim(), 7, 70, "paced"}}));
       }},
      {"retire_worker", extracting, [](SqlStore& store) { return store.retire_worker(kWorker); }},
      {"free_lost_claims", extracting,
       [](SqlStore& store) { return status_of(store.free_lost_claims(Duration{}, {})); }},
      {"hold_office", [](SqlStore&) {},
       [](SqlStore& store) { return status_of(store.hold_office("sweeper", "w1", seconds{10})); }},
      {"claim_next plan", queued, claim_next},
      {"claim_next partition", planned, claim_next},
      {"claim_next assembly", extracted, claim_next},
      {"claim_next cleaning", succeeded, claim_next},
      {"save_upload", planning, [](SqlStore& store) { return store.save_upload(plan_claim(), "upload-1"); }},
      {"save_plan", planning,
       [](SqlStore& store) { return store.save_plan(plan_claim(), {Partition{}}, 8 << 20, 100); }},
      {"checkpoint", extracting, [](SqlStore& store) { return store.checkpoint(partition_claim(), first_part()); }},
      {"complete_partition", extracting,
       [](SqlStore& store) { return store.complete_partition(partition_claim(), 10, 1000); }},
      {"complete_and_publish", extracting,
       [](SqlStore& store) { return store.complete_and_publish(partition_claim(), 10, {.rows = 10, .bytes = 1000}); }},
      {"publish", assembling,
       [](SqlStore& store) { return store.publish(plan_claim(2), {.rows = 10, .bytes = 1000}); }},
      {"mark_clean", cleaning, [](SqlStore& store) { return store.mark_clean(plan_claim(3)); }},
      {"give_up", extracting, [](SqlStore& store) { return status_of(store.give_up(partition_claim(), kHiccup, {})); }},
      {"hand_back", extracting, [](SqlStore& store) { return store.hand_back(partition_claim()); }},
      {"find", succeeded, [](SqlStore& store) { return status_of(store.find(kTenant, kJob)); }},
  };
}

class PostgresFaultTest : public testing::Test {
 protected:
  PostgresFaultTest() {
    direct_ = open_postgres_store(options());
    sql::PostgresOptions through = options();
    through.connection = with_port(through.connection, proxy_.port());
    store_ = open_postgres_store(through);
    through.reconnect_timeout = milliseconds{10};
    impatient_ = open_postgres_store(through);
  }
  sql::PostgresOptions options() const {
    auto options = bed_.options();
    options.connection = postgres_dsn() + " sslmode=disable gssencmode=disable";
    return options;
  }

  /// An empty store, then what the call needs; the pool has a live connection afterwards.
  void begin(const Call& call) {
    bed_.schema().ask(
        "DELETE FROM export_download_audits; DELETE FROM export_jobs; DELETE FROM export_workers; DELETE FROM "
        "export_offices");
    call.prepare(*direct_);
    for (SqlStore* store : {store_.get(), impatient_.get()}) {
      while (!store->now()) std::this_thread::sleep_for(milliseconds{5});
    }
  }
  /// All that is stored, but for the ids that are made by chance.
  std::string state() {
    std::string sql;
    for (const char* table : {"export_jobs", "export_job_partitions", "export_parts", "export_workers",
                              "export_download_audits", "export_offices"}) {
      const char* by_chance = std::string_view(table) == "export_job_partitions" ? " - 'id'" : "";
      sql += fmt::format("{}SELECT '{}', (to_jsonb(t){})::text FROM {} t", sql.empty() ? "" : " UNION ALL ", table,
                         by_chance, table);
    }
    std::string text;
    for (const TextRow& row : bed_.schema().ask(sql + " ORDER BY 1, 2"))
      text += fmt::format("{}: {}\n", *row[0], *row[1]);
    return text;
  }

  PostgresTestbed bed_{postgres_dsn()};
  CuttingProxy proxy_{port_of(postgres_dsn())};
  std::unique_ptr<SqlStore> direct_;
  std::unique_ptr<SqlStore> store_;      ///< through the proxy
  std::unique_ptr<SqlStore> impatient_;  ///< the same, and a database that is away is not waited for
};

TEST_F(PostgresFaultTest, ACallWhoseConnectionIsCutOnceSucceedsOnce) {
  int cuts = 0;
  for (const Call& call : calls()) {
    begin(call);
    must(call.act(*direct_));
    const std::string done = state();
    for (const Cut cut : {Cut::before, Cut::after}) {
      bool happened = true;
      for (int n = 1; happened; ++n) {
        SCOPED_TRACE(fmt::format("{}, cut {} round trip {}", call.name, cut == Cut::before ? "before" : "after", n));
        begin(call);
        proxy_.arm(n, cut);
        const Status acted = call.act(*store_);
        happened = proxy_.disarm();
        if (!happened) break;
        EXPECT_THAT(acted, Succeeded());
        EXPECT_EQ(state(), done);
        ++cuts;
      }
    }
  }
  EXPECT_GT(cuts, 150) << "there were round trips to cut";
}

TEST_F(PostgresFaultTest, ACallThatLosesTheDatabaseIsDoneWhollyOrNotAtAll) {
  int refused = 0;
  for (const Call& call : calls()) {
    begin(call);
    const std::string before = state();
    must(call.act(*direct_));
    const std::string done = state();
    for (const Cut cut : {Cut::before, Cut::after}) {
      bool happened = true;
      for (int n = 1; happened; ++n) {
        SCOPED_TRACE(fmt::format("{}, away {} round trip {}", call.name, cut == Cut::before ? "before" : "after", n));
        begin(call);
        proxy_.arm(n, cut, true);
        const Status acted = call.act(*impatient_);
        happened = proxy_.disarm();
        if (!happened) break;
        if (acted) {
          EXPECT_EQ(state(), done);
          continue;
        }
        ++refused;
        EXPECT_THAT(acted, FailedWith(sql::kUnavailable));
        EXPECT_TRUE(acted.error().retriable);
        EXPECT_EQ(acted.error().source, ErrorSource::external);
        EXPECT_THAT(state(), AnyOf(before, done));
      }
    }
  }
  EXPECT_GT(refused, 100);
}

TEST_F(PostgresFaultTest, AnUnknownOutcomeIsSaid) {
  begin(calls().front());
  bool said = false;
  for (int n = 1; !said && n < 20; ++n) {
    bed_.schema().ask("DELETE FROM export_jobs");
    while (!impatient_->now()) std::this_thread::sleep_for(milliseconds{10});
    proxy_.arm(n, Cut::after, true);
    const auto inserted = impatient_->insert(new_job());
    if (!proxy_.disarm()) break;
    said = !inserted && inserted.error().message.find("whether the change was kept is not known") != std::string::npos;
    if (said) {
      EXPECT_EQ(inserted.error().code, sql::kUnavailable);
    }
  }
  EXPECT_TRUE(said);
}

TEST_F(PostgresFaultTest, ALinkThatIsSilentIsGivenUp) {
  sql::PostgresOptions through = options();
  through.connection = with_port(through.connection, proxy_.port());
  through.statement_timeout = milliseconds{200};
  through.idle_in_transaction_timeout = milliseconds{200};
  const auto store = open_postgres_store(through);
  begin(calls().front());
  for (const int n : {1, 3}) {
    bed_.schema().ask("DELETE FROM export_jobs");
    proxy_.arm(n, Cut::stall);
    EXPECT_THAT(store->insert(new_job()), Succeeded()) << n;
    EXPECT_TRUE(proxy_.disarm());
    EXPECT_EQ(*bed_.schema().ask("SELECT count(*) FROM export_jobs")[0][0], "1");
  }
}

/// Ends the sessions of all stores, again and again, until it goes.
class Terminator {
 public:
  Terminator() {
    thread_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        const auto ended = ask(postgres_dsn(),
                               "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                               "WHERE application_name = 'longshore' AND random() < 0.5");
        ended_ += std::stoi(*ended[0][0]);
        std::this_thread::sleep_for(milliseconds{15});
      }
    });
  }
  int ended() const { return ended_; }

 private:
  std::atomic<int> ended_{0};
  std::jthread thread_;
};

/// Repeats a call that the database's absence has failed, as its caller would.
template <class Body>
auto insist(Body&& body) {
  while (true) {
    auto result = body();
    if (result || result.error().code != sql::kUnavailable) return result;
  }
}

TEST_F(PostgresFaultTest, WorkIsDoneOnceWhileSessionsAreTerminated) {
  constexpr int kJobs = 6;
  constexpr int kPartitions = 6;
  std::vector<JobId> jobs;
  std::atomic<int> finished{0};
  std::atomic<int> part_rows{0};
  const Terminator terminator;
  for (int i = 0; i < kJobs; ++i) {
    NewJob request = new_job();
    request.job.id = JobId(fmt::format("0192f0c4-0000-7000-8000-1000000000{:02}", i));
    request.job.tenant = TenantId(fmt::format("tenant-{}", i % 3));
    request.idempotency_key = fmt::format("key-{}", i);
    EXPECT_THAT(insist([&] { return direct_->insert(request); }), Succeeded());
    jobs.push_back(request.job.id);
  }
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        const auto store = open_postgres_store(options());
        if (!store) return;
        const WorkerId worker("worker-" + std::to_string(i));
        EXPECT_THAT(insist([&] { return store->register_worker(worker, "h", i); }),
                    testing::AnyOf(Succeeded(), FailedWith(sql::kDuplicate)));
        while (finished < kJobs) {
          const auto beat = store->heartbeat(worker, {});  // nothing is in hand between two pieces of work
          const auto work = store->claim_next(worker);
          if (!work || !*work) {
            std::this_thread::sleep_for(milliseconds{2});
            continue;
          }
          // Of a call that failed it is unknown whether it is done; then the claim, if it still stands, is given back
          // by a heartbeat that does not list it, and the work is found again.
          if (const auto* plan = std::get_if<PlanWork>(&**work)) {
            std::vector<Partition> partitions(kPartitions);
            for (int n = 0; n < kPartitions; ++n) partitions[static_cast<std::size_t>(n)].index = n;
            static_cast<void>(store->save_plan(plan->claim, partitions, 1, 1));
          } else if (const auto* extract = std::get_if<PartitionWork>(&**work)) {
            if (extract->parts.empty() && !store->checkpoint(extract->claim, first_part())) continue;
            static_cast<void>(store->complete_partition(extract->claim, 10, 1000));
          } else if (const auto* assemble = std::get_if<AssembleWork>(&**work)) {
            if (store->publish(assemble->claim, {.rows = 10 * kPartitions, .bytes = 1})) ++finished;
          } else {
            static_cast<void>(store->mark_clean(std::get<CleanWork>(**work).claim));
          }
          if (finished >= kJobs) break;
          const auto states = insist([&] { return store->count_active(); });
          if (states && states->queued + states->running == 0) finished = kJobs;
          // Time goes on, so that heartbeats tell old claims from new ones.
          bed_.schema().ask("UPDATE test_clock SET at = at + interval '1 second'");
        }
      });
    }
  }
  EXPECT_GT(terminator.ended(), 20);
  for (const TextRow& row : bed_.schema().ask("SELECT status, row_count FROM export_jobs")) {
    EXPECT_EQ(*row[0], "SUCCEEDED");
    EXPECT_EQ(*row[1], std::to_string(10 * kPartitions));
  }
  EXPECT_EQ(*bed_.schema().ask("SELECT count(*) FROM export_parts")[0][0], std::to_string(kJobs * kPartitions));
}

TEST(PostgresHurryTest, AProcessThatEndsWaitsForNoServer) {
  using Clock = std::chrono::steady_clock;
  const PostgresTestbed bed{postgres_dsn()};
  sql::PostgresOptions options = bed.options();
  CuttingProxy proxy{port_of(options.connection)};
  options.connection = with_port(options.connection, proxy.port()) + " sslmode=disable gssencmode=disable";
  options.reconnect_timeout = seconds{60};
  int workers = 0;
  const auto registered = [&](SqlStore& store) {
    return store.register_worker(WorkerId("w" + std::to_string(++workers)), "host", 1);
  };
  for (const Cut cut : {Cut::before, Cut::stall}) {
    std::stop_source hurry;
    options.hurry = hurry.get_token();
    const auto store = open_postgres_store(options);
    ASSERT_THAT(registered(*store), Succeeded());
    proxy.arm(1, cut, true);
    std::jthread call([&] { EXPECT_THAT(registered(*store), FailedWith(sql::kUnavailable)); });
    std::this_thread::sleep_for(milliseconds{200});  // the call waits by then; were it late, it would fail all the same
    const auto begun = Clock::now();
    hurry.request_stop();
    call.join();
    EXPECT_LT(Clock::now() - begun, seconds{10});
    EXPECT_THAT(registered(*store), FailedWith(sql::kUnavailable)) << "and nobody tries again";
    EXPECT_LT(Clock::now() - begun, seconds{10});
    EXPECT_TRUE(proxy.disarm());
  }
  std::stop_source hurry;
  hurry.request_stop();
  options.hurry = hurry.get_token();
  const auto store = open_postgres_store(options);
  ASSERT_THAT(registered(*store), Succeeded()) << "a server that answers serves to the end";
}

TEST(PostgresRestartTest, WhatWasAnsweredSurvivesARestartAndWorkGoesOn) {
  ServerScript server({LONGSHORE_POSTGRES_SERVER, "--set", "synchronous_commit=on", "serve"});
  sql::PostgresOptions options;
  options.connection = server.dsn();
  options.reconnect_timeout = milliseconds{200};
  const auto store = open_postgres_store(options);
  ASSERT_NE(store, nullptr);
  std::mutex mutex;
  std::set<std::string> answered;
  std::atomic<int> refused{0};
  std::atomic<bool> away{false};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&, i](const std::stop_token& stop) {
      for (int n = 0; !stop.stop_requested(); ++n) {
        const std::string name = fmt::format("w-{}-{}", i, n);
        const Status registered_now = store->register_worker(WorkerId(name), "h", n);
        if (registered_now) {
          const std::lock_guard lock(mutex);
          answered.insert(name);
        } else {
          EXPECT_THAT(registered_now, FailedWith(sql::kUnavailable));
          ++refused;
        }
      }
    });
  }
  const auto count = [&] {
    const std::lock_guard lock(mutex);
    return answered.size();
  };
  for (int restart = 0; restart < 2; ++restart) {
    const auto before = count();
    while (count() < before + 20) std::this_thread::sleep_for(milliseconds{5});
    const int refused_before = refused;
    server.tell("halt");
    while (refused < refused_before + 3) std::this_thread::sleep_for(milliseconds{5});
    const auto begun = std::chrono::steady_clock::now();
    const auto lookup = store->now();
    EXPECT_THAT(lookup, FailedWith(sql::kUnavailable));
    EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds{10}) << "what only reads does not wait";
    server.tell("resume");
  }
  const auto before = count();
  while (count() < before + 20) std::this_thread::sleep_for(milliseconds{5});
  for (auto& thread : threads) thread.request_stop();
  threads.clear();
  std::set<std::string> kept;
  const auto workers = store->workers();
  ASSERT_THAT(workers, Succeeded());
  for (const WorkerRecord& worker : *workers) kept.insert(worker.id.str());
  for (const std::string& name : answered) EXPECT_TRUE(kept.contains(name)) << name;
}

}  // namespace
}  // namespace longshore
