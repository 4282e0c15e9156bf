#include "http/openapi_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <boost/json.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>

#include "catalog/catalog.h"
#include "catalog/request.h"
#include "fake_export_service.h"
#include "http/dataset_routes.h"
#include "http/export_routes.h"
#include "http/export_view.h"
#include "http/file_routes.h"
#include "http/health_routes.h"
#include "http/problem.h"
#include "http/worker_routes.h"

namespace longshore {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

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
      ipAddress: { column: ip_address, type: text }
      userAgent: { column: user_agent, type: text }
    filters: [userId, action, status]
)yaml";

class OpenapiTest : public testing::Test {
 protected:
  OpenapiTest()
      : document_(json::parse(openapi_document("https://exports.example.com"))),
        catalog_(*Catalog::parse(kCatalog, "c.yaml")) {
    folder_ = (fs::temp_directory_path() / "longshore-openapi-XXXXXX").string();
    EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
    for (const json::value& name : schema("ExportRequest").at("properties").at("format").at("enum").as_array()) {
      const std::string format(name.as_string());
      formats_.push_back({format, format == "csv" || format == "jsonl" || format == "json"});
    }
  }
  ~OpenapiTest() override { fs::remove_all(folder_); }

  const json::value& schema(std::string_view name) const { return document_.at("components").at("schemas").at(name); }
  /// `accepted`, or the findings' pointers and codes.
  std::string verdict(const json::value& body) const {
    const Principal who{TenantId("acme"), UserId("ann"), {}, {"*"}};
    const auto spec = validate_request(json::serialize(body), catalog_, who, formats_);
    if (spec) return "accepted";
    std::string text = spec.error().details.empty() ? spec.error().message : "";
    for (const ErrorDetail& detail : spec.error().details) text += detail.where + " " + detail.code + "; ";
    return text;
  }
  static json::object request(std::string_view format) { return {{"exportType", "audit_logs"}, {"format", format}}; }

  json::value document_;
  Catalog catalog_;
  std::vector<FormatChoice> formats_;
  std::string folder_;
};

TEST_F(OpenapiTest, DescribesEveryRouteAndNoOther) {
  const ApiContext context{[](std::string_view) -> Result<Principal> { return Principal{}; }, ""};
  test::FakeExportService service;
  const ManualClock clock;
  const auto store = LocalStore::make(folder_);
  const auto links = SignedLinks::make({{.id = "k", .secret = std::string(32, 's')}}, "http://localhost", clock);
  ASSERT_TRUE(store && links);
  Router router;
  append_export_routes(router, context, service);
  append_dataset_routes(router, context, service, {});
  append_worker_routes(router, context, service);
  append_file_routes(router, **store, **links, clock);
  append_health_routes(router, clock, {}, [] { return std::string(); });
  append_openapi_routes(router, "");

  std::set<std::string> routed;
  for (const Router::RouteName& route : router.routes()) {
    std::string path = route.path_template;
    if (path.ends_with("*}")) path.erase(path.size() - 2, 1);  // OpenAPI has no parameters of several segments
    std::string method = route.method;
    for (char& c : method) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    routed.insert(method + " " + path);
  }
  std::set<std::string> described;
  for (const auto& [path, methods] : document_.at("paths").as_object()) {
    for (const auto& [method, operation] : methods.as_object()) {
      described.insert(std::string(method) + " " + std::string(path));
      // Everything but files, health and this document wants a token.
      const bool open = operation.as_object().contains("security");
      EXPECT_EQ(open, !path.starts_with("/v1/") || path.starts_with("/v1/files")) << path;
      if (!open) {
        EXPECT_TRUE(operation.at("responses").as_object().contains("401")) << path;
      }
    }
  }
  EXPECT_EQ(described, routed);
}

TEST_F(OpenapiTest, IsServedAsItIs) {
  Router router;
  append_openapi_routes(router, "https://exports.example.com");
  Request request;
  request.method = "GET";
  request.path = "/openapi.json";
  request.segments = {"openapi.json"};
  const Response response = router.handle(request);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(*response.header("Content-Type"), "application/json");
  const json::value served = json::parse(response.body);
  EXPECT_EQ(served, document_);
  EXPECT_EQ(served.at("servers").at(0).at("url"), "https://exports.example.com");
}

