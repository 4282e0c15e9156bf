#pragma once

#include <string>
#include <string_view>

namespace longshore::sql {

/// The few expressions in which databases differ. Each function is one word that the store's SQL writes in braces, with
/// its arguments separated by `|`; words nest: `{later {now} | $2}`. Arguments are SQL expressions.
class Dialect {
 public:
  virtual ~Dialect() = default;

  /// `{now}`: the database's time, the same all through one statement.
  virtual std::string now() const = 0;
  /// `{later TIME | MICROS}`: a time moved by a number of microseconds, which may be negative.
  virtual std::string later(std::string_view time, std::string_view micros) const = 0;
  /// `{micros TIME}`: a time as microseconds since 1970, for reading.
  virtual std::string micros(std::string_view time) const = 0;
  /// `{time MICROS}`: the opposite, for writing and comparing.
  virtual std::string time(std::string_view micros) const = 0;
  /// `{greatest A | B}`: the larger of two; NULL is not allowed.
  virtual std::string greatest(std::string_view a, std::string_view b) const = 0;
  /// `{json $n}`: JSON text as a value of a JSON column.
  virtual std::string json(std::string_view text) const = 0;
  /// `{text_array $n}`: a JSON array of strings as a value of an array-of-text column.
  virtual std::string text_array(std::string_view json) const = 0;
  /// `{uuids $n}`: a JSON array of UUIDs as a set, for `IN`.
  virtual std::string uuids(std::string_view json) const = 0;
  /// `{lock}` at the end of a SELECT from one table: no other transaction changes these rows until this one ends.
  virtual std::string lock() const = 0;
  /// `{keep}`: these rows stay and keep their keys until this transaction ends. Any number of transactions may keep the
  /// same rows; a `{lock}` waits for all of them.
  virtual std::string keep() const = 0;
  /// `{lock_kept}`: like `{lock}`, but it does not wait for those who only `{keep}` the rows; for changes that leave
  /// keys alone.
  virtual std::string lock_kept() const = 0;
  /// `{skip_locked}`: `{lock}`, passing over rows that another transaction has locked.
  virtual std::string skip_locked() const = 0;
  /// `{share_skip_locked}`: several transactions may hold these rows so at once, and none changes them meanwhile;
  /// passes over rows that another transaction has locked for a change.
  virtual std::string share_skip_locked() const = 0;
  /// A statement that begins a migration: lets one run at a time, and makes what the tables are to lie in. Empty where
  /// nothing is needed.
  virtual std::string migration_lock() const = 0;
};

/// Replaces the words in braces. Throws std::logic_error for an unknown word or unbalanced braces: the SQL is ours.
std::string expand(const Dialect& dialect, std::string_view sql);

}  // namespace longshore::sql
