#include "metadata/postgres/postgres_connection.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "metadata/postgres/postgres_error.h"

namespace longshore::sql {
namespace {

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  std::ranges::replace(text, '\n', ' ');
  return text;
}

std::string without_password(std::string message, const PGconn* handle) {
  const char* password = PQpass(handle);
  if (password == nullptr || *password == '\0') return message;
  const std::string_view secret(password);
  for (std::size_t at = 0; (at = message.find(secret, at)) != std::string::npos; at += 3) {
    message.replace(at, secret.size(), "***");
  }
  return message;
}

constexpr std::chrono::milliseconds kHurriedAnswer{500};
/// How often a wait looks whether it should hurry. Healthy answers come sooner.
constexpr std::chrono::milliseconds kLook{100};

/// Waits until the socket is ready, at most until `deadline`, or for kHurriedAnswer once `hurry` is requested; whether
/// it is.
bool wait_for(int socket, bool to_write, std::chrono::steady_clock::time_point deadline, const std::stop_token& hurry) {
  bool hurried = false;
  while (true) {
    const auto now = std::chrono::steady_clock::now();
    if (!hurried && hurry.stop_requested()) {
      hurried = true;
      deadline = std::min(deadline, now + kHurriedAnswer);
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now);
    if (left.count() < 0) return false;
    pollfd entry{.fd = socket, .events = POLLIN, .revents = 0};
    if (to_write) entry.events |= POLLOUT;
    const int ready = ::poll(&entry, 1, static_cast<int>(std::min(left, kLook).count()));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using Options = std::unique_ptr<PQconninfoOption, FreeOptions>;

Options parse_connection(const std::string& connection) {
  char* problem = nullptr;
  Options options(PQconninfoParse(connection.c_str(), &problem));
  if (problem != nullptr) PQfreemem(problem);  // libpq quotes the string in it
  return options;
}

}  // namespace

Result<std::unique_ptr<PostgresConnection>> PostgresConnection::open(const Target& target) {
  std::unique_ptr<PostgresConnection> connection(new PostgresConnection(target));
  const std::string timeout = std::to_string(
      std::max<std::int64_t>(2, std::chrono::ceil<std::chrono::seconds>(target.connect_timeout).count()));
  // A keyword takes precedence over the same one before it, so those before `dbname`, which is the whole connection
  // string, are defaults. A link that is cut is noticed after 6 s: by the keepalives while we wait for an answer
  // (3 + 3 × 1 s), by tcp_user_timeout while what we sent is not acknowledged. Everything written needs a primary.
  const std::array keywords = {"connect_timeout",           "keepalives_idle",
                               "keepalives_interval",       "keepalives_count",
                               "tcp_user_timeout",          "target_session_attrs",
                               "fallback_application_name", "dbname",
                               "client_encoding",           static_cast<const char*>(nullptr)};
  const std::array values = {timeout.c_str(),
                             "3",
                             "1",
                             "3",
                             "6000",
                             "read-write",
                             "longshore",
                             target.connection.c_str(),
                             "UTF8",
                             static_cast<const char*>(nullptr)};
  connection->handle_.reset(PQconnectdbParams(keywords.data(), values.data(), 1));
  PGconn* handle = connection->handle_.get();
  if (handle == nullptr) return fail(external_error(kUnavailable, "out of memory while connecting"));
  if (PQstatus(handle) != CONNECTION_OK) {
    return fail(external_error(kUnavailable, fmt::format("the metadata store {} cannot be reached: {}", target.where,
                                                         without_password(trimmed(PQerrorMessage(handle)), handle))));
  }
  PQsetNoticeProcessor(
      handle, [](void*, const char*) {}, nullptr);
  // For its whole life: then several statements travel together, and every wait is ours, with a limit.
  if (PQsetnonblocking(handle, 1) != 0 || PQenterPipelineMode(handle) != 1) return fail(connection->lost("be used"));
  return connection;
}

Error PostgresConnection::lost(std::string_view doing) {
  return lost(doing, without_password(trimmed(PQerrorMessage(handle_.get())), handle_.get()));
}

Error PostgresConnection::lost(std::string_view doing, std::string_view detail) {
  broken_ = true;
  return postgres_error("", target_.where, doing, detail);
}

Status PostgresConnection::send(const Command& command, std::string_view doing) {
  std::vector<std::string> digits;
  digits.reserve(command.params.size());
  std::vector<const char*> values;
  values.reserve(command.params.size());
  for (const Param& param : command.params) {
    if (const auto* number = std::get_if<std::int64_t>(&param.value())) {
      values.push_back(digits.emplace_back(std::to_string(*number)).c_str());
    } else if (const auto* text = std::get_if<std::string>(&param.value())) {
      if (text->find('\0') != std::string::npos) {
        return fail(postgres_error("22021", target_.where, doing, "a text contains a NUL character"));
      }
      values.push_back(text->c_str());
    } else {
      values.push_back(nullptr);
    }
  }
  if (PQsendQueryParams(handle_.get(), command.sql, static_cast<int>(values.size()), nullptr, values.data(), nullptr,
                        nullptr, 0) != 1) {
    return fail(lost(doing));
  }
  return {};
}

Result<std::vector<Rows>> PostgresConnection::run(std::initializer_list<Command> commands, std::string_view doing) {
  for (const Command& command : commands) {
    if (auto sent = send(command, doing); !sent) {
      // Half a pipeline is queued; the session is dropped rather than tidied up.
      broken_ = true;
      return fail(std::move(sent).error());
    }
  }
  if (PQpipelineSync(handle_.get()) != 1) return fail(lost(doing));
  const SteadyTime deadline = std::chrono::steady_clock::now() + target_.answer_timeout;
  std::vector<Rows> answers;
  answers.reserve(commands.size());
  std::optional<Error> first_error;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    auto answer = receive(deadline, doing);
    if (answer) {
      answers.push_back(*std::move(answer));
    } else if (broken_) {
      return fail(first_error ? *std::move(first_error) : std::move(answer).error());
    } else if (!first_error) {
      first_error = std::move(answer).error();
    }
  }
  TRY(const ResultHandle sync, next_result(deadline, doing));
  if (sync == nullptr || PQresultStatus(sync.get()) != PGRES_PIPELINE_SYNC) {
    return fail(lost(doing, "an unexpected answer"));
  }
  if (first_error) return fail(*std::move(first_error));
  return answers;
}

Result<Rows> PostgresConnection::receive(SteadyTime deadline, std::string_view doing) {
  TRY(ResultHandle result, next_result(deadline, doing));
  if (result == nullptr) return fail(lost(doing, "an answer is missing"));
  auto rows = read(std::move(result), doing);
  // After such a farewell the server closes the connection; there is nothing more to read.
  if (!rows && rows.error().code == kDisconnected) broken_ = true;
  if (broken_) return rows;
  TRY(const ResultHandle end, next_result(deadline, doing));
  if (end != nullptr) return fail(lost(doing, "more than one answer"));
  return rows;
}

Result<PostgresConnection::ResultHandle> PostgresConnection::next_result(SteadyTime deadline, std::string_view doing) {
  PGconn* handle = handle_.get();
  while (true) {
    const int unsent = PQflush(handle);
    if (unsent < 0) return fail(lost(doing));
    if (PQisBusy(handle) == 0) break;
    if (!wait_for(PQsocket(handle), unsent > 0, deadline, target_.hurry)) {
      return fail(lost(doing, target_.hurry.stop_requested()
                                  ? std::string("no answer in time, while this process ends")
                                  : fmt::format("no answer for {} s", target_.answer_timeout.count() / 1'000'000)));
    }
    if (PQconsumeInput(handle) != 1) return fail(lost(doing));
  }
  return ResultHandle(PQgetResult(handle));
}

Result<Rows> PostgresConnection::read(ResultHandle result, std::string_view doing) {
  const ExecStatusType status = PQresultStatus(result.get());
  if (status == PGRES_PIPELINE_ABORTED) {
    return fail(postgres_error("25P02", target_.where, doing, "a statement before it failed"));
  }
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
    const char* state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
    const char* primary = PQresultErrorField(result.get(), PG_DIAG_MESSAGE_PRIMARY);
    std::string message = primary != nullptr ? primary : trimmed(PQresultErrorMessage(result.get()));
    if (const char* detail = PQresultErrorField(result.get(), PG_DIAG_MESSAGE_DETAIL)) {
      message += ": " + std::string(detail);
    }
    return fail(postgres_error(state == nullptr ? "" : state, target_.where, doing,
                               without_password(std::move(message), handle_.get())));
  }
  last_tag_ = PQcmdStatus(result.get());
  std::vector<std::string> columns;
  const int width = PQnfields(result.get());
  columns.reserve(static_cast<std::size_t>(width));
  for (int column = 0; column < width; ++column) columns.emplace_back(PQfname(result.get(), column));
  std::vector<Cell> cells;
  const int height = PQntuples(result.get());
  cells.reserve(static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  for (int row = 0; row < height; ++row) {
    for (int column = 0; column < width; ++column) {
      if (PQgetisnull(result.get(), row, column) != 0) {
        cells.emplace_back();
      } else {
        cells.emplace_back(std::in_place_type<std::string>, PQgetvalue(result.get(), row, column),
                           static_cast<std::size_t>(PQgetlength(result.get(), row, column)));
      }
    }
  }
  std::int64_t changed = 0;
  if (!last_tag_.starts_with("SELECT")) changed = std::atoll(PQcmdTuples(result.get()));
  return Rows(std::move(columns), std::move(cells), changed);
}

bool PostgresConnection::alive() {
  // What an idle server has to say is a farewell, closing the connection behind it, or a changed setting. The end of
  // the stream is only seen after everything before it was read.
  PGconn* handle = handle_.get();
  for (int i = 0; i < 4 && !broken_ && PQstatus(handle) == CONNECTION_OK; ++i) {
    pollfd entry{.fd = PQsocket(handle), .events = POLLIN, .revents = 0};
    if (::poll(&entry, 1, 0) == 0) return true;
    if (PQconsumeInput(handle) != 1) break;
    static_cast<void>(PQisBusy(handle));  // takes in what was read
  }
  broken_ = true;
  return false;
}

std::string PostgresConnection::parameter(const char* name) const {
  const char* value = PQparameterStatus(handle_.get(), name);
  return value == nullptr ? std::string() : std::string(value);
}

bool PostgresConnection::take_notifications() {
  bool from_others = false;
  while (PGnotify* notification = PQnotifies(handle_.get())) {
    if (notification->be_pid != PQbackendPID(handle_.get())) from_others = true;
    PQfreemem(notification);
  }
  return from_others;
}

Status check_connection_string(const std::string& connection) {
  if (parse_connection(connection) != nullptr) return {};
  return fail(user_error("bad_metadata_connection",
                         "the connection string of the metadata store cannot be read; expected "
                         "`host=… dbname=… user=…` or a postgresql:// URI"));
}

std::string describe_connection(const std::string& connection) {
  const Options options = parse_connection(connection);
  const auto value = [&](std::string_view keyword) -> std::string {
    for (const PQconninfoOption* option = options.get(); option != nullptr && option->keyword != nullptr; ++option) {
      if (keyword == option->keyword && option->val != nullptr) return option->val;
    }
    return {};
  };
  std::string host = value("host");
  if (host.empty()) host = value("hostaddr");
  if (host.empty()) host = "localhost";
  const std::string port = value("port");
  std::string database = value("dbname");
  if (database.empty()) database = value("user");
  return fmt::format("postgresql://{}{}{}/{}", host, port.empty() ? "" : ":", port, database);
}

}  // namespace longshore::sql