TEST_F(OpenapiTest, EveryWordOfTheRequestIsAcceptedAndNoOther) {
  const json::object& properties = schema("ExportRequest").at("properties").as_object();
  for (const json::value& format : properties.at("format").at("enum").as_array()) {
    EXPECT_EQ(verdict(request(format.as_string())), "accepted") << format;
  }
  const auto expect_words = [&](const json::value& described, const auto& body_with, const std::string& where) {
    for (const json::value& word : described.at("enum").as_array()) {
      // What this version says is not available is described as such.
      const std::string answer = verdict(body_with(word));
      EXPECT_TRUE(answer == "accepted" || answer == "/consistency not_available; ") << where << " " << word << answer;
    }
    EXPECT_NE(verdict(body_with("nonsense")), "accepted") << where;
    if (const json::value* fallback = described.as_object().if_contains("default")) {
      EXPECT_EQ(verdict(body_with(*fallback)), "accepted") << where;
    }
  };
  int checked = 0;
  for (const std::string name : {"compression", "consistency"}) {
    const auto body = [&](const json::value& word) {
      json::object made = request("csv");
      made[name] = word;
      return made;
    };
    expect_words(properties.at(name), body, name);
    ++checked;
  }
  for (const auto& [format, component] : {std::pair("csv", "CsvOptions"),
                                          {"parquet", "ParquetOptions"},
                                          {"xlsx", "XlsxOptions"},
                                          {"pdf", "PdfOptions"}}) {
    for (const auto& [name, described] : schema(component).at("properties").as_object()) {
      const auto body = [&, option = std::string(name)](const json::value& word) {
        json::object made = request(format);
        made[format] = json::object{{option, word}};
        return made;
      };
      if (described.as_object().contains("enum")) {
        expect_words(described, body, std::string(format) + "." + std::string(name));
        ++checked;
      } else {
        EXPECT_THAT(verdict(body(nullptr)), testing::Not(testing::HasSubstr("unknown_field"))) << format << name;
      }
    }
  }
  EXPECT_EQ(checked, 2 + 3 + 2 + 1 + 2);
}

/// The words of a schema's enumeration.
template <class Enum>
void expect_all(const json::value& described) {
  const auto names = names_of<Enum>();
  EXPECT_EQ(described.at("enum"), json::value(json::array(names.begin(), names.end())));
}

TEST_F(OpenapiTest, NoWordIsLeftOut) {
  expect_all<Compression>(schema("ExportRequest").at("properties").at("compression"));
  expect_all<Consistency>(schema("ExportRequest").at("properties").at("consistency"));
  expect_all<CsvProfile>(schema("CsvOptions").at("properties").at("profile"));
  expect_all<ParquetProfile>(schema("ParquetOptions").at("properties").at("profile"));
  expect_all<ParquetCodec>(schema("ParquetOptions").at("properties").at("compression"));
  expect_all<XlsxTableStyle>(schema("XlsxOptions").at("properties").at("tableStyle"));
  expect_all<PdfOrientation>(schema("PdfOptions").at("properties").at("orientation"));
  expect_all<PdfPageSize>(schema("PdfOptions").at("properties").at("pageSize"));
}

TEST_F(OpenapiTest, EveryOptionThatDatasetsShowIsDescribed) {
  std::vector<FormatView> views;
  for (const FormatChoice& format : formats_) {
    FormatView view;
    view.name = format.name;
    views.push_back(std::move(view));
  }
  const json::value shown = json::parse(dataset_json(test::audit_logs(), views));
  for (const auto& [name, option] : shown.at("options").as_object()) {
    EXPECT_TRUE(schema("ExportRequest").at("properties").as_object().contains(name)) << name;
  }
  for (const json::value& format : shown.at("formats").as_array()) {
    const json::object& options = format.at("options").as_object();
    const json::object& request = schema("ExportRequest").at("properties").as_object();
    const json::value* reference = request.if_contains(format.at("name").as_string());
    EXPECT_EQ(options.empty(), reference == nullptr) << format.at("name");
    if (reference == nullptr) continue;
    const std::string target(reference->at("$ref").as_string());
    const json::object& described = schema(target.substr(target.rfind('/') + 1)).at("properties").as_object();
    for (const auto& [name, option] : options) {
      ASSERT_TRUE(described.contains(name)) << target << name;
      const json::object& one = described.at(name).as_object();
      if (one.contains("enum")) {
        EXPECT_EQ(option.at("values"), one.at("enum")) << name;
      }
      if (one.contains("default")) {
        EXPECT_EQ(option.at("default"), one.at("default")) << name;
      }
    }
  }
}

