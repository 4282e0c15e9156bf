#pragma once

#include <cstdint>

#include "base/time_zone.h"

namespace longshore {

/// Text of dates and times. All functions write at `out`, at most 40 bytes, and return the end of what they wrote.
///
/// ISO 8601 / RFC 3339 with a `T`; six fractional digits when there is a fraction of a second and none otherwise
/// (readers such as Python's `fromisoformat` before 3.11 take three or six, but no other count). Years that RFC 3339
/// does not know are spelled as PostgreSQL spells and reads them: more than four digits from the year 10000 on, and
/// ` BC` at the end before the year 1. ISO 8601's signed years would begin a CSV cell with `+` or `-`, which
/// spreadsheets take for a formula. Infinite values are `infinity` and `-infinity`.

/// A calendar day of the proleptic Gregorian calendar. `year` is astronomical: 0 is 1 BC.
struct CivilDay {
  std::int64_t year;
  std::uint32_t month;  ///< 1 to 12
  std::uint32_t day;    ///< 1 to 31
};

/// The day `days` after 1970-01-01. Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
CivilDay civil_day(std::int64_t days);

/// Remembers the text of the day it wrote last: neighbouring rows are often of one day. One for each column.
class DayText {
 public:
  /// Writes `2026-06-06`, without a BC suffix.
  char* write(char* out, std::int64_t days);
  /// Whether the day written last lies before the year 1.
  bool before_christ() const { return before_christ_; }

 private:
  std::int64_t days_ = INT64_MIN;
  char text_[16] = {};  ///< `294276-12-31` is the longest
  std::uint8_t size_ = 0;
  bool before_christ_ = false;
};

/// `days` since 1970-01-01.
char* write_date(char* out, std::int32_t days, DayText& cache);
/// `micros` since midnight, 0 to 24:00:00.
char* write_time(char* out, std::int64_t micros);
/// `micros` since 1970-01-01 00:00:00; with `utc` a `Z` follows.
char* write_timestamp(char* out, std::int64_t micros, bool utc, DayText& cache);
/// `micros` since 1970-01-01 00:00:00 UTC as the clocks of a zone show it, and their offset from UTC: `+02:00`. The day
/// and its cache are those of the zone, so a year can be another than in UTC, also 10000 or 1 BC.
char* write_zoned_timestamp(char* out, std::int64_t micros, LocalTime& zone, DayText& cache);

}  // namespace longshore
