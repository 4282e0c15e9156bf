#include "catalog/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalog/tests/fake_schema.h"
#include "catalog/type_fit.h"

namespace longshore {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kCatalog = R"yaml(sources:
  app: { driver: postgres, primary: x }
datasets:
  orders:
    source: app
    relation: public.orders
    tenant_column: tenant_id
    subject_column: customer_id
    key: [id]
    time_column: created_at
    columns:
      id: { type: int64 }
      createdAt: { column: created_at, type: timestamptz }
      total: { type: "numeric(12,2)" }
      note: { type: text }
)yaml";

class CheckTest : public testing::Test {
 protected:
  CheckTest() {
    RelationInfo orders;
    orders.name = "public.orders";
    orders.columns = columns_of({{"id", "int64"},
                                 {"tenant_id", "text"},
                                 {"customer_id", "int64?"},
                                 {"created_at", "timestamptz"},
                                 {"total", "numeric(10,2)"},
                                 {"note", "json?"}});
    orders.indexes = {{"orders_pkey", {"id"}, true, false, true}};
    schema.add(std::move(orders));
  }

  std::vector<std::string> check(const std::string& yaml = kCatalog) {
    const auto catalog = Catalog::parse(yaml, "c.yaml");
    EXPECT_TRUE(catalog);
    std::vector<std::string> lines;
    if (!catalog) return lines;
    const SchemaLookup lookup = [&](const Source& /*source*/) -> Result<SchemaInspector*> { return &schema; };
    for (const ErrorDetail& detail : check_catalog(*catalog, lookup)) {
      lines.push_back(detail.where + " " + detail.code + " " + detail.message);
    }
    return lines;
  }

  static std::string replace(std::string text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  }

  RelationInfo& orders() { return schema.at("public.orders"); }

  FakeSchema schema;
};

TEST_F(CheckTest, WhatFitsHasNoFindings) {
  EXPECT_THAT(check(), IsEmpty());
}

TEST_F(CheckTest, TheRelationMustExist) {
  EXPECT_THAT(
      check(replace(kCatalog, "public.orders", "public.order")),
      ElementsAre(
          R"(c.yaml:6:15 relation_not_found the source "app" has no table or view "public.order"; did you mean "public.orders"?)"));
  EXPECT_THAT(
      check(replace(kCatalog, "public.orders", "orders")),
      ElementsAre(
          R"(c.yaml:6:15 relation_not_found the source "app" has no table or view "orders"; did you mean "public.orders"?)"));
  EXPECT_THAT(
      check(replace(kCatalog, "public.orders", "unheard")),
      ElementsAre(
          R"(c.yaml:6:15 relation_not_found the source "app" has no table or view "unheard"; give the user that reads it the right to, or mend the name)"));
}

TEST_F(CheckTest, ColumnsMustExistAndTheirTypesFit) {
  orders().columns = columns_of({{"id", "int64"},
                                 {"org_id", "int64"},
                                 {"createdat", "timestamptz"},
                                 {"total", "numeric(14,2)"},
                                 {"note", "json?"}});
  EXPECT_THAT(
      check(),
      ElementsAre(
          R"(c.yaml:13:28 column_not_found "public.orders" has no column "created_at"; did you mean "createdat"?)",
          R"(c.yaml:14:22 type_mismatch "total" is numeric(14,2) in the database, not numeric(12,2); declare it numeric(14,2) or text)",
          R"(c.yaml:7:20 column_not_found "public.orders" has no column "tenant_id")",
          R"(c.yaml:10:18 column_not_found "public.orders" has no column "created_at"; did you mean "createdat"?)",
          R"(c.yaml:8:21 column_not_found "public.orders" has no column "customer_id")"));
}

