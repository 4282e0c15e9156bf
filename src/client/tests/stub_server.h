#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace longshore {

struct StubRequest {
  std::string method;
  std::string target;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
};

struct StubReply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::size_t break_after = std::string::npos;  ///< close the connection after so many bytes of the body
};

/// A web server of one thread on a free port of loopback, one request for each connection, that answers what a test
/// says. It can break a body off in the middle, which real servers do only by accident.
class StubServer {
 public:
  using Handler = std::function<StubReply(const StubRequest&)>;
  explicit StubServer(Handler handler);
  ~StubServer();
  std::string url() const;
  std::vector<StubRequest> requests() const;

 private:
  void serve();
  void answer(int connection);

  Handler handler_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::vector<StubRequest> requests_;
  std::thread thread_;
};

}  // namespace longshore
