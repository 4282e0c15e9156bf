#include "base/clock.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <utility>

namespace longshore {

namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

/// Reads a text from left to right; each function consumes only when it succeeds.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  bool next_is_digit() const { return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; }

  std::optional<char> any_of(std::string_view choices) {
    if (rest_.empty() || choices.find(rest_.front()) == std::string_view::npos) return std::nullopt;
    const char found = rest_.front();
    rest_.remove_prefix(1);
    return found;
  }

  /// Exactly `count` decimal digits.
  std::optional<int> digits(std::size_t count) {
    if (rest_.size() < count) return std::nullopt;
    int value = 0;
    for (const char c : rest_.substr(0, count)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }

 private:
  std::string_view rest_;
};

std::optional<std::chrono::sys_days> read_date(Cursor& cursor) {
  const auto year = cursor.digits(4);
  if (!year || *year == 0 || !cursor.any_of("-")) return std::nullopt;
  const auto month = cursor.digits(2);
  if (!month || !cursor.any_of("-")) return std::nullopt;
  const auto day = cursor.digits(2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year}, std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days{date};
}

/// The digits after the dot; those below a microsecond are dropped.
std::optional<microseconds> read_fraction(Cursor& cursor) {
  if (!cursor.any_of(".")) return microseconds{0};
  if (!cursor.next_is_digit()) return std::nullopt;
  std::int64_t value = 0;
  std::int64_t scale = 100'000;
  while (const auto digit = cursor.any_of("0123456789")) {
    value += (*digit - '0') * scale;
    scale /= 10;
  }
  return microseconds{value};
}

std::optional<minutes> read_offset(Cursor& cursor) {
  if (cursor.any_of("Zz")) return minutes{0};
  const auto sign = cursor.any_of("+-");
  if (!sign) return std::nullopt;
  const auto hour = cursor.digits(2);
  if (!hour || *hour > 23 || !cursor.any_of(":")) return std::nullopt;
  const auto minute = cursor.digits(2);
  if (!minute || *minute > 59) return std::nullopt;
  const minutes offset{*hour * 60 + *minute};
  return *sign == '-' ? -offset : offset;
}

std::optional<Timestamp> read_timestamp(std::string_view text) {
  Cursor cursor(text);
  const auto date = read_date(cursor);
  if (!date) return std::nullopt;
  if (cursor.at_end()) return Timestamp{*date};

  if (!cursor.any_of("Tt ")) return std::nullopt;
  const auto hour = cursor.digits(2);
  if (!hour || *hour > 23 || !cursor.any_of(":")) return std::nullopt;
  const auto minute = cursor.digits(2);
  if (!minute || *minute > 59 || !cursor.any_of(":")) return std::nullopt;
  const auto second = cursor.digits(2);
  if (!second || *second > 60) return std::nullopt;
  const auto fraction = read_fraction(cursor);
  if (!fraction) return std::nullopt;
  const auto offset = read_offset(cursor);
  if (!offset || !cursor.at_end()) return std::nullopt;

  const Timestamp time = Timestamp{*date} + hours{*hour} + minutes{*minute} + seconds{*second} + *fraction - *offset;
  // A leap second happens only as the last of a UTC day; like POSIX time we count it as the next day's first.
  if (*second == 60 && time - std::chrono::floor<days>(time) >= seconds{1}) return std::nullopt;
  constexpr Timestamp kFirst{std::chrono::sys_days{std::chrono::year{1} / 1 / 1}};
  constexpr Timestamp kEnd{std::chrono::sys_days{std::chrono::year{10000} / 1 / 1}};
  if (time < kFirst || time >= kEnd) return std::nullopt;
  return time;
}

/// A non-negative integer followed by a unit's name; nullopt if it is not that.
std::optional<std::pair<std::int64_t, std::string_view>> read_quantity(std::string_view text) {
  std::int64_t amount = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, amount);
  if (error != std::errc{} || amount < 0) return std::nullopt;
  return std::pair{amount, std::string_view(rest, static_cast<std::size_t>(end - rest))};
}

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

