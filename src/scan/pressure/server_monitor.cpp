#include "scan/pressure/server_monitor.h"

#include <utility>

#include "telemetry/log.h"

namespace longshore {

namespace {

using namespace std::chrono_literals;

constexpr auto kLinger = 30s;

const char* word(ServerState state) {
  static constexpr const char* kWords[] = {"unknown", "fine", "behind", "down"};
  return kWords[static_cast<int>(state)];
}

ServerReport poll(LagProbe& probe, const std::stop_token& stop) {
  auto answer = probe.ask(stop);
  // A session that was ended says nothing of the server; only a new one does.
  if (!answer) answer = probe.ask(stop);
  if (answer) return *std::move(answer);
  return {.up = false, .lag = std::nullopt, .remark = answer.error().message};
}

void log_change(const std::string& server, ServerState before, ServerState state, const ServerReport& report) {
  if (state != before && (before != ServerState::unknown || state != ServerState::fine)) {
    log(state == ServerState::fine ? LogLevel::info : LogLevel::warn, "a source's server has changed",
        {{"server", server},
         {"state", word(state)},
         {"lag_seconds", report.lag ? std::chrono::duration<double>(*report.lag).count() : -1.0},
         {"remark", report.remark}});
  } else if (before == ServerState::unknown && !report.remark.empty()) {
    log_info("a source's server has something to say", {{"server", server}, {"remark", report.remark}});
  }
}

}  // namespace

ServerMonitor::ServerMonitor(ServerBoard& board, std::vector<Server> servers, Duration interval)
    : board_(board), servers_(std::move(servers)), interval_(interval) {}

void ServerMonitor::begin_use() {
  const std::lock_guard lock(mutex_);
  ++users_;
  if (threads_.empty()) {
    for (const Server& server : servers_) {
      threads_.emplace_back([this, &server](const std::stop_token& stop) { run(stop, server); });
    }
  }
  changed_.notify_all();
}

void ServerMonitor::end_use() {
  const std::lock_guard lock(mutex_);
  --users_;
  linger_until_ = std::chrono::steady_clock::now() + kLinger;
}

bool ServerMonitor::in_use() const {
  return users_ > 0 || std::chrono::steady_clock::now() < linger_until_;
}

void ServerMonitor::run(const std::stop_token& stop, const Server& server) {
  ServerState before = ServerState::unknown;
  std::unique_lock lock(mutex_);
  while (true) {
    if (!in_use()) {
      server.probe->hang_up();
      board_.forget(server.index);
      before = ServerState::unknown;
      if (!changed_.wait(lock, stop, [this] { return in_use(); })) return;
    }
    lock.unlock();
    const ServerReport report = poll(*server.probe, stop);
    if (stop.stop_requested()) return;
    const ServerState state = board_.report(server.index, report);
    log_change(board_.name(server.index), before, state, report);
    before = state;
    lock.lock();
    changed_.wait_for(lock, stop, interval_, [] { return false; });
    if (stop.stop_requested()) return;
  }
}

}  // namespace longshore
