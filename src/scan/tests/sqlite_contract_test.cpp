#include "scan/tests/sqlite_fixture.h"

namespace longshore {
namespace {

const ContractDriver<ContractDatabase> kSqlite{
    .name = "sqlite", .make = []() -> std::unique_ptr<ContractDatabase> { return std::make_unique<SqliteFile>(); }};

INSTANTIATE_TEST_SUITE_P(Sqlite, ScanContract, testing::Values(kSqlite), driver_name<ContractDatabase>);
INSTANTIATE_TEST_SUITE_P(Sqlite, PlanContract, testing::Values(kSqlite), driver_name<ContractDatabase>);

INSTANTIATE_TEST_SUITE_P(
    Sqlite, KeyContract,
    testing::Combine(
        testing::Values(kSqlite),
        testing::Values(
            KeyCase{"integer", "id INTEGER", "i * 3", {"id"}},
            KeyCase{"extreme", "id INTEGER", "i * 9000000000000000 - 4500000000000000000", {"id"}},
            KeyCase{
                "upper_case_uuid", "id UUID", "printf('%08X-0000-0000-0000-%012X', (i * 7919) % 100003, i)", {"id"}},
            KeyCase{"blob_uuid", "id UUID", "CAST(printf('%016d', (i * 7919) % 100003) AS BLOB)", {"id"}},
            KeyCase{"nocase", "code TEXT COLLATE NOCASE", "char(65 + i % 26 + 32 * (i % 2)) || i", {"code"}},
            KeyCase{"timestamp", "at TIMESTAMP", "datetime(i * 3607, 'unixepoch')", {"at"}},
            KeyCase{"real", "r REAL", "i / 3.0", {"r"}}, KeyCase{"mixed_numbers", "n NUMERIC", "i / 2.0", {"n"}},
            KeyCase{"text_and_integer", "region TEXT, n INTEGER", "'it''s r' || (i % 5), i", {"region", "n"}})),
    key_name);

}  // namespace
}  // namespace longshore
