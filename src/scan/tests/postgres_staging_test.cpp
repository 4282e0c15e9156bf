#include "scan/staging_area.h"

#include <functional>
#include <set>
#include <thread>

#include "scan/postgres/copy_mark.h"
#include "scan/tests/postgres_fixture.h"

namespace longshore {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const std::string kDeployment = "0123456789abcdef0123456789abcdef";
const std::string kOther = "0123456789abcdef0000000000000000";  // with the same first digits

class PostgresStagingTest : public PostgresTest {
 protected:
  void SetUp() override {
    PostgresTest::SetUp();
    run("CREATE SCHEMA {}_staging");
    run("CREATE TABLE {}.items (id bigint PRIMARY KEY, tenant_id text NOT NULL, name text); "
        "INSERT INTO {}.items SELECT g, CASE WHEN g % 4 = 0 THEN 'globex' ELSE 'acme' END, 'item ' || g "
        "FROM generate_series(1, 20000) g; ANALYZE {}.items");
    settings_ = source_settings();
    settings_.staging = Staging{.server = dsn(), .schema = schema() + "_staging"};
    source_ = open(settings_);
    spec_ = spec(*source_, "items", {"id"});
    spec_.dataset.tenant_column = "tenant_id";
    spec_.dataset.tenant_type = *parse_data_type("text");
    spec_.tenant = "acme";
  }
  void TearDown() override {
    run("DROP SCHEMA IF EXISTS {}_staging CASCADE");
    PostgresTest::TearDown();
  }

