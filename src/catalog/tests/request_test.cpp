#include "catalog/request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace longshore {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kCatalog = R"yaml(sources: { app: { driver: sqlite, path: app.db } }
datasets:
  audit_logs:
    source: app
    relation: audit_logs
    tenant_column: tenant_id
    key: [id]
    time_column: created_at
    columns:
      id: { type: int64 }
      createdAt: { column: created_at, type: timestamptz }
      userId: { column: user_id, type: text }
      action: { type: text }
      status: { type: int32 }
      amount: { type: "numeric(12,2)" }
      active: { type: bool }
      session: { type: uuid }
      ipAddress: { column: ip_address, type: text, permission: pii.read, mask: truncate_ip }
      note: { type: text }
    filters: [userId, action, status, amount, active, session, ipAddress]
  invoices:
    source: app
    relation: invoices
    tenant_column: org_id
    types: { org_id: int64 }
    key: [id]
    permission: finance.read
    columns:
      id: { type: int64 }
  secrets:
    source: app
    relation: secrets
    tenant_column: tenant_id
    key: [id]
    time_column: at
    columns:
      id: { type: int64, permission: root }
      at: { type: date, permission: root }
)yaml";

class RequestTest : public testing::Test {
 protected:
  RequestTest() : catalog(*Catalog::parse(kCatalog, "c.yaml")) {
    who.tenant = TenantId("acme");
    who.user = UserId("ann");
    who.permissions = {"exports.audit_logs", "exports.secrets"};
  }

  Result<ExportSpec> validate(const std::string& body) { return validate_request(body, catalog, who, formats); }

  ExportSpec accepted(const std::string& body) {
    auto spec = validate(body);
    EXPECT_TRUE(spec) << body << "\n" << (spec ? "" : spec.error().message);
    return spec ? *std::move(spec) : ExportSpec{};
  }

  /// `code` of the whole, then one line for each finding.
  std::vector<std::string> refused(const std::string& body) {
    const auto spec = validate(body);
    if (spec) return {"accepted"};
    EXPECT_EQ(spec.error().source, ErrorSource::user);
    std::vector<std::string> lines = {spec.error().code};
    for (const ErrorDetail& detail : spec.error().details) {
      lines.push_back(detail.where + " " + detail.code + " " + detail.message);
    }
    return lines;
  }

  /// The finding of a request whose only fault is one filter.
  std::string refused_filter(const std::string& filters) {
    const auto lines = refused(R"({"exportType":"audit_logs","format":"csv","filters":)" + filters + "}");
    return lines.size() == 2 ? lines[1] : "not one finding: " + testing::PrintToString(lines);
  }

  /// Filters as `column op values`.
  std::vector<std::string> filters_of(const std::string& filters) {
    std::vector<std::string> lines;
    for (const Filter& filter :
         accepted(R"({"exportType":"audit_logs","format":"csv","filters":)" + filters + "}").filters) {
      static constexpr const char* kOps[] = {"eq", "in", "gte", "gt", "lte", "lt", "is_null"};
      std::string line = filter.column + " " + kOps[static_cast<int>(filter.op)];
      for (const Value& value : filter.values) line += " " + value.text;
      lines.push_back(line);
    }
    return lines;
  }

  Catalog catalog;
  Principal who;
  std::vector<FormatChoice> formats = {{"csv", true},      {"jsonl", true}, {"json", true},
                                       {"parquet", false}, {"xlsx", false}, {"pdf", false}};
};

TEST_F(RequestTest, TheSmallestRequest) {
  const ExportSpec spec = accepted(R"({"exportType":"audit_logs","format":"csv"})");
  EXPECT_EQ(spec.dataset.name, "audit_logs");
  EXPECT_EQ(spec.format, "csv");
  EXPECT_EQ(spec.tenant, "acme");
  EXPECT_EQ(spec.compression, Compression::none);
  EXPECT_EQ(spec.consistency, Consistency::best_effort);
  EXPECT_THAT(spec.filters, IsEmpty());
  ASSERT_EQ(spec.columns.size(), 9U) << "all that the caller may see";
  EXPECT_EQ(spec.columns[1].name, "createdAt");
  EXPECT_EQ(spec.columns[8].name, "note");
  EXPECT_EQ(spec.csv.delimiter, ',');
  EXPECT_TRUE(spec.csv.header);
  EXPECT_FALSE(spec.csv.bom);
  EXPECT_TRUE(spec.csv.crlf);
  EXPECT_EQ(spec.csv.profile, CsvProfile::spreadsheet);
}

