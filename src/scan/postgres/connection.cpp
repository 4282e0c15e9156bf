#include "scan/postgres/connection.h"

#include <fcntl.h>
#include <libpq-fe.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>
#include <system_error>
#include <utility>

#include "scan/scan_errors.h"
#include "scan/sql_text.h"

namespace longshore {

namespace {

using SteadyTime = std::chrono::steady_clock::time_point;
using namespace std::chrono_literals;

/// How long a wait may last before `stop` is looked at.
constexpr std::chrono::milliseconds kStopCheck = 50ms;
constexpr std::chrono::seconds kConnectTimeout = 10s;
constexpr Duration kDefaultStatementTimeout = 30s;
/// Beyond the server's own statement timeout: then the server or the network is gone.
constexpr std::chrono::seconds kSilenceBeyondTimeout = 10s;
/// How long a server may take to end a session that was told to.
constexpr std::chrono::seconds kFarewell = 2s;
/// For the first answer of a session that waited for its next user.
constexpr Duration kReuseTimeout = 1s;
constexpr std::size_t kNameLength = 63;  ///< NAMEDATALEN - 1

/// A descriptor of our own.
class OwnDescriptor {
 public:
  OwnDescriptor() = default;
  explicit OwnDescriptor(int descriptor) : descriptor_(descriptor) {}
  ~OwnDescriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  OwnDescriptor(const OwnDescriptor&) = delete;
  OwnDescriptor& operator=(const OwnDescriptor&) = delete;
  void reset(int descriptor) {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = descriptor;
  }
  int get() const { return descriptor_; }

 private:
  int descriptor_ = -1;
};

/// The end of a session that holds a place: its process on the server has ended when the socket does, for it is the
/// process's end that closes it. False when that does not happen in time.
/// `running`: how to cancel its statement, nullptr if there is none. That is done again and again: a server that has
/// not yet read the statement lets a cancellation pass.
bool wait_for_end(int socket, PGcancel* running) {
  const auto until = std::chrono::steady_clock::now() + kFarewell;
  std::array<char, 4096> rest{};
  while (std::chrono::steady_clock::now() < until) {
    const ssize_t got = ::recv(socket, rest.data(), rest.size(), MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) return true;
    if (got > 0) continue;
    pollfd entry{.fd = socket, .events = POLLIN, .revents = 0};
    if (::poll(&entry, 1, static_cast<int>(kStopCheck.count())) == 0 && running != nullptr) {
      std::array<char, 256> reason{};
      if (PQcancel(running, reason.data(), static_cast<int>(reason.size())) == 0) running = nullptr;
    }
  }
  return false;
}

/// Whether a connection was lost in a way that may have left the session alive on the server: nothing came from there.
bool is_silence(std::string_view message) {
  return std::ranges::any_of(std::array{ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, ENETDOWN}, [&](int number) {
    return message.find(std::generic_category().message(number)) != std::string_view::npos;
  });
}

/// What the server knows a session by: cut at a character, before the tag of its place.
std::string session_name(const PostgresSession& session) {
  const std::string tag = session.place == nullptr ? std::string() : session.place->tag();
  const std::string& wanted = session.application_name;
  std::string name = wanted.substr(0, kNameLength - std::min(kNameLength, tag.size()));
  while (!name.empty() && name.size() < wanted.size() &&
         (static_cast<unsigned char>(wanted[name.size()]) & 0xC0) == 0x80) {
    name.pop_back();
  }
  return name + tag;
}

Error place_lost() {
  return source_unavailable("the right to this connection was lost: it could not be renewed in the metadata store");
}

struct FreeConnection {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
struct FreeResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
struct FreeMemory {
  void operator()(void* memory) const { PQfreemem(memory); }
};
struct FreeCancel {
  void operator()(PGcancel* cancel) const { PQfreeCancel(cancel); }
};
struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using Connection = std::unique_ptr<PGconn, FreeConnection>;
using ResultHandle = std::unique_ptr<PGresult, FreeResult>;
using CancelHandle = std::unique_ptr<PGcancel, FreeCancel>;
using CopyRow = std::unique_ptr<char, FreeMemory>;

enum class Phase {
  idle,     // nothing runs
  sent,     // a COPY was sent, its first answer is not here yet
  copying,  // rows come
};

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  std::ranges::replace(text, '\n', ' ');
  return text;
}

/// `message` with every occurrence of the connection's password blotted out.
std::string without_password(std::string message, const PGconn* connection) {
  const char* password = PQpass(connection);
  if (password == nullptr || *password == '\0') return message;
  const std::string_view secret(password);
  for (std::size_t at = 0; (at = message.find(secret, at)) != std::string::npos; at += 3) {
    message.replace(at, secret.size(), "***");
  }
  return message;
}

/// The SQLSTATE in a message of verbosity PQERRORS_VERBOSE, `FATAL:  28P01: password …`; empty when there is none.
/// libpq 15 has no other way to learn why the server refused a connection.
std::string sqlstate_of(std::string_view message) {
  for (std::size_t at = message.find(":  "); at != std::string_view::npos; at = message.find(":  ", at + 1)) {
    const std::string_view state = message.substr(at + 3, 6);
    if (state.size() == 6 && state[5] == ':' && std::all_of(state.begin(), state.begin() + 5, [](char c) {
          return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
        })) {
      return std::string(state.substr(0, 5));
    }
  }
  return {};
}

/// Drops what only developers of PostgreSQL want to see.
std::string without_location(std::string message) {
  const std::size_t at = message.find("\nLOCATION:");
  return trimmed(at == std::string::npos ? std::move(message) : message.substr(0, at));
}

/// What makes a server end the session of a client that died, hangs or is cut off: the longest that such a session
/// lasts is its last statement and these 30 s (budget/cluster_budget.cpp counts on it). A client that is merely slow to
/// read connects again.
std::string limits_of_silence(int server_version) {
  std::string settings =
      "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3; "
      "SET tcp_user_timeout = 30000; ";
  if (server_version >= 140000) {
    settings +=
        "SET idle_session_timeout = '30s'; "
        // Other systems refuse the setting.
        "SELECT set_config('client_connection_check_interval', '5s', false) WHERE version() LIKE '%linux%'; ";
  }
  return settings;
}

std::string statement_timeout_setting(Duration timeout) {
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count();
  return "SET statement_timeout = " + std::to_string(std::max<std::int64_t>(1, milliseconds));
}

std::string session_settings(const PostgresSession& session, Duration statement_timeout, int server_version) {
  const std::string name = session_name(session);
  return limits_of_silence(server_version) +
         "SET standard_conforming_strings = on; SET default_transaction_read_only = on; SET client_encoding = 'UTF8'; "
         "SET search_path = pg_catalog, public; SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; "
         "SET IntervalStyle = 'iso_8601'; SET extra_float_digits = 1; SET bytea_output = 'hex'; "
         "SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '60s'; SET work_mem = '16MB'; "
         // A keyset statement is short: compiling it costs more than it saves, and one export should use one backend.
         "SET jit = off; SET max_parallel_workers_per_gather = 0; " +
         statement_timeout_setting(statement_timeout) + "; SET application_name = " + quote_text(name);
}

}  // namespace

struct PostgresConnection::State {
  ~State() { end(); }