  static CopyName name(int attempt = 0, const std::string& deployment = kDeployment) {
    return {.deployment = deployment, .job = JobId("0192f0c4-0000-7000-8000-00000000000a"), .attempt = attempt};
  }
  std::unique_ptr<StagedCopy> make(const CopyName& name, SourceDatabase* source = nullptr) {
    auto made = (source == nullptr ? *source_ : *source).staging()->make_copy(spec_, name, nullptr, {});
    EXPECT_TRUE(made) << (made ? "" : made.error().message);
    return made ? *std::move(made) : nullptr;
  }
  std::vector<TextRow> selected() {
    return ask("SELECT id, tenant_id, name FROM {}.items WHERE tenant_id = 'acme' ORDER BY id");
  }
  std::vector<TextRow> tables() {
    return ask(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = '{}_staging'::regnamespace ORDER BY 1");
  }
  /// What is to be copied now takes a minute for each row.
  void make_slow() {
    run("CREATE FUNCTION {}.slow(value text) RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN PERFORM pg_sleep(60); "
        "RETURN value; END $$; CREATE VIEW {}.slow_items AS SELECT id, tenant_id, {}.slow(name) AS name FROM {}.items");
    spec_.dataset.relation = relation("slow_items");
  }
  /// Every row of the ranges; `between`: called after each batch.
  Result<std::vector<TextRow>> read(
      const ExportSnapshot& copy, const std::vector<KeyRange>& ranges, const std::function<void()>& between = [] {}) {
    Reading reading;
    for (const KeyRange& range : ranges) {
      ScanRequest request{.spec = &spec_, .range = range, .batch = {.rows = 500}, .label = "test reader"};
      request.copy = &copy;
      TRY(const auto rows, source_->open_scan(std::move(request), {}));
      RowBatch batch = batch_for(spec_);
      while (true) {
        TRY(const bool more, rows->next(batch));
        if (!more) break;
        append_rows(batch, reading);
        between();
      }
    }
    return reading.rows;
  }

  Source settings_;
  std::unique_ptr<SourceDatabase> source_;
  ExportSpec spec_;
};

TEST_F(PostgresStagingTest, ACopyIsTheTenantsRowsAtOneMoment) {
  const auto before = selected();
  const auto copy = make(name());
  ASSERT_TRUE(copy);
  run("UPDATE {}.items SET name = 'changed'; DELETE FROM {}.items WHERE id % 7 = 0; "
      "INSERT INTO {}.items SELECT g, 'acme', 'new' FROM generate_series(20001, 20100) g");
  PartitionRequest request;
  request.partitions = 4;
  const auto plan = copy->plan_partitions(spec_, request, {});
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->ranges.size(), 4U);
  EXPECT_EQ(copy->estimate(spec_, {})->rows, 15000);
  const auto rows = read(copy->what(), plan->ranges);
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_EQ(*rows, before);
}

TEST_F(PostgresStagingTest, FiltersAreInTheCopyToo) {
  spec_.filters = {{.column = "id", .op = FilterOp::lte, .values = {{*parse_data_type("int64"), "10"}}}};
  // A column that is compared but not exported is not copied.
  spec_.columns.erase(spec_.columns.begin() + 1);
  const auto copy = make(name());
  ASSERT_TRUE(copy);
  EXPECT_EQ(*read(copy->what(), {KeyRange{}}),
            ask("SELECT id, name FROM {}.items WHERE id <= 10 AND tenant_id = 'acme'"));
  EXPECT_THAT(
      ask("SELECT attname FROM pg_attribute WHERE attrelid = '" + copy->what().id + "'::regclass AND attnum > 0"),
      ElementsAre(TextRow{"id"}, TextRow{"name"}));
}

TEST_F(PostgresStagingTest, EveryTypeComesThroughACopyAsItIsRead) {
  run("CREATE DOMAIN {}.code AS varchar(5); CREATE TYPE {}.mood AS ENUM ('sad', 'fine'); "
      "CREATE TABLE {}.types (k text COLLATE \"C\", n int, c {}.code, f char(5), d numeric(10, 2), e numeric, "
      "t timestamptz, s timestamp, a date, h time, i interval, j jsonb, b bytea, l int[], u uuid, x inet, m {}.mood, "
      "r float8, o bool, PRIMARY KEY (k, n)); "
      "INSERT INTO {}.types SELECT chr(65 + g % 50), g, 'c' || g, 'f', g / 3.0, 1e20 / (g + 1), now(), localtimestamp, "
      "current_date + g, '10:20:30.4', make_interval(days => g), jsonb_build_object('g', g), decode(lpad(to_hex(g), 4, "
      "'0'), 'hex'), ARRAY[g, NULL], md5(g::text)::uuid, '10.0.0.1', 'fine', g / 7.0::float8, g % 2 = 0 "
      "FROM generate_series(0, 299) g; INSERT INTO {}.types (k, n) VALUES ('\xc3\xa4', 1); ANALYZE {}.types");
  spec_ = spec(*source_, "types", {"k", "n"});
  const auto direct = read_range(*source_, spec_, KeyRange{});
  ASSERT_TRUE(direct) << direct.error().message;
  ASSERT_EQ(direct->rows.size(), 301U);
  const auto copy = make(name());
  ASSERT_TRUE(copy);
  const auto copied = read(copy->what(), {KeyRange{}});
  ASSERT_TRUE(copied) << copied.error().message;
  EXPECT_EQ(*copied, direct->rows);
}

TEST_F(PostgresStagingTest, ItSaysWhichMomentOfWhichServerItIs) {
  const auto copy = make(name());
  ASSERT_TRUE(copy);
  const ExportSnapshot& what = copy->what();
  EXPECT_EQ(what.id, schema() + "_staging." + copy_table(name()));
  EXPECT_THAT(what.lsn, testing::MatchesRegex("[0-9A-F]+/[0-9A-F]+"));
  EXPECT_THAT(what.server, HasSubstr("127.0.0.1:"));
  EXPECT_THAT(source_->list_relations().value(), testing::Not(testing::Contains(what.id))) << "nobody exports copies";
  EXPECT_EQ(what.system_identifier, *ask("SELECT system_identifier::text FROM pg_control_system()")[0][0]);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  EXPECT_LT(std::chrono::abs(now - what.taken_at.time_since_epoch()), std::chrono::minutes(1));
  EXPECT_EQ(ask("SELECT relpersistence, reltuples::int8 FROM pg_class WHERE oid = '" + what.id + "'::regclass"),
            (std::vector<TextRow>{{"p", "15000"}}))
      << "logged, so that a crash of the server does not empty it, and analysed";
}

TEST_F(PostgresStagingTest, WhoeverRepeatsItFindsTheSameCopy) {
  const auto before = selected();
  ExportSnapshot first;
  {
    const auto copy = make(name());
    ASSERT_TRUE(copy);
    first = copy->what();
  }
  run("UPDATE {}.items SET name = 'changed'");
  const auto other = open(settings_);
  const auto again = make(name(), other.get());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->what().lsn, first.lsn);
  EXPECT_EQ(again->what().taken_at, first.taken_at);
  EXPECT_EQ(*read(again->what(), {KeyRange{}}), before);
  EXPECT_EQ(tables().size(), 1U);
}

