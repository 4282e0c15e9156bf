#include "scan/tests/postgres_fixture.h"

namespace longshore {
namespace {

using PostgresSchemaTest = PostgresTest;
using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(PostgresSchemaTest, DescribesColumnsAndIndexes) {
  run("CREATE DOMAIN {}.code AS varchar(8) NOT NULL");
  run(R"(CREATE TABLE {}.t (tenant_id text NOT NULL, id bigint NOT NULL, amount numeric(12,2), code {}.code,
         gone int, tags text[], PRIMARY KEY (tenant_id, id)))");
  run("ALTER TABLE {}.t DROP COLUMN gone");
  run("CREATE UNIQUE INDEX t_unique ON {}.t (id) INCLUDE (amount)");
  run("CREATE INDEX t_plain ON {}.t (amount, id)");
  run("CREATE UNIQUE INDEX t_partial ON {}.t (code) WHERE amount > 0");
  run("CREATE INDEX t_expression ON {}.t (lower(tenant_id))");
  run("INSERT INTO {}.t SELECT 'a', i, i, 'c' || i, NULL FROM generate_series(1, 500) i");
  run("ANALYZE {}.t");
  const auto info = open()->describe(relation("t"));
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_FALSE(info->is_view);
  EXPECT_EQ(info->estimated_rows, 500);
  std::vector<std::string> columns;
  for (const ColumnInfo& column : info->columns) {
    columns.push_back(column.name + " " + to_string(column.type) + (column.nullable ? " null" : "") + ": " +
                      column.database_type);
  }
  EXPECT_THAT(columns,
              ElementsAre("tenant_id text: text", "id int64: bigint", "amount numeric(12,2) null: numeric(12,2)",
                          "code text: " + schema() + ".code", "tags text[] null: text[]"));
  std::vector<std::string> indexes;
  for (const IndexInfo& index : info->indexes) {
    std::string text = index.name + ":";
    for (const std::string& column : index.columns) text += " " + column;
    indexes.push_back(text + (index.primary ? " primary" : "") + (index.unique ? " unique" : "") +
                      (index.partial ? " partial" : ""));
  }
  EXPECT_THAT(indexes, ElementsAre("t_pkey: tenant_id id primary unique", "t_partial: code unique partial",
                                   "t_plain: amount id", "t_unique: id unique"));
}

TEST_F(PostgresSchemaTest, ListsWhatCanBeExported) {
  run("CREATE TABLE {}.b (id int)");
  run("CREATE TABLE {}.a (id int) PARTITION BY RANGE (id)");
  run("CREATE TABLE {}.a_1 PARTITION OF {}.a FOR VALUES FROM (1) TO (10)");
  run("CREATE VIEW {}.v AS SELECT 1 AS id");
  run("CREATE MATERIALIZED VIEW {}.m AS SELECT 1 AS id");
  const auto all = open()->list_relations();
  ASSERT_TRUE(all) << all.error().message;
  std::vector<std::string> own;
  for (const std::string& name : *all) {
    EXPECT_THAT(name, testing::Not(HasSubstr("pg_catalog")));
    if (name.starts_with(schema() + ".")) own.push_back(name);
  }
  EXPECT_THAT(own, ElementsAre(relation("a"), relation("b"), relation("m")));
}

TEST_F(PostgresSchemaTest, UnqualifiedNamesMeanPublic) {
  const auto missing = open()->describe("longshore_no_such_table");
  expect_error(missing, "relation_not_found", "longshore_no_such_table");
  expect_error(open()->describe(relation("nothing")), "relation_not_found", relation("nothing"));
}

TEST_F(PostgresSchemaTest, ScanNamesWhatChanged) {
  run("CREATE TABLE {}.t (id int PRIMARY KEY, label text)");
  run("INSERT INTO {}.t SELECT i, 'x' FROM generate_series(1, 10) i");
  const auto source = open();
  const ExportSpec whole = spec(*source, "t", {"id"});

  run("ALTER TABLE {}.t RENAME COLUMN label TO title");
  expect_error(read_range(*source, whole, {}), "source_schema_changed", "column \"label\" is not in relation");
  run("ALTER TABLE {}.t DROP COLUMN title");
  run("ALTER TABLE {}.t ADD COLUMN label int");
  const auto readable = read_range(*source, whole, {});  // declared text: anything can be shown as text
  EXPECT_TRUE(readable);
  run("ALTER TABLE {}.t ALTER COLUMN id TYPE timestamptz USING now() + id * interval '1 s'");
  expect_error(read_range(*source, whole, {}), "source_schema_changed",
               "column \"id\" is timestamp with time zone in the database, which cannot be exported as int32");
  run("DROP TABLE {}.t");
  expect_error(read_range(*source, whole, {}), "source_schema_changed", "relation " + relation("t"));
}

TEST_F(PostgresSchemaTest, ChangesInTheMiddleOfAScanAreNoticed) {
  run("CREATE TABLE {}.t (id int PRIMARY KEY, label text, n int)");
  run("INSERT INTO {}.t SELECT i, 'x', i FROM generate_series(1, 1000) i");
  Source settings = source_settings();
  settings.batch_rows = 100;
  const auto source = open(settings);
  const ExportSpec whole = spec(*source, "t", {"id"});
  const auto read_and_alter = [&](const std::string& alter) -> Result<Reading> {
    TRY(auto scan, source->open_scan({.spec = &whole, .range = {}, .batch = {.rows = 50}, .label = "test"}, {}));
    RowBatch batch = batch_for(whole);
    Reading reading;
    for (bool first = true;; first = false) {
      TRY(const bool more, scan->next(batch));
      if (!more) return reading;
      append_rows(batch, reading);
      if (first) run(alter);
    }
  };
  // A wider type goes on to be read as it was: the statement casts it back.
  const auto widened = read_and_alter("ALTER TABLE {}.t ALTER COLUMN n TYPE bigint");
  ASSERT_TRUE(widened) << widened.error().message;
  EXPECT_EQ(widened->rows.size(), 1000U);
  EXPECT_EQ(widened->rows.back(), (TextRow{"1000", "x", "1000"}));
  expect_error(read_and_alter("ALTER TABLE {}.t ALTER COLUMN n TYPE text USING 'no number'"), "source_schema_changed",
               "column \"n\" is text");
  run("ALTER TABLE {}.t ALTER COLUMN n TYPE int USING id");
  // The database itself would only say that there is no operator text > bigint.
  expect_error(read_and_alter("ALTER TABLE {}.t ALTER COLUMN id TYPE text"), "source_schema_changed",
               "column \"id\" is text");
  run("ALTER TABLE {}.t ALTER COLUMN id TYPE int USING id::int");
  expect_error(read_and_alter("ALTER TABLE {}.t DROP COLUMN label"), "source_schema_changed",
               "column \"label\" is not in relation");
}

TEST_F(PostgresSchemaTest, AnIndexOfAnInheritedTableProvesNothing) {
  run("CREATE TABLE {}.parent (id int PRIMARY KEY)");
  const auto source = open();
  EXPECT_TRUE(source->describe(relation("parent"))->indexes.at(0).unique);
  run("CREATE TABLE {}.child () INHERITS ({}.parent)");
  EXPECT_FALSE(source->describe(relation("parent"))->indexes.at(0).unique);
  run("CREATE TABLE {}.parts (id int PRIMARY KEY) PARTITION BY HASH (id)");
  run("CREATE TABLE {}.part PARTITION OF {}.parts FOR VALUES WITH (MODULUS 1, REMAINDER 0)");
  run("INSERT INTO {}.parts SELECT generate_series(1, 1000)");
  run("ANALYZE {}.part");
  const auto parts = source->describe(relation("parts"));
  EXPECT_TRUE(parts->indexes.at(0).unique);
  EXPECT_EQ(parts->estimated_rows, 1000);
}

TEST_F(PostgresSchemaTest, HintsSayWhatWouldBeSlowOrUneven) {
  run("CREATE TABLE {}.t (tenant text, at timestamptz, id bigint, PRIMARY KEY (at, id)) PARTITION BY RANGE (at)");
  run("CREATE UNLOGGED TABLE {}.t1 PARTITION OF {}.t FOR VALUES FROM ('2026-01-01Z') TO ('2026-07-01Z')");
  run("CREATE UNLOGGED TABLE {}.t2 PARTITION OF {}.t FOR VALUES FROM ('2026-07-01Z') TO ('2027-01-01Z')");
  const auto source = open();
  Dataset dataset = spec(*source, "t", {"at", "id"}).dataset;
  dataset.tenant_column = "tenant";
  dataset.tenant_type = {.logical = LogicalType::text};
  const auto codes = [&] {
    const auto hints = source->reading_hints(dataset);
    EXPECT_TRUE(hints) << hints.error().message;
    std::vector<std::string> found;
    for (const ReadingHint& hint : *hints) found.push_back(hint.path + " " + hint.code);
    return found;
  };
  EXPECT_THAT(codes(), testing::IsEmpty()) << "what is small needs no advice";

  run("INSERT INTO {}.t SELECT 't' || i % 2, timestamptz '2026-01-01Z' + i * interval '100 s', i FROM "
      "generate_series(1, 300000) i");
  EXPECT_THAT(codes(), testing::ElementsAre("relation no_statistics"));
  run("ANALYZE {}.t1");
  const auto half = source->reading_hints(dataset);
  ASSERT_TRUE(half);
  EXPECT_THAT(half->at(0).message, testing::HasSubstr("statistics of 1 of the 2 tables of " + relation("t")));
  run("ANALYZE {}.t2");
  EXPECT_THAT(codes(), testing::ElementsAre("relation parent_not_analysed"));
  run("ANALYZE {}.t");
  EXPECT_THAT(codes(), testing::IsEmpty()) << "the partitions' indexes are merged in the key's order";

  // One partition's index alone does not help, and neither does an index in another order.
  run("ALTER TABLE {}.t DROP CONSTRAINT t_pkey");
  run("CREATE UNIQUE INDEX ON {}.t1 (at, id)");
  const auto sorted = source->reading_hints(dataset);
  ASSERT_TRUE(sorted);
  ASSERT_EQ(sorted->size(), 1U);
  EXPECT_EQ(sorted->at(0).code, "key_sorted");
  EXPECT_THAT(sorted->at(0).message, testing::HasSubstr(R"(an index on ("tenant", "at", "id") of )" + relation("t")));
}

}  // namespace
}  // namespace longshore