TEST_F(CheckTest, ComparedColumnsMustNotBeDeclaredText) {
  orders().columns = columns_of({{"id", "int64"},
                                 {"tenant_id", "uuid"},
                                 {"customer_id", "int64?"},
                                 {"created_at", "timestamptz"},
                                 {"total", "numeric(10,2)"},
                                 {"note", "json?"}});
  EXPECT_THAT(
      check(replace(kCatalog, "id: { type: int64 }", "id: { type: text }")),
      ElementsAre(
          R"(c.yaml:9:11 type_mismatch "id" is int64 in the database, not text, which compares differently; declare the column "id" as int64)",
          R"(c.yaml:7:20 type_mismatch "tenant_id" is uuid in the database, not text, which compares differently; say it with types: { tenant_id: uuid })"));
}

TEST_F(CheckTest, AFilterNeedsTheTrueType) {
  // As text it can be exported; compared with "abc" the database would refuse the statement in mid-export.
  const std::string as_text = replace(kCatalog, "\"numeric(12,2)\" }", "text }");
  EXPECT_THAT(check(as_text), IsEmpty());
  EXPECT_THAT(
      check(as_text + "    filters: [total, note]\n"),
      ElementsAre(
          R"(c.yaml:14:22 type_mismatch "total" is numeric(10,2) in the database, not text, and filters compare it in the database; declare it numeric(10,2), or take it out of "filters")",
          R"(c.yaml:15:21 type_mismatch "note" is json in the database, not text, and filters compare it in the database; declare it json, or take it out of "filters")"));
}

TEST_F(CheckTest, TheKeyMustBeUniqueNotNullAndIndexed) {
  orders().indexes = {{"orders_partial", {"id"}, true, true, false}, {"orders_plain", {"id"}, false, false, false}};
  orders().columns[0].nullable = true;
  EXPECT_THAT(
      check(),
      ElementsAre(
          R"(c.yaml:9:11 key_nullable the key column "id" may be null, and such rows would be left out; ALTER TABLE public.orders ALTER COLUMN id SET NOT NULL;)",
          R"(c.yaml:9:10 key_not_unique no unique index covers the key (id), so rows could be lost; CREATE UNIQUE INDEX CONCURRENTLY ON public.orders (id);)"));
}

TEST_F(CheckTest, AUniqueIndexWithTheTenantIsOfferedAsTheKey) {
  orders().indexes = {{"orders_tenant_id", {"tenant_id", "id"}, true, false, true}};
  EXPECT_THAT(
      check(),
      ElementsAre(
          R"(c.yaml:9:10 key_not_unique no unique index covers the key (id), so rows could be lost; the unique index "orders_tenant_id" would do: write key: [tenant_id, id]; or CREATE UNIQUE INDEX CONCURRENTLY ON public.orders (id);)"));
  EXPECT_THAT(check(replace(replace(kCatalog, "key: [id]", "key: [tenant_id, id]"),
                            "columns:", "types: { tenant_id: text }\n    columns:")),
              IsEmpty());
}

TEST_F(CheckTest, TheOrderOfTheKeyNeedsAnIndex) {
  const std::string by_time = replace(kCatalog, "key: [id]", "key: [created_at, id]");
  EXPECT_THAT(
      check(by_time),
      ElementsAre(
          R"(c.yaml:9:10 key_not_indexed no index has the key's columns in the order (created_at, id), so every batch would sort the whole table; change the order of the key, or CREATE INDEX CONCURRENTLY ON public.orders (created_at, id);)"));
  orders().indexes.push_back({"by_time", {"created_at", "id", "total"}, false, false, false});
  EXPECT_THAT(check(by_time), IsEmpty());
  orders().indexes.back().columns = {"tenant_id", "created_at", "id"};
  EXPECT_THAT(check(by_time), IsEmpty());
  orders().indexes.back().partial = true;
  EXPECT_EQ(check(by_time).size(), 1U);
}

