#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/strong_id.h"

/// The thin layer between the store's SQL and a database. The store is written once against it; a database is a
/// Database, its Transaction, a Dialect (dialect.h) and a list of migrations.
namespace longshore::sql {

/// A value bound to `$n`. Times travel as microseconds since 1970, JSON and arrays of text as JSON text.
class Param {
 public:
  using Value = std::variant<std::monostate, std::int64_t, std::string>;

  Param(std::nullopt_t) {}
  template <std::integral T>
  Param(T value) : value_(static_cast<std::int64_t>(value)) {}
  Param(std::string value) : value_(std::move(value)) {}
  Param(std::string_view value) : value_(std::string(value)) {}
  Param(const char* value) : value_(std::string(value)) {}
  template <class Tag>
  Param(const StrongId<Tag>& id) : value_(id.str()) {}
  Param(Timestamp time) : value_(static_cast<std::int64_t>(time.time_since_epoch().count())) {}
  Param(Duration duration) : value_(static_cast<std::int64_t>(duration.count())) {}
  template <class T>
  Param(const std::optional<T>& value) {
    if (value) value_ = Param(*value).value_;
  }

  const Value& value() const { return value_; }

 private:
  Value value_;
};

/// NULL for the empty string, which is how model types spell "none".
inline Param null_if_empty(const std::string& text) {
  return text.empty() ? Param(std::nullopt) : Param(text);
}

/// One field of a result: NULL, an integer, or text. A driver may hand integers over as their digits.
using Cell = std::variant<std::monostate, std::int64_t, std::string>;

class Rows;

/// One row of a result; a view into its Rows. Getters throw std::logic_error for a column that the statement does not
/// have or a value of another type: both are bugs.
class Row {
 public:
  Row(const Rows& rows, std::size_t index) : rows_(&rows), index_(index) {}

  bool is_null(std::string_view column) const;
  /// 0 when NULL.
  std::int64_t integer(std::string_view column) const;
  bool flag(std::string_view column) const { return integer(column) != 0; }
  /// Empty when NULL.
  std::string text(std::string_view column) const;
  /// From microseconds; REQUIRES: not NULL.
  Timestamp time(std::string_view column) const;
  std::optional<Timestamp> optional_time(std::string_view column) const;

 private:
  const Cell& cell(std::string_view column) const;

  const Rows* rows_;
  std::size_t index_;
};

/// All rows that a statement returned, and how many it changed.
class Rows {
 public:
  class Iterator {
   public:
    Iterator(const Rows& rows, std::size_t index) : rows_(&rows), index_(index) {}
    Row operator*() const { return {*rows_, index_}; }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    bool operator==(const Iterator& other) const { return index_ == other.index_; }

   private:
    const Rows* rows_;
    std::size_t index_;
  };

  Rows() = default;
  /// `cells`: row after row, each as long as `columns`.
  Rows(std::vector<std::string> columns, std::vector<Cell> cells, std::int64_t changed)
      : columns_(std::move(columns)), cells_(std::move(cells)), changed_(changed) {}

  std::size_t size() const { return columns_.empty() ? 0 : cells_.size() / columns_.size(); }
  bool empty() const { return cells_.empty(); }
  /// REQUIRES: index < size().
  Row operator[](std::size_t index) const { return {*this, index}; }
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, size()}; }
  std::int64_t changed() const { return changed_; }

 private:
  friend class Row;

  std::vector<std::string> columns_;
  std::vector<Cell> cells_;
  std::int64_t changed_ = 0;
};