  std::shared_ptr<ConnectionPlace> place;  ///< given back by the last of its owners, so after the session's end
  Connection connection;
  OwnDescriptor socket;      ///< the session's socket, held beside libpq: there until its end was seen
  bool silent_loss = false;  ///< the server may not know that the connection is lost
  bool abandoned = false;    ///< a statement was cancelled and its end not waited for
  std::optional<std::stop_callback<std::function<void()>>> when_lost;
  Phase phase = Phase::idle;
  CopyRow row;
  CopyRow row_before;
  std::size_t row_size = 0;
  Duration statement_timeout = kDefaultStatementTimeout;
  std::optional<Duration> answer_within;  ///< instead of what the statement's timeout allows

  PGconn* get() const { return connection.get(); }

  Error lost() {
    const std::string_view message = PQerrorMessage(get());
    silent_loss = silent_loss || is_silence(message);
    return postgres_error("", without_password(trimmed(std::string(message)), get()));
  }

  /// Watches over the place: when it is lost, the socket is shut down, whatever the session's thread is doing. That
  /// ends the session on the server too.
  void guard_place() {
    if (place == nullptr) return;
    socket.reset(::fcntl(PQsocket(get()), F_DUPFD_CLOEXEC, 0));
    when_lost.emplace(place->lost_signal(), [descriptor = socket.get()] { ::shutdown(descriptor, SHUT_RDWR); });
  }

