#include "scan/mysql/connection.h"

#include <errmsg.h>
#include <fcntl.h>
#include <mysql.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <functional>
#include <utility>

#include "scan/scan_errors.h"

namespace longshore {

namespace {

using SteadyTime = std::chrono::steady_clock::time_point;
using namespace std::chrono_literals;

/// How long a wait may last before `stop` is looked at.
constexpr std::chrono::milliseconds kStopCheck = 50ms;
constexpr Duration kDefaultStatementTimeout = 30s;
/// Beyond the server's own statement timeout: then the server or the network is gone.
constexpr std::chrono::seconds kSilenceBeyondTimeout = 10s;
/// For the session that kills another one's statement, at each step.
constexpr unsigned kKillTimeoutSeconds = 2;

constexpr std::size_t kCoroutineStack = 256 << 10;

struct FreeResult {
  void operator()(MYSQL_RES* result) const { mysql_free_result(result); }
};
using ResultHandle = std::unique_ptr<MYSQL_RES, FreeResult>;

enum class Phase {
  idle,     // nothing runs
  sent,     // a SELECT was sent, its first answer is not here yet
  reading,  // rows come
};

/// The library's global state must be made by one thread, before anything else.
bool library_is_ready() {
  static const bool ready = mysql_library_init(0, nullptr, nullptr) == 0;
  return ready;
}

std::string label_text(const std::string& label) {
  std::string name = "longshore/" + label;
  std::ranges::replace_if(
      name,
      [](char c) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        return !letter && c != '_' && c != '-' && c != '.' && c != '/';
      },
      '_');
  return name.substr(0, 100);
}

Result<std::string> read_password(const MysqlAddress& address) {
  if (address.password_file.empty()) return address.password;
  std::ifstream file(address.password_file);
  std::string line;
  if (!std::getline(file, line)) {
    return fail(source_denied("the password file " + address.password_file + " cannot be read, or is empty"));
  }
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

/// What a session is given before it connects.
void configure(MYSQL* connection, const MysqlAddress& address, const std::string& label) {
  mysql_options(connection, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  // A server may ask its client for a file; nobody here wants to send one.
  const unsigned no = 0;
  mysql_options(connection, MYSQL_OPT_LOCAL_INFILE, &no);
  // Otherwise `localhost` would mean a socket, whose place only the server's configuration knows.
  const int protocol = address.socket.empty() ? MYSQL_PROTOCOL_TCP : MYSQL_PROTOCOL_SOCKET;
  mysql_options(connection, MYSQL_OPT_PROTOCOL, &protocol);
  mysql_options4(connection, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", label.c_str());
  if (address.tls == MysqlTls::disabled || !address.socket.empty()) return;
  const my_bool yes = 1;
  const my_bool verify = address.tls == MysqlTls::verified ? 1 : 0;
  mysql_options(connection, MYSQL_OPT_SSL_ENFORCE, &yes);
  mysql_options(connection, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
  if (!address.tls_authority.empty()) mysql_options(connection, MYSQL_OPT_SSL_CA, address.tls_authority.c_str());
  if (!address.tls_certificate.empty()) mysql_options(connection, MYSQL_OPT_SSL_CERT, address.tls_certificate.c_str());
  if (!address.tls_key.empty()) mysql_options(connection, MYSQL_OPT_SSL_KEY, address.tls_key.c_str());
}

const char* text_or_null(const std::string& text) {
  return text.empty() ? nullptr : text.c_str();
}

}  // namespace

struct MysqlConnection::State {
  ~State() {
    when_lost.reset();
    // A result that is given back reads its rows to the end, and closing says good-bye: neither may wait for a server.
    if (phase != Phase::idle || broken) {
      if (connected && !broken) kill();
      mariadb_cancel(&handle);
    }
    result.reset();
    mysql_close(&handle);
    if (guarded_socket >= 0) ::close(guarded_socket);
  }

  /// When the place is lost, the socket is shut down, whatever the session's thread is doing.
  void guard_place() {
    if (place == nullptr) return;
    guarded_socket = ::fcntl(mysql_get_socket(&handle), F_DUPFD_CLOEXEC, 0);
    when_lost.emplace(place->lost_signal(), [socket = guarded_socket] { ::shutdown(socket, SHUT_RDWR); });
  }

  std::shared_ptr<ConnectionPlace> place;
  int guarded_socket = -1;
  std::optional<std::stop_callback<std::function<void()>>> when_lost;
  MYSQL handle{};
  MysqlAddress address;
  std::string password;
  std::string label;
  std::string comment;
  Duration statement_timeout = kDefaultStatementTimeout;
  bool connected = false;
  bool broken = false;  ///< an operation was left in the middle: the connection can only be closed
  bool mariadb = false;
  Phase phase = Phase::idle;
  ResultHandle result;
  std::vector<std::string_view> row;
  std::vector<std::string> names;
  std::vector<std::uint64_t> shapes;

  std::string without_password(std::string message) const {
    if (password.empty()) return message;
    for (std::size_t at = 0; (at = message.find(password, at)) != std::string::npos; at += 3) {
      message.replace(at, password.size(), "***");
    }
    return message;
  }

  Error failed() {
    const unsigned number = mysql_errno(&handle);
    Error error = mysql_failure(number, without_password(::mysql_error(&handle)));
    if (number >= CR_MIN_ERROR && number <= CR_MAX_ERROR) broken = true;
    return error;
  }

  SteadyTime deadline() const { return std::chrono::steady_clock::now() + statement_timeout + kSilenceBeyondTimeout; }

  /// Waits for what libmariadb waits for (MYSQL_WAIT_…); returns which of it has come.
  Result<int> wait(int wanted, SteadyTime until, const std::stop_token& stop) {
    while (true) {
      if (stop.stop_requested()) {
        if (connected) kill();
        broken = true;
        return fail(scan_stopped());
      }
      if (place != nullptr && place->lost()) {
        broken = true;
        return fail(source_unavailable("the right to this connection was lost"));
      }
      pollfd entry{.fd = mysql_get_socket(&handle), .events = 0, .revents = 0};
      if ((wanted & MYSQL_WAIT_READ) != 0) entry.events |= POLLIN;
      if ((wanted & MYSQL_WAIT_WRITE) != 0) entry.events |= POLLOUT;
      if ((wanted & MYSQL_WAIT_EXCEPT) != 0) entry.events |= POLLPRI;
      const int ready = ::poll(&entry, 1, static_cast<int>(kStopCheck.count()));
      if (ready > 0) {
        int come = 0;
        // A broken connection is found out by whoever reads or writes it.
        const bool gone = (entry.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
        if (gone || (entry.revents & POLLIN) != 0) come |= wanted & MYSQL_WAIT_READ;
        if (gone || (entry.revents & POLLOUT) != 0) come |= wanted & MYSQL_WAIT_WRITE;
        if ((entry.revents & POLLPRI) != 0) come |= wanted & MYSQL_WAIT_EXCEPT;
        return come;
      }
      if (ready < 0 && errno != EINTR) {
        broken = true;
        return fail(source_unavailable("poll failed on the database's socket"));
      }
      if (std::chrono::steady_clock::now() > until) {
        broken = true;
        return fail(source_unavailable("the database has not answered for too long"));
      }
    }
  }

  /// One operation of libmariadb from its …_start to its end.
  template <class Start, class Continue>
  Status complete(SteadyTime until, const std::stop_token& stop, Start start, Continue go_on) {
    int waiting = start();
    while (waiting != 0) {
      TRY(const int come, wait(waiting, until, stop));
      waiting = go_on(come);
    }
    return {};
  }

  Status connect(const std::stop_token& stop) {
    configure(&handle, address, label);
    // Name resolution and TLS run on this stack, too.
    const std::size_t stack = kCoroutineStack;
    if (mysql_options(&handle, MYSQL_OPT_NONBLOCK, &stack) != 0) {
      return fail(source_unavailable("out of memory while connecting"));
    }
    MYSQL* made = nullptr;
    const SteadyTime until = std::chrono::steady_clock::now() + std::chrono::seconds(address.connect_timeout_seconds);
    CHECK_OK(complete(
        until, stop,
        [&] {
          return mysql_real_connect_start(&made, &handle, text_or_null(address.host), address.user.c_str(),
                                          text_or_null(password), address.database.c_str(), address.port,
                                          text_or_null(address.socket), 0);
        },
        [&](int come) { return mysql_real_connect_cont(&made, &handle, come); }));
    if (made == nullptr) return fail(failed());
    connected = true;
    guard_place();
    // The library takes TLS as a wish where the server does not offer it.
    const bool must = address.tls == MysqlTls::required || address.tls == MysqlTls::verified;
    if (must && address.socket.empty() && mysql_get_ssl_cipher(&handle) == nullptr) {
      return fail(source_denied("the server offers no TLS, which ssl-mode demands"));
    }
    const std::string_view version = mysql_get_server_info(&handle);
    mariadb = version.find("MariaDB") != std::string_view::npos;
    return {};
  }

  /// Ends this session's statement on the server, by a session of its own: closing the socket would be noticed only
  /// when the next row is sent. Bounded in time; where it fails the server's statement timeout does the same.
  void kill() {
    MYSQL other{};
    if (mysql_init(&other) == nullptr) return;
    configure(&other, address, label);
    const unsigned seconds = kKillTimeoutSeconds;
    mysql_options(&other, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
    mysql_options(&other, MYSQL_OPT_READ_TIMEOUT, &seconds);
    mysql_options(&other, MYSQL_OPT_WRITE_TIMEOUT, &seconds);
    if (mysql_real_connect(&other, text_or_null(address.host), address.user.c_str(), text_or_null(password), nullptr,
                           address.port, text_or_null(address.socket), 0) != nullptr) {
      const std::string statement = "KILL " + std::to_string(mysql_thread_id(&handle));
      mysql_real_query(&other, statement.c_str(), statement.size());
    }
    mysql_close(&other);
  }

  Status send(const std::string& sql, const std::stop_token& stop) {
    if (broken) return fail(source_unavailable("the connection to the database was lost"));
    int failure = 0;
    CHECK_OK(complete(
        deadline(), stop, [&] { return mysql_send_query_start(&failure, &handle, sql.data(), sql.size()); },
        [&](int come) { return mysql_send_query_cont(&failure, &handle, come); }));
    if (failure != 0) return fail(failed());
    phase = Phase::sent;
    return {};
  }

  /// Reads up to the first row.
  Status begin_reading(const std::stop_token& stop) {
    my_bool failure = 0;
    CHECK_OK(complete(
        deadline(), stop, [&] { return mysql_read_query_result_start(&failure, &handle); },
        [&](int come) { return mysql_read_query_result_cont(&failure, &handle, come); }));
    if (failure != 0) {
      phase = Phase::idle;
      return fail(failed());
    }
    result.reset(mysql_use_result(&handle));
    if (result == nullptr && mysql_errno(&handle) != 0) {
      phase = Phase::idle;
      return fail(failed());
    }
    phase = Phase::reading;
    shapes.clear();
    if (result == nullptr) return {};
    const unsigned columns = mysql_num_fields(result.get());
    const MYSQL_FIELD* fields = mysql_fetch_fields(result.get());
    names.clear();
    for (unsigned i = 0; i < columns; ++i) {
      names.emplace_back(fields[i].name, fields[i].name_length);
      constexpr unsigned kOfType = UNSIGNED_FLAG | ENUM_FLAG | SET_FLAG | ZEROFILL_FLAG;
      // The number of decimals counts for numeric(p,s) and datetime(n) alike.
      shapes.push_back(static_cast<std::uint64_t>(fields[i].type) << 48 |
                       static_cast<std::uint64_t>(fields[i].flags & kOfType) << 24 |
                       static_cast<std::uint64_t>(fields[i].charsetnr & 0xFFFFU) << 8 | (fields[i].decimals & 0xFFU));
    }
    row.resize(columns);
    return {};
  }

  Result<bool> next_row(const std::stop_token& stop) {
    if (phase == Phase::sent) CHECK_OK(begin_reading(stop));
    if (result == nullptr) {  // a statement without rows
      phase = Phase::idle;
      return false;
    }
    MYSQL_ROW values = nullptr;
    int waiting = mysql_fetch_row_start(&values, result.get());
    if (waiting != 0) {
      const SteadyTime until = deadline();
      while (waiting != 0) {
        TRY(const int come, wait(waiting, until, stop));
        waiting = mysql_fetch_row_cont(&values, result.get(), come);
      }
    }
    if (values == nullptr) {
      const bool error = mysql_errno(&handle) != 0;
      Error what = error ? failed() : Error{};
      if (!broken) result.reset();
      phase = Phase::idle;
      if (error) return fail(std::move(what));
      return false;
    }
    const unsigned long* lengths = mysql_fetch_lengths(result.get());
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = values[i] == nullptr ? std::string_view() : std::string_view(values[i], lengths[i]);
    }
    return true;
  }
};

MysqlConnection::MysqlConnection(std::unique_ptr<State> state) : state_(std::move(state)) {}
MysqlConnection::~MysqlConnection() = default;

Result<std::unique_ptr<MysqlConnection>> MysqlConnection::open(const MysqlSession& session, std::stop_token stop) {
  if (!library_is_ready()) return fail(source_unavailable("libmariadb cannot be initialized"));
  auto state = std::make_unique<State>();
  mysql_init(&state->handle);
  state->address = session.address;
  state->place = session.place;
  TRY(state->password, read_password(session.address));
  state->label = label_text(session.label);
  state->comment = "/* " + state->label + " */ ";
  if (session.statement_timeout > Duration::zero()) state->statement_timeout = session.statement_timeout;
  CHECK_OK(state->connect(stop));
  std::unique_ptr<MysqlConnection> connection(new MysqlConnection(std::move(state)));
  const bool mariadb = connection->state_->mariadb;
  // ANSI_QUOTES and NO_BACKSLASH_ESCAPES: names and texts are quoted as in every other dialect. Strict: a comparison
  // with a value that cannot be one is an error and not a warning.
  std::string settings =
      "SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES', SESSION time_zone = '+00:00', "
      "SESSION lock_wait_timeout = 5, SESSION innodb_lock_wait_timeout = 5, SESSION sql_auto_is_null = 0, "
      "SESSION sql_big_selects = 1, SESSION autocommit = 1";
  if (mariadb) settings += ", SESSION idle_transaction_timeout = 60";
  CHECK_OK(connection->query(settings, stop));
  CHECK_OK(connection->query("SET SESSION TRANSACTION READ ONLY", stop));
  CHECK_OK(connection->set_statement_timeout(connection->state_->statement_timeout, stop));
  return connection;
}

Result<MysqlRows> MysqlConnection::query(const std::string& sql, std::stop_token stop) {
  CHECK_OK(state_->send(sql, stop));
  MysqlRows rows;
  while (true) {
    TRY(const bool more, state_->next_row(stop));
    rows.names = state_->names;
    if (!more) return rows;
    auto& values = rows.rows.emplace_back();
    for (const std::string_view value : state_->row) {
      values.push_back(value.data() == nullptr ? std::nullopt : std::optional(std::string(value)));
    }
  }
}

Status MysqlConnection::set_statement_timeout(Duration timeout, std::stop_token stop) {
  const std::int64_t milliseconds =
      std::max<std::int64_t>(1, std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count());
  if (state_->mariadb) {
    // A decimal number of seconds.
    const std::string rest = std::to_string(1000 + milliseconds % 1000).substr(1);
    CHECK_OK(query("SET SESSION max_statement_time = " + std::to_string(milliseconds / 1000) + "." + rest, stop));
  } else {
    CHECK_OK(query("SET SESSION max_execution_time = " + std::to_string(milliseconds), stop));
  }
  state_->statement_timeout = timeout;
  return {};
}

Status MysqlConnection::send(const std::string& sql, std::stop_token stop) {
  return state_->send(sql, stop);
}

Result<bool> MysqlConnection::next_row(std::stop_token stop) {
  return state_->next_row(stop);
}

std::span<const std::string_view> MysqlConnection::row() const {
  return state_->row;
}

const std::vector<std::uint64_t>& MysqlConnection::column_shapes() const {
  return state_->shapes;
}

bool MysqlConnection::is_mariadb() const {
  return state_->mariadb;
}

const std::string& MysqlConnection::comment() const {
  return state_->comment;
}

}  // namespace longshore
