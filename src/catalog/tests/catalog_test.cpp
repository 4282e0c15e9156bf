#include "catalog/catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace longshore {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kGood = R"yaml(# A complete one.
sources:
  app:
    driver: postgres
    replicas: ["host=replica1 dbname=app password=${LONGSHORE_TEST_PASSWORD}", "host=replica2"]
    primary: host=primary
    max_connections: 8
    max_lag: 10s
    batch_rows: 10000
    statement_timeout: 1m
    max_pause: 30m
    lag_query: SELECT lag FROM heartbeat
    primary_max_rows: 500
    pacing:
      duty: 0.25
      least_duty: 0.02
      pause: 5ms
      windows:
        - { from: "22:00", to: "06:00", time_zone: Europe/Berlin, duty: 1 }
        - { from: "12:30", to: "13:00", duty: 0.6, least_duty: 0.1 }
  embedded: { driver: sqlite, path: data/app.db }
datasets:
  audit_logs:
    source: app
    relation: public.audit_logs
    description: Who did what
    tenant_column: tenant_id
    subject_column: user_id
    key: [tenant_id, id]
    time_column: created_at
    types: { tenant_id: int64 }
    permission: exports.audit
    retention: 30d
    boundaries: exact
    columns:
      id: { type: uuid }
      createdAt: { column: created_at, type: timestamptz }
      ipAddress: { column: ip_address, type: text, classification: pii, permission: pii.read, mask: truncate_ip }
      amount: { type: "numeric(12,2)" }
      tags: { type: "text[]" }
    filters: [ipAddress, amount]
  notes:
    source: embedded
    relation: notes
    tenant_column: org
    key: [id]
    columns: { id: { type: int64 } }
)yaml";

class CatalogTest : public testing::Test {
 protected:
  void SetUp() override { setenv("LONGSHORE_TEST_PASSWORD", "s3cret", 1); }

  static std::vector<std::string> findings_of(const std::string& yaml) {
    const auto catalog = Catalog::parse(yaml, "c.yaml");
    if (catalog) return {};
    EXPECT_EQ(catalog.error().code, "bad_catalog");
    EXPECT_EQ(catalog.error().source, ErrorSource::user);
    std::vector<std::string> lines;
    for (const ErrorDetail& detail : catalog.error().details) {
      lines.push_back(detail.where + " " + detail.code + " " + detail.message);
    }
    return lines;
  }

  /// The findings of a catalog whose only dataset has these lines (each indented by four).
  static std::vector<std::string> findings_of_dataset(const std::string& lines) {
    return findings_of("sources: {s: {driver: sqlite, path: x}}\ndatasets:\n  d:\n" + lines);
  }
};

