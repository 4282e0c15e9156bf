#include "scan/tests/postgres_fixture.h"

namespace longshore {
namespace {

using PostgresScanTest = PostgresTest;

TEST_F(PostgresScanTest, EnumKeysFollowTheEnumsOwnOrder) {
  run("CREATE TYPE {}.size AS ENUM ('small', 'medium', 'large', 'huge', 'endless')");
  run("CREATE TABLE {}.t (size {}.size PRIMARY KEY, label text)");
  run("INSERT INTO {}.t SELECT s, s::text FROM unnest(enum_range(NULL::{}.size)) s");
  const auto source = open();
  const ExportSpec whole = spec(*source, "t", {"size"});
  const auto plan = source->plan_partitions(whole, {.partitions = 3}, {});
  ASSERT_TRUE(plan) << plan.error().message;
  const auto reading = read_ranges(*source, whole, plan->ranges);
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_EQ(reading->rows, ask("SELECT size, label FROM {}.t ORDER BY t.size"));
  EXPECT_EQ(reading->rows.size(), 5U);
}

class PostgresFilterTest : public PostgresTest {
 protected:
  void SetUp() override {
    PostgresTest::SetUp();
    run("CREATE TYPE {}.mood AS ENUM ('ok', 'sad')");
    run(R"(CREATE TABLE {}.t (id int PRIMARY KEY, tenant text, i2 smallint, n numeric(10,2), f real, b bool, at timestamptz,
           local timestamp, day date, u uuid, mood {}.mood, address inet, code char(6), note text))");
    run(R"(INSERT INTO {}.t SELECT i, 'tenant ''' || i % 2 || '''', i, i / 4.0, i / 10.0, i % 2 = 0,
           timestamptz '2026-01-01Z' + i * interval '1 h', timestamp '2026-01-01' + i * interval '1 h',
           date '2026-01-01' + i, md5(i::text)::uuid, (ARRAY['ok', 'sad'])[1 + i % 2]::{}.mood, inet '10.0.0.0' + i,
           'c' || i, CASE WHEN i % 3 = 0 THEN NULL ELSE 'note ' || i END FROM generate_series(1, 40) i)");
    source_ = open();
    spec_ = spec(*source_, "t", {"id"});
    spec_.columns.resize(1);
  }

  /// The ids that these filters leave.
  std::vector<int> ids(std::vector<Filter> filters) { return ids_of(*source_, spec_, std::move(filters)); }

  std::unique_ptr<SourceDatabase> source_;
  ExportSpec spec_;
};

TEST_F(PostgresFilterTest, EveryTypeIsComparedAsWhatItIs) {
  using testing::ElementsAre;
  EXPECT_THAT(ids({filter_of("i2", FilterOp::eq, "int16", {"7"})}), ElementsAre(7));
  EXPECT_THAT(ids({filter_of("id", FilterOp::in, "int64", {"7", "9", "99999999999"})}), ElementsAre(7, 9));
  EXPECT_THAT(ids({filter_of("id", FilterOp::gt, "int32", {"2"}), filter_of("id", FilterOp::lte, "int32", {"4"})}),
              ElementsAre(3, 4));
  EXPECT_THAT(ids({filter_of("n", FilterOp::gte, "numeric(10,2)", {"9.75"})}), ElementsAre(39, 40));
  EXPECT_THAT(ids({filter_of("f", FilterOp::eq, "float32", {"0.1"})}), ElementsAre(1));
  EXPECT_EQ(ids({filter_of("b", FilterOp::eq, "bool", {"true"})}).size(), 20U);
  EXPECT_THAT(ids({filter_of("at", FilterOp::lt, "timestamptz", {"2026-01-01T03:00:00Z"})}), ElementsAre(1, 2));
  EXPECT_THAT(ids({filter_of("local", FilterOp::lt, "timestamp", {"2026-01-01T03:00:00Z"})}), ElementsAre(1, 2));
  EXPECT_THAT(ids({filter_of("day", FilterOp::eq, "date", {"2026-01-05"})}), ElementsAre(4));
  EXPECT_THAT(ids({filter_of("u", FilterOp::eq, "uuid", {"c4ca4238-a0b9-2382-0dcc-509a6f75849b"})}), ElementsAre(1));
  EXPECT_EQ(ids({filter_of("mood", FilterOp::eq, "text", {"sad"})}).size(), 20U);
  EXPECT_THAT(ids({filter_of("address", FilterOp::eq, "text", {"10.0.0.5"})}), ElementsAre(5));
  EXPECT_THAT(ids({filter_of("code", FilterOp::in, "text", {"c3", "c4"})}), ElementsAre(3, 4));
  EXPECT_EQ(ids({filter_of("note", FilterOp::is_null, "text", {})}).size(), 13U);
  EXPECT_TRUE(ids({filter_of("note", FilterOp::in, "text", {})}).empty());
}

TEST_F(PostgresFilterTest, NulAndBrokenUtf8AreRefused) {
  spec_.filters = {filter_of("note", FilterOp::eq, "text", {std::string("a\0b", 3)})};
  expect_error(read_range(*source_, spec_, {}), "bad_filter_value", "NUL");
  spec_.filters = {filter_of("note", FilterOp::eq, "text", {"\xC3("})};
  expect_error(read_range(*source_, spec_, {}), "bad_filter_value", "UTF-8");
}

TEST_F(PostgresScanTest, TheSessionIsReadOnlyAndNamed) {
  run("CREATE TABLE {}.log (who text)");
  run("CREATE FUNCTION {}.spy() RETURNS text LANGUAGE sql AS $$ SELECT current_setting('application_name') || ' ' || "
      "current_setting('transaction_read_only') || ' ' || current_setting('statement_timeout') || ' ' || "
      "current_setting('TimeZone') $$");
  run("CREATE VIEW {}.t AS SELECT 1 AS id, {}.spy() AS label");
  Source settings = source_settings();
  settings.statement_timeout = std::chrono::seconds(7);
  const auto source = open(settings);
  const auto reading = read_range(*source, spec(*source, "t", {"id"}), {});
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_EQ(reading->rows, (std::vector<TextRow>{{"1", "longshore/test on 7s UTC"}}));
}

}  // namespace
}  // namespace longshore
