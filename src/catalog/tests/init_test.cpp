#include "catalog/init.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "catalog/check.h"
#include "catalog/tests/fake_schema.h"

namespace longshore {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Source postgres_source(std::string connection) {
  Source source;
  source.name = "app";
  source.driver = SourceDriver::postgres;
  source.primary = std::move(connection);
  return source;
}

class InitTest : public testing::Test {
 protected:
  InitTest() {
    setenv("LONGSHORE_SOURCE_PASSWORD", "from env", 1);
    RelationInfo logs;
    logs.name = "public.audit_logs";
    logs.estimated_rows = 1'000'000;
    logs.columns = columns_of({{"id", "int64"},
                               {"tenant_id", "text"},
                               {"user_id", "text?"},
                               {"action", "text"},
                               {"ip_address", "text?"},
                               {"amount", "numeric(12,2)?"},
                               {"tags", "text[]?"},
                               {"session_token", "text?"},
                               {"created_at", "timestamptz"}});
    logs.indexes = {{"audit_logs_pkey", {"id"}, true, false, true}, {"by_time", {"created_at"}, false, false, false}};
    schema.add(std::move(logs));
  }

  std::string init(const Source& source = postgres_source("host=db dbname=app")) {
    const auto text = init_catalog(schema, source);
    EXPECT_TRUE(text);
    return text.value_or("");
  }

  /// What a starter catalog must be: readable, and true of the database that it was made from.
  void expect_good(const std::string& text) {
    const auto catalog = Catalog::parse(text, "starter.yaml");
    ASSERT_TRUE(catalog) << catalog.error().details.front().where << " " << catalog.error().details.front().message
                         << "\n"
                         << text;
    const auto findings = check_catalog(*catalog, [&](const Source&) -> Result<SchemaInspector*> { return &schema; });
    for (const ErrorDetail& finding : findings)
      ADD_FAILURE() << finding.where << " " << finding.message << "\n" << text;
  }

