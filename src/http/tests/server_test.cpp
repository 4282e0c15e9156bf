#include "http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "raw_client.h"

namespace longshore {
namespace {

using namespace std::chrono_literals;
using test::get_request;
using test::RawClient;
using test::RawResponse;
using test::request_text;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

/// Exchanges that are over, in order.
class Seen {
 public:
  void add(const Exchange& exchange) {
    const std::lock_guard lock(mutex_);
    all_.push_back(exchange);
    changed_.notify_all();
  }
  std::vector<Exchange> wait_for(std::size_t n) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, 10s, [&] { return all_.size() >= n; });
    return all_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Exchange> all_;
};

/// A latch that a handler waits at until the test lets it go.
class Gate {
 public:
  void enter() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
  }
  void wait_until_entered(int n = 1) {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(lock, 10s, [&] { return waiting_ >= n; }));
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool open_ = false;
};

Response echo(Request& request) {
  Response response;
  response.set_header("Content-Type", "text/plain");
  response.body = request.method + ' ' + request.path + ' ' + request.body;
  return response;
}

class ServerTest : public ::testing::Test {
 protected:
  Server& start(RequestHandler handler = echo) {
    options_.port = 0;
    auto made = Server::make(options_, std::move(handler), [this](const Exchange& exchange) { seen_.add(exchange); });
    EXPECT_TRUE(made.has_value());
    server_ = std::move(*made);
    return *server_;
  }
  RawResponse ask(std::string_view request, bool head_only = false) {
    auto response = RawClient::ask(server_->port(), request, head_only);
    EXPECT_TRUE(response.has_value()) << request.substr(0, 200);
    return response.value_or(RawResponse{});
  }

  ServerOptions options_;
  Seen seen_;
  Gate gate_;  // outlives the server, whose handlers wait at it
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, AnswersWithTheHeadersThatEveryAnswerCarries) {
  start();
  const RawResponse response = ask(get_request("/a?b=c"));
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.head, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(response.body, "GET /a ");
  EXPECT_EQ(response.header("cache-control"), "no-store");
  EXPECT_EQ(response.header("x-content-type-options"), "nosniff");
  EXPECT_THAT(response.header("date"), MatchesRegex("[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT"));
  EXPECT_THAT(response.header("x-request-id"), MatchesRegex("[0-9a-f]{32}"));
}

TEST_F(ServerTest, TakesOverASaneRequestIdAndNoOther) {
  start();
  EXPECT_EQ(ask(get_request("/", "X-Request-Id: abc-123/x\r\n")).header("x-request-id"), "abc-123/x");
  EXPECT_THAT(ask(get_request("/", "X-Request-Id: a b\"<script>\r\n")).header("x-request-id"),
              MatchesRegex("[0-9a-f]{32}"));
  EXPECT_THAT(ask(get_request("/", "X-Request-Id: " + std::string(129, 'a') + "\r\n")).header("x-request-id"),
              MatchesRegex("[0-9a-f]{32}"));
}

TEST_F(ServerTest, KeepsTheConnectionAndAnswersPipelinedRequestsInOrder) {
  start();
  RawClient client(server_->port());
  ASSERT_TRUE(client.send(get_request("/1") + request_text("POST", "/2", {}, "body two") + get_request("/3")));
  EXPECT_EQ(client.read()->body, "GET /1 ");
  EXPECT_EQ(client.read()->body, "POST /2 body two");
  EXPECT_EQ(client.read()->body, "GET /3 ");
  ASSERT_TRUE(client.send(get_request("/4", "Connection: close\r\n")));
  const auto last = client.read();
  EXPECT_EQ(last->body, "GET /4 ");
  EXPECT_EQ(last->header("connection"), "close");
  EXPECT_TRUE(client.closes());
}

