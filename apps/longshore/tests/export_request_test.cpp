#include "cli/export_request.h"

#include <gtest/gtest.h>

namespace longshore {
namespace {

const std::map<std::string, DataType> kTypes{{"status", {LogicalType::int32}},
                                             {"action", {LogicalType::text}},
                                             {"active", {LogicalType::boolean}},
                                             {"amount", {LogicalType::decimal, 12, 2}},
                                             {"ratio", {LogicalType::float64}}};

std::string body_for(std::vector<std::string> filters, std::string filters_json = {}) {
  ExportArguments arguments;
  arguments.dataset = "audit_logs";
  arguments.format = "csv";
  arguments.filters = std::move(filters);
  arguments.filters_json = std::move(filters_json);
  const auto body = request_body(arguments, kTypes);
  return body ? *body : "error: " + body.error().message;
}

std::string filters_of(std::vector<std::string> filters, std::string filters_json = {}) {
  std::string body = body_for(std::move(filters), std::move(filters_json));
  const std::string before = R"({"exportType":"audit_logs","format":"csv","filters":)";
  return body.starts_with(before) ? body.substr(before.size(), body.size() - before.size() - 1) : body;
}

TEST(ParseFilter, KnowsEveryOperator) {
  EXPECT_EQ(*parse_filter("status=200"), (FilterExpression{"status", "eq", {"200"}}));
  EXPECT_EQ(*parse_filter("status==200"), (FilterExpression{"status", "eq", {"200"}}));
  EXPECT_EQ(*parse_filter("status >= 400"), (FilterExpression{"status", "gte", {"400"}}));
  EXPECT_EQ(*parse_filter("status>400"), (FilterExpression{"status", "gt", {"400"}}));
  EXPECT_EQ(*parse_filter("status<=400"), (FilterExpression{"status", "lte", {"400"}}));
  EXPECT_EQ(*parse_filter("status<400"), (FilterExpression{"status", "lt", {"400"}}));
  EXPECT_EQ(*parse_filter("user_id is null"), (FilterExpression{"user_id", "is_null", {}}));
}

TEST(ParseFilter, ListsEscapesAndEmptyText) {
  EXPECT_EQ(parse_filter("action=login,logout")->values, (std::vector<std::string>{"login", "logout"}));
  EXPECT_EQ(parse_filter(R"(action=a\,b,c\\,\d)")->values, (std::vector<std::string>{"a,b", "c\\", "\\d"}));
  EXPECT_EQ(parse_filter("action=")->values, (std::vector<std::string>{""}));
  EXPECT_EQ(parse_filter("action=x=y>z")->values, (std::vector<std::string>{"x=y>z"}));
}

TEST(ParseFilter, SaysWhatIsWrong) {
  EXPECT_EQ(parse_filter("status").error().message,
            "--filter 'status': no operator; write NAME=VALUE, NAME=A,B, NAME>=VALUE, NAME>VALUE, NAME<=VALUE, "
            "NAME<VALUE or \"NAME is null\"");
  EXPECT_EQ(parse_filter("=5").error().message, "--filter '=5': the name of a filter is missing before the operator");
  EXPECT_EQ(parse_filter("status>=").error().message, "--filter 'status>=': the value is missing after the operator");
  EXPECT_EQ(parse_filter("a!=5").error().message, "--filter 'a!=5': there is no \"not\"; say which values are wanted");
}

TEST(RequestBody, WritesValuesAsTheColumnsTypeWantsThem) {
  EXPECT_EQ(filters_of({"status=200"}), R"({"status":200})");
  EXPECT_EQ(filters_of({"status=200,404"}), R"({"status":[200,404]})");
  EXPECT_EQ(filters_of({"status>=400", "status<500"}), R"({"status":{"gte":400,"lt":500}})");
  EXPECT_EQ(filters_of({"action=200"}), R"({"action":"200"})");
  EXPECT_EQ(filters_of({"active=true"}), R"({"active":true})");
  EXPECT_EQ(filters_of({"amount>=0.10"}), R"({"amount":{"gte":"0.10"}})");
  EXPECT_EQ(filters_of({"ratio<1.5"}), R"({"ratio":{"lt":1.5E0}})");
  EXPECT_EQ(filters_of({"action is null"}), R"({"action":null})");
  EXPECT_EQ(filters_of({"unknown=5"}), R"({"unknown":"5"})");
  EXPECT_EQ(filters_of({"status=many"}), R"({"status":"many"})");
}

TEST(RequestBody, JoinsJsonAndExpressions) {
  EXPECT_EQ(filters_of({"action=login"}, R"({"status":{"gte":1}})"), R"({"status":{"gte":1},"action":"login"})");
  EXPECT_EQ(filters_of({"status<9"}, R"({"status":{"gte":1}})"), R"({"status":{"gte":1,"lt":9}})");
}

TEST(RequestBody, RefusesFiltersThatExcludeEachOther) {
  EXPECT_EQ(body_for({"status=1", "status=2"}),
            "error: two filters on status that exclude each other; for one of several values write --filter "
            "'status=a,b'");
  EXPECT_EQ(body_for({"status=1", "status>2"}), "error: two filters on status that exclude each other");
  EXPECT_EQ(body_for({"status>1", "status>2"}), "error: two filters on status that exclude each other");
  EXPECT_EQ(body_for({}, "[1]"), "error: --filters is not a JSON object, e.g. '{\"status\":{\"gte\":400}}'");
}

TEST(RequestBody, HasEverythingThatWasAskedFor) {
  ExportArguments arguments;
  arguments.dataset = "audit_logs";
  arguments.format = "jsonl";
  arguments.compression = "gzip";
  arguments.consistency = "snapshot";
  arguments.columns = {"id", "createdAt"};
  arguments.from = "2026-01-01";
  arguments.to = "2026-02-01";
  arguments.csv_profile = "machine";
  arguments.csv_delimiter = "\\t";
  arguments.title = "Zoë's";
  EXPECT_EQ(*request_body(arguments, {}),
            R"({"exportType":"audit_logs","format":"jsonl","compression":"gzip","consistency":"snapshot",)"
            R"("title":"Zoë's","filters":{"from":"2026-01-01","to":"2026-02-01"},"columns":["id","createdAt"],)"
            R"("csv":{"profile":"machine","delimiter":"\t"}})");
}

TEST(RequestBody, HasTheOptionsOfFormats) {
  ExportArguments arguments;
  arguments.dataset = "audit_logs";
  arguments.format = "parquet";
  arguments.time_zone = "Europe/Warsaw";
  arguments.parquet_profile = "modern";
  arguments.parquet_compression = "snappy";
  arguments.parquet_bloom_filters = {"id", "userId"};
  EXPECT_EQ(*request_body(arguments, {}),
            R"({"exportType":"audit_logs","format":"parquet","timeZone":"Europe/Warsaw",)"
            R"("parquet":{"profile":"modern","compression":"snappy","bloomFilters":["id","userId"]}})");
  arguments = {};
  arguments.dataset = "audit_logs";
  arguments.format = "xlsx";
  arguments.xlsx_sheet_name = "Łódź";
  arguments.xlsx_table_style = "medium";
  arguments.pdf_orientation = "landscape";
  arguments.pdf_page_size = "a3";
  EXPECT_EQ(*request_body(arguments, {}),
            R"({"exportType":"audit_logs","format":"xlsx","xlsx":{"sheetName":"Łódź","tableStyle":"medium"},)"
            R"("pdf":{"orientation":"landscape","pageSize":"a3"}})")
      << "what does not go with the format is for the server to say";
  arguments = {};
  arguments.format = "parquet";
  arguments.parquet_bloom_filters = {"id"};
  EXPECT_EQ(*request_body(arguments, {}), R"({"exportType":"","format":"parquet","parquet":{"bloomFilters":["id"]}})");
}

TEST(GuessFromName, KnowsFormatAndCompression) {
  const auto guess = [](const std::string& file, const std::string& format = {}, const std::string& compression = {}) {
    ExportArguments arguments;
    arguments.format = format;
    arguments.compression = compression;
    guess_from_name(file, {"csv", "jsonl", "json", "parquet", "xlsx"}, arguments);
    return arguments.format + " " + arguments.compression;
  };
  EXPECT_EQ(guess("orders.xlsx"), "xlsx ");
  EXPECT_EQ(guess("/tmp/a.b/Orders.PARQUET"), "parquet ");
  EXPECT_EQ(guess("orders.csv.gz"), "csv gzip");
  EXPECT_EQ(guess("orders.ndjson.zst"), "jsonl zstd");
  EXPECT_EQ(guess("orders.gz"), "csv gzip");
  for (const char* silent : {"", "-", "orders", "orders.txt", ".csv", "dir.csv/orders"}) {
    EXPECT_EQ(guess(silent), "csv ") << silent;
  }
  EXPECT_EQ(guess("orders.xlsx", "csv"), "csv ") << "what was said counts";
  EXPECT_EQ(guess("orders.csv.gz", "jsonl", "none"), "jsonl none");
  EXPECT_EQ(guess("orders.gz", "jsonl"), "jsonl gzip");
}

}  // namespace
}  // namespace longshore
