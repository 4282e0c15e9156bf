#include "scan/mysql/monitor.h"

#include <memory>
#include <utility>

#include "scan/mysql/connection.h"
#include "scan/mysql/lag_query.h"
#include "telemetry/log.h"

namespace longshore {

namespace {

using namespace std::chrono_literals;

constexpr auto kLinger = 30s;
/// A server that takes longer to say where it is has other worries than exports.
constexpr Duration kAnswerWithin = 5s;

const char* word(ServerState state) {
  static constexpr const char* kWords[] = {"unknown", "fine", "behind", "down"};
  return kWords[static_cast<int>(state)];
}

}  // namespace

/// The session with one server.
class MysqlMonitor::Poll {
 public:
  Poll(const Server& server, const std::string& lag_query) : server_(server), lag_query_(lag_query) {}

  ServerReport ask(const std::stop_token& stop) {
    auto answer = try_to_ask(stop);
    // A session that was ended says nothing of the server; only a new one does.
    if (!answer) answer = try_to_ask(stop);
    if (answer) return *std::move(answer);
    return {.up = false, .lag = std::nullopt, .remark = answer.error().message};
  }
  void hang_up() { connection_.reset(); }

 private:
  Result<ServerReport> try_to_ask(const std::stop_token& stop) {
    if (connection_ == nullptr) {
      TRY(connection_,
          MysqlConnection::open(
              {.address = server_.address, .label = "monitor", .statement_timeout = kAnswerWithin, .place = nullptr},
              stop));
    }
    auto answer = ask_lag(*connection_, lag_query_, server_.primary, stop);
    if (!answer) connection_.reset();
    return answer;
  }

  const Server& server_;
  const std::string& lag_query_;
  std::unique_ptr<MysqlConnection> connection_;
};

MysqlMonitor::MysqlMonitor(ServerBoard& board, std::vector<Server> servers, Duration interval, std::string lag_query)
    : board_(board), servers_(std::move(servers)), interval_(interval), lag_query_(std::move(lag_query)) {}

void MysqlMonitor::begin_use() {
  const std::lock_guard lock(mutex_);
  ++users_;
  if (threads_.empty()) {
    for (const Server& server : servers_) {
      threads_.emplace_back([this, &server](const std::stop_token& stop) { run(stop, server); });
    }
  }
  changed_.notify_all();
}

void MysqlMonitor::end_use() {
  const std::lock_guard lock(mutex_);
  --users_;
  linger_until_ = std::chrono::steady_clock::now() + kLinger;
}

bool MysqlMonitor::in_use() const {
  return users_ > 0 || std::chrono::steady_clock::now() < linger_until_;
}

void MysqlMonitor::run(const std::stop_token& stop, const Server& server) {
  Poll poll(server, lag_query_);
  ServerState before = ServerState::unknown;
  std::unique_lock lock(mutex_);
  while (true) {
    if (!in_use()) {
      poll.hang_up();
      board_.forget(server.index);
      before = ServerState::unknown;
      if (!changed_.wait(lock, stop, [this] { return in_use(); })) return;
    }
    lock.unlock();
    const ServerReport report = poll.ask(stop);
    if (stop.stop_requested()) return;
    const ServerState state = board_.report(server.index, report);
    if (state != before && (before != ServerState::unknown || state != ServerState::fine)) {
      log(state == ServerState::fine ? LogLevel::info : LogLevel::warn, "a source's server has changed",
          {{"server", board_.name(server.index)},
           {"state", word(state)},
           {"lag_seconds", report.lag ? std::chrono::duration<double>(*report.lag).count() : -1.0},
           {"remark", report.remark}});
    } else if (before == ServerState::unknown && !report.remark.empty()) {
      log_info("a source's server has something to say",
               {{"server", board_.name(server.index)}, {"remark", report.remark}});
    }
    before = state;
    lock.lock();
    changed_.wait_for(lock, stop, interval_, [] { return false; });
    if (stop.stop_requested()) return;
  }
}

}  // namespace longshore
