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
  if (micros == kTimestampInfinity) return write_word(out, "infinity");
  if (micros == kTimestampMinusInfinity) return write_word(out, "-infinity");
  std::int64_t days = micros / kMicrosPerDay;
  std::int64_t rest = micros % kMicrosPerDay;
  if (rest < 0) {
    rest += kMicrosPerDay;
    --days;
  }
  out = cache.write(out, days);
  *out++ = 'T';
  out = write_clock(out, static_cast<std::uint64_t>(rest));
  if (utc) *out++ = 'Z';
  return cache.before_christ() ? write_word(out, " BC") : out;
}

}  // namespace longshore
