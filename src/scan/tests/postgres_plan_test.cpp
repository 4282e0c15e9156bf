#include <numeric>

#include "scan/tests/postgres_fixture.h"

namespace longshore {
namespace {

class PostgresPlanTest : public PostgresTest {
 protected:
  /// Plans, proves that the ranges hold every row once, and returns the sizes of the ranges.
  std::vector<std::int64_t> sizes(SourceDatabase& source, const ExportSpec& spec, const PartitionRequest& request) {
    const auto plan = source.plan_partitions(spec, request, {});
    if (!plan) {
      ADD_FAILURE() << plan.error().message;
      return {};
    }
    exact_ = plan->exact;
    rows_ = plan->rows;
    std::vector<std::int64_t> sizes = count_ranges(spec, plan->ranges);
    const std::int64_t all = sizes.back();
    sizes.pop_back();
    EXPECT_EQ(std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0}), all);
    // Reading takes longer than counting; what is true of the database's comparisons is true of the scan's.
    if (all <= 10'000) expect_read_once(source, spec, plan->ranges, sizes);
    for (std::size_t i = 0; i < plan->ranges.size(); ++i) {
      EXPECT_EQ(plan->ranges[i].after, i == 0 ? std::nullopt : plan->ranges[i - 1].upto);
    }
    return sizes;
  }

  static void expect_read_once(SourceDatabase& source, const ExportSpec& spec, const std::vector<KeyRange>& ranges,
                               const std::vector<std::int64_t>& sizes) {
    std::vector<TextRow> all;
    for (std::size_t i = 0; i < ranges.size(); ++i) {
      const auto reading = read_range(source, spec, ranges[i]);
      ASSERT_TRUE(reading) << reading.error().message;
      EXPECT_EQ(static_cast<std::int64_t>(reading->rows.size()), sizes[i]);
      all.insert(all.end(), reading->rows.begin(), reading->rows.end());
    }
    const auto whole = read_range(source, spec, {});
    ASSERT_TRUE(whole);
    EXPECT_EQ(all, whole->rows);
    if (!ranges.empty()) {
      EXPECT_EQ(ranges.back().upto, whole->last_keys.back());
    }
  }

  static void expect_balanced(const std::vector<std::int64_t>& sizes, std::size_t partitions, double tolerance) {
    ASSERT_EQ(sizes.size(), partitions);
    std::int64_t total = 0;
    for (const std::int64_t size : sizes) total += size;
    const double share = static_cast<double>(total) / static_cast<double>(partitions);
    for (const std::int64_t size : sizes) {
      EXPECT_NEAR(static_cast<double>(size), share, share * tolerance) << testing::PrintToString(sizes);
    }
  }