TEST_F(ServerTest, SpeaksHttp10) {
  start();
  RawClient client(server_->port());
  ASSERT_TRUE(client.send("GET /old HTTP/1.0\r\n\r\n"));
  EXPECT_EQ(client.read()->body, "GET /old ");
  EXPECT_TRUE(client.closes());
  RawClient kept(server_->port());
  ASSERT_TRUE(kept.send("GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  EXPECT_EQ(kept.read()->header("connection"), "keep-alive");
  ASSERT_TRUE(kept.send("GET /again HTTP/1.0\r\n\r\n"));
  EXPECT_EQ(kept.read()->body, "GET /again ");
}

TEST_F(ServerTest, HeadHasTheLengthAndNoBody) {
  start();
  RawClient client(server_->port());
  ASSERT_TRUE(client.send(request_text("HEAD", "/abc") + get_request("/d")));
  const auto head = client.read(true);
  EXPECT_EQ(head->header("content-length"), "10");
  EXPECT_EQ(client.read()->body, "GET /d ") << "a body after HEAD would shift the next response";
}

TEST_F(ServerTest, ReadsChunkedBodiesAndAnswersExpectContinue) {
  start();
  EXPECT_EQ(
      ask("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n").body,
      "POST / abcde");
  RawClient client(server_->port());
  ASSERT_TRUE(client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"));
  EXPECT_EQ(client.read(true)->status, 100);
  ASSERT_TRUE(client.send("ok"));
  EXPECT_EQ(client.read()->body, "POST / ok");
}

TEST_F(ServerTest, RefusesWhatIsNotWellFormed) {
  start();
  const std::vector<std::pair<std::string, int>> cases{
      {"NONSENSE\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505},
      {"GET / HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nA: b\x01\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: tea\r\n\r\na", 417},
      {"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET /a/../b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
      {"GET / HTTP/1.1\r\nHost: a\r\nA: " + std::string(17 << 10, 'a') + "\r\n\r\n", 431},
  };
  for (const auto& [request, status] : cases) {
    const RawResponse response = ask(request);
    EXPECT_EQ(response.status, status) << request.substr(0, 120);
    EXPECT_EQ(response.header("content-type"), "application/problem+json") << request.substr(0, 120);
    EXPECT_NE(response.header("x-request-id"), "");
  }
}

TEST_F(ServerTest, RefusesBodiesOverTheLimitHoweverTheyAreSent) {
  options_.max_body_bytes = 1000;
  start();
  const RawResponse declared = ask(request_text("POST", "/echo?a=b", {}, std::string(1001, 'x')));
  EXPECT_EQ(declared.status, 413);
  EXPECT_THAT(declared.body, HasSubstr(R"("instance":"/echo")"));
  EXPECT_THAT(declared.body, HasSubstr("larger than 1000 bytes"));
  EXPECT_EQ(declared.header("connection"), "close");
  std::string chunks = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 5; ++i) chunks += "100\r\n" + std::string(256, 'x') + "\r\n";
  EXPECT_EQ(ask(chunks + "0\r\n\r\n").status, 413);
  EXPECT_EQ(ask(request_text("POST", "/", {}, std::string(1000, 'x'))).status, 200);
}

TEST_F(ServerTest, AClientThatSendsAHugeBodyFirstStillReadsThe413) {
  start();
  RawClient client(server_->port());
  const std::string body(3 << 20, 'x');
  client.send(request_text("POST", "/", {}, body));
  const auto response = client.read();
  ASSERT_TRUE(response.has_value()) << "the connection was reset before the answer was read";
  EXPECT_EQ(response->status, 413);
}

TEST_F(ServerTest, RefusesBodiesBeyondWhatAllConnectionsMayHold) {
  options_.max_body_bytes_in_flight = 1500;
  options_.max_body_bytes = 1000;
  start([this](Request& request) {
    if (request.path == "/wait") gate_.enter();
    return echo(request);
  });
  RawClient first(server_->port());
  first.send(request_text("POST", "/wait", {}, std::string(1000, 'x')));
  gate_.wait_until_entered();
  const RawResponse second = ask(request_text("POST", "/", {}, std::string(1000, 'x')));
  EXPECT_EQ(second.status, 503);
  EXPECT_NE(second.header("retry-after"), "");
  EXPECT_EQ(ask(get_request("/")).status, 200) << "requests without a body need no room";
  gate_.open();
  EXPECT_EQ(first.read()->status, 200);
  first.send(get_request("/"));
  EXPECT_EQ(first.read()->status, 200);
  EXPECT_EQ(ask(request_text("POST", "/", {}, std::string(1000, 'x'))).status, 200) << "the room was given back";
}

TEST_F(ServerTest, EndsARequestThatDripsIn) {
  options_.request_timeout = 100ms;
  start();
  RawClient header(server_->port());
  header.send("GET / HTTP/1.1\r\nHos");
  EXPECT_EQ(header.read()->status, 408);
  EXPECT_TRUE(header.closes());
  RawClient body(server_->port());
  body.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_EQ(body.read()->status, 408);
  // Each byte in time does not help: the limit is for the whole request.
  RawClient drip(server_->port());
  const std::string request = "GET / HTTP/1.1\r\nHost: " + std::string(400, 'h') + "\r\n\r\n";
  bool refused = false;
  for (const char c : request) {
    if (!drip.send({&c, 1})) {
      refused = true;
      break;
    }
    std::this_thread::sleep_for(1ms);
  }
  const auto response = drip.read();
  EXPECT_TRUE(refused || !response || response->status == 408);
}

TEST_F(ServerTest, ClosesIdleConnectionsWithoutAWord) {
  options_.idle_timeout = 50ms;
  start();
  RawClient fresh(server_->port());
  EXPECT_TRUE(fresh.closes());
  RawClient used(server_->port());
  used.send(get_request("/"));
  EXPECT_EQ(used.read()->status, 200);
  EXPECT_TRUE(used.closes());
}

TEST_F(ServerTest, CutsOffAClientThatDoesNotRead) {
  options_.write_timeout = 100ms;
  start([](Request&) {
    Response response;
    response.body.assign(16 << 20, 'x');
    return response;
  });
  RawClient client(server_->port(), 4096);
  client.send(get_request("/"));
  const auto seen = seen_.wait_for(1);
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_FALSE(seen[0].complete);
  EXPECT_LT(seen[0].bytes_sent, 16 << 20);
}

TEST_F(ServerTest, RefusesConnectionsOverTheLimitAndRecovers) {
  options_.max_connections = 2;
  start();
  auto first = std::make_unique<RawClient>(server_->port());
  RawClient second(server_->port());
  first->send(get_request("/"));
  second.send(get_request("/"));
  EXPECT_EQ(first->read()->status, 200);
  EXPECT_EQ(second.read()->status, 200);
  RawClient third(server_->port());
  const auto refused = third.read();
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->status, 503);
  EXPECT_NE(refused->header("retry-after"), "");
  EXPECT_THAT(refused->body, HasSubstr("too_many_connections"));
  third.shut_down_sending();
  EXPECT_TRUE(third.closes());
  first->send(get_request("/", "Connection: close\r\n"));
  EXPECT_EQ(first->read()->status, 200);
  EXPECT_TRUE(first->closes());
  // The server counts it as closed in the same step, but after the socket; so ask until it has.
  for (int status = 503; status != 200;) status = ask(get_request("/", "Connection: close\r\n")).status;
}

TEST_F(ServerTest, AnswersManyClientsAtOnce) {
  options_.handler_threads = 4;
  start();
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 200; ++t) {
    threads.emplace_back([&, t] {
      RawClient client(server_->port());
      for (int i = 0; i < 5; ++i) {
        const std::string path = "/" + std::to_string(t) + "/" + std::to_string(i);
        if (!client.send(get_request(path))) return;
        const auto response = client.read();
        if (response && response->body == "GET " + path + " ") ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 1000);
}

TEST_F(ServerTest, SlowHandlersDoNotHoldUpTheOthers) {
  options_.handler_threads = 2;
  start([this](Request& request) {
    if (request.path == "/slow") gate_.enter();
    return echo(request);
  });
  RawClient slow(server_->port());
  slow.send(get_request("/slow"));
  gate_.wait_until_entered();
  EXPECT_EQ(ask(get_request("/quick")).status, 200);
  gate_.open();
  EXPECT_EQ(slow.read()->status, 200);
}

TEST_F(ServerTest, AnExceptionIsA500ThatSaysNothingOfItsCause) {
  start([](Request&) -> Response { throw std::runtime_error("password=hunter2"); });
  const RawResponse response = ask(get_request("/", "X-Request-Id: r-1\r\n"));
  EXPECT_EQ(response.status, 500);
  EXPECT_THAT(response.body, AllOf(HasSubstr("r-1"), Not(HasSubstr("hunter2"))));
  EXPECT_THAT(seen_.wait_for(1)[0].note.error_detail, HasSubstr("hunter2"));
}

TEST_F(ServerTest, AHeaderValueCannotBeginAnotherHeader) {
  start([](Request&) {
    Response response;
    response.set_header("Location", "/x\r\nSet-Cookie: evil=1");
    return response;
  });
  EXPECT_EQ(ask(get_request("/")).header("set-cookie"), "");
}

TEST_F(ServerTest, TellsTheObserverOfEveryExchange) {
  start([](Request& request) {
    Response response = echo(request);
    response.status = 404;
    response.note = {.route = "/{x}", .tenant = "t", .user = "u", .error_code = "gone", .error_detail = {}};
    return response;
  });
  ask(get_request("/secret?sig=abc", "X-Request-Id: r-9\r\n"));
  const Exchange exchange = seen_.wait_for(1).at(0);
  EXPECT_EQ(exchange.method, "GET");
  EXPECT_EQ(exchange.status, 404);
  EXPECT_EQ(exchange.request_id, "r-9");
  EXPECT_EQ(exchange.client_ip, "127.0.0.1");
  EXPECT_EQ(exchange.note.route, "/{x}");
  EXPECT_EQ(exchange.note.tenant, "t");
  EXPECT_TRUE(exchange.complete);
  EXPECT_GT(exchange.bytes_sent, 100);
}

TEST_F(ServerTest, SaysWhyItCannotListen) {
  start();
  ServerOptions taken;
  taken.port = server_->port();
  const auto again = Server::make(taken, echo, nullptr);
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, "listen_failed");
  EXPECT_THAT(again.error().message, StartsWith("address already in use: 127.0.0.1:" + std::to_string(taken.port)));
  ServerOptions unknown;
  unknown.address = "not-an-address";
  EXPECT_THAT(Server::make(unknown, echo, nullptr).error().message, HasSubstr("'not-an-address' is not an IP address"));
  ServerOptions elsewhere;
  elsewhere.address = "192.0.2.1";
  elsewhere.port = 0;
  EXPECT_THAT(Server::make(elsewhere, echo, nullptr).error().message, HasSubstr("no interface of this machine"));
}

TEST_F(ServerTest, StopFinishesWhatHasBegunAndClosesWhatIsIdle) {
  start([this](Request& request) {
    gate_.enter();
    return echo(request);
  });
  RawClient idle(server_->port());
  RawClient busy(server_->port());
  busy.send(get_request("/busy"));
  gate_.wait_until_entered();
  auto stopping = std::async(std::launch::async, [&] { return server_->stop(10s); });
  EXPECT_TRUE(idle.closes());
  gate_.open();
  const auto response = busy.read();
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->body, "GET /busy ");
  EXPECT_EQ(response->header("connection"), "close");
  EXPECT_EQ(stopping.get(), 0);
  EXPECT_FALSE(RawClient(server_->port()).connected());
  EXPECT_EQ(server_->stop(10s), 0) << "calling it again is harmless";
}

TEST_F(ServerTest, StopDoesNotWaitForeverForAHandlerOrAClient) {
  start([this](Request& request) {
    gate_.enter();
    return echo(request);
  });
  RawClient stuck_handler(server_->port());
  stuck_handler.send(get_request("/"));
  gate_.wait_until_entered();
  RawClient half_sent(server_->port());
  half_sent.send("GET / HT");
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_GE(server_->stop(50ms), 1);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 5s);
  gate_.open();
}

}  // namespace
}  // namespace longshore
