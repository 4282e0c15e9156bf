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

}  // namespace
}  // namespace longshore