  /// Closes the session, and where it counts, waits until the server has closed it.
  void end() {
    when_lost.reset();
    if (place == nullptr || connection == nullptr) return;
    // A login that is given up has no guard yet.
    if (socket.get() < 0 && PQsocket(get()) >= 0) socket.reset(::fcntl(PQsocket(get()), F_DUPFD_CLOEXEC, 0));
    const bool running = (phase != Phase::idle || abandoned) && !silent_loss && PQstatus(get()) == CONNECTION_OK;
    const CancelHandle statement(running ? PQgetCancel(get()) : nullptr);
    connection.reset();
    if (socket.get() >= 0) ::shutdown(socket.get(), SHUT_WR);  // a server that waits for a login hears no good-bye
    if (silent_loss || (socket.get() >= 0 && !wait_for_end(socket.get(), statement.get()))) place->doubt();
    if (socket.get() >= 0) ::shutdown(socket.get(), SHUT_RDWR);
  }

  Error failed(const PGresult* result) const {
    const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char* primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (primary == nullptr) {
      return postgres_error(state == nullptr ? "" : state,
                            without_password(trimmed(PQresultErrorMessage(result)), get()));
    }
    std::string message = primary;
    if (const char* detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL)) message += ": " + std::string(detail);
    return postgres_error(state == nullptr ? "" : state, without_password(std::move(message), get()));
  }

  /// Asks the server to give the running statement up. PQcancel opens a connection of its own, whose time is bounded
  /// by the tcp_user_timeout and keepalives that open() set.
  void cancel() {
    PGcancel* cancel = PQgetCancel(get());
    if (cancel == nullptr) return;
    std::array<char, 256> reason{};
    PQcancel(cancel, reason.data(), static_cast<int>(reason.size()));
    PQfreeCancel(cancel);
  }

  /// Waits until the socket can be read (or also written, when `writing`).
  Status wait(bool writing, SteadyTime deadline, const std::stop_token& stop) {
    while (true) {
      if (stop.stop_requested()) return fail(scan_stopped());
      if (place != nullptr && place->lost()) return fail(place_lost());
      pollfd entry{.fd = PQsocket(get()), .events = POLLIN, .revents = 0};
      if (entry.fd < 0) return fail(lost());
      if (writing) entry.events |= POLLOUT;
      const int ready = ::poll(&entry, 1, static_cast<int>(kStopCheck.count()));
      if (ready > 0) return {};
      if (ready < 0 && errno != EINTR) return fail(source_unavailable("poll failed on the database's socket"));
      if (std::chrono::steady_clock::now() > deadline) {
        silent_loss = true;
        return fail(source_unavailable("the database has not answered for too long"));
      }
    }
  }

  SteadyTime deadline() const {
    return std::chrono::steady_clock::now() + answer_within.value_or(statement_timeout + kSilenceBeyondTimeout);
  }

  /// Errors that leave the connection in the middle of something end what the server does.
  Error abandon(Error error) {
    if (error.code == "scan_stopped") {
      cancel();
      abandoned = true;
    }
    return error;
  }

  Status flush(const std::stop_token& stop) {
    const SteadyTime until = deadline();
    while (true) {
      const int pending = PQflush(get());
      if (pending == 0) return {};
      if (pending < 0) return fail(lost());
      CHECK_OK(wait(true, until, stop));
      if (PQconsumeInput(get()) == 0) return fail(lost());
    }
  }

  /// The next result, nullptr after the last.
  Result<ResultHandle> next_result(const std::stop_token& stop) {
    const SteadyTime until = deadline();
    while (PQisBusy(get()) != 0) {
      // Often the answer is here already: reading first saves a poll.
      if (PQconsumeInput(get()) == 0) return fail(lost());
      if (PQisBusy(get()) == 0) break;
      if (auto waited = wait(false, until, stop); !waited) return fail(abandon(std::move(waited).error()));
    }
    return ResultHandle(PQgetResult(get()));
  }

  /// Collects what one query answers.
  Result<PostgresRows> collect(const std::stop_token& stop) {
    PostgresRows rows;
    std::optional<Error> first_error;
    while (true) {
      TRY(ResultHandle result, next_result(stop));
      if (result == nullptr) break;
      switch (PQresultStatus(result.get())) {
        case PGRES_TUPLES_OK:
          append_rows(*result, rows);
          break;
        case PGRES_COMMAND_OK:
        case PGRES_EMPTY_QUERY:
          break;
        default:
          if (!first_error) first_error = failed(result.get());
          if (PQstatus(get()) == CONNECTION_BAD) return fail(*std::move(first_error));
      }
    }
    if (first_error) return fail(*std::move(first_error));
    return rows;
  }

  static void append_rows(const PGresult& result, PostgresRows& rows) {
    const int columns = PQnfields(&result);
    for (int row = 0; row < PQntuples(&result); ++row) {
      auto& values = rows.rows.emplace_back(static_cast<std::size_t>(columns));
      for (int column = 0; column < columns; ++column) {
        if (PQgetisnull(&result, row, column) != 0) continue;
        values[static_cast<std::size_t>(column)].emplace(PQgetvalue(&result, row, column),
                                                         static_cast<std::size_t>(PQgetlength(&result, row, column)));
      }
    }
  }

