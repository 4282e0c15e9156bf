#include "metadata/tests/postgres_testbed.h"

namespace longshore {
namespace {

INSTANTIATE_TEST_SUITE_P(Postgres, JobStoreContract,
                         testing::Values(TestbedFactory{
                             "postgres", [] { return std::make_unique<PostgresTestbed>(postgres_dsn()); }}));
INSTANTIATE_TEST_SUITE_P(Pgbouncer, JobStoreContract,
                         testing::Values(TestbedFactory{
                             "pgbouncer", [] { return std::make_unique<PostgresTestbed>(pgbouncer_dsn()); }}));

}  // namespace
}  // namespace longshore
