#include "scan/tests/mysql_fixture.h"
#include "scan/tests/scan_contract.h"

namespace longshore {
namespace {

class MysqlContractServer final : public ContractServer {
 public:
  ~MysqlContractServer() override {
    if (stranger_) run("DROP USER " + user() + "@localhost, " + user() + "@'127.0.0.1'");
  }

  void run(const std::string& sql) override { ask(sql); }
  std::vector<TextRow> ask(const std::string& sql) override { return database_.ask(sql); }
  void analyze(const std::string& table) override { run("ANALYZE TABLE " + table); }
  std::string series(int count) const override {
    return "(SELECT seq AS i FROM seq_1_to_" + std::to_string(count) + ") AS s";
  }
  Source settings() const override { return database_.source_settings(); }
  Source nowhere() const override {
    Source source = settings();
    source.primary = nowhere_address();
    return source;
  }

  std::string address() const override { return database_.url(); }
  // Nobody listens on a reserved port of loopback.
  std::string nowhere_address() const override { return "mysql://root:hush-hush@127.0.0.1:1/" + database_.name(); }
  std::string stranger_address() override { return address_of_stranger("hush-hush"); }
  std::string refused_address() override { return address_of_stranger("not-hush-hush"); }
  std::string unknown_database_address() const override { return address() + "_no_such_database"; }

  void make_slow_view(std::chrono::milliseconds each_row) override {
    run("CREATE FUNCTION nap(label varchar(500)) RETURNS varchar(500) NOT DETERMINISTIC NO SQL BEGIN DECLARE nothing "
        "int; SET nothing = sleep(" +
        std::to_string(each_row.count()) + " / 1000); RETURN label; END");
    run("CREATE VIEW slow AS SELECT id, nap(label) AS label FROM t");
  }
  std::string label() const override { return "contract"; }
  bool is_running() override {
    return !ask("SELECT id FROM information_schema.PROCESSLIST WHERE db = DATABASE() AND info LIKE "
                "'%longshore/contract%' AND id <> connection_id()")
                .empty();
  }
  void end_sessions() override {
    database_.kill_sessions();
    EXPECT_TRUE(eventually([this] {
      return ask("SELECT id FROM information_schema.PROCESSLIST WHERE db = DATABASE() AND id <> connection_id()")
          .empty();
    }));
  }

 private:
  std::string user() const { return "nobody_" + database_.name(); }
  std::string address_of_stranger(const std::string& password) {
    if (!stranger_) {
      run("CREATE USER " + user() + "@localhost IDENTIFIED BY 'hush-hush'");
      run("CREATE USER " + user() + "@'127.0.0.1' IDENTIFIED BY 'hush-hush'");
      run("GRANT INSERT ON " + database_.name() + ".t TO " + user() + "@localhost, " + user() + "@'127.0.0.1'");
    }
    stranger_ = true;
    std::string url = address();
    return url.replace(url.find("root"), 4, user() + ":" + password);
  }

