#include "encode/text/calendar.h"

#include <cstring>

#include "batch/column_vector.h"
#include "encode/text/digits.h"

namespace longshore {
namespace {

constexpr std::int64_t kMicrosPerDay = 86'400'000'000;

char* write_clock(char* out, std::uint64_t micros) {
  const auto seconds = static_cast<std::uint32_t>(micros / 1'000'000);
  const auto fraction = static_cast<std::uint32_t>(micros % 1'000'000);
  write_digit_pair(out, seconds / 3600);
  out[2] = ':';
  write_digit_pair(out + 3, seconds / 60 % 60);
  out[5] = ':';
  write_digit_pair(out + 6, seconds % 60);
  if (fraction == 0) return out + 8;
  out[8] = '.';
  write_digit_pair(out + 9, fraction / 10'000);
  write_digit_pair(out + 11, fraction / 100 % 100);
  write_digit_pair(out + 13, fraction % 100);
  return out + 15;
}

/// A time since 1970-01-01 00:00:00.
struct Moment {
  std::int64_t days;
  std::int64_t micros;  ///< of the day, from 0
};

inline Moment split(std::int64_t micros) {
  Moment moment{micros / kMicrosPerDay, micros % kMicrosPerDay};
  if (moment.micros < 0) {
    moment.micros += kMicrosPerDay;
    --moment.days;
  }
  return moment;
}

inline bool is_finite(std::int64_t micros) {
  return micros != kTimestampInfinity && micros != kTimestampMinusInfinity;
}

char* write_infinity(char* out, std::int64_t micros) {
  return write_word(out, micros == kTimestampInfinity ? "infinity" : "-infinity");
}

/// `+02:00`. REQUIRES: whole minutes, less than a day.
inline char* write_offset(char* out, std::int32_t seconds) {
  const auto minutes = static_cast<std::uint32_t>(seconds < 0 ? -seconds : seconds) / 60;
  out[0] = seconds < 0 ? '-' : '+';
  write_digit_pair(out + 1, minutes / 60);
  out[3] = ':';
  write_digit_pair(out + 4, minutes % 60);
  return out + 6;
}

}  // namespace

CivilDay civil_day(std::int64_t days) {
  // Counted from 0000-03-01, so that the leap day is the last of its year and eras of 400 years are alike.
  constexpr std::int64_t kDaysPerEra = 146'097;
  days += 719'468;
  const std::int64_t era = (days >= 0 ? days : days - (kDaysPerEra - 1)) / kDaysPerEra;
  const auto day_of_era = static_cast<std::uint32_t>(days - era * kDaysPerEra);
  const std::uint32_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::uint32_t month_from_march = (5 * day_of_year + 2) / 153;
  const std::uint32_t day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
  const std::uint32_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  return {era * 400 + year_of_era + (month <= 2 ? 1 : 0), month, day};
}

char* DayText::write(char* out, std::int64_t days) {
  if (days != days_) {
    const CivilDay day = civil_day(days);
    before_christ_ = day.year <= 0;
    const auto year = static_cast<std::uint64_t>(before_christ_ ? 1 - day.year : day.year);
    char* end = text_;
    if (year < 10'000) {
      write_padded(end, year, 4);
      end += 4;
    } else {
      end = write_uint64(end, year);
    }
    *end++ = '-';
    write_digit_pair(end, day.month);
    end[2] = '-';
    write_digit_pair(end + 3, day.day);
    size_ = static_cast<std::uint8_t>(end + 5 - text_);
    days_ = days;
  }
  std::memcpy(out, text_, sizeof text_);
  return out + size_;
}

char* write_date(char* out, std::int32_t days, DayText& cache) {
  if (days == kDateInfinity) return write_word(out, "infinity");
  if (days == kDateMinusInfinity) return write_word(out, "-infinity");
  out = cache.write(out, days);
  return cache.before_christ() ? write_word(out, " BC") : out;
}

char* write_time(char* out, std::int64_t micros) {
  return write_clock(out, static_cast<std::uint64_t>(micros));
}

char* write_timestamp(char* out, std::int64_t micros, bool utc, DayText& cache) {
  if (!is_finite(micros)) return write_infinity(out, micros);
  const Moment moment = split(micros);
  out = cache.write(out, moment.days);
  *out++ = 'T';
  out = write_clock(out, static_cast<std::uint64_t>(moment.micros));
  if (utc) *out++ = 'Z';
  return cache.before_christ() ? write_word(out, " BC") : out;
}

char* write_zoned_timestamp(char* out, std::int64_t micros, LocalTime& zone, DayText& cache) {
  if (!is_finite(micros)) return write_infinity(out, micros);
  const std::int32_t offset = zone.offset_at(micros);
  Moment moment = split(micros);
  // After the split, because near the ends of int64 there is no room for it before. No offset is as long as a day.
  moment.micros += std::int64_t{offset} * 1'000'000;
  if (moment.micros < 0) {
    moment.micros += kMicrosPerDay;
    --moment.days;
  } else if (moment.micros >= kMicrosPerDay) {
    moment.micros -= kMicrosPerDay;
    ++moment.days;
  }
  out = cache.write(out, moment.days);
  *out++ = 'T';
  out = write_offset(write_clock(out, static_cast<std::uint64_t>(moment.micros)), offset);
  return cache.before_christ() ? write_word(out, " BC") : out;
}

}  // namespace longshore