TEST_F(RequestTest, EverythingAtOnce) {
  who.permissions.insert("pii.read");
  const ExportSpec spec = accepted(R"({
    "exportType": "audit_logs", "format": "CSV", "compression": "ZSTD", "consistency": "best_effort",
    "filters": {"from": "2026-01-01T00:00:00Z", "to": "2026-06-01T02:00:00+02:00", "userId": "usr_9921"},
    "columns": ["action", "id", "ipAddress"],
    "csv": {"delimiter": "\t", "header": false, "bom": true, "profile": "machine", "lineEnding": "lf", "timeZone": "UTC"},
    "notify": {"emails": [], "webhook": false},
    "title": "Logins — Łódź 🎉"})");
  EXPECT_EQ(spec.format, "csv");
  EXPECT_EQ(spec.compression, Compression::zstd);
  ASSERT_EQ(spec.columns.size(), 3U);
  EXPECT_EQ(spec.columns[0].name, "action");
  EXPECT_EQ(spec.columns[2].source, "ip_address");
  EXPECT_EQ(spec.csv.delimiter, '\t');
  EXPECT_FALSE(spec.csv.header);
  EXPECT_TRUE(spec.csv.bom);
  EXPECT_FALSE(spec.csv.crlf);
  EXPECT_EQ(spec.csv.profile, CsvProfile::machine);
  EXPECT_EQ(spec.title, "Logins — Łódź 🎉");
  ASSERT_EQ(spec.filters.size(), 3U);
  EXPECT_EQ(spec.filters[1].values[0].text, "2026-06-01T00:00:00Z");
}

TEST_F(RequestTest, FiltersOfEveryForm) {
  EXPECT_THAT(filters_of(R"({"date_range":["2026-01-01","2026-02-01"]})"),
              ElementsAre("created_at gte 2026-01-01T00:00:00Z", "created_at lt 2026-02-01T00:00:00Z"));
  EXPECT_THAT(filters_of(R"({"to":"2026-02-01"})"), ElementsAre("created_at lt 2026-02-01T00:00:00Z"));
  EXPECT_THAT(filters_of(R"({"status":200,"action":["login","logout"],"userId":null})"),
              ElementsAre("status eq 200", "action in login logout", "user_id is_null"));
  EXPECT_THAT(filters_of(R"({"status":{"gte":400,"lt":500},"amount":{"gt":0.10,"lte":"99999999999999999999.99"}})"),
              ElementsAre("status gte 400", "status lt 500", "amount gt 0.1", "amount lte 99999999999999999999.99"));
  EXPECT_THAT(filters_of(R"({"active":true,"session":"0192F0C4-7A5B-7C3D-8E9F-0123456789AB","action":{"gte":"a"}})"),
              ElementsAre("active eq true", "session eq 0192f0c4-7a5b-7c3d-8e9f-0123456789ab", "action gte a"));
  EXPECT_THAT(filters_of(R"({"status":{"gte":5,"lte":5}})"), ElementsAre("status gte 5", "status lte 5"));
  EXPECT_THAT(filters_of("{}"), IsEmpty());
}

