#include "scan/sqlite/connection.h"

#include <sqlite3.h>

#include <array>
#include <utility>

#include "scan/scan_errors.h"

namespace longshore {

namespace {

constexpr int kBusyTimeoutMs = 5000;
/// Steps of SQLite's virtual machine between two looks at the clock and at `stop`: well under a millisecond.
constexpr int kProgressSteps = 4000;
constexpr std::string_view kUnreadable = "longshore cannot read ";

SqliteValue value_of(sqlite3_value* value) {
  const auto bytes = [&](const void* data) {
    return std::string_view(static_cast<const char*>(data), static_cast<std::size_t>(sqlite3_value_bytes(value)));
  };
  switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER:
      return SqliteValue::of(static_cast<std::int64_t>(sqlite3_value_int64(value)));
    case SQLITE_FLOAT:
      return SqliteValue::of(sqlite3_value_double(value));
    case SQLITE_TEXT:
      return SqliteValue::of_text(bytes(sqlite3_value_text(value)));
    case SQLITE_BLOB:
      return SqliteValue::of_blob(bytes(sqlite3_value_blob(value)));
    default:
      return {};
  }
}

template <class Reader>
void apply(sqlite3_context* context, sqlite3_value** arguments, Reader read, const char* what) {
  const SqliteValue value = value_of(arguments[0]);
  if (value.storage == SqliteValue::Storage::null) {
    sqlite3_result_null(context);
    return;
  }
  if (const auto number = read(value)) {
    sqlite3_result_int64(context, static_cast<sqlite3_int64>(*number));
    return;
  }
  // NULL would silently drop the row from a filtered export.
  const std::string message = std::string(kUnreadable) + "the stored value '" + value.to_text() + "' as a " + what;
  sqlite3_result_error(context, message.c_str(), static_cast<int>(message.size()));
}

void micros_function(sqlite3_context* context, int, sqlite3_value** arguments) {
  apply(context, arguments, sqlite_micros, "timestamp");
}
void days_function(sqlite3_context* context, int, sqlite3_value** arguments) {
  apply(context, arguments, sqlite_days, "date");
}
void time_function(sqlite3_context* context, int, sqlite3_value** arguments) {
  apply(context, arguments, sqlite_time, "time");
}
void bool_function(sqlite3_context* context, int, sqlite3_value** arguments) {
  apply(context, arguments, sqlite_boolean, "bool");
}

}  // namespace

SqliteStatement::~SqliteStatement() {
  sqlite3_finalize(handle_);
}

SqliteStatement::SqliteStatement(SqliteStatement&& other) noexcept
    : connection_(other.connection_), handle_(std::exchange(other.handle_, nullptr)) {}

SqliteStatement& SqliteStatement::operator=(SqliteStatement&& other) noexcept {
  if (this != &other) {
    sqlite3_finalize(handle_);
    connection_ = other.connection_;
    handle_ = std::exchange(other.handle_, nullptr);
  }
  return *this;
}

Status SqliteStatement::bind(int index, const SqliteValue& value) {
  int code = SQLITE_OK;
  const auto size = static_cast<sqlite3_uint64>(value.bytes.size());
  // A null pointer would bind NULL instead of empty bytes.
  const char* const bytes = value.bytes.data() == nullptr ? "" : value.bytes.data();
  switch (value.storage) {
    case SqliteValue::Storage::null:
      code = sqlite3_bind_null(handle_, index);
      break;
    case SqliteValue::Storage::integer:
      code = sqlite3_bind_int64(handle_, index, value.integer);
      break;
    case SqliteValue::Storage::real:
      code = sqlite3_bind_double(handle_, index, value.real);
      break;
    case SqliteValue::Storage::text:
      code = sqlite3_bind_text64(handle_, index, bytes, size, SQLITE_TRANSIENT, SQLITE_UTF8);
      break;
    case SqliteValue::Storage::blob:
      code = sqlite3_bind_blob64(handle_, index, bytes, size, SQLITE_TRANSIENT);
      break;
  }
  if (code != SQLITE_OK) return fail(connection_->failure(code));
  return {};
}

