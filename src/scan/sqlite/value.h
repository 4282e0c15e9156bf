#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "batch/column_vector.h"

namespace longshore {

/// A value as SQLite keeps it: of its own storage class, whatever the column was declared as. Refers to bytes that
/// somebody else owns.
struct SqliteValue {
  enum class Storage : std::uint8_t { null, integer, real, text, blob };

  Storage storage = Storage::null;
  std::int64_t integer = 0;
  double real = 0;
  std::string_view bytes;  ///< of text and blob

  static SqliteValue of(std::int64_t value);
  static SqliteValue of(double value);
  static SqliteValue of_text(std::string_view value);
  static SqliteValue of_blob(std::string_view value);
  /// Digits, shortest digits, or the bytes; empty for NULL.
  std::string to_text() const;
};

// How a stored value is read as a type. nullopt when it cannot be.

/// Text `YYYY-MM-DD[ T]HH:MM[:SS[.ffffff]][Z|±hh[:mm]]` or a date alone, taken as UTC when it has no offset; or an
/// integer: seconds since 1970. Not a real number: it might be a Julian day as well as seconds.
std::optional<std::int64_t> sqlite_micros(const SqliteValue& value);
/// Text `YYYY-MM-DD`, also as a timestamp at midnight; or an integer of seconds since 1970 at midnight.
std::optional<std::int32_t> sqlite_days(const SqliteValue& value);
/// Text `HH:MM[:SS[.ffffff]]`; microseconds since midnight.
std::optional<std::int64_t> sqlite_time(const SqliteValue& value);
/// 0 and 1, or `true`, `false`, `t`, `f`, `1`, `0` in any case.
std::optional<bool> sqlite_boolean(const SqliteValue& value);
/// Text with or without hyphens, or 16 bytes.
std::optional<std::array<std::uint8_t, 16>> sqlite_uuid(const SqliteValue& value);

/// Appends a value that is not null as the column's type; false (and nothing appended) when it cannot be one.
///
/// Numbers may be stored as text and the other way round, but never lose anything: 1.5 is no integer. A real number for
/// numeric(p,s) counts by its shortest digits, or by the 15 digits that SQLite itself shows if only these fit the
/// scale.
bool append_sqlite_value(const SqliteValue& value, ColumnVector& column);

}  // namespace longshore