  Status connect(const PostgresSession& session, const std::stop_token& stop);
};

Status PostgresConnection::State::connect(const PostgresSession& session, const std::stop_token& stop) {
  // Later keywords win over the connection string only where they come after it, so the string's own timeouts hold.
  const std::string name = session_name(session);
  const std::array keywords = {"keepalives_idle",
                               "keepalives_interval",
                               "keepalives_count",
                               "tcp_user_timeout",
                               "dbname",
                               "application_name",  // from the first moment on, so that no session is without its tag
                               static_cast<const char*>(nullptr)};
  const std::array values = {
      "10", "5", "3", "15000", session.connection_string.c_str(), name.c_str(), static_cast<const char*>(nullptr)};
  connection.reset(PQconnectStartParams(keywords.data(), values.data(), 1));
  if (connection == nullptr) return fail(source_unavailable("out of memory while connecting"));
  PQsetErrorVerbosity(get(), PQERRORS_VERBOSE);
  PQsetNoticeProcessor(
      get(), [](void*, const char*) {}, nullptr);

  const SteadyTime until = std::chrono::steady_clock::now() + kConnectTimeout;
  PostgresPollingStatusType step = PQstatus(get()) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
  while (step != PGRES_POLLING_OK && step != PGRES_POLLING_FAILED) {
    // While it reads, a socket that can be written would wake us at once.
    CHECK_OK(wait(step == PGRES_POLLING_WRITING, until, stop));
    step = PQconnectPoll(get());
  }
  if (step == PGRES_POLLING_OK) {
    guard_place();
    return place != nullptr && place->lost() ? fail(place_lost()) : Status();
  }
  const std::string message = PQerrorMessage(get());
  const std::string said = without_password(without_location(message), get());
  if (PQconnectionNeedsPassword(get()) != 0) return fail(source_denied("the database wants a password: " + said));
  const std::string state = sqlstate_of(message);
  if (state.empty()) return fail(source_unavailable("cannot connect to the database: " + said));
  return fail(postgres_error(state, said));
}

PostgresConnection::PostgresConnection(std::unique_ptr<State> state) : state_(std::move(state)) {}
PostgresConnection::~PostgresConnection() {
  // A statement that still runs would go on until it notices that nobody reads.
  if (state_->phase != Phase::idle && PQstatus(state_->get()) == CONNECTION_OK) state_->cancel();
}

Result<std::unique_ptr<PostgresConnection>> PostgresConnection::open(const PostgresSession& session,
                                                                     std::stop_token stop) {
  auto state = std::make_unique<State>();
  state->place = session.place;
  if (session.statement_timeout > Duration::zero()) state->statement_timeout = session.statement_timeout;
  CHECK_OK(state->connect(session, stop));
  PQsetErrorVerbosity(state->get(), PQERRORS_DEFAULT);
  if (PQsetnonblocking(state->get(), 1) != 0) return fail(state->lost());
  std::unique_ptr<PostgresConnection> connection(new PostgresConnection(std::move(state)));
  State& own = *connection->state_;
  if (PQsendQuery(own.get(), session_settings(session, own.statement_timeout, PQserverVersion(own.get())).c_str()) == 0)
    return fail(own.lost());
  CHECK_OK(own.flush(stop));
  CHECK_OK(own.collect(stop));
  return connection;
}

bool PostgresConnection::reusable() const {
  const State& own = *state_;
  return own.phase == Phase::idle && !own.abandoned && !own.silent_loss && PQstatus(own.get()) == CONNECTION_OK &&
         PQtransactionStatus(own.get()) == PQTRANS_IDLE && (own.place == nullptr || !own.place->lost());
}

Status PostgresConnection::reuse(const PostgresSession& session, std::stop_token stop) {
  State& own = *state_;
  const Duration timeout =
      session.statement_timeout > Duration::zero() ? session.statement_timeout : kDefaultStatementTimeout;
  own.answer_within = kReuseTimeout;  // what does not come soon never will
  CHECK_OK(query_each(
      statement_timeout_setting(timeout) + "; SET application_name = " + quote_text(session_name(session)) + ";",
      std::move(stop)));
  own.answer_within.reset();
  own.statement_timeout = timeout;
  return {};
}