TEST_F(CheckTest, AViewCannotProveItsKey) {
  orders().is_view = true;
  orders().indexes.clear();
  orders().columns[0].nullable = true;
  EXPECT_THAT(
      check(),
      ElementsAre(
          R"(c.yaml:9:10 key_not_unique "public.orders" is a view, and nothing proves that (id) is unique in it; export a table, or a materialized view with a unique index, or, if you are sure, write unique_key: declared)"));
  EXPECT_THAT(check(replace(kCatalog, "key: [id]", "key: [id]\n    unique_key: declared")), IsEmpty());
}

TEST_F(CheckTest, ADeclaredKeyOfATableMustStillHaveAnIndex) {
  orders().indexes[0].unique = false;
  EXPECT_THAT(check(), ElementsAre(testing::HasSubstr("key_not_unique")));
  const std::string declared = replace(kCatalog, "key: [id]", "key: [id]\n    unique_key: declared");
  EXPECT_THAT(check(declared), IsEmpty());
  orders().indexes.clear();
  EXPECT_THAT(check(declared), ElementsAre(testing::HasSubstr("key_not_indexed")));
}

TEST_F(CheckTest, WhatTheDatabaseTellsOfReadingItIsAdvice) {
  schema.hints["public.orders"] = {{"key", "key_sorted", "an index would serve"},
                                   {"relation", "no_statistics", "run ANALYZE"}};
  EXPECT_THAT(check(), IsEmpty()) << "nothing of it is an error";
  const auto catalog = Catalog::parse(kCatalog, "c.yaml");
  ASSERT_TRUE(catalog);
  const SchemaLookup lookup = [&](const Source& /*source*/) -> Result<SchemaInspector*> { return &schema; };
  const auto advice = advise_catalog(*catalog, lookup);
  ASSERT_EQ(advice.size(), 2U);
  EXPECT_EQ(advice[0].where + " " + advice[0].code + " " + advice[0].message,
            "c.yaml:9:10 key_sorted an index would serve");
  EXPECT_EQ(advice[1].where + " " + advice[1].message, "c.yaml:6:15 run ANALYZE");
  const SchemaLookup away = [](const Source& /*source*/) -> Result<SchemaInspector*> {
    return fail(external_error("source_unavailable", "away"));
  };
  EXPECT_TRUE(advise_catalog(*catalog, away).empty());
}

TEST_F(CheckTest, WhatServersDoToSnapshotsIsAdviceWhereADatasetAllowsThem) {
  schema.about_snapshots = {{"replicas.1", "standby_cancels_snapshots", "turn feedback on"}};
  const SchemaLookup lookup = [&](const Source& /*source*/) -> Result<SchemaInspector*> { return &schema; };
  const std::string two = replace(kCatalog, "primary: x", "replicas: [x, y]");
  EXPECT_THAT(advise_catalog(*Catalog::parse(two, "c.yaml"), lookup), IsEmpty()) << "best_effort is all it may be";
  const std::string allowed = replace(two, "key: [id]", "key: [id]\n    consistency: [best_effort, snapshot]");
  const auto advice = advise_catalog(*Catalog::parse(allowed, "c.yaml"), lookup);
  ASSERT_EQ(advice.size(), 1U);
  EXPECT_EQ(advice[0].where + " " + advice[0].code + " " + advice[0].message,
            "c.yaml:2:42 standby_cancels_snapshots turn feedback on");
}

TEST_F(CheckTest, AdviceForSqliteIsInItsDialect) {
  orders().name = "Orders";
  orders().indexes.clear();
  orders().columns[0].nullable = true;
  RelationInfo copy = orders();
  schema.add(std::move(copy));
  const std::string yaml =
      replace(replace(kCatalog, "driver: postgres, primary", "driver: sqlite, path"), "public.orders", "Orders");
  EXPECT_THAT(
      check(yaml),
      ElementsAre(
          R"(c.yaml:9:11 key_nullable the key column "id" may be null, and such rows would be left out; make the table anew with "id" declared NOT NULL (SQLite cannot add it later))",
          R"(c.yaml:9:10 key_not_unique no unique index covers the key (id), so rows could be lost; CREATE UNIQUE INDEX "Orders_id" ON "Orders" (id);)"));
}