  bool exact_ = false;
  std::optional<std::int64_t> rows_;
};

TEST_F(PostgresPlanTest, SkewedNumbersAreCutByStatistics) {
  // Dense in the front, sparse behind, with one far outlier, and two tenants in turns.
  run("CREATE UNLOGGED TABLE {}.t (tenant text, id bigint, PRIMARY KEY (tenant, id))");
  run("INSERT INTO {}.t SELECT 't' || i % 2, power(i / 1000.0, 3)::bigint * 1000 + i FROM generate_series(1, 600000) "
      "i");
  run("INSERT INTO {}.t VALUES ('t1', 9000000000000000000)");
  run("ANALYZE {}.t");
  const auto source = open();
  ExportSpec tenant = spec(*source, "t", {"tenant", "id"});
  tenant.dataset.tenant_column = "tenant";
  tenant.tenant = "t1";
  tenant.columns.erase(tenant.columns.begin());
  expect_balanced(sizes(*source, tenant, {.partitions = 7}), 7, 0.3);
  EXPECT_FALSE(exact_);
  expect_balanced(sizes(*source, tenant, {.partitions = 7, .exact = true}), 7, 0.01);
  EXPECT_TRUE(exact_);
  // A limit that cannot be kept falls back to the statistics.
  expect_balanced(sizes(*source, tenant, {.partitions = 4, .exact = true, .time_limit = std::chrono::milliseconds(1)}),
                  4, 0.3);
  EXPECT_FALSE(exact_);
}

TEST_F(PostgresPlanTest, LimitsOfPartitionsAreKeptAndRowsCounted) {
  run("CREATE UNLOGGED TABLE {}.t (tenant text, id bigint, PRIMARY KEY (tenant, id))");
  const auto source = open();
  ExportSpec whole = spec(*source, "t", {"tenant", "id"});
  EXPECT_EQ(source->plan_partitions(whole, {.max_rows = 10}, {})->rows, 0);
  // Statistics of a time when there was next to nothing.
  run("INSERT INTO {}.t VALUES ('t0', 0)");
  run("ANALYZE {}.t");
  run("INSERT INTO {}.t SELECT 't' || i % 2, i::bigint * i FROM generate_series(1, 250000) i");
  EXPECT_THAT(sizes(*source, whole, {.max_rows = 100'000}),
              testing::Each(testing::AllOf(testing::Ge(83'333), testing::Le(83'334))));
  EXPECT_EQ(rows_, 250'001);
  EXPECT_TRUE(exact_);
  EXPECT_THAT(sizes(*source, whole, {.max_rows = 250'001}), testing::ElementsAre(250'001));
  EXPECT_EQ(sizes(*source, whole, {.partitions = 5, .group_rows = 100'000}).size(), 6U);

  const auto fits = source->plan_partitions(whole, {.max_total_rows = 250'001}, {});
  ASSERT_TRUE(fits) << fits.error().message;
  EXPECT_EQ(fits->rows, 250'001);
  EXPECT_EQ(fits->ranges.size(), 1U);
  const auto too_many = source->plan_partitions(whole, {.max_total_rows = 250'000}, {});
  ASSERT_TRUE(too_many);
  EXPECT_EQ(too_many->rows, 250'001);
  EXPECT_TRUE(too_many->ranges.empty());
}

TEST_F(PostgresPlanTest, WhereCountingTakesTooLongStatisticsServeWithAMargin) {
  run("CREATE UNLOGGED TABLE {}.t (id bigint PRIMARY KEY)");
  run("INSERT INTO {}.t SELECT i FROM generate_series(1, 400000) i");
  run("ANALYZE {}.t");
  const auto source = open();
  const ExportSpec whole = spec(*source, "t", {"id"});
  const auto parts = sizes(*source, whole, {.max_rows = 100'000, .time_limit = std::chrono::milliseconds(1)});
  EXPECT_EQ(rows_, std::nullopt);
  EXPECT_FALSE(exact_);
  EXPECT_EQ(parts.size(), 8U) << "twice as many rows are reckoned with";
  for (const std::int64_t size : parts) EXPECT_LE(size, 100'000);
}

TEST_F(PostgresPlanTest, OtherKeysAreCutByStatistics) {
  run(R"(CREATE UNLOGGED TABLE {}.t AS SELECT md5(i::text)::uuid AS id, md5(i::text) AS code,
         timestamptz '2026-01-01Z' + i::bigint * i * interval '1 ms' AS at FROM generate_series(1, 250000) i)");
  run("CREATE UNIQUE INDEX ON {}.t (id)");
  run("CREATE UNIQUE INDEX ON {}.t (code)");
  run("CREATE UNIQUE INDEX ON {}.t (at, id)");
  run("ANALYZE {}.t");
  const auto source = open();
  for (const std::vector<std::string>& key : {std::vector<std::string>{"id"}, {"code"}, {"at", "id"}}) {
    SCOPED_TRACE(testing::PrintToString(key));
    ExportSpec whole = spec(*source, "t", key);
    whole.columns.resize(1);
    expect_balanced(sizes(*source, whole, {.partitions = 5}), 5, 0.3);
    EXPECT_FALSE(exact_);
  }
}

TEST_F(PostgresPlanTest, WithoutStatisticsKeysAreTakenAsEven) {
  run("CREATE UNLOGGED TABLE {}.t (id int PRIMARY KEY, wide text)");
  run("INSERT INTO {}.t SELECT i, repeat('x', 100) FROM generate_series(1, 250000) i");
  const auto source = open();
  expect_balanced(sizes(*source, spec(*source, "t", {"id"}), {.partitions = 3}), 3, 0.3);
}

TEST_F(PostgresPlanTest, EstimatesCountWhatIsSmall) {
  run("CREATE TABLE {}.t (id int PRIMARY KEY, tenant text, label text, at timestamptz)");
  run("INSERT INTO {}.t SELECT i, 't' || i % 10, repeat('x', 40), now() FROM generate_series(1, 100000) i");
  run("ANALYZE {}.t");
  const auto source = open();
  ExportSpec spec = this->spec(*source, "t", {"id"});
  const auto all = source->estimate(spec, {});
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_FALSE(all->exact);
  EXPECT_NEAR(static_cast<double>(all->rows), 100'000, 5000);
  EXPECT_NEAR(static_cast<double>(all->bytes_per_row), 80, 25);
  spec.dataset.tenant_column = "tenant";
  spec.tenant = "t3";
  const auto one = source->estimate(spec, {});
  ASSERT_TRUE(one);
  EXPECT_TRUE(one->exact);
  EXPECT_EQ(one->rows, 10'000);
  spec.tenant = "nobody";
  EXPECT_EQ(source->estimate(spec, {})->rows, 0);
}

TEST_F(PostgresPlanTest, TheWidthOfAViewsRowsIsThatOfSomeOfThem) {
  run("CREATE TABLE {}.t (id int PRIMARY KEY, label text, raw bytea, empty text)");
  run("INSERT INTO {}.t SELECT i, repeat('x', 500), decode(repeat('00', 300), 'hex') FROM generate_series(1, 1000) i");
  run("CREATE VIEW {}.v AS SELECT id, upper(label) AS label, raw, empty FROM {}.t; ANALYZE {}.t");
  const auto source = open();
  const auto estimate = source->estimate(spec(*source, "v", {"id"}), {});
  ASSERT_TRUE(estimate) << estimate.error().message;
  EXPECT_NEAR(static_cast<double>(estimate->bytes_per_row), 8 + 501 + 401 + 25, 10);
}

TEST_F(PostgresPlanTest, EstimatesLookAtPagesWhereStatisticsAreMissing) {
  run("CREATE TABLE {}.t (id int PRIMARY KEY, tenant text, label text) WITH (autovacuum_enabled = off)");
  run("INSERT INTO {}.t SELECT i, 't' || i % 2, repeat('x', 40) FROM generate_series(1, 400000) i");
  const auto source = open();
  ExportSpec spec = this->spec(*source, "t", {"id"});
  spec.dataset.tenant_column = "tenant";
  spec.tenant = "t1";
  const auto estimate = source->estimate(spec, {});
  ASSERT_TRUE(estimate) << estimate.error().message;
  EXPECT_FALSE(estimate->exact);
  EXPECT_NEAR(static_cast<double>(estimate->rows), 200'000, 40'000);
}

}  // namespace
}  // namespace longshore
