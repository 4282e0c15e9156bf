#include "metadata/postgres/postgres_signal.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include "metadata/postgres/postgres_connection.h"
#include "metadata/postgres/postgres_dialect.h"

namespace longshore {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;
using sql::PostgresConnection;

std::minstd_rand& random_source() {
  thread_local std::minstd_rand source(std::random_device{}());
  return source;
}

/// From half to all of it.
Duration jittered(Duration duration) {
  std::uniform_int_distribution<std::int64_t> part(duration.count() / 2, duration.count());
  return Duration{part(random_source())};
}

PostgresConnection::Target make_target(const PostgresSignalOptions& options) {
  return {options.connection, sql::describe_connection(options.connection), std::chrono::seconds{3},
          std::chrono::seconds{5}, options.hurry};
}

}  // namespace

class PostgresSignal::Session {
 public:
  explicit Session(PostgresSignalOptions options)
      : options_(std::move(options)), target_(make_target(options_)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  ~Session() {
    thread_.request_stop();
    poke();
    thread_.join();
    ::close(wake_);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void announce() {
    local_.announce();
    if (!to_send_.exchange(true)) poke();
  }
  void wait(std::uint64_t& seen, std::chrono::milliseconds at_most, const std::stop_token& stop) {
    local_.wait(seen, at_most, stop);
  }
  bool listening() const { return listening_; }

 private:
  void poke() const {
    const std::uint64_t one = 1;
    // Full means that a wake-up is pending already.
    static_cast<void>(!::write(wake_, &one, sizeof one));
  }

  void run(const std::stop_token& stop) {
    Duration delay = options_.first_retry;
    while (!stop.stop_requested() && !options_.hurry.stop_requested()) {
      const auto begun = std::chrono::steady_clock::now();
      const Error why = serve(stop);
      if (stop.stop_requested()) return;
      if (listening_.exchange(false) || !reported_) report(false, &why);
      reported_ = true;
      if (std::chrono::steady_clock::now() - begun > options_.max_retry) delay = options_.first_retry;
      sleep(jittered(delay), stop);
      delay = std::min(delay * 2, options_.max_retry);
    }
  }

  void report(bool listening, const Error* why) const {
    if (options_.on_change) options_.on_change(listening, why);
  }

  /// One session, until it ends; why it did.
  Error serve(const std::stop_token& stop) {
    auto connection = PostgresConnection::open(target_);
    if (!connection) return std::move(connection).error();
    if (auto begun = listen(**connection); !begun) return std::move(begun).error();
    listening_ = true;
    reported_ = true;
    report(true, nullptr);
    local_.announce();                // what was missed meanwhile
    std::optional<SteadyTime> heard;  // a hint that was not passed on yet
    SteadyTime next_send;
    SteadyTime next_pass;
    while (!stop.stop_requested()) {
      const auto now = std::chrono::steady_clock::now();
      if (heard && now >= next_pass) {
        heard.reset();
        next_pass = now + options_.debounce;
        local_.announce();
      }
      if (to_send_ && now >= next_send) {
        to_send_ = false;
        next_send = now + options_.debounce;
        if (auto sent = notify(**connection); !sent) return std::move(sent).error();
      }
      std::optional<SteadyTime> until;
      if (heard) until = next_pass;
      if (to_send_) until = until ? std::min(*until, next_send) : next_send;
      wait_for_news((*connection)->socket(), until);
      if (!(*connection)->alive()) {
        return external_error(sql::kUnavailable, "the session that listens at " + target_.where + " has ended");
      }
      if ((*connection)->take_notifications() && !heard) heard = std::chrono::steady_clock::now();
    }
    return external_error("signal_stopped", "the process stops");
  }

  Status listen(PostgresConnection& connection) {
    const std::string command = "LISTEN " + sql::quote_identifier(options_.channel);
    TRY(const auto answers, connection.run({{command.c_str(), {}}, {"SELECT pg_backend_pid() AS pid", {}}}, "listen"));
    // A pooler gives out numbers of its own.
    if (answers[1][0].integer("pid") == connection.backend()) return {};
    return fail(external_error(
        sql::kUnavailable,
        fmt::format("hints between processes cannot come through the pooler at {}: give the signal the server's own "
                    "address; until then work of other processes is found by polling",
                    target_.where)));
  }

  Status notify(PostgresConnection& connection) const {
    const std::array<sql::Param, 1> params{sql::Param(options_.channel)};
    TRY(const auto answers, connection.run({{"SELECT pg_notify($1, '')", params}}, "notify"));
    static_cast<void>(answers);
    return {};
  }

  /// Until the server or announce() has something to say, at most until `until`.
  void wait_for_news(int socket, std::optional<SteadyTime> until) const {
    int timeout = -1;
    if (until) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*until - std::chrono::steady_clock::now());
      timeout = static_cast<int>(std::max<std::int64_t>(0, left.count()));
    }
    std::array<pollfd, 2> entries{pollfd{socket, POLLIN, 0}, pollfd{wake_, POLLIN, 0}};
    ::poll(entries.data(), entries.size(), timeout);
    std::uint64_t ignored = 0;
    static_cast<void>(!::read(wake_, &ignored, sizeof ignored));
  }

  void sleep(Duration duration, const std::stop_token& stop) const {
    const auto until = std::chrono::steady_clock::now() + duration;
    while (!stop.stop_requested() && std::chrono::steady_clock::now() < until) wait_for_news(-1, until);
  }

  const PostgresSignalOptions options_;
  const PostgresConnection::Target target_;
  const int wake_;
  InProcessSignal local_;
  std::atomic<bool> to_send_{false};
  std::atomic<bool> listening_{false};
  bool reported_ = false;  ///< on_change was called; the thread's own
  std::jthread thread_;    ///< last: it uses the rest
};

Result<std::unique_ptr<PostgresSignal>> PostgresSignal::make(PostgresSignalOptions options) {
  CHECK_OK(sql::check_connection_string(options.connection));
  return std::unique_ptr<PostgresSignal>(new PostgresSignal(std::make_unique<Session>(std::move(options))));
}

PostgresSignal::PostgresSignal(std::unique_ptr<Session> session) : session_(std::move(session)) {}
PostgresSignal::~PostgresSignal() = default;

void PostgresSignal::announce() {
  session_->announce();
}

void PostgresSignal::wait(std::uint64_t& seen, std::chrono::milliseconds at_most, std::stop_token stop) {
  session_->wait(seen, std::chrono::duration_cast<std::chrono::milliseconds>(jittered(at_most)), stop);
}

bool PostgresSignal::listening() const {
  return session_->listening();
}

}  // namespace longshore