TEST_F(RequestTest, FiltersThatAreRefused) {
  EXPECT_EQ(refused_filter(R"([])"), "/filters wrong_type must be an object of names and conditions");
  EXPECT_EQ(refused_filter(R"({"stauts":1})"),
            "/filters/stauts unknown_filter dataset \"audit_logs\" has no filter of this name; did you mean "
            "\"status\"?");
  EXPECT_EQ(refused_filter(R"({"note":"x"})"),
            "/filters/note unknown_filter dataset \"audit_logs\" has no filter of this name");
  EXPECT_EQ(refused_filter(R"({"a/b~c":"x"})"),
            "/filters/a~1b~0c unknown_filter dataset \"audit_logs\" has no filter of this name");
  EXPECT_EQ(refused_filter(R"({"status":"abc"})"),
            "/filters/status bad_value \"abc\" is not an integer from -2147483648 to 2147483647");
  EXPECT_EQ(refused_filter(R"({"status":true})"),
            "/filters/status wrong_type must be an integer (int32), not a boolean");
  EXPECT_EQ(refused_filter(R"({"status":[1,null]})"),
            "/filters/status/1 wrong_type must be an integer (int32), not null");
  EXPECT_EQ(refused_filter(R"({"status":[]})"),
            "/filters/status empty_list the list is empty, so no row could match; name a value or leave the "
            "filter out");
  EXPECT_EQ(refused_filter(R"({"status":{}})"),
            "/filters/status empty_range the range has no bounds; give gte, gt, lte or lt");
  EXPECT_EQ(refused_filter(R"({"status":{"ge":1}})"),
            "/filters/status/ge unknown_field a range is made of gte, gt, lte and lt");
  EXPECT_EQ(refused_filter(R"({"status":{"gte":1,"gt":1}})"),
            "/filters/status conflicting_filters a range has at most one lower bound (gte or gt) and one upper (lte or "
            "lt)");
  EXPECT_EQ(refused_filter(R"({"status":{"gte":5,"lt":5}})"),
            "/filters/status empty_range no value lies between these bounds");
  EXPECT_EQ(refused_filter(R"({"amount":{"gt":"10.5","lt":"9.75"}})"),
            "/filters/amount empty_range no value lies between these bounds");
  EXPECT_EQ(refused_filter(R"({"active":{"gte":true}})"),
            "/filters/active wrong_type a column of type bool has no ranges; give a value or a list of values");
  EXPECT_EQ(refused_filter(R"({"action":"a\u0000b"})"), "/filters/action bad_value a text cannot hold a NUL character");
  EXPECT_EQ(refused_filter(R"({"from":"yesterday"})"),
            "/filters/from bad_value \"yesterday\" is not an RFC 3339 time to the microsecond, e.g. "
            "\"2026-06-06T14:20:00Z\"");
  EXPECT_EQ(refused_filter(R"({"from":null})"), "/filters/from wrong_type must be a string (timestamptz), not null");
  EXPECT_EQ(refused_filter(R"({"from":"2026-02-01","to":"2026-02-01"})"),
            "/filters/to empty_range the range [from, to) is empty: from must be before to");
  EXPECT_EQ(refused_filter(R"({"date_range":["2026-01-01"]})"),
            "/filters/date_range wrong_type must be an array of two times: [from, to)");
  EXPECT_EQ(refused_filter(R"({"from":"2026-01-01","date_range":["2026-01-01","2026-01-02"]})"),
            "/filters/date_range conflicting_filters date_range means the same as from and to; give one of them");
  std::string many = "[1";
  for (std::size_t i = 0; i < 1000; ++i) many += ",1";
  EXPECT_EQ(refused_filter(R"({"status":)" + many + "]}"),
            "/filters/status too_many_values a list may hold at most 1000 values");
}

TEST_F(RequestTest, AHiddenColumnCannotBeFilteredOn) {
  // The same words as for a name that nobody knows, and no hint at it.
  EXPECT_EQ(refused_filter(R"({"ipAddress":"1.2.3.4"})"),
            "/filters/ipAddress unknown_filter dataset \"audit_logs\" has no filter of this name");
  EXPECT_EQ(refused_filter(R"({"ipAdress":"1.2.3.4"})"),
            "/filters/ipAdress unknown_filter dataset \"audit_logs\" has no filter of this name");
  who.permissions.insert("pii.read");
  EXPECT_THAT(filters_of(R"({"ipAddress":"1.2.3.4"})"), ElementsAre("ip_address eq 1.2.3.4"));
}

TEST_F(RequestTest, AHiddenTimeCannotBeFilteredOn) {
  who.permissions.insert("root");
  const ExportSpec spec =
      accepted(R"({"exportType":"secrets","format":"csv","filters":{"from":"2026-01-01T00:00:00Z"}})");
  EXPECT_EQ(spec.filters[0].values[0].text, "2026-01-01");
  who.permissions.erase("root");
  EXPECT_THAT(
      refused(R"({"exportType":"secrets","format":"csv","filters":{"from":"2026-01-01","to":"x"}})"),
      ElementsAre("invalid_request", "/filters/from unknown_filter dataset \"secrets\" cannot be filtered by time",
                  "/filters/to unknown_filter dataset \"secrets\" cannot be filtered by time",
                  "/columns permission_denied every column of \"secrets\" needs a permission that you do not "
                  "have"));
}

