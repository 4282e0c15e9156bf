#pragma once

#include <sqlite3.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "metadata/dialect.h"
#include "metadata/sql.h"

namespace longshore::sql {

/// One SQLite connection and its prepared statements. Used by one thread at a time. Included only by .cpp files.
class SqliteConnection {
 public:
  /// Opens (and for writers creates) the file. REQUIRES: `clock` and `dialect` outlive the connection.
  static Result<std::unique_ptr<SqliteConnection>> open(const std::string& path, Access access, Duration busy_timeout,
                                                        const Clock& clock, const Dialect& dialect);
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  /// Runs one statement to its end.
  Result<Rows> run(std::string_view sql, std::span<const Param> params);
  Status begin();
  Status commit();
  /// Whether the connection is fit for another transaction afterwards.
  bool roll_back();

 private:
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  struct Closer {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  struct Statement {
    std::unique_ptr<sqlite3_stmt, Finalizer> handle;
    std::vector<std::size_t> parameters;  ///< for each of SQLite's, in its order: the n of `$n`
    std::vector<std::string> columns;
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  SqliteConnection(std::string path, Access access, const Dialect& dialect)
      : path_(std::move(path)), access_(access), dialect_(dialect) {}
  Status configure(Duration busy_timeout, const Clock& clock);
  Status use_write_ahead_log(Duration patience);
  Result<Statement*> prepare(std::string_view sql);
  Status bind(Statement& statement, std::span<const Param> params);
  Error error(int code, std::string_view doing) const;

  std::string path_;
  Access access_;
  const Clock* clock_ = nullptr;     ///< set by configure()
  std::int64_t statement_time_ = 0;  ///< what longshore_now() answers
  const Dialect& dialect_;
  std::unique_ptr<sqlite3, Closer> handle_;
  // After handle_, so that statements are finalized before the connection closes.
  std::unordered_map<std::string, Statement, TextHash, std::equal_to<>> statements_;
};

}  // namespace longshore::sql