  FakeSchema schema;
};

TEST_F(InitTest, WritesADatasetWithItsGuesses) {
  const std::string text = init();
  EXPECT_EQ(
      text,
      R"yaml(# What may be exported, and by whom: a starter, made from the live database by `longshore catalog init`.
# Read it over: tenant columns, keys, personal data (permission: pii.read) and filters were guessed by name.
# Then prove it with `longshore catalog check`. All keys are explained in docs/catalog.md.

sources:
  app:
    driver: postgres
    # The primary serves only exports of fewer than 10,000 rows. Name read replicas for all others; a database
    # that no product depends on may be named there itself.
    # replicas: ["host=replica1 …"]
    primary: "host=db dbname=app"

datasets:

  audit_logs:  # about 1000000 rows
    source: app
    relation: public.audit_logs
    tenant_column: tenant_id  # a caller gets only the rows of its tenant
    subject_column: user_id  # the person a row is about
    key: [id]
    time_column: created_at  # what filters.from and filters.to mean
    permission: exports.audit_logs
    retention: 7d
    columns:
      id: { type: int64 }
      userId: { column: user_id, type: text }
      action: { type: text }
      ipAddress: { column: ip_address, type: text, classification: pii, permission: pii.read }
      amount: { type: "numeric(12,2)" }
      tags: { type: "text[]" }
      # sessionToken: { column: session_token, type: text }  # looks like a secret
      createdAt: { column: created_at, type: timestamptz }
    filters: [userId, action, createdAt]
)yaml");
  expect_good(text);
}

TEST_F(InitTest, AwkwardSchemasComeThrough) {
  RelationInfo odd;
  odd.name = "Sales.Order Lines";
  odd.columns = columns_of({{"Org-ID", "uuid"},
                            {"Line #", "int32"},
                            {"orderNo", "text"},
                            {"from", "text"},
                            {"null", "text"},
                            {"1st", "bool"},
                            {"a b", "text"},
                            {"a_b", "text"},
                            {"say \"hi\" \\o/", "json"},
                            {"shipped_at", "timestamptz?"},
                            {"due_date", "date"}});
  odd.columns[0].name = "org_id";
  odd.indexes = {{"pk", {"org_id", "orderNo", "Line #"}, true, false, true}, {"x", {"from"}, false, false, false}};
  schema.add(std::move(odd));
  RelationInfo twin;
  twin.name = "archive.audit_logs";
  twin.columns = columns_of({{"token", "text"}, {"account_id", "int64"}});
  twin.indexes = {{"u", {"token"}, true, false, false}};
  schema.add(std::move(twin));
  const std::string text = init();
  expect_good(text);
  EXPECT_THAT(text, HasSubstr("types: { org_id: uuid }"));
  EXPECT_THAT(text, HasSubstr("key: [org_id, orderNo, \"Line #\"]"));
  EXPECT_THAT(text, HasSubstr("time_column: due_date"));
  EXPECT_THAT(text, HasSubstr("  audit_logs2:"));
  EXPECT_THAT(text, HasSubstr("  order_lines:"));
}

TEST_F(InitTest, WhatCannotBeExportedIsExplained) {
  RelationInfo keyless;
  keyless.name = "public.events";
  keyless.columns = columns_of({{"tenant_id", "text"}, {"id", "int64"}});
  schema.add(keyless);
  RelationInfo global;
  global.name = "public.countries";
  global.columns = columns_of({{"code", "text"}});
  global.indexes = {{"pk", {"code"}, true, false, true}};
  schema.add(global);
  RelationInfo view;
  view.name = "public.summary";
  view.is_view = true;
  view.columns = columns_of({{"tenant_id", "text?"}});
  schema.add(view);
  RelationInfo hostile;
  hostile.name = "public.x\n  evil: {}";
  schema.add(hostile);
  const std::string text = init();
  expect_good(text);
  EXPECT_THAT(text, HasSubstr("  # public.events is left out:\n  # - it has no unique index"));
  EXPECT_THAT(text, HasSubstr("CREATE UNIQUE INDEX CONCURRENTLY ON public.events (id);"));
  EXPECT_THAT(text, HasSubstr("  # public.countries is left out:\n  # - no column tells its tenants apart"));
  EXPECT_THAT(text, HasSubstr("  # public.summary is left out:\n  # - it is a view without a unique index."));
  EXPECT_EQ(Catalog::parse(text, "c.yaml")->datasets().size(), 1U);
}

TEST_F(InitTest, NothingToExportIsSaid) {
  FakeSchema empty;
  const auto text = init_catalog(empty, postgres_source("host=db"));
  ASSERT_TRUE(text);
  EXPECT_THAT(*text, HasSubstr("At least one dataset is needed."));
  EXPECT_FALSE(Catalog::parse(*text, "c.yaml"));
}

TEST_F(InitTest, PasswordsAreNotWrittenDown) {
  const auto primary_of = [&](const std::string& connection) {
    const std::string text = init(postgres_source(connection));
    EXPECT_THAT(text, Not(HasSubstr("hunter2")));
    expect_good(text);
    return Catalog::parse(text, "c.yaml")->sources().front().primary;
  };
  EXPECT_EQ(primary_of("host=db password=hunter2 dbname=app"), "host=db password=from env dbname=app");
  EXPECT_EQ(primary_of("password = 'hunter2 \\' x' dbname=app"), "password = from env dbname=app");
  EXPECT_EQ(primary_of("postgresql://me:hunter2@db:5432/app"), "postgresql://me:from env@db:5432/app");
  EXPECT_EQ(primary_of("postgresql://me:hunter2@hunter2@db"), "postgresql://me:from env@db");
  EXPECT_EQ(primary_of("postgresql://db/app?user=me&password=hunter2&x=y"),
            "postgresql://db/app?user=me&password=from env&x=y");
  EXPECT_EQ(primary_of("postgresql://me@db:5432/app"), "postgresql://me@db:5432/app");
  EXPECT_EQ(primary_of("host=db passfile=/x options=${HOME}"), "host=db passfile=/x options=${HOME}");
}

TEST_F(InitTest, Sqlite) {
  Source source;
  source.name = "app";
  source.path = "/data/my app.db";
  const std::string text = init(source);
  expect_good(text);
  EXPECT_EQ(Catalog::parse(text, "conf/c.yaml")->sources().front().path, "/data/my app.db");
}

TEST_F(InitTest, ErrorsOfTheDatabaseAreHandedOn) {
  class Broken final : public SchemaInspector {
    Result<RelationInfo> describe(const std::string& /*relation*/) override { return fail(external_error("x", "y")); }
    Result<std::vector<std::string>> list_relations() override {
      return fail(external_error("source_unavailable", ""));
    }
  };
  Broken broken;
  EXPECT_EQ(init_catalog(broken, postgres_source("x")).error().code, "source_unavailable");
}

}  // namespace
}  // namespace longshore
