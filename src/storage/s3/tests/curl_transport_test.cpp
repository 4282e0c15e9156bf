#include "s3/curl_transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <latch>
#include <set>
#include <thread>

#include "s3/s3_store.h"
#include "s3/tests/stub_server.h"
#include "storage/multipart_rules.h"
#include "storage/tests/temporary_directory.h"

namespace longshore::s3 {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::SizeIs;

HttpRequest request(const std::string& method, const std::string& url, std::string_view body = {}) {
  HttpRequest out;
  out.method = method;
  out.url = url;
  out.body = body;
  return out;
}

std::string code(const Result<HttpResponse>& result) {
  return result ? "HTTP " + std::to_string(result->status) : result.error().code;
}

bool answer_ok(const StubRequest&, const StubConnection& connection) {
  connection.answer(200, "ok");
  return true;
}

TEST(CurlTransport, SendsWhatItIsGiven) {
  StubServer server([](const StubRequest&, const StubConnection& connection) {
    connection.answer(201, "made", "ETag: \"e\"\r\nX-Two:  spaced \r\n");
    return true;
  });
  const auto transport = CurlTransport::make({});
  HttpRequest put = request("PUT", server.url() + "/b/a/..x/./k?b=2&a=%2F", "body");
  put.headers = {{"Content-Type", "text/csv"}, {"x-amz-date", "now"}};
  const auto response = transport->exchange(put);
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 201);
  EXPECT_EQ(response->body, "made");
  EXPECT_EQ(response->header("etag"), "\"e\"");
  EXPECT_EQ(response->header("x-two"), "spaced");
  EXPECT_EQ(response->header("x-none"), "");
  const StubRequest seen = server.requests().at(0);
  EXPECT_EQ(seen.method, "PUT");
  EXPECT_EQ(seen.target, "/b/a/..x/./k?b=2&a=%2F") << "byte for byte, as it was signed";
  EXPECT_EQ(seen.body, "body");
  EXPECT_EQ(seen.headers.at("content-length"), "4");
  EXPECT_EQ(seen.headers.at("content-type"), "text/csv");
  EXPECT_FALSE(seen.headers.contains("transfer-encoding"));
}

TEST(CurlTransport, EveryMethodIsWhatItSays) {
  StubServer server(answer_ok);
  const auto transport = CurlTransport::make({});
  for (const char* method : {"GET", "DELETE", "POST", "PUT"}) {
    EXPECT_EQ(code(transport->exchange(request(method, server.url() + "/"))), "HTTP 200");
    EXPECT_EQ(server.requests().back().method, method);
  }
  EXPECT_EQ(server.requests().at(2).headers.at("content-length"), "0");
  EXPECT_FALSE(server.requests().at(2).headers.contains("content-type")) << "no form";
  EXPECT_EQ(code(transport->exchange(request("POST", server.url() + "/", "x=1"))), "HTTP 200");
  EXPECT_EQ(server.requests().back().body, "x=1");
}

TEST(CurlTransport, HeadHasNoBody) {
  StubServer server([](const StubRequest&, const StubConnection& connection) {
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 12345678901\r\n\r\n");
    return true;
  });
  const auto response = CurlTransport::make({})->exchange(request("HEAD", server.url() + "/"));
  EXPECT_EQ(response.value().header("content-length"), "12345678901");
}

TEST(CurlTransport, KeepsConnectionsAndTakesTheWarmOne) {
  StubServer server(answer_ok);
  const auto transport = CurlTransport::make({});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(code(transport->exchange(request("GET", server.url() + "/"))), "HTTP 200");
  EXPECT_EQ(server.connections(), 1);
}

TEST(CurlTransport, ThreadsDoNotWaitForEachOther) {
  std::latch all_here(4);
  StubServer server([&](const StubRequest& seen, const StubConnection& connection) {
    if (seen.target == "/together") all_here.arrive_and_wait();
    connection.answer(200, seen.body);
    return true;
  });
  const auto transport = CurlTransport::make({});
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        const std::string body = "body " + std::to_string(i);
        EXPECT_EQ(transport->exchange(request("PUT", server.url() + "/together", body)).value().body, body);
      });
    }
  }
  EXPECT_EQ(server.connections(), 4);
}

