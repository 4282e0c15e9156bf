// How evenly relations of all sorts are cut, and what that costs the database.

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "scan/tests/postgres_fixture.h"

namespace longshore {
namespace {

constexpr int kPartitions = 8;

class PostgresBalanceTest : public PostgresTest {
 protected:
  struct Cut {
    bool exact = false;
    std::size_t ranges = 0;
    double spread = 0;      ///< rows of the largest range over the mean of the wanted number
    std::string sizes;      ///< for messages
    double share_read = 0;  ///< rows that the tables gave for planning, over the rows that they have
    std::vector<std::string> statements;
  };

  /// Plans with every statement logged, and counts the rows of each range in the database itself.
  Cut cut(const ExportSpec& spec, int partitions = kPartitions) {
    Source settings = source_settings();
    settings.primary += " options='-c log_statement=all'";
    auto source = open(settings);
    const double before = rows_given();
    const std::int64_t log_begin = log_size();
    const auto plan = source->plan_partitions(spec, {.partitions = partitions}, {});
    source.reset();  // which keeps a session for the next who asks
    Cut cut;
    if (!plan) {
      ADD_FAILURE() << plan.error().message;
      return cut;
    }
    cut.statements = logged_since(log_begin);
    cut.share_read = (rows_given() - before) / static_cast<double>(rows_in_schema());
    cut.exact = plan->exact;
    cut.ranges = plan->ranges.size();

    const std::vector<std::int64_t> sizes = count_ranges(spec, plan->ranges);
    const std::int64_t all = sizes.back();
    cut.sizes = testing::PrintToString(sizes);
    EXPECT_EQ(std::accumulate(sizes.begin(), sizes.end() - 1, std::int64_t{0}), all) << "every row is in one range";
    cut.spread =
        static_cast<double>(*std::max_element(sizes.begin(), sizes.end() - 1)) * partitions / static_cast<double>(all);
    expect_contiguous(plan->ranges);
    return cut;
  }

  /// The promise of `boundaries: cheap`.
  static void expect_balanced(const Cut& cut, double most_spread = 1.5) {
    EXPECT_EQ(cut.ranges, static_cast<std::size_t>(kPartitions));
    EXPECT_LE(cut.spread, most_spread) << cut.sizes;
    EXPECT_LE(cut.statements.size(), 64U);
    for (const std::string& statement : cut.statements) {
      EXPECT_THAT(statement, testing::Not(testing::ContainsRegex("[Oo][Ff][Ff][Ss][Ee][Tt]")));
    }
  }
  /// Statistics and a sample of the pages served; no pass over all rows or keys.
  static void expect_cheap(const Cut& cut) {
    EXPECT_FALSE(cut.exact);
    EXPECT_LE(cut.share_read, 0.5) << "rows were read as if all were counted";
    for (const std::string& statement : cut.statements) {
      EXPECT_THAT(statement, testing::Not(testing::HasSubstr("row_number")));
      EXPECT_THAT(statement, testing::Not(testing::HasSubstr("counted")));
    }
  }

  ExportSpec of_tenant(ExportSpec spec, const std::string& tenant) {
    spec.dataset.tenant_column = "tenant";
    spec.dataset.tenant_type = {.logical = LogicalType::text};
    spec.tenant = tenant;
    return spec;
  }
  ExportSpec whole(const std::string& table, const std::vector<std::string>& key) {
    const auto source = open();
    return spec(*source, table, key);
  }

  std::int64_t number(const std::string& sql) { return std::stoll(ask(sql).at(0).at(0).value_or("0")); }

 private:
  static void expect_contiguous(const std::vector<KeyRange>& ranges) {
    ASSERT_FALSE(ranges.empty());
    EXPECT_FALSE(ranges.front().after.has_value());
    for (std::size_t i = 1; i < ranges.size(); ++i) EXPECT_EQ(ranges[i].after, ranges[i - 1].upto);
  }

