#include "metadata/sqlite/sqlite_connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "metadata/sqlite/sqlite_error.h"

namespace longshore::sql {
namespace {

/// `longshore_now()`: the time at which the statement began, in microseconds since 1970. All users of the file are on
/// one machine, so its clock is the database's.
void now_function(sqlite3_context* context, int, sqlite3_value**) {
  sqlite3_result_int64(context, *static_cast<const std::int64_t*>(sqlite3_user_data(context)));
}

/// The beginning of a statement, for messages.
std::string excerpt(std::string_view sql) {
  std::string text;
  for (const char c : sql) {
    const bool space = c == ' ' || c == '\n';
    if (space && (text.empty() || text.back() == ' ')) continue;
    if (text.size() == 60) return text + "…";
    text += space ? ' ' : c;
  }
  return text;
}

Cell read_cell(sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_NULL:
      return {};
    case SQLITE_INTEGER:
      return static_cast<std::int64_t>(sqlite3_column_int64(statement, column));
    default: {
      const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
      return std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement, column)));
    }
  }
}

/// Makes a statement ready for its next use, whatever became of this one.
struct ResetAtExit {
  sqlite3_stmt* statement;
  ~ResetAtExit() {
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
  }
};

}  // namespace

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(const std::string& path, Access access,
                                                                 Duration busy_timeout, const Clock& clock,
                                                                 const Dialect& dialect) {
  std::unique_ptr<SqliteConnection> connection(new SqliteConnection(path, access, dialect));
  // NOMUTEX: the pool gives a connection to one thread at a time.
  const int flags = SQLITE_OPEN_READWRITE | (access == Access::write ? SQLITE_OPEN_CREATE : 0) | SQLITE_OPEN_NOMUTEX;
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  connection->handle_.reset(handle);
  if (code != SQLITE_OK) return fail(connection->error(code, "be opened"));
  CHECK_OK(connection->configure(busy_timeout, clock));
  return connection;
}

Status SqliteConnection::configure(Duration busy_timeout, const Clock& clock) {
  sqlite3* db = handle_.get();
  sqlite3_extended_result_codes(db, 1);
  const auto patience = std::chrono::ceil<std::chrono::milliseconds>(busy_timeout);
  sqlite3_busy_timeout(db, static_cast<int>(patience.count()));
  // A double-quoted word is an identifier and never a string, so that a misspelt column is an error.
  sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  // DETERMINISTIC in SQLite's sense, "the same within a single SQL statement", so that an index can be searched by it.
  // It is still called once for each place where it stands, which is why the time is taken beforehand, in run().
  clock_ = &clock;
  const int code =
      sqlite3_create_function_v2(db, "longshore_now", 0, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY,
                                 &statement_time_, now_function, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return fail(error(code, "register a function"));

  if (access_ == Access::write) {
    if (sqlite3_db_readonly(db, "main") == 1) return fail(error(SQLITE_READONLY, "be opened for writing"));
    CHECK_OK(use_write_ahead_log(busy_timeout));
    // FULL: a commit survives a power cut, as a checkpoint promises. NORMAL would lose the last commits.
    CHECK_OK(run("PRAGMA synchronous = FULL", {}));
    CHECK_OK(run("PRAGMA journal_size_limit = 67108864", {}));
  } else {
    CHECK_OK(run("PRAGMA query_only = ON", {}));
  }
  CHECK_OK(run("PRAGMA foreign_keys = ON", {}));
  CHECK_OK(run("PRAGMA temp_store = MEMORY", {}));
  // 1 MiB of pages for each connection; the indexes that are polled fit easily.
  CHECK_OK(run("PRAGMA cache_size = -1024", {}));
  return {};
}

Status SqliteConnection::use_write_ahead_log(Duration patience) {
  // The switch needs the file for itself and does not always ask the busy handler, so two processes that start at once
  // on a new file may meet here. Once switched, the mode stays with the file.
  const auto step = std::chrono::milliseconds{5};
  for (Duration waited{};; waited += step) {
    auto mode = run("PRAGMA journal_mode = WAL", {});
    if (mode) {
      if (mode->size() == 1 && (*mode)[0].text("journal_mode") == "wal") return {};
      return fail(
          external_error(kUnavailable,
                         fmt::format("the metadata store {} cannot use a write-ahead log there: put it on a local disk "
                                     "(network file systems do not work)",
                                     path_),
                         false));
    }
    if (waited >= patience || !mode.error().retriable) return fail(std::move(mode).error());
    sqlite3_sleep(static_cast<int>(step.count()));
  }
}

Result<SqliteConnection::Statement*> SqliteConnection::prepare(std::string_view sql) {
  if (const auto found = statements_.find(sql); found != statements_.end()) return &found->second;
  const std::string text = expand(dialect_, sql);
  sqlite3_stmt* handle = nullptr;
  const char* tail = nullptr;
  const int code = sqlite3_prepare_v3(handle_.get(), text.data(), static_cast<int>(text.size()),
                                      SQLITE_PREPARE_PERSISTENT, &handle, &tail);
  Statement statement;
  statement.handle.reset(handle);
  if (code != SQLITE_OK) return fail(error(code, "prepare `" + excerpt(sql) + "`"));
  for (int i = 1; i <= sqlite3_bind_parameter_count(handle); ++i) {
    const std::string_view name = sqlite3_bind_parameter_name(handle, i);  // `$12`
    std::size_t number = 0;
    std::from_chars(name.data() + 1, name.data() + name.size(), number);
    statement.parameters.push_back(number);
  }
  for (int i = 0; i < sqlite3_column_count(handle); ++i) statement.columns.emplace_back(sqlite3_column_name(handle, i));
  return &statements_.emplace(sql, std::move(statement)).first->second;
}

Status SqliteConnection::bind(Statement& statement, std::span<const Param> params) {
  sqlite3_stmt* handle = statement.handle.get();
  for (std::size_t i = 0; i < statement.parameters.size(); ++i) {
    const std::size_t number = statement.parameters[i];
    if (number < 1 || number > params.size()) {
      throw std::logic_error("no value for $" + std::to_string(number) + " in " + excerpt(sqlite3_sql(handle)));
    }
    const int position = static_cast<int>(i) + 1;
    const Param::Value& value = params[number - 1].value();
    int code = SQLITE_OK;
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      code = sqlite3_bind_int64(handle, position, *integer);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      // STATIC: the parameters outlive the statement's run, which ends before this connection's run() returns.
      code = sqlite3_bind_text64(handle, position, text->data(), text->size(), SQLITE_STATIC, SQLITE_UTF8);
    } else {
      code = sqlite3_bind_null(handle, position);
    }
    if (code != SQLITE_OK) return fail(error(code, "bind a value of `" + excerpt(sqlite3_sql(handle)) + "`"));
  }
  return {};
}