TEST(CurlTransport, BodiesGoToTheSinkOnlyIfTheyAreASuccess) {
  std::atomic<int> status = 206;
  StubServer server([&](const StubRequest&, const StubConnection& connection) {
    connection.answer(status, "12345");
    return true;
  });
  const auto transport = CurlTransport::make({});
  ByteBuffer out("head:");
  HttpRequest get = request("GET", server.url() + "/");
  get.sink = &out;
  get.max_sink = 5;
  EXPECT_EQ(transport->exchange(get).value().body, "");
  EXPECT_EQ(out.view(), "head:12345");
  status = 404;
  EXPECT_EQ(transport->exchange(get).value().body, "12345");
  EXPECT_EQ(out.view(), "head:12345");
  status = 200;
  get.max_sink = 4;
  EXPECT_EQ(code(transport->exchange(get)), "http_too_large");
}

TEST(CurlTransport, AnswersAreBounded) {
  StubServer server([](const StubRequest&, const StubConnection& connection) {
    const std::string lots(1 << 20, 'x');
    connection.send("HTTP/1.1 200 OK\r\n\r\n");
    for (int i = 0; i < 64; ++i) connection.send(lots);
    return false;
  });
  HttpRequest get = request("GET", server.url() + "/");
  get.max_body = 1 << 20;
  const auto response = CurlTransport::make({})->exchange(get);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, "http_too_large");
  EXPECT_FALSE(response.error().retriable);
}

TEST(CurlTransport, RedirectsAreNotFollowed) {
  StubServer elsewhere(answer_ok);
  StubServer server([&](const StubRequest&, const StubConnection& connection) {
    connection.answer(307, "", "Location: " + elsewhere.url() + "/\r\n");
    return true;
  });
  EXPECT_EQ(code(CurlTransport::make({})->exchange(request("PUT", server.url() + "/", "secret"))), "HTTP 307");
  EXPECT_EQ(elsewhere.connections(), 0);
}

TEST(CurlTransport, ALargeBodyIsNotSentToAStoreThatSaysNo) {
  StubServer server(
      [](const StubRequest&, const StubConnection& connection) {
        connection.answer(503, "<Error><Code>SlowDown</Code></Error>", "Connection: close\r\n");
        return false;
      },
      [](const StubRequest&) { return false; });
  const std::string part(8 << 20, 'x');
  EXPECT_EQ(code(CurlTransport::make({})->exchange(request("PUT", server.url() + "/", part))), "HTTP 503");
  EXPECT_EQ(server.requests().at(0).body, "");
}

TEST(CurlTransport, LargeBodiesArriveWhole) {
  StubServer server(answer_ok);
  std::string part(9 << 20, '\0');
  for (std::size_t i = 0; i < part.size(); ++i) part[i] = static_cast<char>(i * 2654435761U >> 13);
  EXPECT_EQ(code(CurlTransport::make({})->exchange(request("PUT", server.url() + "/", part))), "HTTP 200");
  EXPECT_TRUE(server.requests().at(0).body == part);
}

TEST(CurlTransport, AnAnswerThatIsCutOffIsBroken) {
  StubServer server([](const StubRequest&, const StubConnection& connection) {
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
    return false;
  });
  const auto response = CurlTransport::make({})->exchange(request("GET", server.url() + "/"));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, "http_broken");
  EXPECT_TRUE(response.error().retriable);
}

TEST(CurlTransport, SilenceAndGarbageAreBroken) {
  StubServer silent([](const StubRequest&, const StubConnection&) { return false; });
  EXPECT_EQ(code(CurlTransport::make({})->exchange(request("GET", silent.url() + "/"))), "http_broken");
  StubServer garbage([](const StubRequest&, const StubConnection& connection) {
    connection.send("220 mail.example.org ESMTP\r\n");
    return false;
  });
  EXPECT_EQ(code(CurlTransport::make({})->exchange(request("GET", garbage.url() + "/"))), "http_broken");
}

TEST(CurlTransport, AServerThatDoesNotAnswerIsGivenUp) {
  StubServer server([](const StubRequest&, const StubConnection& connection) {
    connection.wait_until_closed();
    return false;
  });
  HttpRequest total = request("GET", server.url() + "/");
  total.timeouts.total = milliseconds{200};
  const auto response = CurlTransport::make({})->exchange(total);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, "http_timeout");
  EXPECT_TRUE(response.error().retriable);
  HttpRequest stall = request("GET", server.url() + "/");
  stall.timeouts.stall = seconds{1};
  EXPECT_EQ(code(CurlTransport::make({})->exchange(stall)), "http_timeout");
}

