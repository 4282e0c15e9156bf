#include "scan/tests/postgres_fixture.h"
#include "scan/tests/scan_contract.h"

namespace longshore {
namespace {

class PostgresContractServer final : public ContractServer {
 public:
  ~PostgresContractServer() override {
    if (stranger_) schema_.ask("DROP OWNED BY {}_nobody; DROP ROLE {}_nobody");
  }

  void run(const std::string& sql) override { ask(sql); }
  std::vector<TextRow> ask(const std::string& sql) override { return schema_.ask("SET search_path TO {}; " + sql); }
  std::string series(int count) const override { return "generate_series(1, " + std::to_string(count) + ") AS s(i)"; }
  std::string relation(const std::string& table) const override { return schema_.name() + "." + table; }
  Source settings() const override { return schema_.source_settings(); }
  Source nowhere() const override {
    Source source = settings();
    source.primary = nowhere_address();
    return source;
  }

  std::string address() const override { return schema_.dsn(); }
  // Nobody listens on a reserved port of loopback.
  std::string nowhere_address() const override {
    return "host=127.0.0.1 port=1 user=postgres password=hush-hush dbname=postgres";
  }
  std::string stranger_address() override {
    if (!stranger_) schema_.ask("CREATE ROLE {}_nobody LOGIN; GRANT USAGE ON SCHEMA {} TO {}_nobody");
    stranger_ = true;
    return schema_.dsn() + " user=" + schema_.name() + "_nobody password=hush-hush";
  }
  std::string refused_address() override { return schema_.dsn() + " user=longshore_nobody password=hush-hush"; }
  std::string unknown_database_address() const override { return schema_.dsn() + " dbname=longshore_no_such_database"; }

  void make_slow_view(std::chrono::milliseconds each_row) override {
    // Stable, so that a LIMIT below the sort spares the rows that are not asked for.
    run("CREATE FUNCTION nap(label text) RETURNS text STABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(" +
        std::to_string(each_row.count()) + " / 1000.0); RETURN label; END $$");
    run("CREATE VIEW slow AS SELECT id, nap(label) AS label FROM t");
  }
  std::string label() const override { return schema_.name(); }
  bool is_running() override {
    return !ask("SELECT FROM pg_stat_activity WHERE state = 'active' AND application_name = 'longshore/{}'").empty();
  }
  void end_sessions() override {
    run("SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE application_name = 'longshore/{}'");
  }

 private:
  PostgresSchema schema_;
  bool stranger_ = false;
};

const ContractDriver<ContractDatabase> kPostgres{.name = "postgres", .make = []() -> std::unique_ptr<ContractDatabase> {
                                                   return std::make_unique<PostgresContractServer>();
                                                 }};
const ContractDriver<ContractServer> kPostgresServer{
    .name = "postgres",
    .make = []() -> std::unique_ptr<ContractServer> { return std::make_unique<PostgresContractServer>(); }};

INSTANTIATE_TEST_SUITE_P(Postgres, ScanContract, testing::Values(kPostgres), driver_name<ContractDatabase>);
INSTANTIATE_TEST_SUITE_P(Postgres, PlanContract, testing::Values(kPostgres), driver_name<ContractDatabase>);
INSTANTIATE_TEST_SUITE_P(Postgres, ServerContract, testing::Values(kPostgresServer), driver_name<ContractServer>);

INSTANTIATE_TEST_SUITE_P(
    Postgres, KeyContract,
    testing::Combine(
        testing::Values(kPostgres),
        testing::Values(
            KeyCase{"int", "id int", "i * 3", {"id"}},
            KeyCase{"negative_bigint", "id bigint", "i * 9000000000000000 - 4500000000000000000", {"id"}},
            KeyCase{"uuid", "id uuid", "md5(i::text)::uuid", {"id"}},
            KeyCase{"timestamptz", "at timestamptz", "timestamptz '2026-01-01Z' + i * interval '1.000001 s'", {"at"}},
            KeyCase{"old_timestamp", "at timestamp", "timestamp '0002-01-01' - i * interval '1 day 0.5 s'", {"at"}},
            KeyCase{"date", "day date", "date '2026-01-01' + i", {"day"}},
            KeyCase{"numeric", "n numeric(20,3)", "i / 8.0 - 20", {"n"}},
            KeyCase{"float", "f float8", "i / 3.0", {"f"}},
            KeyCase{"text_c", "code text COLLATE \"C\"", "chr(33 + i % 90) || '''\\' || md5(i::text)", {"code"}},
            KeyCase{"text_icu",
                    "code text COLLATE \"en-x-icu\"",
                    "(CASE i % 4 WHEN 0 THEN 'ä' WHEN 1 THEN 'Z' WHEN 2 THEN '-a' ELSE 'A' END) || md5(i::text)",
                    {"code"}},
            KeyCase{"char", "code char(40)", "md5(i::text)", {"code"}},
            KeyCase{"inet", "address inet", "inet '10.0.0.0' + i * 7", {"address"}},
            KeyCase{"bytea", "digest bytea", "decode(md5(i::text), 'hex')", {"digest"}},
            KeyCase{"time", "t time", "time '00:00' + i * interval '1.5 s'", {"t"}},
            KeyCase{"text_and_int", "region text, n int", "'r' || i % 5, i", {"region", "n"}},
            KeyCase{"time_and_uuid",
                    "at timestamptz, id uuid",
                    "timestamptz '2026-01-01Z' + (i / 10) * interval '1 h', md5(i::text)::uuid",
                    {"at", "id"}},
            KeyCase{"three", "a int, b text, c date", "i % 3, 'b' || i % 7, date '2026-01-01' + i", {"a", "b", "c"}})),
    key_name);

}  // namespace
}  // namespace longshore