TEST_F(RequestTest, AllErrorsAtOnce) {
  EXPECT_THAT(
      refused(
          R"({"exportType":"audit_logs","format":"xls","fromat":"csv","compression":"lzma","consistency":"snapshot",
        "columns":["id","created_at","id",7,"ipAddress"],"filters":{"status":"x","to":5},
        "csv":{"delimiter":"ab","header":"yes","quote":"'","timeZone":"Europe/Atlantis"},
        "notify":{"emails":["a@b.c"],"webhook":true,"sms":1},"title":"a\nb","title":"again"})"),
      ElementsAre(
          "invalid_request", "/title duplicate_key the object has two members of this name",
          "/filters/to wrong_type must be a string (timestamptz), not a number",
          "/filters/status bad_value \"x\" is not an integer from -2147483648 to 2147483647",
          "/columns/1 unknown_column dataset \"audit_logs\" has no column of this name; did you mean "
          "\"createdAt\"?",
          "/columns/2 duplicate_column the column \"id\" is named twice",
          "/columns/3 wrong_type must be a column's name",
          "/columns/4 permission_denied the column \"ipAddress\" needs the permission \"pii.read\"",
          "/format unknown_format there is no format of this name; available: csv, jsonl, json, parquet, xlsx, pdf",
          "/compression bad_value must be one of \"none\", \"gzip\", \"zstd\"",
          "/consistency not_available \"snapshot\" is not available for this dataset; use \"best_effort\" "
          "or leave it out",
          "/csv/delimiter bad_value use one of \",\", \";\", \"|\" and a tab (\"\\t\")",
          "/csv/header wrong_type must be true or false", "/csv/quote unknown_field there is no field of this name",
          "/csv/timeZone unknown_time_zone there is no time zone 'Europe/Atlantis'; use a name of the IANA "
          "database such as UTC or Europe/Berlin; did you mean \"Europe/Athens\"?",
          "/title bad_value must not hold control characters or line breaks",
          "/notify/emails not_available notifications are not configured on this server; leave this out",
          "/notify/webhook not_available notifications are not configured on this server; leave this out",
          "/notify/sms unknown_field there is no field of this name",
          "/fromat unknown_field there is no field of this name; did you mean \"format\"?"));
}

TEST_F(RequestTest, DatasetsThatAreNotThereOrNotAllowed) {
  EXPECT_THAT(
      refused(R"({"exportType":"auditlog","format":"csv"})"),
      ElementsAre("invalid_request",
                  "/exportType unknown_dataset there is no dataset of this name; did you mean \"audit_logs\"?"));
  EXPECT_THAT(refused(R"({"exportType":"invoice","format":"csv"})"),
              ElementsAre("invalid_request", "/exportType unknown_dataset there is no dataset of this name"))
      << "what the caller may not export is not hinted at";
  EXPECT_THAT(
      refused(R"({"exportType":"invoices","format":"nope"})"),
      ElementsAre("permission_denied",
                  "/exportType permission_denied exporting \"invoices\" needs the permission \"finance.read\""));
  EXPECT_THAT(
      refused(R"({"format":"csv"})"),
      ElementsAre("invalid_request", "/exportType missing_field exportType is required: the name of a dataset"));
  EXPECT_THAT(refused(R"({"exportType":["audit_logs"]})"),
              ElementsAre("invalid_request", "/exportType wrong_type must be a string",
                          "/format missing_field format is required, e.g. \"csv\""));
}