TEST(CurlTransport, StoppingEndsAnExchangeUnderWay) {
  std::stop_source stop;
  StubServer server([&](const StubRequest&, const StubConnection& connection) {
    stop.request_stop();
    connection.wait_until_closed();
    return false;
  });
  CurlOptions options;
  options.stop = stop.get_token();
  const auto begun = std::chrono::steady_clock::now();
  const auto response = CurlTransport::make(options)->exchange(request("GET", server.url() + "/"));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, "http_cancelled");
  EXPECT_FALSE(response.error().retriable);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds{10});
}

TEST(CurlTransport, SaysWhatCannotBeReached) {
  std::string gone;
  {
    const StubServer server(answer_ok);
    gone = server.url();
  }
  const auto refused = CurlTransport::make({})->exchange(request("GET", gone + "/x?X-Amz-Signature=s"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "http_unreachable");
  EXPECT_THAT(refused.error().message, HasSubstr(gone.substr(7)));
  EXPECT_THAT(refused.error().message, testing::Not(HasSubstr("X-Amz-Signature")));
  EXPECT_EQ(code(CurlTransport::make({})->exchange(request("GET", "http://no-such-host.invalid/"))), "http_unresolved");
}

TEST(CurlTransport, PlainHttpOnATlsPortSaysSo) {
  StubServer server(answer_ok);
  const auto response = CurlTransport::make({})->exchange(request("GET", "https" + server.url().substr(4) + "/"));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, "http_tls");
}

TEST(CurlTransport, ACaFileThatIsNoneIsAFinalError) {
  StubServer server(answer_ok);
  CurlOptions options;
  options.ca_file = "/nonexistent/ca.pem";
  const auto response = CurlTransport::make(options)->exchange(request("GET", "https" + server.url().substr(4) + "/"));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, "http_tls");
  EXPECT_FALSE(response.error().retriable);
  EXPECT_THAT(response.error().message, HasSubstr("/nonexistent/ca.pem"));
}

TEST(CurlTransport, TheProxyOfTheEnvironmentIsNotUsed) {
  StubServer server(answer_ok);
  StubServer proxy(answer_ok);
  ::setenv("http_proxy", proxy.url().c_str(), 1);
  EXPECT_EQ(code(CurlTransport::make({})->exchange(request("GET", server.url() + "/"))), "HTTP 200");
  ::unsetenv("http_proxy");
  EXPECT_EQ(proxy.connections(), 0);
  CurlOptions options;
  options.proxy = proxy.url();
  EXPECT_EQ(code(CurlTransport::make(options)->exchange(request("GET", "http://s3.test/k"))), "HTTP 200");
  EXPECT_EQ(proxy.requests().at(0).target, "http://s3.test/k");
  EXPECT_EQ(code(CurlTransport::make(options)->exchange(request("GET", server.url() + "/"))), "HTTP 200");
  EXPECT_EQ(proxy.connections(), 1) << "this machine is never reached by a proxy";
}

S3Options stub_options(const StubServer& server) {
  S3Options options;
  options.endpoint = server.url();
  options.bucket = "exports";
  options.credentials.access_key_id = "AK";
  options.credentials.secret_access_key = "SK";
  options.retry.first_wait = options.retry.longest_wait = milliseconds{1};
  return options;
}

const std::vector<PartReceipt> kReceipts{{1, "0cc175b9c0f1b6a831c399e269772661", 10}};
// Encrypted by key management, so of its ETag only the number of parts means something.
constexpr const char* kObjectHead =
    "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nETag: \"2fea1a3a9c0ed61d0b6c2d7f1e1d8b1a-1\"\r\n"
    "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\nx-amz-server-side-encryption: aws:kms\r\n\r\n";

TEST(StoreOnTheWire, ACompletionWhoseAnswerWasLostIsFoundToHaveWorked) {
  std::atomic<bool> completed = false;
  StubServer server([&](const StubRequest& seen, const StubConnection& connection) {
    if (seen.method == "HEAD") {
      connection.send(kObjectHead);
    } else if (!completed.exchange(true)) {
      return false;  // done, and the line goes dead
    } else {
      connection.answer(404, "<Error><Code>NoSuchUpload</Code></Error>");
    }
    return true;
  });
  SystemClock clock;
  const auto store = S3Store::make(stub_options(server), clock).value();
  const auto object = store->complete_upload({"k", "U"}, kReceipts);
  ASSERT_TRUE(object) << object.error().message;
  EXPECT_EQ(object->size, 10);
}

