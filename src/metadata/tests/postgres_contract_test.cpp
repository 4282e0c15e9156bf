#include "metadata/tests/postgres_testbed.h"
#include "metadata/tests/snapshot_contract.h"

namespace longshore {
namespace {

INSTANTIATE_TEST_SUITE_P(Postgres, JobStoreContract,
                         testing::Values(TestbedFactory{
                             "postgres", [] { return std::make_unique<PostgresTestbed>(postgres_dsn()); }}));
INSTANTIATE_TEST_SUITE_P(Pgbouncer, JobStoreContract,
                         testing::Values(TestbedFactory{
                             "pgbouncer", [] { return std::make_unique<PostgresTestbed>(pgbouncer_dsn()); }}));

INSTANTIATE_TEST_SUITE_P(Postgres, SnapshotContract,
                         testing::Values(TestbedFactory{
                             "postgres", [] { return std::make_unique<PostgresTestbed>(postgres_dsn()); }}));

struct Contract : JobStoreContract {
  using JobStoreContract::new_job;
};

// On SQLite there is one writer at a time, whatever it locks.
TEST(PostgresClaimTest, SlotsOfOneWorkerClaimAtOnceButNotWhileItIsDeclaredLost) {
  PostgresTestbed bed(postgres_dsn());
  sql::PostgresOptions options = bed.options();
  options.lock_timeout = std::chrono::milliseconds{50};
  const auto store = open_postgres_store(options);
  auto database = sql::PostgresDatabase::make(options);
  ASSERT_TRUE(database) << database.error().message;
  const WorkerId worker("slots");
  ASSERT_TRUE(store->register_worker(worker, "host", 1));
  ASSERT_TRUE(store->insert(Contract::new_job("acme")));
  const auto first_statement_of_a_claim = [&](sql::Transaction& transaction) {
    return transaction.query("SELECT id FROM export_workers WHERE id = $1 AND status = 'ALIVE' {keep}", {worker});
  };
  {
    // A slot in the middle of its claim.
    const auto slot = *(*database)->begin(sql::Access::write);
    ASSERT_EQ(first_statement_of_a_claim(*slot)->size(), 1U);
    const auto beat = store->heartbeat(worker, {});
    EXPECT_TRUE(beat) << beat.error().message;
    const auto claimed = store->claim_next(worker);
    ASSERT_TRUE(claimed) << claimed.error().message;
    EXPECT_TRUE(*claimed);
    const auto freed = store->free_lost_claims(Duration{0}, RetryPolicy{});
    EXPECT_FALSE(freed) << "what the slot is claiming would be missed";
  }
  EXPECT_TRUE(store->free_lost_claims(Duration{0}, RetryPolicy{}));
  const auto refused = store->claim_next(worker);
  EXPECT_TRUE(!refused && refused.error().code == "worker_lost");
}

}  // namespace
}  // namespace longshore
