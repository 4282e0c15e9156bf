#include "scan/tests/postgres_fixture.h"

namespace longshore {
namespace {

using PostgresRecoveryTest = PostgresTest;

TEST_F(PostgresRecoveryTest, BrokenConnectionStringsAreNotRepeated) {
  Source settings = source_settings();
  settings.primary = "host=x password='hush-hush";
  const auto source = make_source(settings);
  expect_error(source, "bad_source", "source app");
  EXPECT_THAT(source.error().message, testing::Not(testing::HasSubstr("hush")));
  settings.primary.clear();
  expect_error(make_source(settings), "bad_source", "neither replicas nor a primary");
}

TEST_F(PostgresRecoveryTest, AnAbandonedScanLeavesNoSession) {
  run("CREATE TABLE {}.t AS SELECT i AS id, repeat('x', 200) AS label FROM generate_series(1, 5000) i");
  Source settings = source_settings();
  settings.batch_rows = 100;
  const auto source = open(settings);
  const ExportSpec whole = spec(*source, "t", {"id"});
  auto scan = source->open_scan({.spec = &whole, .range = {}, .batch = {.rows = 100}, .label = schema()}, {});
  ASSERT_TRUE(scan);
  RowBatch batch = batch_for(whole);
  ASSERT_TRUE((*scan)->next(batch));
  scan->reset();
  EXPECT_TRUE(
      eventually([&] { return ask("SELECT FROM pg_stat_activity WHERE application_name = 'longshore/{}'").empty(); }));
}

}  // namespace
}  // namespace longshore
