// Sends POST requests at a constant rate and prints how long they took, as one JSON object.
//
//   open_loop PORT TARGET TOKEN BODY RATE SECONDS CONNECTIONS
//
// The n-th request is due at start + n / RATE, whatever became of those before it, and its time counts from when it was
// due, not from when it could be sent: a server that stalls is charged for everybody who would have asked meanwhile
// ("coordinated omission" is what the opposite is called). Each request has an Idempotency-Key of its own.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Plan {
  int port = 0;
  std::string target;
  std::string token;
  std::string body;
  double rate = 0;
  int requests = 0;
};

int connect_to(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    std::perror("connect");
    std::exit(1);
  }
  return socket;
}

/// The status of the response to come, whose body it reads as far as Content-Length says; 0 when there is none.
int receive(int socket) {
  std::string text;
  std::size_t end = std::string::npos;
  std::size_t length = 0;
  while (end == std::string::npos || text.size() < end + 4 + length) {
    char buffer[8192];
    const ssize_t got = ::recv(socket, buffer, sizeof buffer, 0);
    if (got <= 0) return 0;
    text.append(buffer, static_cast<std::size_t>(got));
    if (end != std::string::npos) continue;
    end = text.find("\r\n\r\n");
    if (end == std::string::npos) continue;
    const std::size_t field = text.find("Content-Length: ");
    if (field < end) length = std::strtoul(text.c_str() + field + 16, nullptr, 10);
  }
  return std::atoi(text.c_str() + text.find(' '));
}

std::string request_text(const Plan& plan, std::mt19937_64& random) {
  char key[40];
  std::snprintf(key, sizeof key, "%08x-%04x-4%03x-8%03x-%012llx", static_cast<unsigned>(random()),
                static_cast<unsigned>(random() & 0xFFFF), static_cast<unsigned>(random() & 0xFFF),
                static_cast<unsigned>(random() & 0xFFF),
                static_cast<unsigned long long>(random() & 0xFFFF'FFFF'FFFFULL));
  return "POST " + plan.target + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + plan.token +
         "\r\nContent-Type: application/json\r\nIdempotency-Key: " + key +
         "\r\nContent-Length: " + std::to_string(plan.body.size()) + "\r\n\r\n" + plan.body;
}

double percentile(const std::vector<double>& sorted, double part) {
  return sorted.empty() ? 0
                        : sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(part * double(sorted.size())))];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 8) {
    std::fputs("usage: open_loop PORT TARGET TOKEN BODY RATE SECONDS CONNECTIONS\n", stderr);
    return 2;
  }
  const double rate = std::atof(argv[5]);
  const Plan plan{std::atoi(argv[1]), argv[2], argv[3], argv[4], rate, static_cast<int>(rate * std::atof(argv[6]))};
  std::atomic<int> next{0};
  std::mutex mutex;
  std::vector<double> milliseconds;
  int refused = 0;
  const auto start = Clock::now() + std::chrono::milliseconds(100);
  const int connections = std::atoi(argv[7]);
  std::vector<std::jthread> threads;
  threads.reserve(static_cast<std::size_t>(std::max(connections, 1)));
  for (int i = 0; i < connections; ++i) {
    threads.emplace_back([&] {
      std::mt19937_64 random(std::random_device{}());
      const int socket = connect_to(plan.port);
      std::vector<double> own;
      int failed = 0;
      for (int n = next++; n < plan.requests; n = next++) {
        const std::string text = request_text(plan, random);
        const auto due =
            start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(n / plan.rate));
        std::this_thread::sleep_until(due);
        if (::send(socket, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size()) ||
            receive(socket) != 202) {
          ++failed;
        }
        own.push_back(std::chrono::duration<double, std::milli>(Clock::now() - due).count());
      }
      ::close(socket);
      const std::lock_guard lock(mutex);
      milliseconds.insert(milliseconds.end(), own.begin(), own.end());
      refused += failed;
    });
  }
  threads.clear();
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  std::sort(milliseconds.begin(), milliseconds.end());
  std::printf(
      "{\"requests\":%zu,\"refused\":%d,\"seconds\":%.3f,\"p50_ms\":%.3f,\"p90_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%."
      "3f}\n",
      milliseconds.size(), refused, seconds, percentile(milliseconds, 0.5), percentile(milliseconds, 0.9),
      percentile(milliseconds, 0.99), milliseconds.empty() ? 0 : milliseconds.back());
  return 0;
}
