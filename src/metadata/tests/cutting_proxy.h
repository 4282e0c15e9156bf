#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <list>
#include <mutex>
#include <thread>

namespace longshore {

/// A TCP proxy before a server on 127.0.0.1 that fails where a test says. It counts what clients send, a run of bytes
/// that arrived together being one: for libpq, one round trip. Thread-safe.
class CuttingProxy {
 public:
  enum class Cut {
    before,  ///< the n-th never reaches the server
    after,   ///< the server has answered the n-th, and the answer is lost
    stall,   ///< the n-th disappears, and both sides are left waiting: a cable that was pulled
  };
  explicit CuttingProxy(int server_port);
  ~CuttingProxy();
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;

  int port() const { return port_; }
  /// Cuts the connection at the `n`-th round trip from now on (1-based), of whatever connection. Once.
  void arm(int n, Cut cut, bool refuse_afterwards = false);
  /// Whether the cut has happened; it happens no more after this, and connections are let in again.
  bool disarm();

 private:
  struct Link;
  void accept_all();
  void run(Link& link);
  bool forward(int from, int to);

  int server_port_;
  int port_ = 0;
  int listener_ = -1;
  std::mutex mutex_;
  int left_ = 0;  ///< round trips until the cut; 0: none
  Cut cut_ = Cut::before;
  bool refuse_afterwards_ = false;
  bool refusing_ = false;
  bool happened_ = false;
  bool stopping_ = false;
  std::list<Link> links_;
  std::jthread acceptor_;
};

}  // namespace longshore