TEST_F(CatalogTest, ReadsAllThereIs) {
  const auto parsed = Catalog::parse(kGood, "conf/catalog.yaml");
  ASSERT_TRUE(parsed) << parsed.error().details.front().where << parsed.error().details.front().message;
  const Catalog& catalog = *parsed;

  ASSERT_EQ(catalog.sources().size(), 2U);
  const Source& app = *catalog.find_source("app");
  EXPECT_EQ(app.driver, SourceDriver::postgres);
  EXPECT_THAT(app.replicas, ElementsAre("host=replica1 dbname=app password=s3cret", "host=replica2"));
  EXPECT_EQ(app.primary, "host=primary");
  EXPECT_EQ(app.max_connections, 8);
  EXPECT_EQ(app.max_lag, 10s);
  EXPECT_EQ(app.batch_rows, 10'000);
  EXPECT_EQ(app.statement_timeout, 1min);
  EXPECT_EQ(app.max_pause, 30min);
  EXPECT_EQ(app.lag_query, "SELECT lag FROM heartbeat");
  EXPECT_EQ(app.primary_max_rows, 500);
  EXPECT_EQ(app.pacing.rule.duty, 0.25);
  EXPECT_EQ(app.pacing.rule.least_duty, 0.02);
  EXPECT_EQ(app.pacing.rule.pause, 5ms);
  ASSERT_EQ(app.pacing.windows.size(), 2U);
  EXPECT_EQ(app.pacing.windows[0].from, 22 * 60);
  EXPECT_EQ(app.pacing.windows[0].to, 6 * 60);
  EXPECT_EQ(app.pacing.windows[0].time_zone, "Europe/Berlin");
  EXPECT_TRUE(app.pacing.windows[0].rule.off());
  EXPECT_EQ(app.pacing.windows[1].time_zone, "UTC");
  EXPECT_EQ(app.pacing.windows[1].rule.least_duty, 0.1);
  const Source& embedded = *catalog.find_source("embedded");
  EXPECT_EQ(embedded.driver, SourceDriver::sqlite);
  EXPECT_EQ(embedded.path, "conf/data/app.db");
  EXPECT_TRUE(embedded.pacing.rule.off());
  EXPECT_EQ(embedded.max_connections, 4);
  EXPECT_EQ(embedded.max_lag, 5s);
  EXPECT_EQ(embedded.batch_rows, 5'000);
  EXPECT_EQ(embedded.statement_timeout, 30s);

  const Dataset& audit = *catalog.find_dataset("audit_logs");
  EXPECT_EQ(audit.source, "app");
  EXPECT_EQ(audit.relation, "public.audit_logs");
  EXPECT_EQ(audit.description, "Who did what");
  EXPECT_EQ(audit.tenant_column, "tenant_id");
  EXPECT_EQ(audit.tenant_type.logical, LogicalType::int64);
  EXPECT_EQ(audit.subject_column, "user_id");
  EXPECT_THAT(audit.key, ElementsAre("tenant_id", "id"));
  ASSERT_EQ(audit.key_types.size(), 2U);
  EXPECT_EQ(audit.key_types[0].logical, LogicalType::int64);
  EXPECT_EQ(audit.key_types[1].logical, LogicalType::uuid);
  EXPECT_EQ(audit.time_column, "created_at");
  EXPECT_EQ(audit.time_type->logical, LogicalType::timestamptz);
  EXPECT_EQ(audit.permission, "exports.audit");
  EXPECT_EQ(audit.retention, Duration(std::chrono::days(30)));
  EXPECT_TRUE(audit.exact_boundaries);
  ASSERT_EQ(audit.columns.size(), 5U);
  EXPECT_EQ(audit.columns[0].source, "id");
  EXPECT_FALSE(audit.columns[0].filterable);
  EXPECT_EQ(audit.columns[2].classification, "pii");
  EXPECT_EQ(audit.columns[2].permission, "pii.read");
  EXPECT_TRUE(audit.columns[2].filterable);
  EXPECT_EQ(to_string(audit.columns[3].type), "numeric(12,2)");
  EXPECT_EQ(to_string(audit.columns[4].type), "text[]");

  const Dataset& notes = *catalog.find_dataset("notes");
  EXPECT_EQ(notes.permission, "exports.notes");
  EXPECT_EQ(notes.retention, Duration(std::chrono::days(7)));
  EXPECT_EQ(notes.tenant_type, DataType{});
  EXPECT_FALSE(notes.exact_boundaries);
  EXPECT_EQ(notes.time_type, std::nullopt);
  EXPECT_EQ(catalog.find_dataset("nothing"), nullptr);
}

TEST_F(CatalogTest, RemembersWhereThingsStand) {
  const Catalog catalog = *Catalog::parse(kGood, "c.yaml");
  EXPECT_EQ(catalog.where("sources.app"), "c.yaml:3:3");
  EXPECT_EQ(catalog.where("datasets.audit_logs.relation"), "c.yaml:25:15");
  EXPECT_EQ(catalog.where("datasets.audit_logs.key.1"), "c.yaml:29:22");
  EXPECT_EQ(catalog.where("datasets.audit_logs.columns.id.type"), "c.yaml:36:19");
  EXPECT_EQ(catalog.where("datasets.audit_logs.columns.id.column"), "c.yaml:36:7");
  EXPECT_EQ(catalog.where("nothing"), "c.yaml");
}

TEST_F(CatalogTest, SourcesArePacedAndGuardedUnlessTheySayOtherwise) {
  const auto source_of = [](const std::string& keys) {
    const auto catalog =
        Catalog::parse("sources: {s: {driver: postgres, primary: x" + keys + "}}\n" +
                           "datasets: {d: {source: s, relation: d, tenant_column: t, key: [id], columns: "
                           "{id: {type: int64}}}}\n",
                       "c.yaml");
    EXPECT_TRUE(catalog);
    return catalog ? catalog->sources().front() : Source{};
  };
  const Source usual = source_of("");
  EXPECT_EQ(usual.pacing.rule.duty, 0.2);
  EXPECT_EQ(usual.pacing.rule.least_duty, 0.03);
  EXPECT_EQ(usual.max_lag, 5s);
  EXPECT_EQ(usual.max_pause, 1h);
  EXPECT_EQ(usual.primary_max_rows, 10'000);
  const Source bold = source_of(", pacing: off, max_lag: off, primary_max_rows: unlimited");
  EXPECT_TRUE(bold.pacing.rule.off());
  EXPECT_EQ(bold.max_lag, 0s);
  EXPECT_EQ(bold.primary_max_rows, kAnyRows);
  // Never more than what is allowed at most.
  EXPECT_EQ(source_of(", pacing: { duty: 0.01 }").pacing.rule.least_duty, 0.01);
}

TEST_F(CatalogTest, PacingIsReadStrictly) {
  EXPECT_THAT(
      findings_of(R"(sources:
  a:
    driver: postgres
    replicas: [x]
    primary_max_rows: 5
    max_lag: 0s
    pacing:
      duty: 1.5
      least_duty: half
      pauses: 1s
      windows:
        - { from: "24:00", to: "6:00", time_zone: Mars/Olympus }
        - { from: "05:00", to: "05:00", duty: 0.1, least_duty: 0.2 }
        - night
  b: { driver: postgres, primary: x, pacing: slow, primary_max_rows: many }
  c: { driver: postgres, primary: x, pacing: { windows: { from: "01:00" } } }
  d: { driver: sqlite, path: x, primary_max_rows: 3, lag_query: SELECT 1 }
datasets: {d: {source: a, relation: d, tenant_column: t, key: [id], columns: {id: {type: int64}}}}
)"),
      ElementsAre(
          R"(c.yaml:5:23 bad_value "primary_max_rows" has no meaning without "primary"; remove it)",
          R"(c.yaml:6:14 bad_value "max_lag": "0s" is not a duration from 100ms to 1d (a number with ms, s, m, h or d))",
          R"(c.yaml:8:13 bad_value "duty": "1.5" is not a share of the time from 0.001 to 1, e.g. 0.5)",
          R"(c.yaml:9:19 bad_value "least_duty": "half" is not a share of the time from 0.001 to 1, e.g. 0.5)",
          R"(c.yaml:10:7 unknown_key "pacing" of source "a" has no key "pauses"; did you mean "pause"?)",
          R"(c.yaml:12:11 missing_field a window needs "duty")",
          R"(c.yaml:12:19 bad_value "from": "24:00" is not a time of the day from "00:00" to "23:59")",
          R"(c.yaml:12:32 bad_value "to": "6:00" is not a time of the day from "00:00" to "23:59")",
          testing::StartsWith(R"(c.yaml:12:51 bad_value "time_zone": )"),
          R"(c.yaml:13:32 bad_value a window ends at another time than it begins)",
          R"(c.yaml:13:64 bad_value "least_duty" is greater than "duty")",
          R"(c.yaml:14:11 wrong_type a window must be a map of keys, not a single value)",
          R"(c.yaml:15:46 bad_value "pacing" is "off" or a map of "duty", "least_duty", "pause" and "windows")",
          R"(c.yaml:15:70 bad_value "primary_max_rows": "many" is not an integer from 0 to 1000000000000)",
          R"(c.yaml:16:57 wrong_type "windows" must be a list of { from: "22:00", to: "06:00", time_zone: Europe/Berlin, duty: 1 })",
          R"(c.yaml:17:33 unknown_key source "d" has no key "primary_max_rows")",
          R"(c.yaml:17:54 unknown_key source "d" has no key "lag_query")"));
}

TEST_F(CatalogTest, ReportsEveryErrorOfAFileAtOnce) {
  EXPECT_THAT(
      findings_of(R"(sources:
  app: { driver: postgres, max_conections: 4 }
  App: { driver: oracle, whatever: 1 }
  file: { driver: sqlite, path: "${LONGSHORE_TEST_UNSET}/x.db", max_lag: 5s }
  file: { driver: sqlite, path: y.db }
datasets:
  Orders:
    source: ap
    relation: a.b.c
    tenant_column: tenant_id
    key: [id, id, total, gone]
    time_column: tags
    retention: a week
    boundaries: guess
    types: { tenant_id: float64, unused: text, id: int64 }
    columns:
      id: { type: int63 }
      total: { type: float64, maks: hash }
      tags: { type: "text[]", mask: blur }
      user-id: { type: text }
      from: { type: text }
      note:
    filters: [totl, tags, from, total, total]
owner: me
)"),
      ElementsAre(
          R"(c.yaml:2:3 missing_field source "app" needs "replicas" (a list of connection strings) or "primary" (one))",
          R"(c.yaml:2:28 unknown_key source "app" has no key "max_conections"; did you mean "max_connections"?)",
          R"(c.yaml:3:3 bad_name "App" cannot name a source; use a lower-case letter, then up to 63 lower-case letters, digits and "_")",
          R"(c.yaml:3:18 bad_value "driver": "oracle" is not known; use "postgres", "mysql" or "sqlite")",
          R"(c.yaml:4:33 bad_value the environment variable LONGSHORE_TEST_UNSET is not set)",
          R"(c.yaml:4:65 unknown_key source "file" has no key "max_lag")",
          R"(c.yaml:5:3 duplicate_key "file" is already set on line 4)",
          R"(c.yaml:7:3 bad_name "Orders" cannot name a dataset; use a lower-case letter, then up to 63 lower-case letters, digits and "_")",
          R"(c.yaml:8:13 unknown_source there is no source "ap"; did you mean "app"?)",
          R"(c.yaml:9:15 bad_name "a.b.c" is not a table's or view's name; write it as name or schema.name)",
          R"(c.yaml:10:20 bad_value a tenant column of type float64 cannot be matched; use text, uuid or an integer)",
          R"(c.yaml:11:15 bad_value "id" is in the key twice)",
          R"(c.yaml:11:19 bad_value a column of type float64 cannot be in a key; use integers, numeric, text, uuid, date, timestamp or timestamptz)",
          R"(c.yaml:11:26 missing_field "gone" is not exported, so its type is not known; add it to "columns", or say it with types: { gone: int64 } (or what it is))",
          R"(c.yaml:12:18 bad_value a time column of type text[] has no times; use date, timestamp or timestamptz)",
          R"(c.yaml:13:16 bad_value "retention": "a week" is not a duration from 1m to 3650d (a number with ms, s, m, h or d))",
          R"(c.yaml:14:17 bad_value "boundaries": "guess" is not known; use "cheap" or "exact")",
          R"(c.yaml:15:34 bad_value "unused" is neither in the key nor the tenant, time or subject column; remove it)",
          R"(c.yaml:15:48 bad_value "id" has its type from the column "id"; remove it here)",
          R"(c.yaml:17:19 unknown_type there is no type "int63"; did you mean "int64"?)",
          R"(c.yaml:18:31 unknown_key column "total" has no key "maks"; did you mean "mask"?)",
          R"(c.yaml:19:37 bad_value "mask": "blur" is not known; use "null", "redact", "hash", "truncate_ip", "last4" or "generalise_date")",
          R"(c.yaml:19:37 missing_field a mask needs a "permission": callers who hold it see the column as it is)",
          R"(c.yaml:20:7 bad_name "user-id" cannot name a column; use a letter or "_", then up to 63 letters, digits and "_")",
          R"(c.yaml:22:7 wrong_type column "note" must be a map of keys, not nothing)",
          R"(c.yaml:23:15 unknown_column "totl" is not one of "columns"; did you mean "total"?)",
          R"(c.yaml:23:21 bad_value "tags" is of type text[], which cannot be filtered on)",
          R"(c.yaml:23:27 bad_name a filter named "from" would be taken for the time range; rename the column)",
          R"(c.yaml:23:40 bad_value "total" is in "filters" twice)",
          R"(c.yaml:24:1 unknown_key the catalog has no key "owner")"));
}

TEST_F(CatalogTest, MissingFields) {
  EXPECT_THAT(findings_of_dataset("    description: nothing else\n"),
              ElementsAre(R"(c.yaml:3:3 missing_field dataset "d" needs "source")",
                          R"(c.yaml:3:3 missing_field dataset "d" needs "relation")",
                          R"(c.yaml:3:3 missing_field dataset "d" needs "columns")",
                          R"(c.yaml:3:3 missing_field dataset "d" needs "key")",
                          R"(c.yaml:3:3 missing_field dataset "d" needs "tenant_column")"));
  EXPECT_THAT(
      findings_of_dataset("    source: s\n    relation: r\n    tenant_column: t\n    key: []\n    columns: {}\n"),
      ElementsAre(R"(c.yaml:7:10 bad_value "key" must name at least one column: those of a unique index)",
                  R"(c.yaml:8:14 wrong_type "columns" must be a map of API names and columns, with at least one)"));
  EXPECT_THAT(findings_of("datasets: []\n"),
              ElementsAre(R"(c.yaml:1:1 missing_field the catalog needs "sources")",
                          R"(c.yaml:1:11 wrong_type "datasets" must be a map of names and datasets)"));
  EXPECT_THAT(findings_of(""),
              ElementsAre(R"(c.yaml:1:1 missing_field the catalog is empty; it needs "sources" and "datasets")"));
}

TEST_F(CatalogTest, BrokenYamlIsOneFinding) {
  const auto findings = findings_of("sources: {\n  app: [\n");
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_THAT(findings.front(), testing::HasSubstr("bad_yaml"));
}

TEST_F(CatalogTest, EnvironmentInConnectionStrings) {
  const auto primary_of = [](const std::string& text) {
    const auto catalog = Catalog::parse("sources: {s: {driver: postgres, primary: \"" + text + "\"}}\n" +
                                            "datasets: {d: {source: s, relation: r, tenant_column: t, key: [id], " +
                                            "columns: {id: {type: int64}}}}\n",
                                        "c.yaml");
    return catalog ? catalog->sources().front().primary : catalog.error().details.front().message;
  };
  EXPECT_EQ(primary_of("a${LONGSHORE_TEST_PASSWORD}b${LONGSHORE_TEST_PASSWORD}"), "as3cretbs3cret");
  EXPECT_EQ(primary_of("cost $5 {x} $${HOME}"), "cost $5 {x} ${HOME}");
  EXPECT_EQ(primary_of("${LONGSHORE_TEST_UNSET}"), "the environment variable LONGSHORE_TEST_UNSET is not set");
  EXPECT_THAT(primary_of("x${HOME"), testing::StartsWith("\"${\" must be followed by"));
  EXPECT_THAT(primary_of("${a b}"), testing::StartsWith("\"${\" must be followed by"));
  EXPECT_THAT(primary_of("${}"), testing::StartsWith("\"${\" must be followed by"));
}

TEST_F(CatalogTest, LoadsFilesAndSaysWhenThereIsNone) {
  std::string folder = testing::TempDir() + "catalog_XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/catalog.yaml";
  std::ofstream(path) << kGood;
  const auto catalog = Catalog::load(path);
  ASSERT_TRUE(catalog);
  EXPECT_EQ(catalog->find_source("embedded")->path, folder + "/data/app.db");
  std::filesystem::remove_all(folder);

  const auto missing = Catalog::load(path);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, "catalog_not_found");
  EXPECT_THAT(missing.error().message, testing::HasSubstr(path));
}

TEST_F(CatalogTest, TheDocumentedExampleIsGood) {
  std::ifstream file(std::string(LONGSHORE_SOURCE_DIR) + "/docs/catalog.md");
  ASSERT_TRUE(file.is_open());
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const std::size_t begin = text.find("```yaml\n");
  ASSERT_NE(begin, std::string::npos);
  const std::string example = text.substr(begin + 8, text.find("```", begin + 8) - begin - 8);
  setenv("APP_DB_PASSWORD", "x", 1);
  EXPECT_THAT(findings_of(example), IsEmpty());
}

TEST_F(CatalogTest, StrategiesAreTheCatalogsToAllow) {
  const std::string rest = "relation: r, tenant_column: t, key: [id], columns: {id: {type: int64}}";
  const auto catalog = Catalog::parse(
      "sources: {app: {driver: postgres, primary: host=p, max_connections: 3}}\n"
      "datasets:\n"
      "  a: {source: app, consistency: [snapshot, best_effort], on_snapshot_loss: fail, " +
          rest + "}\n  b: {source: app, " + rest + "}\n",
      "c.yaml");
  ASSERT_TRUE(catalog) << catalog.error().details.front().message;
  const Dataset& a = *catalog->find_dataset("a");
  EXPECT_EQ(a.consistencies, (std::vector{Consistency::snapshot, Consistency::best_effort}));
  EXPECT_EQ(a.on_snapshot_loss, SnapshotLoss::fail);
  const Dataset& b = *catalog->find_dataset("b");
  EXPECT_EQ(b.consistencies, std::vector{Consistency::best_effort});
  EXPECT_EQ(b.on_snapshot_loss, SnapshotLoss::restart);
}

TEST_F(CatalogTest, StrategiesThatASourceDoesNotHaveAreRefused) {
  const std::string rest = ", relation: r, tenant_column: t, key: [id], columns: {id: {type: int64}}}\n";
  EXPECT_THAT(
      findings_of("sources:\n  file: {driver: sqlite, path: x}\n"
                  "  narrow: {driver: postgres, primary: host=p, max_connections: 1}\n"
                  "datasets:\n"
                  "  a: {source: file, consistency: [snapshot, best_effort]" +
                  rest + "  b: {source: narrow, consistency: [snapshot]" + rest +
                  "  c: {source: file, consistency: [best_effort, best_effort, always]" + rest +
                  "  d: {source: file, consistency: []" + rest),
      testing::ElementsAre(
          testing::HasSubstr("6:37 bad_value a snapshot needs connections that keep it beside one that reads"),
          testing::HasSubstr("7:48 bad_value \"best_effort\" is in \"consistency\" twice"),
          testing::HasSubstr("7:61 bad_value \"always\" is no consistency; use \"best_effort\", \"snapshot\" or "
                             "\"materialized\""),
          testing::HasSubstr("bad_value \"consistency\" is an empty list")));
}

TEST_F(CatalogTest, MaterializedNeedsAStagingSchemaOnPostgres) {
  const std::string rest =
      ", relation: t, tenant_column: org, key: [id], columns: {id: {type: int64}, org: {type: text}}}\n";
  EXPECT_THAT(
      findings_of("sources:\n  file: {driver: sqlite, path: x, staging: {schema: s}}\n"
                  "  plain: {driver: postgres, primary: host=p}\n"
                  "  shop: {driver: mysql, primary: \"mysql://u@h/d\"}\n"
                  "  reading: {driver: postgres, replicas: [host=r], staging: {schema: exports}}\n"
                  "  wrong: {driver: postgres, primary: host=p, staging: {schema: a.b, timeout: 1ms, max_row: 5}}\n"
                  "  empty: {driver: postgres, primary: host=p, staging: {server: host=q}}\n"
                  "datasets:\n"
                  "  a: {source: file, consistency: [materialized]" +
                  rest + "  b: {source: plain, consistency: [best_effort, materialized]" + rest +
                  "  c: {source: shop, consistency: [materialized]" + rest),
      testing::ElementsAre(
          testing::HasSubstr("2:35 not_available only PostgreSQL sources can have a \"staging\""),
          testing::HasSubstr("5:51 missing_field \"staging\" of source \"reading\" needs \"server\""),
          testing::HasSubstr("6:64 bad_name \"a.b\" cannot name a staging schema"),
          testing::HasSubstr("6:78 bad_value"), testing::HasSubstr("6:83 unknown_key"),
          testing::HasSubstr("7:46 missing_field \"staging\" of source \"empty\" needs \"schema\""),
          testing::HasSubstr("9:35 not_available source \"file\" is not PostgreSQL, and rows are copied"),
          testing::HasSubstr("10:49 missing_field \"materialized\" copies the rows to a schema of source \"plain\""),
          testing::HasSubstr("11:35 not_available source \"shop\" is not PostgreSQL, and rows are copied")));
}

TEST_F(CatalogTest, StagingIsOnThePrimaryUnlessItSaysOtherwise) {
  const auto staging = [](const std::string& text) {
    const auto catalog =
        Catalog::parse("sources:\n  app: {driver: postgres, replicas: [host=r], primary: host=p, staging: {" + text +
                           "}}\ndatasets:\n  a: {source: app, relation: t, tenant_column: org, key: [id], "
                           "consistency: [materialized], columns: {id: {type: int64}, org: {type: text}}}\n",
                       "c.yaml");
    EXPECT_TRUE(catalog);
    return catalog->sources()[0].staging.value();
  };
  EXPECT_EQ(staging("schema: exports").server, "host=p");
  EXPECT_EQ(staging("schema: exports").schema, "exports");
  EXPECT_EQ(staging("schema: exports").max_rows, 1'000'000);
  EXPECT_EQ(staging("schema: exports, server: host=q user=stager").server, "host=q user=stager");
  EXPECT_EQ(staging("schema: exports, timeout: 1h").timeout, std::chrono::hours(1));
  EXPECT_EQ(staging("schema: exports, max_rows: unlimited").max_rows, kAnyRows);
}

}  // namespace
}  // namespace longshore