Result<Rows> SqliteConnection::run(std::string_view sql, std::span<const Param> params) {
  TRY(Statement * statement, prepare(sql));
  sqlite3_stmt* handle = statement->handle.get();
  const ResetAtExit reset{handle};
  CHECK_OK(bind(*statement, params));
  if (clock_ != nullptr) statement_time_ = clock_->now().time_since_epoch().count();
  std::vector<Cell> cells;
  int code = sqlite3_step(handle);
  for (; code == SQLITE_ROW; code = sqlite3_step(handle)) {
    for (int i = 0; i < static_cast<int>(statement->columns.size()); ++i) cells.push_back(read_cell(handle, i));
  }
  if (code != SQLITE_DONE) return fail(error(code, "run `" + excerpt(sql) + "`"));
  const std::int64_t changed = sqlite3_stmt_readonly(handle) != 0 ? 0 : sqlite3_changes64(handle_.get());
  return Rows(statement->columns, std::move(cells), changed);
}

Status SqliteConnection::begin() {
  // IMMEDIATE takes the write lock at once: a transaction that reads first and writes later could otherwise find that
  // another has written meanwhile, which SQLite can only answer with an error.
  auto done = run(access_ == Access::write ? "BEGIN IMMEDIATE" : "BEGIN", {});
  if (!done) return fail(std::move(done).error());
  return {};
}

Status SqliteConnection::commit() {
  auto done = run("COMMIT", {});
  if (!done) return fail(std::move(done).error());
  return {};
}

bool SqliteConnection::roll_back() {
  // After some errors (disk full, I/O) SQLite has rolled back already.
  if (sqlite3_get_autocommit(handle_.get()) != 0) return true;
  return run("ROLLBACK", {}).has_value();
}

Error SqliteConnection::error(int code, std::string_view doing) const {
  // The handle's own message belongs to its last call, which may not be the one that failed.
  const bool own = handle_ != nullptr && sqlite3_errcode(handle_.get()) == code;
  return sqlite_error(code, path_, doing, own ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(code));
}

}  // namespace longshore::sql