TEST_F(OpenapiTest, ExamplesOfRequestsAreGoodRequests) {
  const json::value& body = document_.at("paths").at("/v1/exports").at("post").at("requestBody");
  for (const auto& [name, example] : body.at("content").at("application/json").at("examples").as_object()) {
    EXPECT_EQ(verdict(example.at("value")), "accepted") << name;
  }
}

TEST_F(OpenapiTest, CodesOfProblemsHaveTheStatusTheyAreDescribedUnder) {
  for (const auto& [name, response] : document_.at("components").at("responses").as_object()) {
    const json::value& example = response.at("content").at("application/problem+json").at("example");
    const int status = static_cast<int>(example.at("status").as_int64());
    EXPECT_EQ("Problem" + std::to_string(status), std::string(name));
    const std::string code(example.at("code").as_string());
    const Error error =
        status == 503 ? external_error(code, "") : user_error(code, std::string(example.at("detail").as_string()));
    const json::value real = json::parse(problem_response(error, Request{}).body);
    EXPECT_EQ(real.at("status"), example.at("status")) << name;
    EXPECT_EQ(real.at("type"), example.at("type")) << name;
    EXPECT_EQ(real.at("title"), example.at("title")) << name;
  }
}

TEST_F(OpenapiTest, AForeignValidatorFindsItAndTheAnswersOfTheServerValid) {
  json::array samples;
  const auto add = [&](const char* name, const char* schema_name, const std::string& text) {
    samples.push_back(json::object{{"name", name}, {"schema", schema_name}, {"value", json::parse(text)}});
  };
  const std::string url = "https://exports.example.com";
  JobView view = test::queued_view();
  add("created", "CreatedExport", created_json(view, url));
  add("queued", "Export", export_json(view, url));
  view.queue_position.reset();
  view.job.state = JobState::running;
  view.job.started_at = test::kCreated;
  view.job.source_pressure = "paused: replica lag is 8 s";
  view.estimated_seconds_left = 4;
  view.progress_percent = 65.4;
  add("running", "Export", export_json(view, url));
  view.job.state = JobState::failed;
  view.job.error_code = "too_many_rows";
  view.job.error_message = "the format pdf holds at most 200000 rows";
  add("failed", "Export", export_json(view, url));
  view.job.state = JobState::succeeded;
  view.job.error_code.clear();
  view.job.completed_at = test::kCreated;
  view.progress_percent = 100;
  view.fidelity.resize(view.job.spec.columns.size());
  add("succeeded", "Export", export_json(view, url));
  add("page", "ExportPage", page_json({{view}, "token"}, url));
  Estimate estimate;
  add("estimate", "Estimate", estimate_json(estimate));
  estimate.sheets = 3;
  estimate.max_rows = 10'485'750;
  estimate.limits_hit = {"too many"};
  add("estimate of a workbook", "Estimate", estimate_json(estimate));
  test::FakeExportService service;
  add("link", "DownloadLink", download_link_json(test::kJob, {"https://x/y", std::chrono::seconds{300}}));
  add("partitions", "PartitionList", partitions_json(test::kJob, *service.partitions({}, test::kJob)));
  add("downloads", "DownloadList", downloads_json(test::kJob, *service.downloads({}, test::kJob)));
  std::vector<FormatView> formats;
  for (const FormatChoice& format : formats_) {
    formats.push_back({format.name, "x/y", format.name, {"none"}, format.compressible ? 0 : 1000, 100});
  }
  add("datasets", "DatasetList", datasets_json({test::audit_logs()}, formats));
  Error error = user_error("invalid_request", "2 errors");
  error.details = {{"/columns/0", "unknown_column", "x"}, {"?pageSize", "out_of_range", "y"}};
  add("problem", "Problem", problem_response(error, Request{}).body);

  const std::string file = folder_ + "/openapi.json";
  std::ofstream(file) << json::serialize(json::object{{"document", document_}, {"samples", std::move(samples)}});
  if (!fs::exists(LONGSHORE_READERS "/@seriousme/openapi-schema-validator")) {
    FAIL() << "the validator is not installed; run scripts/readers.sh";
  }
  FILE* pipe = ::popen(("node " LONGSHORE_VALIDATE_OPENAPI " " LONGSHORE_READERS " " + file + " 2>&1").c_str(), "r");
  std::string said;
  for (int c = 0; (c = ::fgetc(pipe)) != EOF;) said += static_cast<char>(c);
  EXPECT_EQ(::pclose(pipe), 0) << said;
  EXPECT_THAT(said, testing::HasSubstr("are valid"));
}

}  // namespace
}  // namespace longshore
