#include <gtest/gtest.h>

#include "client/http_transport.h"
#include "client/tests/stub_server.h"

namespace longshore {
namespace {

std::unique_ptr<CurlTransport> transport() {
  return *CurlTransport::make({});
}

TEST(CurlTransport, SendsMethodHeadersAndBody) {
  StubServer server([](const StubRequest&) { return StubReply{202, {{"X-Thing", " a b "}}, "hello"}; });
  const auto response =
      transport()->exchange({"POST", server.url() + "/p?q=1", {{"Authorization", "Bearer t"}}, "{}"}, nullptr, {});
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 202);
  EXPECT_EQ(response->body, "hello");
  EXPECT_EQ(response->header("x-thing"), "a b");
  EXPECT_EQ(response->header("x-none"), "");
  const StubRequest seen = server.requests().at(0);
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.target, "/p?q=1");
  EXPECT_EQ(seen.body, "{}");
  EXPECT_EQ(seen.headers.at("authorization"), "Bearer t");
}

TEST(CurlTransport, PostsAnEmptyBodyAndDeletes) {
  StubServer server([](const StubRequest&) { return StubReply{204, {}, ""}; });
  const auto client = transport();
  ASSERT_TRUE(client->exchange({"POST", server.url() + "/cancel", {}, ""}, nullptr, {}));
  ASSERT_TRUE(client->exchange({"DELETE", server.url() + "/x", {}, ""}, nullptr, {}));
  EXPECT_EQ(server.requests().at(0).headers.at("content-length"), "0");
  EXPECT_EQ(server.requests().at(1).method, "DELETE");
}

TEST(CurlTransport, GivesOnlyGoodBodiesToTheSink) {
  StubServer server([](const StubRequest& request) {
    return request.target == "/good" ? StubReply{200, {}, "bytes"} : StubReply{404, {}, "sorry"};
  });
  std::string taken;
  const BodySink sink = [&](const HttpResponse&, std::string_view bytes) -> Status {
    taken += bytes;
    return {};
  };
  const auto client = transport();
  ASSERT_TRUE(client->exchange({"GET", server.url() + "/good", {}, {}}, &sink, {}));
  EXPECT_EQ(taken, "bytes");
  EXPECT_EQ(client->exchange({"GET", server.url() + "/bad", {}, {}}, &sink, {})->body, "sorry");
  EXPECT_EQ(taken, "bytes");
}

TEST(CurlTransport, ASinksErrorIsTheResult) {
  StubServer server([](const StubRequest&) { return StubReply{200, {}, "bytes"}; });
  const BodySink sink = [](const HttpResponse&, std::string_view) -> Status {
    return fail(external_error("cannot_write_file", "disk full", false));
  };
  const auto response = transport()->exchange({"GET", server.url(), {}, {}}, &sink, {});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, "cannot_write_file");
}

TEST(CurlTransport, SaysWhatIsWrong) {
  std::string dead_url;
  {
    StubServer gone([](const StubRequest&) { return StubReply{}; });
    dead_url = gone.url();
  }
  const auto client = transport();
  const auto refused = client->exchange({"GET", dead_url + "/v1?secret=1", {}, {}}, nullptr, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "server_unreachable");
  EXPECT_TRUE(refused.error().retriable);
  EXPECT_EQ(refused.error().message.find("secret"), std::string::npos);

  EXPECT_EQ(client->exchange({"GET", "ftp://127.0.0.1/", {}, {}}, nullptr, {}).error().code, "bad_url");

  StubServer broken([](const StubRequest&) { return StubReply{200, {}, "0123456789", 4}; });
  EXPECT_EQ(client->exchange({"GET", broken.url(), {}, {}}, nullptr, {}).error().code, "transfer_broken");
}

TEST(CurlTransport, DoesNotBeginOnceStopped) {
  std::stop_source source;
  source.request_stop();
  EXPECT_EQ(transport()->exchange({"GET", "http://127.0.0.1:1/", {}, {}}, nullptr, source.get_token()).error().code,
            "stopped");
}

}  // namespace
}  // namespace longshore
