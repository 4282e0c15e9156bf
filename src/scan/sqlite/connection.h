#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/result.h"
#include "scan/sqlite/value.h"

struct sqlite3;
struct sqlite3_stmt;

namespace longshore {

class SqliteConnection;

/// A prepared statement. Not thread-safe; must not outlive its connection.
class SqliteStatement {
 public:
  SqliteStatement() = default;
  ~SqliteStatement();
  SqliteStatement(SqliteStatement&& other) noexcept;
  SqliteStatement& operator=(SqliteStatement&& other) noexcept;

  /// Parameter `index` counts from 1. The bytes are copied.
  Status bind(int index, const SqliteValue& value);
  /// Whether there is a row. Errors as SqliteConnection's.
  Result<bool> step();
  /// Ready to be bound and run again.
  void reset();
  /// A value of the current row, from 0; valid until the next step() or reset().
  SqliteValue column(int index) const;
  /// The same as text that outlives the row; empty for NULL.
  std::string text(int index) const { return column(index).to_text(); }

 private:
  friend class SqliteConnection;
  SqliteStatement(SqliteConnection& connection, sqlite3_stmt* handle) : connection_(&connection), handle_(handle) {}

  SqliteConnection* connection_ = nullptr;
  sqlite3_stmt* handle_ = nullptr;
};

/// A read-only connection to a database file. Every statement ends within about a millisecond of `stop` (error
/// `scan_stopped`). Errors otherwise: `source_unavailable` (locked, not there, I/O), `source_schema_changed` (no such
/// table or column), `source_denied`, `source_timeout`, `source_query_failed`. Not thread-safe.
///
/// Beside SQLite's own functions a statement can use those that read a value as this room reads it, whatever form it is
/// stored in: longshore_micros(x), longshore_days(x), longshore_time(x), longshore_bool(x).
class SqliteConnection {
 public:
  static Result<std::unique_ptr<SqliteConnection>> open(const std::string& path, std::stop_token stop);
  ~SqliteConnection();
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  Result<SqliteStatement> prepare(const std::string& sql);
  /// From now on a statement that works longer fails with `source_timeout`; counted anew by each call.
  void set_time_limit(std::optional<std::chrono::milliseconds> limit);

 private:
  friend class SqliteStatement;
  SqliteConnection(std::string path, std::stop_token stop) : path_(std::move(path)), stop_(std::move(stop)) {}

  static int on_progress(void* self);
  Status register_functions();
  Error failure(int code) const;

  std::string path_;
  std::stop_token stop_;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
  sqlite3* handle_ = nullptr;
};

}  // namespace longshore