Result<bool> SqliteStatement::step() {
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return fail(connection_->failure(code));
}

void SqliteStatement::reset() {
  sqlite3_reset(handle_);
  sqlite3_clear_bindings(handle_);
}

SqliteValue SqliteStatement::column(int index) const {
  switch (sqlite3_column_type(handle_, index)) {
    case SQLITE_INTEGER:
      return SqliteValue::of(static_cast<std::int64_t>(sqlite3_column_int64(handle_, index)));
    case SQLITE_FLOAT:
      return SqliteValue::of(sqlite3_column_double(handle_, index));
    case SQLITE_TEXT: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(handle_, index));
      return SqliteValue::of_text({text, static_cast<std::size_t>(sqlite3_column_bytes(handle_, index))});
    }
    case SQLITE_BLOB: {
      const auto* blob = static_cast<const char*>(sqlite3_column_blob(handle_, index));
      return SqliteValue::of_blob({blob, static_cast<std::size_t>(sqlite3_column_bytes(handle_, index))});
    }
    default:
      return {};
  }
}

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(const std::string& path, std::stop_token stop) {
  std::unique_ptr<SqliteConnection> connection(new SqliteConnection(path, std::move(stop)));
  const int opened =
      sqlite3_open_v2(path.c_str(), &connection->handle_, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
  if (opened != SQLITE_OK) return fail(connection->failure(opened));
  sqlite3* const handle = connection->handle_;
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  // SQLite would otherwise take the quoted name of a column that is not there for a string, and export that.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_progress_handler(handle, kProgressSteps, &SqliteConnection::on_progress, connection.get());
  CHECK_OK(connection->register_functions());
  TRY(SqliteStatement read_only, connection->prepare("PRAGMA query_only = 1"));
  CHECK_OK(read_only.step());
  return connection;
}

SqliteConnection::~SqliteConnection() {
  sqlite3_close(handle_);
}

Result<SqliteStatement> SqliteConnection::prepare(const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(handle_, sql.c_str(), static_cast<int>(sql.size()) + 1, &statement, nullptr);
  if (code != SQLITE_OK) return fail(failure(code));
  return SqliteStatement(*this, statement);
}

void SqliteConnection::set_time_limit(std::optional<std::chrono::milliseconds> limit) {
  deadline_.reset();
  if (limit) deadline_ = std::chrono::steady_clock::now() + *limit;
}

int SqliteConnection::on_progress(void* self) {
  const auto& connection = *static_cast<SqliteConnection*>(self);
  if (connection.stop_.stop_requested()) return 1;
  return connection.deadline_ && std::chrono::steady_clock::now() > *connection.deadline_ ? 1 : 0;
}

Status SqliteConnection::register_functions() {
  struct Function {
    const char* name;
    void (*body)(sqlite3_context*, int, sqlite3_value**);
  };
  constexpr std::array kFunctions = {
      Function{"longshore_micros", micros_function}, Function{"longshore_days", days_function},
      Function{"longshore_time", time_function}, Function{"longshore_bool", bool_function}};
  for (const Function& function : kFunctions) {
    const int code =
        sqlite3_create_function_v2(handle_, function.name, 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY,
                                   nullptr, function.body, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return fail(failure(code));
  }
  return {};
}

Error SqliteConnection::failure(int code) const {
  const std::string said = handle_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(handle_);
  const std::string message = path_ + ": " + said;
  switch (code & 0xFF) {
    case SQLITE_INTERRUPT:
      return stop_.stop_requested() ? scan_stopped() : source_timeout(path_ + ": the statement takes too long");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_FULL:
    case SQLITE_NOMEM:
    case SQLITE_SCHEMA:
    case SQLITE_PROTOCOL:
      return source_unavailable(message);
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
      return source_denied(message);
    default:
      break;
  }
  if (said.starts_with("no such column") || said.starts_with("no such table") || said.starts_with("no such view")) {
    return source_schema_changed(message + "; run `longshore catalog check`");
  }
  if (said.starts_with(kUnreadable)) return external_error("source_value_mismatch", message, false);
  return source_query_failed(message);
}

}  // namespace longshore