/// Error codes of this layer. A lost connection, a lock held too long, a full or failing disk:
inline constexpr char kUnavailable[] = "metadata_unavailable";  ///< external, retriable
inline constexpr char kCorrupt[] = "metadata_corrupt";          ///< external, not retriable
inline constexpr char kDuplicate[] = "metadata_duplicate";      ///< internal: a unique constraint
inline constexpr char kConstraint[] = "metadata_constraint";    ///< internal: any other constraint
inline constexpr char kStatement[] = "metadata_statement";      ///< internal: the SQL or a bind is wrong
/// Two that transact() answers by beginning again, and callers of it never see (they see kUnavailable). In both, the
/// transaction has changed nothing: others were in its way, or the connection broke before it was committed.
inline constexpr char kConflict[] = "metadata_conflict";          ///< external, retriable
inline constexpr char kDisconnected[] = "metadata_disconnected";  ///< external, retriable

/// One transaction on a connection of its own; commit() publishes, the destructor rolls back. Used by one thread.
class Transaction {
 public:
  virtual ~Transaction() = default;

  /// Runs one statement to its end. `sql` holds `$1…$n` for the parameters and the words of dialect.h in braces, e.g.
  /// `UPDATE t SET at = {now} WHERE id = $1`. The driver keeps what it made of each distinct text, so texts must be a
  /// fixed set: values always go through parameters. After an error only the destructor may follow.
  Result<Rows> query(std::string_view sql, std::initializer_list<Param> params = {}) {
    return run(sql, {params.begin(), params.size()});
  }
  Result<Rows> query(std::string_view sql, const std::vector<Param>& params) {
    return run(sql, {params.data(), params.size()});
  }
  /// The number of rows changed.
  Result<std::int64_t> execute(std::string_view sql, std::initializer_list<Param> params = {}) {
    TRY(const Rows rows, run(sql, {params.begin(), params.size()}));
    return rows.changed();
  }
  /// Makes it durable. After an error it is unknown whether it became so, except where the code says that nothing was
  /// changed (kConflict, kDisconnected).
  virtual Status commit() = 0;

 protected:
  virtual Result<Rows> run(std::string_view sql, std::span<const Param> params) = 0;
};

enum class Access {
  lookup,     ///< a single statement that reads; the cheapest, for it needs no transaction around it
  read,       ///< sees one state of the database, and may not write
  write,      ///< holds off other writers of the same rows from when it locks them (SQLite: of the database, at once)
  migration,  ///< a write that may take long
};

/// One step of the schema. `statements` are plain SQL of the driver's database, run in one transaction.
struct Migration {
  int version = 0;
  std::string_view name;
  std::span<const char* const> statements;
};

class Dialect;

/// A pool of connections to one database. Thread-safe.
class Database {
 public:
  virtual ~Database() = default;
  /// Waits for a connection and, for writes, for the lock; at most some seconds, then `metadata_unavailable`.
  virtual Result<std::unique_ptr<Transaction>> begin(Access access) = 0;
  virtual const Dialect& dialect() const = 0;
  /// In order of version, without gaps, from 1.
  virtual std::span<const Migration> migrations() const = 0;
  /// For messages: the file, or host and database name; no secrets.
  virtual const std::string& where() const = 0;
};

/// How often a transaction that changed nothing is begun again.
class Retries {
 public:
  /// Whether to begin again after `error`, having waited a moment (with jitter, growing) if others were in the way.
  /// Otherwise `error` becomes what callers know.
  bool again(Error& error);

 private:
  int conflicts_ = 0;
  int disconnections_ = 0;
};

/// Runs `body(transaction)`, which returns a Result or Status, and commits if it succeeded. It may run `body` several
/// times, each in a transaction of its own, of which all but the last were rolled back: `body` must not keep anything
/// outside of itself that a second run would not replace.
template <class Body>
std::invoke_result_t<Body&, Transaction&> transact(Database& database, Access access, Body&& body) {
  const auto once = [&]() -> std::invoke_result_t<Body&, Transaction&> {
    TRY(const auto transaction, database.begin(access));
    auto result = body(*transaction);
    if (result) CHECK_OK(transaction->commit());
    return result;
  };
  for (Retries retries;;) {
    auto result = once();
    if (result || !retries.again(result.error())) return result;
  }
}

}  // namespace longshore::sql