TEST_F(RequestTest, AColumnThatIsNotAllowed) {
  EXPECT_THAT(refused(R"({"exportType":"audit_logs","format":"csv","columns":["id","ipAddress"]})"),
              ElementsAre("permission_denied",
                          "/columns/1 permission_denied the column \"ipAddress\" needs the permission \"pii.read\""));
  EXPECT_THAT(refused(R"({"exportType":"secrets","format":"csv"})"),
              ElementsAre("permission_denied",
                          "/columns permission_denied every column of \"secrets\" needs a permission that you do not "
                          "have"));
  EXPECT_THAT(refused(R"({"exportType":"audit_logs","format":"csv","columns":[]})"),
              ElementsAre("invalid_request",
                          "/columns empty_list name at least one column, or leave columns out for all that you may "
                          "see"));
}

TEST_F(RequestTest, TheTenantMustBeOfTheDatasetsType) {
  who.permissions = {"*"};
  EXPECT_THAT(refused(R"({"exportType":"invoices","format":"csv"})"),
              ElementsAre("invalid_request",
                          "/exportType unknown_tenant your tenant's id is not of the type that \"invoices\" tells "
                          "tenants apart by (int64), so none of its rows can be yours"));
  who.tenant = TenantId("0042");
  EXPECT_EQ(accepted(R"({"exportType":"invoices","format":"csv"})").tenant, "42");
  who.tenant = TenantId("");
  EXPECT_EQ(refused(R"({"exportType":"audit_logs","format":"csv"})").size(), 2U);
}

TEST_F(RequestTest, OptionsThatDoNotGoTogether) {
  EXPECT_THAT(refused(R"({"exportType":"audit_logs","format":"parquet","compression":"gzip","csv":{}})"),
              ElementsAre("invalid_request",
                          "/compression not_available the format \"parquet\" is compressed by itself; use \"none\"",
                          "/csv not_available csv options need the format \"csv\", not \"parquet\""));
  EXPECT_EQ(accepted(R"({"exportType":"audit_logs","format":"parquet","compression":"none"})").format, "parquet");
}

TEST_F(RequestTest, TimeZones) {
  const auto with = [](const std::string& members) {
    return R"({"exportType":"audit_logs","format":"csv",)" + members + "}";
  };
  EXPECT_EQ(accepted(with(R"("title":"t")")).time_zone, "UTC");
  EXPECT_EQ(accepted(with(R"("timeZone":"Europe/Berlin")")).time_zone, "Europe/Berlin");
  EXPECT_EQ(accepted(with(R"("csv":{"timeZone":"Asia/Kolkata"})")).time_zone, "Asia/Kolkata");
  EXPECT_EQ(accepted(with(R"("timeZone":"Asia/Kolkata","csv":{"timeZone":"Asia/Kolkata"})")).time_zone, "Asia/Kolkata");
  EXPECT_EQ(accepted(R"({"exportType":"audit_logs","format":"parquet","timeZone":"America/New_York"})").time_zone,
            "America/New_York");
  EXPECT_THAT(refused(with(R"("timeZone":"Asia/Kolkata","csv":{"timeZone":"UTC"})")),
              ElementsAre("invalid_request",
                          "/csv/timeZone conflicting_options means the same as /timeZone, which says "
                          "\"Asia/Kolkata\"; give one of them"));
  EXPECT_THAT(refused(with(R"("timeZone":5)")),
              ElementsAre("invalid_request", "/timeZone wrong_type must be a string"));
  for (const char* bad : {"", "Berlin", "../../etc/passwd", "/etc/localtime", "UTC\\u0000", "Europe/berlinn"}) {
    const auto lines = refused(with(R"("timeZone":")" + std::string(bad) + '"'));
    ASSERT_EQ(lines.size(), 2U) << bad;
    EXPECT_TRUE(lines[1].starts_with("/timeZone unknown_time_zone ")) << lines[1];
  }
}

TEST_F(RequestTest, OptionsOfParquet) {
  const auto with = [](const std::string& options) {
    return R"({"exportType":"audit_logs","format":"parquet","columns":["id","userId"],"parquet":)" + options + "}";
  };
  const ExportSpec plain = accepted(with("{}"));
  EXPECT_EQ(plain.parquet.profile, ParquetProfile::standard);
  EXPECT_EQ(plain.parquet.codec, ParquetCodec::zstd);
  EXPECT_THAT(plain.parquet.bloom_filters, IsEmpty());
  const ExportSpec full =
      accepted(with(R"({"profile":"Modern","compression":"snappy","bloomFilters":["userId","id"]})"));
  EXPECT_EQ(full.parquet.profile, ParquetProfile::modern);
  EXPECT_EQ(full.parquet.codec, ParquetCodec::snappy);
  EXPECT_THAT(full.parquet.bloom_filters, ElementsAre("userId", "id"));
  EXPECT_THAT(refused(with(R"({"profile":"v3","compression":"gzip","pageSize":1,
                               "bloomFilters":["ID","action",3,"id","id"]})")),
              ElementsAre("invalid_request", "/parquet/profile bad_value must be one of \"standard\", \"modern\"",
                          "/parquet/compression bad_value must be one of \"zstd\", \"snappy\", \"none\"",
                          "/parquet/bloomFilters/0 unknown_column no column of this name is exported; did you mean "
                          "\"id\"?",
                          "/parquet/bloomFilters/1 unknown_column no column of this name is exported",
                          "/parquet/bloomFilters/2 wrong_type must be a column's name",
                          "/parquet/bloomFilters/4 duplicate_column the column \"id\" is named twice",
                          "/parquet/pageSize unknown_field there is no field of this name"));
  EXPECT_THAT(
      refused(R"({"exportType":"audit_logs","format":"parquet","columns":["id","active","amount"],
                          "parquet":{"bloomFilters":["id","amount","active"]}})"),
      ElementsAre("invalid_request",
                  "/parquet/bloomFilters/2 not_available the column \"active\" is of type bool; columns of bool, "
                  "floating-point and array types have no bloom filter"));
  EXPECT_THAT(refused(with(R"({"bloomFilters":"id"})")),
              ElementsAre("invalid_request", "/parquet/bloomFilters wrong_type must be an array of column names"));
  EXPECT_THAT(refused(with("true")), ElementsAre("invalid_request", "/parquet wrong_type must be an object"));
}

