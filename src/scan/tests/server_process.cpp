#include "scan/tests/server_process.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace longshore {

ServerProcess::ServerProcess(const char* script) {
  std::array<int, 2> to_server{};
  std::array<int, 2> from_server{};
  if (::pipe(to_server.data()) != 0 || ::pipe(from_server.data()) != 0) std::abort();
  process_ = ::fork();
  if (process_ == 0) {
    ::dup2(to_server[0], 0);
    ::dup2(from_server[1], 1);
    ::close(to_server[1]);
    ::close(from_server[0]);
    ::execlp("python3", "python3", script, "serve", nullptr);
    ::_exit(127);
  }
  ::close(to_server[0]);
  ::close(from_server[1]);
  input_ = to_server[1];
  char c = 0;
  while (::read(from_server[0], &c, 1) == 1 && c != '\n') address_ += c;
  ::close(from_server[0]);
}

ServerProcess::~ServerProcess() {
  ::close(input_);
  ::waitpid(process_, nullptr, 0);
}

}  // namespace longshore
