#pragma once

#include <sys/types.h>

#include <string>

namespace longshore {

/// A server that a test binary starts for itself by a script's `serve` (tests/postgres_server.py, mariadb_server.py):
/// it lives as long as this process holds the other end of its standard input, and is gone when this object is.
class ServerProcess {
 public:
  explicit ServerProcess(const char* script);
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  /// Where it is: the script's first line. Empty when it could not be started.
  const std::string& address() const { return address_; }

 private:
  pid_t process_ = 0;
  int input_ = -1;
  std::string address_;
};

}  // namespace longshore