TEST_F(RequestTest, OptionsOfXlsx) {
  const auto with = [](const std::string& options) {
    return R"({"exportType":"audit_logs","format":"xlsx","xlsx":)" + options + "}";
  };
  const auto named = [&](const std::string& name) { return with(R"({"sheetName":")" + name + "\"}"); };
  EXPECT_EQ(accepted(with("{}")).xlsx.sheet_name, "");
  EXPECT_EQ(accepted(with("{}")).xlsx.table_style, XlsxTableStyle::none);
  EXPECT_EQ(accepted(with(R"({"tableStyle":"MEDIUM"})")).xlsx.table_style, XlsxTableStyle::medium);
  EXPECT_EQ(accepted(named("Umsätze '26 (1)")).xlsx.sheet_name, "Umsätze '26 (1)");
  EXPECT_EQ(accepted(named(std::string(31, 'x'))).xlsx.sheet_name.size(), 31U);
  const auto fault = [&](const std::string& name) {
    const auto lines = refused(named(name));
    return lines.size() == 2 ? lines[1] : "not one finding: " + testing::PrintToString(lines);
  };
  const std::string at = "/xlsx/sheetName bad_value ";
  EXPECT_EQ(fault(std::string(32, 'x')), at + "may have at most 31 characters (most emoji count as two)");
  EXPECT_EQ(fault(std::string(29, 'x') + "🎉x"), at + "may have at most 31 characters (most emoji count as two)");
  for (const char* blank : {"", "  ", "\u00a0 "}) {
    EXPECT_EQ(fault(blank), at + "must not be blank; leave it out for the dataset's name") << blank;
  }
  for (const char* bad : {"a[b", "a]b", "a:b", "a*b", "a?b", "a/b", "a\\\\b"}) {
    EXPECT_EQ(fault(bad), at + "must not hold any of [ ] : * ? / \\") << bad;
  }
  EXPECT_EQ(fault("'a"), at + "must not begin or end with an apostrophe");
  EXPECT_EQ(fault("a'"), at + "must not begin or end with an apostrophe");
  EXPECT_EQ(fault("a\\tb"), at + "must not hold control characters or line breaks");
  EXPECT_EQ(fault("hiSTory"), at + "\"History\" is a name that Excel keeps to itself");
  EXPECT_THAT(refused(with(R"({"sheetName":1,"tableStyle":"blue","sheetname":"x"})")),
              ElementsAre("invalid_request", "/xlsx/sheetName wrong_type must be a string",
                          "/xlsx/tableStyle bad_value must be one of \"none\", \"light\", \"medium\", \"dark\"",
                          "/xlsx/sheetname unknown_field there is no field of this name; did you mean \"sheetName\"?"));
}

