#include "client/api_client.h"

#include <gtest/gtest.h>

#include <deque>

#include "client/tests/stub_server.h"

namespace longshore {
namespace {

constexpr const char* kRunning =
    R"({"exportId":"exp_1","status":"RUNNING","exportType":"audit_logs","format":"csv","progressPercent":65.4,
        "metrics":{"totalRowsProcessed":654000,"totalBytesWritten":163500000,"elapsedTimeMs":28500},
        "estimatedTotalRows":1000000,"estimatedSecondsLeft":15,"expiresAt":null,"sourcePressure":"none",
        "createdAt":"2026-06-06T14:20:00Z","requestedBy":"usr_1"})";

/// A server that gives prepared answers in order, the last one for ever; and a client for it whose clock never waits.
class ApiClientTest : public testing::Test {
 protected:
  ApiClientTest()
      : server_([this](const StubRequest&) {
          const std::lock_guard lock(mutex_);
          StubReply reply = replies_.front();
          if (replies_.size() > 1) replies_.pop_front();
          return reply;
        }),
        transport_(*CurlTransport::make({})),
        api_(*ApiClient::make({server_.url() + "/", "tok"}, *transport_, clock_)) {}

  void reply(std::deque<StubReply> replies) {
    const std::lock_guard lock(mutex_);
    replies_ = std::move(replies);
  }

  std::mutex mutex_;
  std::deque<StubReply> replies_{{}};
  StubServer server_;
  ManualClock clock_;
  std::unique_ptr<CurlTransport> transport_;
  ApiClient api_;
};

TEST_F(ApiClientTest, CreatesWithKeyAndToken) {
  reply({{202, {}, R"({"exportId":"exp_1","status":"QUEUED","createdAt":"2026-06-06T14:20:00Z"})"}});
  const auto view = api_.create_export(R"({"exportType":"x"})", "key-1", {});
  ASSERT_TRUE(view) << view.error().message;
  EXPECT_EQ(view->id, "exp_1");
  EXPECT_EQ(view->state, JobState::queued);
  const StubRequest seen = server_.requests().at(0);
  EXPECT_EQ(seen.target, "/v1/exports");
  EXPECT_EQ(seen.body, R"({"exportType":"x"})");
  EXPECT_EQ(seen.headers.at("idempotency-key"), "key-1");
  EXPECT_EQ(seen.headers.at("authorization"), "Bearer tok");
  EXPECT_EQ(seen.headers.at("content-type"), "application/json");
}

TEST_F(ApiClientTest, ReadsAnExport) {
  reply({{200, {}, kRunning}});
  const auto view = api_.get_export("1", {});
  ASSERT_TRUE(view) << view.error().message;
  EXPECT_EQ(server_.requests().at(0).target, "/v1/exports/exp_1");
  EXPECT_EQ(view->state, JobState::running);
  EXPECT_DOUBLE_EQ(view->progress_percent, 65.4);
  EXPECT_EQ(view->rows, 654000);
  EXPECT_EQ(view->bytes, 163500000);
  EXPECT_EQ(view->estimated_rows, 1000000);
  EXPECT_EQ(view->seconds_left, 15);
  EXPECT_EQ(view->queue_position, std::nullopt);
  EXPECT_EQ(view->elapsed.count(), 28500);
  EXPECT_EQ(view->expires_at, "");
}

TEST_F(ApiClientTest, TriesTheSameCreateAgainUntilTheServerIsBack) {
  reply({{503, {{"Retry-After", "2"}}, ""}, {502, {}, "<html>bad gateway</html>"}, {202, {}, kRunning}});
  const Timestamp before = clock_.now();
  std::vector<std::string> reasons;
  api_.observe_waits([&](const Error& why, Duration) { reasons.push_back(why.message); });
  ASSERT_TRUE(api_.create_export("{}", "key-2", {}));
  ASSERT_EQ(server_.requests().size(), 3U);
  for (const auto& request : server_.requests()) EXPECT_EQ(request.headers.at("idempotency-key"), "key-2");
  EXPECT_GE(clock_.now() - before, std::chrono::seconds(2));
  EXPECT_EQ(reasons.at(1), "the server is not available at the moment (HTTP 502)");
}