  /// By all sessions that have been until now.
  double rows_given() {
    wait_for_sessions();
    return static_cast<double>(
        number("SELECT sum(seq_tup_read + coalesce((SELECT sum(idx_tup_read) FROM pg_stat_user_indexes i WHERE "
               "i.relid = t.relid), 0)) FROM pg_stat_user_tables t WHERE schemaname = '{}'"));
  }
  std::int64_t rows_in_schema() {
    return number("SELECT sum(n_tup_ins) FROM pg_stat_user_tables WHERE schemaname = '{}'");
  }
  /// A session's counters are added up when it has gone, which is somewhat after its client has.
  void wait_for_sessions() {
    // In one session: each new one would be another to wait for.
    run("DO $$ BEGIN WHILE (SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'longshore%') > 1 LOOP "
        "IF clock_timestamp() > now() + interval '60 s' THEN RAISE 'a session does not go away'; END IF; "
        "PERFORM pg_sleep(0.002), pg_stat_clear_snapshot(); END LOOP; END $$");
  }
  /// The log that tests/postgres_server.py gives its servers.
  std::int64_t log_size() {
    return number("SELECT (pg_stat_file(current_setting('data_directory') || '/../log')).size");
  }
  std::vector<std::string> logged_since(std::int64_t begin) {
    const std::string log = ask("SELECT pg_read_file(current_setting('data_directory') || '/../log', " +
                                std::to_string(begin) + ", 10000000)")
                                .at(0)
                                .at(0)
                                .value_or("");
    std::vector<std::string> statements;
    for (std::size_t at = log.find("LOG:  "); at != std::string::npos;) {
      const std::size_t next = log.find("LOG:  ", at + 1);
      const std::string entry = log.substr(at, next - at);
      if (entry.starts_with("LOG:  statement:") || entry.starts_with("LOG:  execute")) statements.push_back(entry);
      at = next;
    }
    EXPECT_FALSE(statements.empty()) << "the server's log is not where tests/postgres_server.py puts it";
    return statements;
  }
};

// --- Skewed keys

TEST_F(PostgresBalanceTest, MostRowsInOneHundredthOfTheKeys) {
  run("CREATE UNLOGGED TABLE {}.t (id bigint PRIMARY KEY, note text)");
  run("INSERT INTO {}.t SELECT CASE WHEN i % 10 > 0 THEN 5000000000 + i * 100 ELSE i * 30000::bigint + 7 END, 'note ' "
      "|| i "
      "FROM generate_series(1, 300000) i");
  run("ANALYZE {}.t");
  const Cut cut = this->cut(whole("t", {"id"}));
  expect_balanced(cut, 1.2);
  expect_cheap(cut);
  EXPECT_LE(cut.share_read, 0.01) << "current statistics need no rows at all";
}

TEST_F(PostgresBalanceTest, GapsThatStatisticsDoNotKnow) {
  run("CREATE UNLOGGED TABLE {}.t (id bigint PRIMARY KEY, note text)");
  run("INSERT INTO {}.t SELECT i, repeat('x', 50) FROM generate_series(1, 500000) i");
  run("ANALYZE {}.t");
  run("DELETE FROM {}.t WHERE id BETWEEN 50000 AND 300000");
  const Cut cut = this->cut(whole("t", {"id"}));
  expect_balanced(cut);
  expect_cheap(cut);
}

TEST_F(PostgresBalanceTest, ATableThatHasGrownSinceItsStatistics) {
  run("CREATE UNLOGGED TABLE {}.t (id bigint PRIMARY KEY, note text)");
  run("INSERT INTO {}.t SELECT i, repeat('x', 50) FROM generate_series(1, 20000) i");
  run("ANALYZE {}.t");
  run("INSERT INTO {}.t SELECT 20000 + i * 1000::bigint, repeat('x', 50) FROM generate_series(1, 300000) i");
  const Cut cut = this->cut(whole("t", {"id"}));
  expect_balanced(cut);
  expect_cheap(cut);
}

// --- Tenants

TEST_F(PostgresBalanceTest, ATenantThatGrewLate) {
  // A tenth of its rows in the first nine tenths of the ids, the rest among the newest; the others the other way round.
  run("CREATE UNLOGGED TABLE {}.t (tenant text, id bigint, note text, PRIMARY KEY (tenant, id))");
  run("INSERT INTO {}.t SELECT CASE WHEN (i > 450000) = (i % 10 > 0) THEN 'acme' ELSE 'small' || i % 40 END, i, "
      "repeat('x', 40) FROM generate_series(1, 700000) i");
  run("CREATE UNIQUE INDEX ON {}.t (id)");
  run("ANALYZE {}.t");
  for (const std::vector<std::string>& key : {std::vector<std::string>{"tenant", "id"}, {"id"}}) {
    const Cut cut = this->cut(of_tenant(whole("t", key), "acme"));
    expect_balanced(cut);
    expect_cheap(cut);
  }
}

TEST_F(PostgresBalanceTest, ATenantAtOneEnd) {
  run("CREATE UNLOGGED TABLE {}.t (tenant text, id bigint PRIMARY KEY, note text)");
  run("INSERT INTO {}.t SELECT CASE WHEN i > 400000 THEN 'acme' ELSE 'other' END, power(i, 2)::bigint, "
      "repeat('x', 40) FROM generate_series(1, 640000) i");
  run("ANALYZE {}.t");
  const Cut cut = this->cut(of_tenant(whole("t", {"id"}), "acme"));
  expect_balanced(cut);
  expect_cheap(cut);
}

// --- Keys of all types

TEST_F(PostgresBalanceTest, TextKeysInTheirCollation) {
  // Prefixes, mixed case and umlauts: byte order, ICU's order and German order all differ.
  run(R"(CREATE UNLOGGED TABLE {}.t AS SELECT CASE i % 7 WHEN 0 THEN 'usr_' WHEN 1 THEN 'Usr_' WHEN 2 THEN 'über'
         ELSE 'usr_0000' END || lpad((i * 7919 % 1000003)::text, 9, '0') AS plain FROM generate_series(1, 250000) i)");
  run(R"(ALTER TABLE {}.t ADD german text COLLATE "de-x-icu", ADD bytes text COLLATE "C")");
  run("UPDATE {}.t SET german = plain, bytes = plain");
  run("VACUUM FULL {}.t");
  for (const std::string column : {"plain", "german", "bytes"}) {
    run("CREATE UNIQUE INDEX ON {}.t (" + column + ")");
    run("ALTER TABLE {}.t ALTER " + column + " SET NOT NULL");
  }
  for (const bool analysed : {false, true}) {
    if (analysed) run("ANALYZE {}.t");
    for (const std::string column : {"plain", "german", "bytes"}) {
      SCOPED_TRACE(column + (analysed ? ", analysed" : ""));
      const Cut cut = this->cut(whole("t", {column}));
      expect_balanced(cut);
      expect_cheap(cut);
    }
  }
}

TEST_F(PostgresBalanceTest, UuidKeysThatAreRandomOrBeginWithTheTime) {
  run(R"(CREATE UNLOGGED TABLE {}.t AS SELECT md5(i::text)::uuid AS v4,
         (lpad(to_hex((1750000000000 + (i / 1000.0) ^ 3)::bigint), 12, '0') || '7' || substr(md5(i::text), 1, 19))::uuid AS v7
         FROM (SELECT generate_series(1, 250000)::bigint AS i) s)");
  run("CREATE UNIQUE INDEX ON {}.t (v4); CREATE UNIQUE INDEX ON {}.t (v7)");
  for (const bool analysed : {false, true}) {
    if (analysed) run("ANALYZE {}.t");
    for (const std::string column : {"v4", "v7"}) {
      SCOPED_TRACE(column + (analysed ? ", analysed" : ""));
      const Cut cut = this->cut(whole("t", {column}));
      expect_balanced(cut);
      expect_cheap(cut);
    }
  }
}

TEST_F(PostgresBalanceTest, FewValuesInFront) {
  run("CREATE UNLOGGED TABLE {}.t (region smallint, day date, id bigint, PRIMARY KEY (region, id))");
  run("INSERT INTO {}.t SELECT CASE WHEN i % 10 < 7 THEN 2 ELSE i % 3 END, date '2026-01-01' + i % 3, i FROM "
      "generate_series(1, 300000) i");
  run("CREATE UNIQUE INDEX ON {}.t (day, id)");
  run("ANALYZE {}.t");
  for (const std::vector<std::string>& key : {std::vector<std::string>{"region", "id"}, {"day", "id"}}) {
    SCOPED_TRACE(key[0]);
    const Cut cut = this->cut(whole("t", key));
    expect_balanced(cut);
    expect_cheap(cut);
  }
}

TEST_F(PostgresBalanceTest, TimesThatReachToInfinity) {
  run("CREATE UNLOGGED TABLE {}.t (at timestamptz, id bigint, PRIMARY KEY (at, id))");
  run("INSERT INTO {}.t SELECT CASE WHEN i % 20 = 0 THEN 'infinity' WHEN i % 50 = 1 THEN '-infinity' ELSE timestamptz "
      "'2026-01-01Z' + i * i * interval '1 ms' END, i FROM generate_series(1, 250000) AS each(n), "
      "LATERAL (SELECT n::bigint AS i) s");
  run("ANALYZE {}.t");
  const Cut cut = this->cut(whole("t", {"at", "id"}));
  expect_balanced(cut);
  expect_cheap(cut);
}

// --- Relations that are no plain table

TEST_F(PostgresBalanceTest, PartitionsAnalysedOneByOne) {
  // As autovacuum leaves it: the partitioned table itself has no statistics at all.
  run("CREATE TABLE {}.t (tenant text, at timestamptz, id bigint, code text, PRIMARY KEY (at, id)) PARTITION BY RANGE "
      "(at)");
  for (int month = 1; month <= 6; ++month) {
    // In each month more rows than in the one before, and the tenants in turns.
    const std::string from = "'2026-0" + std::to_string(month) + "-01Z'";
    const std::string next = "'2026-0" + std::to_string(month + 1) + "-01Z'";
    const std::string table = "{}.t" + std::to_string(month);
    run(fmt::format("CREATE UNLOGGED TABLE {} PARTITION OF {} FOR VALUES FROM ({}) TO ({})", table, "{}.t", from,
                    next));
    run(
        fmt::format("INSERT INTO {0} SELECT 't' || (i + {1}) % 2, timestamptz {2} + i * interval '9 s', i, 'usr_' || "
                    "lpad((i * 6 + {1})::text, 9, '0') FROM generate_series(1, {3}) i",
                    "{}.t", month, from, month * month * 6000));
    run(fmt::format("CREATE UNIQUE INDEX ON {} (code)", table));
    run(fmt::format("ANALYZE {}", table));
  }
  for (const std::vector<std::string>& key : {std::vector<std::string>{"at", "id"}, {"code"}}) {
    SCOPED_TRACE(key[0]);
    const Cut all = cut(whole("t", key));
    expect_balanced(all, 1.3);
    expect_cheap(all);
    const Cut one = cut(of_tenant(whole("t", key), "t1"));
    expect_balanced(one);
    expect_cheap(one);
  }
}

TEST_F(PostgresBalanceTest, PartitionsByHashWithoutAnyStatistics) {
  run("CREATE TABLE {}.t (id uuid PRIMARY KEY, note text) PARTITION BY HASH (id)");
  for (int i = 0; i < 4; ++i) {
    run("CREATE UNLOGGED TABLE {}.t" + std::to_string(i) + " PARTITION OF {}.t FOR VALUES WITH (MODULUS 4, REMAINDER " +
        std::to_string(i) + ")");
  }
  run("INSERT INTO {}.t SELECT md5(i::text)::uuid, repeat('x', 30) FROM generate_series(1, 250000) i");
  const Cut cut = this->cut(whole("t", {"id"}));
  expect_balanced(cut);
  expect_cheap(cut);
}

TEST_F(PostgresBalanceTest, TablesThatInherit) {
  run("CREATE UNLOGGED TABLE {}.t (id bigint PRIMARY KEY, note text)");
  run("CREATE UNLOGGED TABLE {}.child (PRIMARY KEY (id)) INHERITS ({}.t)");
  run("INSERT INTO {}.t SELECT i * 10, repeat('x', 30) FROM generate_series(1, 60000) i");
  run("INSERT INTO {}.child SELECT i + 500001, repeat('x', 30) FROM generate_series(1, 240000) i");
  for (const std::string analysed : {"child", "t"}) {
    run("ANALYZE {}." + analysed);
    const Cut cut = this->cut(whole("t", {"id"}));
    expect_balanced(cut);
    expect_cheap(cut);
  }
}

TEST_F(PostgresBalanceTest, Views) {
  run("CREATE UNLOGGED TABLE {}.base (tenant text, id bigint PRIMARY KEY, code text UNIQUE, note text)");
  run("INSERT INTO {}.base SELECT CASE WHEN (i > 250000) = (i % 10 > 0) THEN 'acme' ELSE 'other' END, i::bigint * i, "
      "'usr_' || lpad(i::text, 9, '0'), repeat('x', 30) FROM generate_series(1, 500000) i");
  run("ANALYZE {}.base");
  run("CREATE VIEW {}.t AS SELECT tenant, id, code, upper(note) AS note FROM {}.base WHERE id > 100");
  for (const std::string column : {"id", "code"}) {
    SCOPED_TRACE(column);
    const Cut all = cut(whole("t", {column}));
    expect_balanced(all, 1.3);
    expect_cheap(all);
    // Nothing but a pass over the keys tells where one tenant's lie behind a view; it is bounded, and so few are taken.
    const Cut one = cut(of_tenant(whole("t", {column}), "acme"));
    expect_balanced(one);
    EXPECT_TRUE(one.exact);
  }
}

TEST_F(PostgresBalanceTest, MaterializedViews) {
  run("CREATE MATERIALIZED VIEW {}.t AS SELECT md5(i::text) AS id, i % 3 AS kind FROM generate_series(1, 250000) i");
  run("CREATE UNIQUE INDEX ON {}.t (id)");
  const Cut cut = this->cut(whole("t", {"id"}));
  expect_balanced(cut);
  expect_cheap(cut);
}

TEST_F(PostgresBalanceTest, FiltersThatFollowTheKeyAreTakenIntoAccount) {
  run("CREATE UNLOGGED TABLE {}.t (id bigint PRIMARY KEY, status int, note text)");
  run("INSERT INTO {}.t SELECT i, CASE WHEN i < 330000 THEN (i % 3 > 0)::int ELSE (i % 10 = 0)::int END, "
      "repeat('x', 30) FROM generate_series(1, 700000) i");
  run("ANALYZE {}.t");
  ExportSpec open = whole("t", {"id"});
  open.filters = {
      {.column = "status", .op = FilterOp::eq, .values = {{.type = {.logical = LogicalType::int32}, .text = "1"}}}};
  const Cut cut = this->cut(open);
  expect_balanced(cut);
  expect_cheap(cut);
}

TEST_F(PostgresBalanceTest, AUserWhoMayReadSomeColumnsOnly) {
  run("CREATE UNLOGGED TABLE {}.t (tenant text, id bigint PRIMARY KEY, secret text)");
  run("INSERT INTO {}.t SELECT 't' || i % 2, i::bigint * i, repeat('x', 40) FROM generate_series(1, 450000) i");
  run("ANALYZE {}.t");
  run("CREATE ROLE {}_reader LOGIN");
  run("GRANT USAGE ON SCHEMA {} TO {}_reader; GRANT SELECT (tenant, id) ON {}.t TO {}_reader");
  Source settings = source_settings();
  settings.primary += " user=" + schema() + "_reader";
  const ExportSpec one = of_tenant(whole("t", {"id"}), "t1");
  const auto plan = open(settings)->plan_partitions(one, {.partitions = kPartitions}, {});
  ASSERT_TRUE(plan) << plan.error().message;
  const std::vector<std::int64_t> sizes = count_ranges(one, plan->ranges);
  EXPECT_THAT(sizes, testing::SizeIs(kPartitions + 1));
  EXPECT_LE(*std::max_element(sizes.begin(), sizes.end() - 1) * kPartitions, sizes.back() * 3 / 2);
  run("DROP OWNED BY {}_reader; DROP ROLE {}_reader");
}

}  // namespace
}  // namespace longshore
