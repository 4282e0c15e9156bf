#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "base/clock.h"
#include "fake_export_service.h"
#include "http/access_log.h"
#include "http/dataset_routes.h"
#include "http/export_routes.h"
#include "http/health_routes.h"
#include "http/server.h"
#include "raw_client.h"

namespace longshore {
namespace {

using namespace std::chrono_literals;
using test::get_request;
using test::kExport;
using test::kJob;
using test::RawClient;
using test::RawResponse;
using test::request_text;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kAuth[] = "Authorization: Bearer good\r\n";
constexpr char kJson[] = "Authorization: Bearer good\r\nContent-Type: application/json\r\n";
constexpr char kBody[] = R"({"exportType":"audit_logs","format":"csv"})";

/// The whole edge over a socket, with a service that says what the test wants.
class ApiTest : public ::testing::Test {
 protected:
  ApiTest() {
    context_.public_url = "https://exports.example.com";
    context_.authenticate = [](std::string_view authorization) -> Result<Principal> {
      if (authorization == "Bearer away") return fail(external_error("metadata_unavailable", "host=db1 refused"));
      if (authorization != "Bearer good") return fail(user_error("unauthenticated", "The token is not known."));
      return Principal{.tenant = TenantId("acme"), .user = UserId("usr_1"), .roles = {}, .permissions = {"*"}};
    };
    append_export_routes(router_, context_, service_);
    append_dataset_routes(router_, context_, service_,
                          {{.name = "csv", .content_type = "text/csv", .extension = "csv", .compressions = {"none"}}});
    append_health_routes(router_, clock_,
                         {{"metadata", [] { return Status(); }}, {"store", [this] { return probe(); }}},
                         [this] { return metrics_.render(); });
    ServerOptions options;
    options.port = 0;
    auto made = Server::make(
        options, [this](Request& request) { return router_.handle(request); }, make_access_log(metrics_));
    server_ = std::move(*made);
  }

  Status probe() {
    ++probed_;
    if (store_ok_) return {};
    return fail(external_error("store_unavailable", "/var/lib/longshore is not mounted"));
  }

  RawResponse ask(const std::string& request) {
    auto response = RawClient::ask(server_->port(), request, request.starts_with("HEAD"));
    EXPECT_TRUE(response.has_value()) << request.substr(0, 200);
    return response.value_or(RawResponse{});
  }
  RawResponse get(const std::string& path) { return ask(get_request(path, kAuth)); }
  RawResponse post(const std::string& path, const std::string& body = {}) {
    return ask(request_text("POST", path, kJson, body));
  }

