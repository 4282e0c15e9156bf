#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace longshore {

/// A time zone of the IANA time zone database, as the system keeps it (Debian's package tzdata; TZDIR names another
/// directory). A value; thread-safe.
///
/// Offsets are whole minutes, because RFC 3339 has no others. The few that were not (local mean times before about
/// 1900, e.g. Berlin's +00:53:28; Liberia until 1972) are rounded to the nearest minute, here for everybody: a local
/// time and its offset still name the very instant, only clocks of those days showed up to half a minute else.
class TimeZone {
 public:
  /// UTC, without a look at the database.
  TimeZone() = default;
  /// `name`: an IANA name or alias, `Europe/Berlin`, case-sensitive as the database is.
  /// Errors: `unknown_time_zone` (user), `no_time_zone_database` (external) when the system has none.
  static Result<TimeZone> find(std::string_view name);

  /// As it was asked for.
  const std::string& name() const { return name_; }
  /// Whether the offset is zero for ever: UTC under any of its names.
  bool is_utc() const { return rules_ == nullptr; }

  /// A run of instants with one offset. Times are microseconds since 1970-01-01T00:00:00Z, both ends included.
  struct Period {
    std::int64_t first = INT64_MIN;
    std::int64_t last = INT64_MAX;
    std::int32_t offset = 0;  ///< seconds east of UTC, a multiple of 60
  };
  /// A period around `micros`, not always the longest one.
  Period period_at(std::int64_t micros) const;

 private:
  struct Rules;

  std::string name_ = "UTC";
  std::shared_ptr<const Rules> rules_;  ///< nullptr: UTC
};

/// Whether there is such a zone; for requests. Errors: those of TimeZone::find().
Status check_time_zone(std::string_view name);

/// What the clocks of a zone show. Remembers the period it looked up last: neighbouring instants are mostly of one, and
/// then an answer costs two compares. Not thread-safe: one for each column or thread.
class LocalTime {
 public:
  explicit LocalTime(TimeZone zone = {}) : zone_(std::move(zone)) {
    if (!zone_.is_utc()) period_ = zone_.period_at(0);
  }

  const TimeZone& zone() const { return zone_; }
  /// Seconds east of UTC at `micros` since 1970-01-01T00:00:00Z; a multiple of 60.
  std::int32_t offset_at(std::int64_t micros) {
    if (micros < period_.first || micros > period_.last) [[unlikely]]
      period_ = zone_.period_at(micros);
    return period_.offset;
  }
  /// Microseconds that the zone's clocks are after 1970-01-01 00:00:00. REQUIRES: a finite time (not INT64_MIN or
  /// INT64_MAX, which stand for the infinite ones), not within a day of these ends.
  std::int64_t local_micros(std::int64_t micros) { return micros + std::int64_t{offset_at(micros)} * 1'000'000; }

 private:
  TimeZone zone_;
  TimeZone::Period period_;
};

}  // namespace longshore