std::optional<std::int64_t> read_in_units(std::string_view text, std::span<const Unit> units) {
  const auto quantity = read_quantity(text);
  if (!quantity) return std::nullopt;
  const auto unit = std::ranges::find(units, quantity->second, &Unit::name);
  if (unit == units.end() || quantity->first > std::numeric_limits<std::int64_t>::max() / unit->factor) {
    return std::nullopt;
  }
  return quantity->first * unit->factor;
}

}  // namespace

Timestamp SystemClock::now() const {
  return std::chrono::floor<microseconds>(std::chrono::system_clock::now());
}

std::chrono::steady_clock::time_point SystemClock::steady_now() const {
  return std::chrono::steady_clock::now();
}

bool SystemClock::sleep_for(Duration duration, std::stop_token stop) {
  // Private to this call: nothing but the stop request wakes it.
  std::mutex mutex;
  std::condition_variable_any woken;
  std::unique_lock lock(mutex);
  const auto deadline = std::chrono::steady_clock::now() + duration;
  woken.wait_until(lock, stop, deadline, [] { return false; });
  return !stop.stop_requested();
}

ManualClock::ManualClock(Timestamp start) : now_(start) {}

Timestamp ManualClock::now() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

std::chrono::steady_clock::time_point ManualClock::steady_now() const {
  return std::chrono::steady_clock::time_point{now().time_since_epoch()};
}

bool ManualClock::sleep_for(Duration duration, std::stop_token stop) {
  if (stop.stop_requested()) return false;
  advance(duration);
  return true;
}

void ManualClock::advance(Duration duration) {
  const std::lock_guard lock(mutex_);
  now_ += duration;
}

Timestamp time_to_state(Timestamp now) {
  const char* const text = std::getenv("SOURCE_DATE_EPOCH");
  if (text == nullptr) return now;
  std::int64_t epoch = 0;
  const char* const end = text + std::strlen(text);
  const auto read = std::from_chars(text, end, epoch);
  // Up to the year 9999, which is what dates can be written of.
  if (read.ec != std::errc{} || read.ptr != end || epoch < 0 || epoch > 253'402'300'799) return now;
  return Timestamp{seconds{epoch}};
}

std::string to_rfc3339(Timestamp time) {
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  std::array<char, 64> text{};
  int length = std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
                             static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                             static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                             static_cast<int>(clock.seconds().count()));
  if (const auto fraction = clock.subseconds().count(); fraction != 0) {
    length += std::snprintf(text.data() + length, text.size() - static_cast<std::size_t>(length), ".%06lld",
                            static_cast<long long>(fraction));
  }
  return std::string(text.data(), static_cast<std::size_t>(length)) + "Z";
}

Result<Timestamp> parse_rfc3339(std::string_view text) {
  const auto time = read_timestamp(text);
  if (!time) {
    return fail(user_error("bad_timestamp", "'" + std::string(text) +
                                                "' is not an RFC 3339 time of the years 0001 to 9999; write it like "
                                                "2026-06-06T14:20:00Z or 2026-06-06T16:20:00+02:00"));
  }
  return *time;
}

Result<Duration> parse_duration(std::string_view text) {
  static constexpr std::array<Unit, 5> kUnits{
      {{"ms", 1'000}, {"s", 1'000'000}, {"m", 60'000'000}, {"h", 3'600'000'000}, {"d", 86'400'000'000}}};
  const auto value = read_in_units(text, kUnits);
  if (!value) {
    return fail(user_error("bad_duration", "'" + std::string(text) +
                                               "' is not a duration; write a whole number and one of ms, s, m, h, d, "
                                               "like 300ms, 5s or 7d"));
  }
  return Duration{*value};
}

Result<std::int64_t> parse_byte_size(std::string_view text) {
  static constexpr std::array<Unit, 6> kUnits{{{"", 1},
                                               {"B", 1},
                                               {"KiB", std::int64_t{1} << 10},
                                               {"MiB", std::int64_t{1} << 20},
                                               {"GiB", std::int64_t{1} << 30},
                                               {"TiB", std::int64_t{1} << 40}}};
  const auto value = read_in_units(text, kUnits);
  if (!value) {
    return fail(user_error("bad_size", "'" + std::string(text) +
                                           "' is not a size; write a whole number of bytes or one with KiB, MiB, GiB "
                                           "or TiB, like 512KiB or 8MiB"));
  }
  return *value;
}

}  // namespace longshore