TEST_F(ApiClientTest, GivesUpInTheEnd) {
  reply({{503, {}, R"({"code":"metadata_unavailable","detail":"the metadata store is away"})"}});
  const auto view = api_.get_export("exp_1", {});
  ASSERT_FALSE(view);
  EXPECT_EQ(view.error().code, "metadata_unavailable");
  EXPECT_EQ(view.error().message, "the metadata store is away");
  EXPECT_EQ(view.error().source, ErrorSource::external);
  EXPECT_EQ(server_.requests().size(), 6U);
}

TEST_F(ApiClientTest, KeepsEveryFieldErrorOfAProblem) {
  reply({{422,
          {{"Content-Type", "application/problem+json"}},
          R"({"type":"about:blank","title":"Invalid request","status":422,"detail":"2 fields are wrong",
              "code":"invalid_request","errors":[
              {"pointer":"/columns/1","code":"unknown_column","detail":"no column ipAdress; did you mean ipAddress?"},
              {"pointer":"/filters/status","code":"bad_value","detail":"not an int32"}]})"}});
  const auto view = api_.create_export("{}", "k", {});
  ASSERT_FALSE(view);
  const Error& error = view.error();
  EXPECT_EQ(error.code, "invalid_request");
  EXPECT_EQ(error.source, ErrorSource::user);
  ASSERT_EQ(error.details.size(), 2U);
  EXPECT_EQ(error.details[0].where, "/columns/1");
  EXPECT_EQ(error.details[1].message, "not an int32");
  EXPECT_EQ(server_.requests().size(), 1U);  // nothing is gained by asking again
}

TEST_F(ApiClientTest, SortsAnswersByStatus) {
  const auto code_of = [&](int status, const char* body) {
    reply({{status, {}, body}});
    return api_.get_export("exp_1", {}).error().code;
  };
  EXPECT_EQ(code_of(401, ""), "unauthenticated");
  EXPECT_EQ(code_of(401, R"({"code":"token_expired"})"), "unauthenticated");
  EXPECT_EQ(code_of(403, ""), "permission_denied");
  EXPECT_EQ(code_of(404, "<html>"), "resource_not_found");
  EXPECT_EQ(code_of(404, R"({"code":"export_not_found"})"), "export_not_found");
  EXPECT_EQ(code_of(429, ""), "too_many_requests");
  EXPECT_EQ(code_of(418, ""), "http_418");
}

TEST_F(ApiClientTest, ASite_ThatIsNotLongshoreIsSaidSo) {
  reply({{200, {}, "<html>welcome</html>"}});
  EXPECT_EQ(api_.get_export("exp_1", {}).error().code, "bad_answer");
  reply({{200, {}, R"({"hello":1})"}});
  EXPECT_EQ(api_.list_exports({}, {}).error().code, "bad_answer");
}

TEST_F(ApiClientTest, ListsWithEncodedQuery) {
  reply({{200, {}, std::string(R"({"exports":[)") + kRunning + R"(],"nextPageToken":"n1"})"}});
  const auto page = api_.list_exports({"RUNNING", "a&b", "Zoë", 20, "p=="}, {});
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_EQ(server_.requests().at(0).target,
            "/v1/exports?pageSize=20&status=RUNNING&exportType=a%26b&requestedBy=Zo%C3%AB&pageToken=p%3D%3D");
  EXPECT_EQ(page->exports.at(0).id, "exp_1");
  EXPECT_EQ(page->next_page_token, "n1");
}

TEST_F(ApiClientTest, ReadsColumnTypes) {
  reply({{200, {}, R"({"name":"d","columns":[{"name":"id","type":"int64"},{"name":"x","type":"strange"}]})"}});
  const auto types = api_.column_types("d", {});
  ASSERT_TRUE(types);
  EXPECT_EQ(types->size(), 1U);
  EXPECT_EQ(types->at("id").logical, LogicalType::int64);
}

TEST(ApiClient, RefusesAnAddressThatIsNone) {
  ManualClock clock;
  const auto transport = *CurlTransport::make({});
  const auto api = ApiClient::make({"localhost:8080", ""}, *transport, clock);
  ASSERT_FALSE(api);
  EXPECT_EQ(api.error().message, "the server's address \"localhost:8080\" does not begin with http:// or https://");
}

}  // namespace
}  // namespace longshore
