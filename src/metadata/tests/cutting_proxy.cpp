#include "metadata/tests/cutting_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace longshore {
namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool send_all(int to, const char* data, ::ssize_t size) {
  while (size > 0) {
    const ::ssize_t sent = ::send(to, data, static_cast<std::size_t>(size), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data += sent;
    size -= sent;
  }
  return true;
}

/// Waits until either can be read; false when a second passed.
bool wait_for(int a, int b, bool& a_ready, bool& b_ready) {
  std::array<pollfd, 2> entries{pollfd{a, POLLIN, 0}, pollfd{b, POLLIN, 0}};
  if (::poll(entries.data(), 2, 50) <= 0) return false;
  a_ready = entries[0].revents != 0;
  b_ready = entries[1].revents != 0;
  return true;
}

}  // namespace

struct CuttingProxy::Link {
  int client = -1;
  std::jthread thread;
};

CuttingProxy::CuttingProxy(int server_port) : server_port_(server_port) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 100) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    std::abort();
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::jthread([this] { accept_all(); });
}

CuttingProxy::~CuttingProxy() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  acceptor_.join();
  links_.clear();  // joins
  ::close(listener_);
}

void CuttingProxy::arm(int n, Cut cut, bool refuse_afterwards) {
  const std::lock_guard lock(mutex_);
  left_ = n;
  cut_ = cut;
  refuse_afterwards_ = refuse_afterwards;
  happened_ = false;
}

bool CuttingProxy::disarm() {
  const std::lock_guard lock(mutex_);
  left_ = 0;
  refusing_ = false;
  return happened_;
}

void CuttingProxy::accept_all() {
  while (true) {
    pollfd entry{listener_, POLLIN, 0};
    const bool ready = ::poll(&entry, 1, 50) > 0;
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    if (!ready) continue;
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    if (refusing_) {
      ::close(client);
      continue;
    }
    Link& link = links_.emplace_back();
    link.client = client;
    link.thread = std::jthread([this, &link] { run(link); });
  }
}

/// One read, all of it written; false at the end of the stream.
bool CuttingProxy::forward(int from, int to) {
  std::array<char, 1 << 18> buffer;
  const ::ssize_t size = ::recv(from, buffer.data(), buffer.size(), 0);
  return size > 0 && send_all(to, buffer.data(), size);
}

void CuttingProxy::run(Link& link) {
  const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(server_port_);
  bool alive = ::connect(server, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  const int on = 1;
  ::setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(link.client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  bool stalled = false;
  while (alive) {
    bool from_client = false;
    bool from_server = false;
    const bool ready = !stalled && wait_for(link.client, server, from_client, from_server);
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) break;
    }
    if (stalled) ::poll(nullptr, 0, 20);
    if (!ready) continue;
    if (from_server) alive = forward(server, link.client);
    if (!from_client || !alive) continue;
    bool cut = false;
    Cut how = Cut::before;
    {
      const std::lock_guard lock(mutex_);
      cut = left_ > 0 && --left_ == 0;
      how = cut_;
      if (cut) {
        happened_ = true;
        refusing_ = refuse_afterwards_;
      }
    }
    if (!cut) {
      alive = forward(link.client, server);
      continue;
    }
    if (how == Cut::stall) {
      stalled = true;
      continue;
    }
    if (how == Cut::after && forward(link.client, server)) {
      std::array<char, 1 << 16> lost;
      static_cast<void>(::recv(server, lost.data(), lost.size(), 0));
    }
    alive = false;
  }
  ::close(server);
  ::close(link.client);
}

}  // namespace longshore