TEST_F(RequestTest, OptionsOfPdf) {
  const auto with = [](const std::string& options) {
    return R"({"exportType":"audit_logs","format":"pdf","pdf":)" + options + "}";
  };
  EXPECT_EQ(accepted(with("{}")).pdf.orientation, PdfOrientation::automatic);
  EXPECT_EQ(accepted(with("{}")).pdf.page_size, PdfPageSize::a4);
  const ExportSpec spec = accepted(with(R"({"orientation":"landscape","pageSize":"Letter"})"));
  EXPECT_EQ(spec.pdf.orientation, PdfOrientation::landscape);
  EXPECT_EQ(spec.pdf.page_size, PdfPageSize::letter);
  EXPECT_THAT(
      refused(with(R"({"orientation":"upright","pageSize":4,"title":"x"})")),
      ElementsAre("invalid_request", "/pdf/orientation bad_value must be one of \"auto\", \"portrait\", \"landscape\"",
                  "/pdf/pageSize wrong_type must be a string",
                  "/pdf/title unknown_field there is no field of this name"));
}

TEST_F(RequestTest, OptionsOfFormatsThatWereNotAskedFor) {
  EXPECT_THAT(
      refused(
          R"({"exportType":"audit_logs","format":"jsonl","csv":{},"parquet":{},"xlsx":{},"pdf":{"pageSize":"a9"}})"),
      ElementsAre("invalid_request", "/csv not_available csv options need the format \"csv\", not \"jsonl\"",
                  "/parquet not_available parquet options need the format \"parquet\", not \"jsonl\"",
                  "/xlsx not_available xlsx options need the format \"xlsx\", not \"jsonl\"",
                  "/pdf not_available pdf options need the format \"pdf\", not \"jsonl\"",
                  "/pdf/pageSize bad_value must be one of \"a4\", \"a3\", \"letter\", \"legal\""));
}

TEST_F(RequestTest, Titles) {
  const auto with_title = [](const std::string& title) {
    return R"({"exportType":"audit_logs","format":"csv","title":")" + title + "\"}";
  };
  std::string longest;
  for (int i = 0; i < 200; ++i) longest += "ł";
  EXPECT_EQ(accepted(with_title(longest)).title, longest);
  EXPECT_THAT(refused(with_title(longest + "x")),
              ElementsAre("invalid_request", "/title bad_value may have at most 200 characters"));
  for (const char* bad : {"\\u0000", "\\u001b", "\\u007f", "\\u0085", "\\u2028"}) {
    EXPECT_EQ(refused(with_title(bad)).size(), 2U) << bad;
  }
}

TEST_F(RequestTest, WhatIsNotARequestAtAll) {
  for (const char* bad : {"", "{", "[]", "null", "\"x\"", "{\"exportType\":}", "{}{}"}) {
    EXPECT_THAT(refused(bad), ElementsAre("malformed_request")) << bad;
  }
  EXPECT_THAT(refused(std::string(2 << 20, '{')), ElementsAre("request_too_large"));
}

TEST_F(RequestTest, TheMessageNamesTheFirstError) {
  EXPECT_EQ(validate(R"({"exportType":"audit_logs","format":"xls"})").error().message,
            "/format: there is no format of this name; available: csv, jsonl, json, parquet, xlsx, pdf");
  EXPECT_EQ(
      validate(R"({"exportType":"audit_logs","format":"xls","x":1})").error().message,
      "2 errors; the first: /format: there is no format of this name; available: csv, jsonl, json, parquet, xlsx, pdf");
}

TEST_F(RequestTest, VisibleColumns) {
  const Dataset& dataset = *catalog.find_dataset("audit_logs");
  EXPECT_EQ(visible_columns(dataset, who).size(), 9U);
  who.permissions.insert("pii.read");
  EXPECT_EQ(visible_columns(dataset, who).size(), 10U);
}

}  // namespace
}  // namespace longshore