  test::FakeExportService service_;
  ApiContext context_;
  ManualClock clock_;
  Metrics metrics_;
  std::atomic<bool> store_ok_{true};
  std::atomic<int> probed_{0};
  Router router_;
  std::unique_ptr<Server> server_;
};

TEST_F(ApiTest, CreatesAnExport) {
  const RawResponse response =
      ask(request_text("POST", "/v1/exports", std::string(kJson) + "Idempotency-Key: \"k-1\"\r\n", kBody));
  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(response.header("location"), "https://exports.example.com/v1/exports/" + kExport);
  EXPECT_EQ(response.header("retry-after"), "1");
  EXPECT_EQ(response.header("content-type"), "application/json");
  EXPECT_EQ(response.header("idempotency-replayed"), "");
  EXPECT_THAT(response.body, StartsWith("{\"exportId\":\"" + kExport + "\",\"status\":\"QUEUED\""));
  const auto asked = service_.last();
  EXPECT_EQ(asked.body, kBody);
  EXPECT_EQ(asked.idempotency_key, "k-1");
  EXPECT_EQ(asked.who.tenant, TenantId("acme"));
}

TEST_F(ApiTest, SaysWhenARequestWasReplayed) {
  service_.replayed = true;
  const RawResponse response = post("/v1/exports", kBody);
  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(response.header("idempotency-replayed"), "true");
}

TEST_F(ApiTest, TakesOnlyJson) {
  for (const std::string type : {"", "Content-Type: text/plain\r\n", "Content-Type: application/jsonx\r\n"}) {
    const RawResponse response = ask(request_text("POST", "/v1/exports", kAuth + type, kBody));
    EXPECT_EQ(response.status, 415) << type;
  }
  EXPECT_EQ(ask(request_text("POST", "/v1/exports",
                             std::string(kAuth) + "Content-Type: Application/JSON ; charset=utf-8\r\n", kBody))
                .status,
            202);
}

TEST_F(ApiTest, RefusesABadIdempotencyKey) {
  const RawResponse response = ask(request_text(
      "POST", "/v1/exports", std::string(kJson) + "Idempotency-Key: " + std::string(257, 'k') + "\r\n", kBody));
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(response.body, HasSubstr("256"));
}

TEST_F(ApiTest, RefusesBodiesOverOneMebibyte) {
  EXPECT_EQ(post("/v1/exports", std::string((1 << 20) + 1, ' ')).status, 413);
}

TEST_F(ApiTest, EveryRouteOfAnExportWantsCredentials) {
  const std::string one = "/v1/exports/" + kExport;
  for (const auto& [method, path] :
       std::vector<std::pair<std::string, std::string>>{{"POST", "/v1/exports"},
                                                        {"GET", "/v1/exports"},
                                                        {"GET", one},
                                                        {"DELETE", one},
                                                        {"POST", one + "/cancel"},
                                                        {"POST", "/v1/exports/estimate"},
                                                        {"POST", one + "/download-url"},
                                                        {"GET", one + "/download"},
                                                        {"GET", one + "/manifest"},
                                                        {"GET", one + "/partitions"},
                                                        {"GET", one + "/downloads"},
                                                        {"GET", "/v1/datasets"},
                                                        {"GET", "/v1/datasets/audit_logs"}}) {
    const RawResponse none = ask(request_text(method, path));
    EXPECT_EQ(none.status, 401) << method << ' ' << path;
    EXPECT_EQ(none.header("www-authenticate"), "Bearer");
    EXPECT_EQ(ask(request_text(method, path, "Authorization: Bearer bad\r\n")).status, 401);
  }
  EXPECT_EQ(service_.last().call, "") << "the service was asked for somebody unknown";
  EXPECT_EQ(ask(get_request("/v1/exports", "Authorization: Bearer good\r\nAuthorization: Bearer bad\r\n")).status, 400);
  const RawResponse away = ask(get_request("/v1/exports", "Authorization: Bearer away\r\n"));
  EXPECT_EQ(away.status, 503);
  EXPECT_THAT(away.body, Not(HasSubstr("db1")));
}

TEST_F(ApiTest, ShowsAnExport) {
  const RawResponse response = get("/v1/exports/" + kExport);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.header("retry-after"), "1");
  EXPECT_EQ(response.header("cache-control"), "no-store");
  EXPECT_THAT(response.body, HasSubstr(R"("queuePosition":3)"));
  EXPECT_EQ(service_.last().id, kJob);
  EXPECT_EQ(ask(request_text("HEAD", "/v1/exports/" + kExport, kAuth)).header("content-length"),
            std::to_string(response.body.size()));
}

TEST_F(ApiTest, IdsOfAnyOtherFormAreNotFoundAndTricksAreRefused) {
  for (const std::string& id : {std::string("exp_"), kJob.str(), std::string("exp_x"), std::string("exp_%2A"),
                                std::string("exp_") + std::string(3000, 'a'), kExport + "'--"}) {
    const RawResponse response = get("/v1/exports/" + id);
    EXPECT_EQ(response.status, 404) << id;
    EXPECT_THAT(response.body, HasSubstr("export_not_found")) << id;
  }
  for (const std::string id : {"exp_%00", "exp_../../x", "..%2f..%2fetc", "%2e%2e/datasets", "exp_%2e%2e%2fx"}) {
    EXPECT_EQ(get("/v1/exports/" + id).status, 400) << id;
  }
  EXPECT_EQ(service_.last().call, "");
}

TEST_F(ApiTest, Lists) {
  service_.next_page_token = "next";
  const RawResponse response = get("/v1/exports?status=QUEUED&pageSize=10&pageToken=t");
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr(R"("nextPageToken":"next")"));
  EXPECT_EQ(service_.last().query.state, JobState::queued);
  EXPECT_EQ(service_.last().query.page_size, 10);
  const RawResponse bad = get("/v1/exports?pagesize=10");
  EXPECT_EQ(bad.status, 400);
  EXPECT_THAT(bad.body, HasSubstr(R"("errors":[{"parameter":"pagesize","code":"unknown_parameter")"));
}