TEST_F(CheckTest, ASourceThatIsAwayIsOneFinding) {
  const Catalog catalog = *Catalog::parse(kCatalog, "c.yaml");
  const auto findings = check_catalog(catalog, [](const Source&) -> Result<SchemaInspector*> {
    return fail(external_error("source_unavailable", "connection refused"));
  });
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].where, "c.yaml:2:3");
  EXPECT_EQ(findings[0].code, "source_unavailable");
  EXPECT_EQ(findings[0].message, "the source \"app\" cannot be asked: connection refused");
}

TEST(TypeFit, ExactWiderOrText) {
  const auto fits = [](const char* declared, const char* actual, SourceDriver driver = SourceDriver::postgres) {
    return type_fits(*parse_data_type(declared), *parse_data_type(actual), driver);
  };
  EXPECT_TRUE(fits("int64", "int64"));
  EXPECT_TRUE(fits("int64", "int16"));
  EXPECT_FALSE(fits("int32", "int64"));
  EXPECT_TRUE(fits("numeric", "int64"));
  EXPECT_TRUE(fits("numeric(19,0)", "int64"));
  EXPECT_FALSE(fits("numeric(19,1)", "int64"));
  EXPECT_TRUE(fits("numeric(12,4)", "numeric(10,2)"));
  EXPECT_FALSE(fits("numeric(12,4)", "numeric(12,2)"));
  EXPECT_FALSE(fits("numeric(12,4)", "numeric"));
  EXPECT_TRUE(fits("float64", "float32"));
  EXPECT_TRUE(fits("float64", "int32"));
  EXPECT_FALSE(fits("float64", "int64"));
  EXPECT_FALSE(fits("float64", "numeric"));
  EXPECT_FALSE(fits("timestamptz", "timestamp"));
  EXPECT_FALSE(fits("uuid", "text"));
  EXPECT_TRUE(fits("text", "bytea"));
  EXPECT_TRUE(fits("int64[]", "int32[]"));
  EXPECT_FALSE(fits("int32[]", "int64[]"));
  EXPECT_TRUE(fits("uuid", "text", SourceDriver::sqlite));
  EXPECT_TRUE(fits("timestamptz", "text", SourceDriver::sqlite));
  EXPECT_TRUE(fits("bool", "int64", SourceDriver::sqlite));
  EXPECT_TRUE(fits("int32", "int64", SourceDriver::sqlite));
  EXPECT_TRUE(fits("timestamptz", "timestamp", SourceDriver::mysql));
  EXPECT_TRUE(fits("int16", "bool", SourceDriver::mysql));
  EXPECT_TRUE(fits("uuid", "bytea", SourceDriver::mysql));
  EXPECT_TRUE(fits("interval", "time", SourceDriver::mysql));
  EXPECT_FALSE(fits("json", "text", SourceDriver::mysql));
  EXPECT_FALSE(fits("int64", "text", SourceDriver::sqlite));
  EXPECT_FALSE(type_fits_comparison(DataType{}, *parse_data_type("int64"), SourceDriver::sqlite));
}

TEST_F(CheckTest, WhatCopiesNeedIsAskedWhereTheyAreAllowedAndSaidOnce) {
  schema.about_staging = {{"sources.app.staging.schema", "staging_denied", "GRANT it"}};
  EXPECT_THAT(check(), IsEmpty());
  const std::string staged = replace(kCatalog, "primary: x }", "primary: x, staging: { schema: exports } }");
  const std::string allowed = replace(staged, "    key: [id]\n", "    key: [id]\n    consistency: [materialized]\n");
  const std::string dataset = allowed.substr(allowed.find("  orders:"));
  EXPECT_THAT(check(allowed + replace(dataset, "orders:", "again:")),
              ElementsAre("c.yaml:2:59 staging_denied GRANT it"));
}

}  // namespace
}  // namespace longshore