  MysqlDatabase database_;
  bool stranger_ = false;
};

const ContractDriver<ContractDatabase> kMysql{.name = "mysql", .make = []() -> std::unique_ptr<ContractDatabase> {
                                                return std::make_unique<MysqlContractServer>();
                                              }};
const ContractDriver<ContractServer> kMysqlServer{.name = "mysql", .make = []() -> std::unique_ptr<ContractServer> {
                                                    return std::make_unique<MysqlContractServer>();
                                                  }};

INSTANTIATE_TEST_SUITE_P(Mysql, ScanContract, testing::Values(kMysql), driver_name<ContractDatabase>);
INSTANTIATE_TEST_SUITE_P(Mysql, PlanContract, testing::Values(kMysql), driver_name<ContractDatabase>);
INSTANTIATE_TEST_SUITE_P(Mysql, ServerContract, testing::Values(kMysqlServer), driver_name<ContractServer>);

INSTANTIATE_TEST_SUITE_P(
    Mysql, KeyContract,
    testing::Combine(
        testing::Values(kMysql),
        testing::Values(
            KeyCase{"int", "id int", "i * 3", {"id"}},
            KeyCase{
                "negative_bigint", "id bigint", "CAST(i AS SIGNED) * 9000000000000000 - 4500000000000000000", {"id"}},
            KeyCase{"unsigned_bigint", "id bigint unsigned", "18446744073709551615 - i", {"id"}},
            KeyCase{"zerofill", "id int(8) unsigned zerofill", "i * 7", {"id"}},
            KeyCase{"decimal", "n decimal(20,3)", "i / 8 - 20", {"n"}},
            KeyCase{"long_decimal", "n decimal(65,5)", "i * 1e20 + i / 8", {"n"}},
            KeyCase{"double", "f double", "i / 3e0", {"f"}}, KeyCase{"float", "f float", "i / 3e0", {"f"}},
            KeyCase{
                "datetime", "at datetime(6)", "TIMESTAMP'2026-01-01 00:00:00' + INTERVAL i * 1.000001 SECOND", {"at"}},
            KeyCase{"timestamp", "at timestamp(3)", "TIMESTAMP'2026-01-01 00:00:00' + INTERVAL i HOUR", {"at"}},
            KeyCase{"date", "day date", "DATE'1000-01-01' + INTERVAL i DAY", {"day"}},
            KeyCase{"time", "t time(3)", "sec_to_time(CAST(i AS SIGNED) * 1000.5 - 400000)", {"t"}},
            KeyCase{
                "uuid", "id uuid", "insert(insert(md5(i), 13, 1, elt(1 + i % 3, '1', '4', '7')), 17, 1, '8')", {"id"}},
            KeyCase{"binary_uuid", "id binary(16)", "unhex(md5(i))", {"id"}},
            KeyCase{"varbinary", "digest varbinary(40)", "concat(unhex(md5(i)), char(0))", {"digest"}},
            KeyCase{"inet", "address inet6", "concat('::ffff:10.0.', i div 250, '.', i % 250)", {"address"}},
            KeyCase{"no_case", "code varchar(40)", "char(65 + i % 26 + 32 * (i % 2)) || i", {"code"}},
            KeyCase{"no_case_latin1",
                    "code varchar(40) CHARACTER SET latin1 COLLATE latin1_swedish_ci",
                    "convert(elt(1 + i % 4, 'ä', 'Z', 'ö', 'A') using latin1) || i",
                    {"code"}},
            KeyCase{"trailing_spaces",
                    "code varchar(40) COLLATE utf8mb4_bin",
                    "elt(1 + i % 3, 'a', 'b', 'c') || repeat(' ', i % 5) || char(33 + i div 90) || char(33 + i % 90)",
                    {"code"}},
            KeyCase{"no_pad",
                    "code varchar(80) COLLATE utf8mb4_nopad_bin",
                    "repeat('a', i % 30) || repeat(' ', i div 30)",
                    {"code"}},
            KeyCase{"hostile_text", "code varchar(60)", "char(33 + i % 90) || '''\\\" -- ' || i", {"code"}},
            KeyCase{"enum_and_int", "mood enum('z','b','a'), n int", "elt(1 + i % 3, 'a', 'b', 'z'), i", {"mood", "n"}},
            KeyCase{"set_and_int", "s set('z','b','a'), n int", "i % 8, i", {"s", "n"}},
            KeyCase{"bit_and_int", "b bit(8), n int", "i % 200, i", {"b", "n"}},
            KeyCase{"text_and_int", "region varchar(20), n int", "'r' || (i % 5), i", {"region", "n"}},
            KeyCase{"three",
                    "a int, b varchar(20), c date",
                    "i % 3, 'b' || (i % 7), DATE'2026-01-01' + INTERVAL i DAY",
                    {"a", "b", "c"}})),
    key_name);

}  // namespace
}  // namespace longshore