TEST_F(PostgresStagingTest, WhoeverHasTheRightEndsAnotherThatIsStillMakingIt) {
  const ExportSpec fast = spec_;
  make_slow();
  const auto zombie = open(settings_);
  std::jthread first([&] {
    const auto made = zombie->staging()->make_copy(spec_, name(), nullptr, {});
    EXPECT_FALSE(made);
    if (!made) {
      EXPECT_EQ(made.error().code, "source_unavailable") << made.error().message;
    }
  });
  EXPECT_TRUE(eventually([&] {
    return !ask("SELECT FROM pg_stat_activity WHERE application_name LIKE 'longshore/copy %' AND wait_event = "
                "'PgSleep'")
                .empty();
  }));
  // The second one does not go by the view.
  const auto made = source_->staging()->make_copy(fast, name(), nullptr, {});
  EXPECT_TRUE(made) << made.error().message;
  first.join();
  EXPECT_EQ(tables().size(), 1U);
}

TEST_F(PostgresStagingTest, OnlyWhatThisDeploymentMadeIsListedAndDropped) {
  ASSERT_TRUE(make(name(0)));
  ASSERT_TRUE(make(name(1)));
  spec_.tenant = "globex";
  // Their tables would have one name but for the attempt; the mark tells them apart.
  ASSERT_TRUE(make(name(2, kOther)));
  run("CREATE TABLE {}_staging.longshore_01234567_somebodys ()");
  run("CREATE TABLE {}_staging." + copy_table(name(7)) + " ()");
  run("CREATE TABLE {}_staging." + copy_table(name(8)) + " (); COMMENT ON TABLE {}_staging." + copy_table(name(8)) +
      " IS '" + to_comment({.name = name(9), .moment = {}}) + "'");
  StagingArea& area = *source_->staging();
  EXPECT_THAT(area.copies(kDeployment, {}).value(), UnorderedElementsAre(name(0), name(1)));
  EXPECT_THAT(area.copies(kOther, {}).value(), ElementsAre(name(2, kOther)));
  const std::size_t all = tables().size();
  for (int attempt = 0; attempt < 10; ++attempt) {
    const Status dropped = area.drop_copy(name(attempt), {});
    EXPECT_TRUE(dropped) << dropped.error().message;
  }
  EXPECT_THAT(area.copies(kDeployment, {}).value(), IsEmpty());
  EXPECT_EQ(tables().size(), all - 2);
}

TEST_F(PostgresStagingTest, AReaderThatLosesItsSessionGoesOn) {
  const auto before = selected();
  const auto copy = make(name());
  ASSERT_TRUE(copy);
  int batches = 0;
  const auto rows = read(copy->what(), {KeyRange{}}, [&] {
    if (++batches % 10 != 3) return;
    ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'longshore/test reader%'");
  });
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_EQ(*rows, before);
  EXPECT_GT(batches, 20);
}

TEST_F(PostgresStagingTest, ACopyThatSomebodyDroppedIsGone) {
  settings_.max_connections = 1;
  settings_.batch_rows = 500;
  ExportSnapshot what;
  {
    const auto copy = make(name());
    ASSERT_TRUE(copy);
    what = copy->what();
  }
  source_ = open(settings_);
  int batches = 0;
  const auto half = read(what, {KeyRange{}}, [&] {
    if (++batches == 5) run("DROP TABLE " + what.id);
  });
  expect_error(half, "copy_gone", "somebody dropped it");
  EXPECT_TRUE(half.error().retriable);
  EXPECT_GE(batches, 5);
  expect_error(read(what, {KeyRange{}}), "copy_gone", what.id);
  ExportSnapshot elsewhere = what;
  elsewhere.server = "other:5432/app";
  expect_error(read(elsewhere, {KeyRange{}}), "copy_gone", "elsewhere now");
}

