#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace longshore::s3 {

/// A request as the stub server read it. Header names in lower case.
struct StubRequest {
  std::string method;
  std::string target;
  std::map<std::string, std::string> headers;
  std::string body;
  int connection = 0;  ///< which connection it came by, from 1 on
};

/// The other end of a connection, for a handler to do what a real store never does on demand.
class StubConnection {
 public:
  explicit StubConnection(int socket) : socket_(socket) {}
  /// Bytes as they are.
  void send(const std::string& bytes) const;
  void answer(int status, const std::string& body = "", const std::string& headers = "") const;
  /// Whether the client has gone away; waits until it has.
  void wait_until_closed() const;

 private:
  int socket_;
};

/// A small HTTP server for what a real store cannot be made to do. One thread for each connection.
class StubServer {
 public:
  /// Answers one request; false closes the connection.
  using Handler = std::function<bool(const StubRequest&, const StubConnection&)>;
  /// Asked before the body of a request that waits for `100 Continue`; false: no, answer at once.
  using Expectation = std::function<bool(const StubRequest&)>;

  explicit StubServer(Handler handler, Expectation expectation = nullptr);
  ~StubServer();
  StubServer(const StubServer&) = delete;
  StubServer& operator=(const StubServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::vector<StubRequest> requests() const;
  int connections() const { return connections_; }

 private:
  void accept_all();
  void serve(int socket, int number);
  bool read_request(int socket, std::string& buffer, StubRequest& request) const;

  Handler handler_;
  Expectation expectation_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> connections_ = 0;
  mutable std::mutex mutex_;
  std::vector<StubRequest> requests_;
  std::vector<int> sockets_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace longshore::s3