TEST_F(ApiTest, CancelsAndDeletes) {
  EXPECT_EQ(ask(request_text("POST", "/v1/exports/" + kExport + "/cancel", kAuth)).status, 202);
  EXPECT_EQ(service_.last().call, "cancel");
  const RawResponse deleted = ask(request_text("DELETE", "/v1/exports/" + kExport, kAuth));
  EXPECT_EQ(deleted.status, 204);
  EXPECT_EQ(deleted.header("content-length"), "");
  EXPECT_EQ(service_.last().call, "remove");
}

TEST_F(ApiTest, Estimates) {
  const RawResponse response = post("/v1/exports/estimate", kBody);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body,
            R"({"rows":10,"exact":true,"bytes":2000,"seconds":1,"maxRows":5,"sheets":null,"limits":["too big"]})");
}

TEST_F(ApiTest, MintsLinksForWhoAsked) {
  const std::string path = "/v1/exports/" + kExport + "/download-url";
  const RawResponse response = ask(request_text("POST", path, std::string(kAuth) + "User-Agent: curl/7\x80\r\n"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "{\"exportId\":\"" + kExport +
                               "\",\"downloadUrl\":\"https://x.example/v1/files/k?sig=s\",\"expiresInSeconds\":300}");
  EXPECT_EQ(service_.last().client.ip, "127.0.0.1");
  EXPECT_EQ(service_.last().client.user_agent, "curl/7?");
  EXPECT_EQ(service_.last().lifetime, std::nullopt);
  EXPECT_EQ(post(path, R"({"expiresInSeconds":60})").status, 200);
  EXPECT_EQ(service_.last().lifetime, 60s);
  EXPECT_EQ(post(path, R"({"expiresInSeconds":"60"})").status, 422);
  EXPECT_EQ(post(path, "{").status, 400);
}

TEST_F(ApiTest, RedirectsToAFreshLink) {
  const RawResponse response = get("/v1/exports/" + kExport + "/download");
  EXPECT_EQ(response.status, 303);
  EXPECT_EQ(response.header("location"), "https://x.example/v1/files/k?sig=s");
  EXPECT_EQ(response.header("cache-control"), "no-store");
}

TEST_F(ApiTest, ShowsWhatBelongsToAnExport) {
  EXPECT_EQ(get("/v1/exports/" + kExport + "/manifest").body, "{ \"exact\": \"bytes\" }\n");
  EXPECT_THAT(get("/v1/exports/" + kExport + "/partitions").body, HasSubstr(R"("worker":"w-1")"));
  EXPECT_THAT(get("/v1/exports/" + kExport + "/downloads").body, HasSubstr(R"("clientIp":"10.0.0.1")"));
}

TEST_F(ApiTest, ShowsDatasets) {
  EXPECT_THAT(get("/v1/datasets").body, StartsWith(R"({"datasets":[{"name":"audit_logs")"));
  EXPECT_THAT(get("/v1/datasets/audit_logs").body, StartsWith(R"({"name":"audit_logs")"));
  EXPECT_THAT(get("/v1/datasets/audit_logs").body,
              HasSubstr(R"("consistency":{"values":["snapshot","best_effort"],"default":"snapshot"})"));
  const RawResponse missing = get("/v1/datasets/audit_log");
  EXPECT_EQ(missing.status, 404);
  EXPECT_THAT(missing.body, AllOf(HasSubstr("dataset_not_found"), HasSubstr("did you mean")));
}

TEST_F(ApiTest, GivesTheServicesErrorsTheirStatus) {
  const std::string one = "/v1/exports/" + kExport;
  const std::vector<std::pair<Error, int>> errors{{user_error("malformed_request", "x"), 400},
                                                  {user_error("permission_denied", "needs exports.x"), 403},
                                                  {user_error("export_not_found", "x"), 404},
                                                  {user_error("export_active", "x"), 409},
                                                  {user_error("export_finished", "x"), 409},
                                                  {user_error("export_not_ready", "x"), 409},
                                                  {user_error("idempotency_key_in_flight", "x"), 409},
                                                  {user_error("export_expired", "x"), 410},
                                                  {user_error("invalid_request", "x"), 422},
                                                  {user_error("idempotency_key_reused", "x"), 422},
                                                  {external_error("store_unavailable", "x"), 503},
                                                  {external_error("metadata_unavailable", "x"), 503},
                                                  {internal_error("bug", "x"), 500}};
  for (const auto& [error, status] : errors) {
    service_.error = error;
    for (const RawResponse& response : {post("/v1/exports", kBody), get(one), get("/v1/exports"), post(one + "/cancel"),
                                        post(one + "/download-url"), get(one + "/manifest")}) {
      EXPECT_EQ(response.status, status) << error.code;
      EXPECT_EQ(response.header("content-type"), "application/problem+json");
      EXPECT_EQ(response.header("retry-after") != "", status == 503) << error.code;
    }
    EXPECT_EQ(ask(request_text("DELETE", one, kAuth)).status, status) << error.code;
  }
}

TEST_F(ApiTest, TellsWhetherItIsReadyByDependency) {
  EXPECT_EQ(ask(get_request("/healthz")).status, 200);
  const RawResponse ready = ask(get_request("/readyz"));
  EXPECT_EQ(ready.status, 200);
  EXPECT_EQ(ready.body, R"({"status":"ready","checks":{"metadata":"ok","store":"ok"}})");
  store_ok_ = false;
  EXPECT_EQ(ask(get_request("/readyz")).status, 200) << "the outcome is kept for a second";
  EXPECT_EQ(probed_, 1);
  clock_.advance(1s);
  const RawResponse away = ask(get_request("/readyz"));
  EXPECT_EQ(away.status, 503);
  EXPECT_EQ(away.body, R"({"status":"not ready","checks":{"metadata":"ok","store":"store_unavailable"},)"
                       R"("problems":{"store":"/var/lib/longshore is not mounted"}})");
}

TEST(HealthRoutes, WhatCannotBeFoundOutIsSaidAndMakesNobodyNotReady) {
  const SystemClock clock;
  Router router;
  append_health_routes(
      router, clock,
      {{"source:app", [] { return Status(fail(external_error("source_busy", "all are in use"))); }, "source_busy"}},
      [] { return std::string(); });
  Request request;
  request.method = "GET";
  request.path = "/readyz";
  request.segments = {"readyz"};
  const Response response = router.handle(request);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body,
            R"({"status":"ready","checks":{"source:app":"unknown"},"remarks":{"source:app":"all are in use"}})");
}

TEST_F(ApiTest, CountsRequestsByRouteTemplateOnly) {
  get("/v1/exports/" + kExport);
  get("/nowhere/" + kExport);
  ask("BREW /v1/exports HTTP/1.1\r\nHost: h\r\n\r\n");
  const RawResponse scrape = ask(get_request("/metrics"));
  EXPECT_EQ(scrape.status, 200);
  EXPECT_EQ(scrape.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(scrape.body, AllOf(HasSubstr("route=\"/v1/exports/{id}\""), HasSubstr("route=\"none\""),
                                 HasSubstr("method=\"other\""), Not(HasSubstr(kExport)), Not(HasSubstr("BREW"))));
}

}  // namespace
}  // namespace longshore