TEST_F(PostgresStagingTest, TooManyRowsAreNotCopied) {
  settings_.staging->max_rows = 10'000;
  source_ = open(settings_);
  const auto made = source_->staging()->make_copy(spec_, name(), nullptr, {});
  expect_error(made, "copy_refused", "only exports of fewer than 10000 estimated rows");
  EXPECT_FALSE(made.error().retriable);
  EXPECT_THAT(tables(), IsEmpty());
}

TEST_F(PostgresStagingTest, WhatTakesTooLongLeavesNothing) {
  make_slow();
  settings_.staging->timeout = std::chrono::milliseconds(300);
  source_ = open(settings_);
  const auto made = source_->staging()->make_copy(spec_, name(), nullptr, {});
  expect_error(made, "copy_timeout", "raise timeout under the source's staging");
  EXPECT_FALSE(made.error().retriable);
  EXPECT_THAT(tables(), IsEmpty());
}

TEST_F(PostgresStagingTest, AKeyThatIsNoneIsSaid) {
  run("CREATE TABLE {}.twice (id bigint, name text); INSERT INTO {}.twice VALUES (5, 'a'), (5, 'b'); ANALYZE {}.twice");
  spec_ = spec(*source_, "twice", {"id"});
  const auto made = source_->staging()->make_copy(spec_, name(), nullptr, {});
  expect_error(made, "source_query_failed", "is duplicated");
  EXPECT_FALSE(made.error().retriable);
  EXPECT_THAT(made.error().message, HasSubstr("cannot be copied to the schema " + schema() + "_staging"));
  EXPECT_THAT(tables(), IsEmpty());
}

TEST_F(PostgresStagingTest, CatalogCheckNamesTheRightThatIsMissing) {
  EXPECT_THAT(source_->staging_faults(spec_.dataset).value(), IsEmpty());
  const std::string user = schema() + "_user";
  run("CREATE ROLE " + user + " LOGIN; GRANT USAGE ON SCHEMA {} TO " + user);
  const auto codes = [&] {
    settings_.staging->server = dsn() + " user=" + user;
    std::set<std::string> found;
    const auto faults = open(settings_)->staging_faults(spec_.dataset);
    for (const ReadingHint& fault : *faults) found.insert(fault.path + " " + fault.code);
    return found;
  };
  EXPECT_THAT(codes(), UnorderedElementsAre("sources.app.staging.schema staging_denied",
                                            "datasets." + spec_.dataset.name + ".relation staging_relation"));
  run("GRANT USAGE, CREATE ON SCHEMA {}_staging TO " + user + "; GRANT SELECT ON {}.items TO " + user);
  EXPECT_THAT(codes(), IsEmpty());
  settings_.staging->schema = "nowhere";
  EXPECT_THAT(codes(), ElementsAre("sources.app.staging.schema staging_denied"));
  run("DROP OWNED BY " + user + "; DROP ROLE " + user);
}

TEST(CopyMarkTest, WhatIsWrittenIsReadAgainAndNothingElse) {
  const CopyMark mark{
      .name = {.deployment = kDeployment, .job = JobId("0192f0c4-0000-7000-8000-00000000000a"), .attempt = 2},
      .moment = {.id = {},
                 .lsn = "0/3000148",
                 .server = {},
                 .system_identifier = "",
                 .taken_at = Timestamp{Duration{1'767'225'600'000'001}}}};
  const std::string table = "longshore_01234567_0192f0c400007000800000000000000a_2";
  EXPECT_EQ(copy_table(mark.name), table);
  const auto read = parse_mark(to_comment(mark), table);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->name, mark.name);
  EXPECT_EQ(read->moment.lsn, mark.moment.lsn);
  EXPECT_EQ(read->moment.system_identifier, "");
  EXPECT_EQ(read->moment.taken_at, mark.moment.taken_at);
  EXPECT_FALSE(parse_mark(to_comment(mark), "longshore_01234567_0192f0c400007000800000000000000a_1"));
  EXPECT_FALSE(parse_mark("people's words about " + table, table));
  EXPECT_FALSE(parse_mark("Longshore copy: ", table));
}

}  // namespace
}  // namespace longshore