TEST(StoreOnTheWire, AnErrorAfterBlanksInsideA200IsTriedAgain) {
  std::atomic<int> calls = 0;
  StubServer server([&](const StubRequest& seen, const StubConnection& connection) {
    if (seen.method == "HEAD") {
      connection.send(kObjectHead);
    } else if (seen.method == "GET") {
      connection.answer(200, "<ListPartsResult><IsTruncated>false</IsTruncated></ListPartsResult>");
    } else if (++calls == 1) {
      // What S3 does while it works: the status first, then blanks, then how it went.
      connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n \n \r\n");
      const std::string error = "<?xml version=\"1.0\"?><Error><Code>InternalError</Code></Error>";
      connection.send("3d\r\n" + error + "\r\n0\r\n\r\n");
    } else {
      connection.answer(200, "<CompleteMultipartUploadResult><ETag></ETag></CompleteMultipartUploadResult>");
    }
    return true;
  });
  SystemClock clock;
  const auto store = S3Store::make(stub_options(server), clock).value();
  const auto object = store->complete_upload({"k", "U"}, kReceipts);
  ASSERT_TRUE(object) << object.error().message;
  EXPECT_EQ(calls, 2);
}

TEST(StoreOnTheWire, ARedirectNamesTheRegionAndGoesNowhere) {
  StubServer elsewhere(answer_ok);
  StubServer server([&](const StubRequest&, const StubConnection& connection) {
    connection.answer(
        301, "<Error><Code>PermanentRedirect</Code><Message>elsewhere</Message><Endpoint>b.example</Endpoint></Error>",
        "x-amz-bucket-region: ap-south-1\r\nLocation: " + elsewhere.url() + "\r\n");
    return true;
  });
  SystemClock clock;
  const auto store = S3Store::make(stub_options(server), clock).value();
  const Status ping = store->ping();
  ASSERT_FALSE(ping);
  EXPECT_EQ(ping.error().code, "store_denied");
  EXPECT_THAT(ping.error().message, HasSubstr("set the region to ap-south-1"));
  EXPECT_EQ(elsewhere.connections(), 0);
}

TEST(StoreOnTheWire, GarbageInsteadOfXmlIsSaid) {
  StubServer server([](const StubRequest&, const StubConnection& connection) {
    connection.answer(200, "<html>Welcome to the captive portal</html>");
    return true;
  });
  SystemClock clock;
  const auto store = S3Store::make(stub_options(server), clock).value();
  EXPECT_THAT(store->list("", "", 1).error().message, HasSubstr("<html> instead of <ListBucketResult>"));
}

TEST(StoreOnTheWire, CredentialsComeFromTheInstance) {
  StubServer metadata([](const StubRequest& seen, const StubConnection& connection) {
    if (seen.method == "PUT") {
      connection.answer(200, "TOKEN");
    } else if (seen.headers.count("x-aws-ec2-metadata-token") == 0) {
      connection.answer(401);
    } else if (seen.target.ends_with('/')) {
      connection.answer(200, "role");
    } else {
      connection.answer(200, R"({"Code":"Success","AccessKeyId":"AKMETA","SecretAccessKey":"SK","Token":"T",)"
                             R"("Expiration":"2099-01-01T00:00:00Z"})");
    }
    return true;
  });
  StubServer server([](const StubRequest&, const StubConnection& connection) {
    connection.answer(200, "", "ETag: \"e\"\r\n");
    return true;
  });
  SystemClock clock;
  S3Options options = stub_options(server);
  options.credentials = {};
  options.credentials.source = S3CredentialSource::instance;
  options.credentials.instance_endpoint = metadata.url();
  const auto store = S3Store::make(options, clock).value();
  ASSERT_TRUE(store->put("k", "x", {}));
  ASSERT_TRUE(store->put("k", "y", {}));
  EXPECT_THAT(metadata.requests(), SizeIs(3)) << "once for both";
  EXPECT_THAT(server.requests().at(0).headers.at("authorization"), HasSubstr("Credential=AKMETA/"));
  EXPECT_EQ(server.requests().at(0).headers.at("x-amz-security-token"), "T");
}

}  // namespace
}  // namespace longshore::s3
