#include "scan/sql_text.h"

#include <gtest/gtest.h>

#include "scan/postgres/keyset_query.h"
#include "scan/postgres/literal.h"
#include "scan/source_database.h"

namespace longshore {
namespace {

TEST(SqlTextTest, NamesAreQuoted) {
  EXPECT_EQ(quote_identifier("plain"), "\"plain\"");
  EXPECT_EQ(quote_identifier("a\"; DROP TABLE x; --"), "\"a\"\"; DROP TABLE x; --\"");
  EXPECT_EQ(quote_relation("public.audit_logs"), "\"public\".\"audit_logs\"");
  EXPECT_EQ(quote_relation("audit_logs"), "\"audit_logs\"");
}

TEST(SqlTextTest, LiteralsAreTypedAndQuoted) {
  const auto literal = [](const char* type, const std::string& text) {
    return postgres_literal({.type = *parse_data_type(type), .text = text}).value();
  };
  EXPECT_EQ(literal("int32", "5"), "'5'::pg_catalog.int8");
  EXPECT_EQ(literal("text", "it's"), "'it''s'");
  EXPECT_EQ(literal("text", "back\\slash"), "'back\\slash'");
  EXPECT_EQ(literal("numeric(12,2)", "1.50"), "'1.50'::pg_catalog.numeric");
  EXPECT_EQ(literal("timestamptz", "2026-01-01T00:00:00Z"), "'2026-01-01T00:00:00Z'::pg_catalog.timestamptz");
  EXPECT_EQ(literal("bool", "true'); --"), "'true''); --'::pg_catalog.bool");
}

TEST(SqlTextTest, RowComparisonsOfAllShapes) {
  EXPECT_EQ(compare_rows({"\"a\""}, ">", {"1"}), "\"a\" > 1");
  EXPECT_EQ(compare_rows({"\"a\"", "\"b\""}, "<=", {"1", "'x'"}), "(\"a\", \"b\") <= (1, 'x')");
}

TEST(SqlTextTest, TenantAndFiltersBecomeOneCondition) {
  ExportSpec spec;
  spec.dataset.tenant_column = "tenant_id";
  spec.tenant = "o'brien";
  spec.filters = {
      {.column = "kind", .op = FilterOp::in, .values = {{.type = {}, .text = "a"}, {.type = {}, .text = "b"}}},
      {.column = "gone", .op = FilterOp::is_null, .values = {}}};
  EXPECT_EQ(selection(spec).value(), "\"tenant_id\" = 'o''brien' AND \"kind\" IN ('a', 'b') AND \"gone\" IS NULL");
  spec.dataset.key = {"a", "b"};
  spec.dataset.key_types = {*parse_data_type("uuid"), *parse_data_type("int64")};
  EXPECT_EQ(key_condition(spec.dataset, ">", {"x", "7"}).value(),
            "(r.\"a\", r.\"b\") > ('x'::pg_catalog.uuid, '7'::pg_catalog.int8)");
  EXPECT_EQ(key_condition(spec.dataset, ">", {"x"}).error().code, "bad_key");
}

TEST(SqlTextTest, ASourceNeedsItsPlace) {
  Source source;
  source.name = "app";
  EXPECT_EQ(make_source(source).error().code, "bad_source");
  source.driver = SourceDriver::postgres;
  EXPECT_EQ(make_source(source).error().code, "bad_source");
}

}  // namespace
}  // namespace longshore