Result<PostgresRows> PostgresConnection::query(const std::string& sql, const std::vector<std::string>& parameters,
                                               std::stop_token stop) {
  std::vector<const char*> values;
  values.reserve(parameters.size());
  for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
  if (PQsendQueryParams(state_->get(), sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(), nullptr,
                        nullptr, 0) == 0) {
    return fail(state_->lost());
  }
  CHECK_OK(state_->flush(stop));
  return state_->collect(stop);
}

Result<PostgresRows> PostgresConnection::query_each(const std::string& statements, std::stop_token stop) {
  if (PQsendQuery(state_->get(), statements.c_str()) == 0) return fail(state_->lost());
  CHECK_OK(state_->flush(stop));
  return state_->collect(stop);
}

bool PostgresConnection::in_transaction() const {
  const PGTransactionStatusType status = PQtransactionStatus(state_->get());
  return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

Status PostgresConnection::set_statement_timeout(Duration timeout, std::stop_token stop) {
  CHECK_OK(query(statement_timeout_setting(timeout), {}, stop));
  state_->statement_timeout = timeout;
  return {};
}

Status PostgresConnection::send_copy(const std::string& sql, std::stop_token stop) {
  if (state_->place != nullptr && state_->place->lost()) return fail(place_lost());
  if (PQsendQuery(state_->get(), sql.c_str()) == 0) return fail(state_->lost());
  state_->phase = Phase::sent;
  return state_->flush(stop);
}

Result<bool> PostgresConnection::next_copy_row(std::stop_token stop) {
  State& own = *state_;
  if (own.phase == Phase::sent) {
    TRY(ResultHandle result, own.next_result(stop));
    if (result == nullptr) return fail(internal_error("postgres_protocol", "a COPY ended before it began"));
    if (PQresultStatus(result.get()) != PGRES_COPY_OUT) {
      Error error = own.failed(result.get());
      own.phase = Phase::idle;
      if (PQstatus(own.get()) == CONNECTION_OK) static_cast<void>(own.collect(stop));  // up to ready-for-query
      return fail(std::move(error));
    }
    own.phase = Phase::copying;
  }
  std::optional<SteadyTime> until;
  while (true) {
    char* buffer = nullptr;
    const int size = PQgetCopyData(own.get(), &buffer, 1);
    if (size > 0) {
      own.row_before = std::exchange(own.row, CopyRow(buffer));
      own.row_size = static_cast<std::size_t>(size);
      return true;
    }
    if (size == -1) {
      own.phase = Phase::idle;
      CHECK_OK(own.collect(stop));
      return false;
    }
    if (size < 0) return fail(own.lost());
    // Nothing complete is buffered. Read what the socket has; sleep only when it has nothing either.
    if (until) {
      if (auto waited = own.wait(false, *until, stop); !waited) return fail(own.abandon(std::move(waited).error()));
    } else {
      until = own.deadline();
    }
    if (PQconsumeInput(own.get()) == 0) return fail(own.lost());
  }
}

std::string_view PostgresConnection::last_row() const {
  return state_->row == nullptr ? std::string_view() : std::string_view(state_->row.get(), state_->row_size);
}

std::string server_name(const std::string& connection_string) {
  const std::unique_ptr<PQconninfoOption, FreeOptions> named(PQconninfoParse(connection_string.c_str(), nullptr));
  const std::unique_ptr<PQconninfoOption, FreeOptions> defaults(PQconndefaults());
  const auto value_in = [](const PQconninfoOption* option, std::string_view keyword) -> std::string {
    for (; option != nullptr && option->keyword != nullptr; ++option) {
      if (keyword == option->keyword && option->val != nullptr) return option->val;
    }
    return {};
  };
  const auto value = [&](std::string_view keyword) {
    std::string text = value_in(named.get(), keyword);
    return text.empty() ? value_in(defaults.get(), keyword) : text;
  };
  std::string host = value("host");
  if (host.empty()) host = value("hostaddr");
  if (host.empty()) host = "local";
  // libpq takes the user's name where no database is named.
  std::string database = value("dbname");
  if (database.empty()) database = value("user");
  return host + ":" + value("port") + "/" + database;
}

Status check_connection_string(const std::string& connection_string) {
  char* problem = nullptr;
  const std::unique_ptr<PQconninfoOption, FreeOptions> options(PQconninfoParse(connection_string.c_str(), &problem));
  if (problem != nullptr) PQfreemem(problem);  // libpq quotes the string in it
  if (options == nullptr) {
    return fail(user_error("bad_source",
                           "the connection string cannot be read; expected `host=… dbname=… user=…` or a "
                           "postgresql:// URI"));
  }
  return {};
}

}  // namespace longshore
