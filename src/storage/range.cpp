#include "storage/range.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace longshore {
namespace {

constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool equal_ignoring_case(std::string_view a, std::string_view lower) {
  return std::ranges::equal(a, lower, [](char x, char y) { return (x >= 'A' && x <= 'Z' ? x + 32 : x) == y; });
}

// 1*DIGIT; numbers beyond 64 bits count as the largest, for they are beyond any body too.
std::optional<std::int64_t> parse_position(std::string_view text) {
  if (text.empty() || !std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  std::int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc::result_out_of_range ? std::numeric_limits<std::int64_t>::max() : value;
}

// One range-spec of the bytes unit.
ByteRange parse_range_spec(std::string_view spec, std::int64_t size) {
  const auto dash = spec.find('-');
  if (dash == std::string_view::npos) return {};
  const auto first_text = spec.substr(0, dash);
  const auto last_text = spec.substr(dash + 1);
  if (first_text.empty()) {
    const auto suffix = parse_position(last_text);
    if (!suffix) return {};
    if (*suffix == 0) return {RangeKind::unsatisfiable, 0, 0};
    // An empty body satisfies a suffix, but no Content-Range can say so.
    if (size == 0) return {};
    const std::int64_t length = std::min(*suffix, size);
    return {RangeKind::part, size - length, length};
  }
  const auto first = parse_position(first_text);
  const auto last = last_text.empty() ? std::numeric_limits<std::int64_t>::max() : parse_position(last_text);
  if (!first || !last || *first > *last) return {};
  if (*first >= size) return {RangeKind::unsatisfiable, 0, 0};
  return {RangeKind::part, *first, std::min(*last, size - 1) - *first + 1};
}

// Whether a list of entity tags (RFC 9110 section 8.8.3) has ours. `weakly`: a `W/` before a tag does not matter; else
// a weak one matches nothing. What cannot be read ends the list.
bool names_etag(std::string_view list, std::string_view etag, bool weakly) {
  for (;;) {
    list = trim(list);
    while (list.starts_with(',')) list = trim(list.substr(1));
    const bool weak = list.starts_with("W/");
    if (weak) list.remove_prefix(2);
    if (!list.starts_with('"')) return false;
    const auto end = list.find('"', 1);
    if (end == std::string_view::npos) return false;
    if (list.substr(1, end - 1) == etag && (weakly || !weak)) return true;
    list = trim(list.substr(end + 1));
    if (!list.starts_with(',')) return false;
  }
}

Timestamp to_second(Timestamp time) {
  return std::chrono::floor<std::chrono::seconds>(time);
}

// Section 13.1.5: an entity tag is compared strongly, a date must be the very Last-Modified.
bool range_condition_holds(std::string_view if_range, const Representation& found) {
  if_range = trim(if_range);
  if (if_range.starts_with('"')) return names_etag(if_range, found.etag, false);
  const auto date = parse_http_date(if_range);
  return date && *date == to_second(found.modified);
}

// 412, 304 or 0 for neither.
int evaluate_preconditions(const ConditionalRequest& request, const Representation& found) {
  if (request.if_match) {
    if (trim(*request.if_match) != "*" && !names_etag(*request.if_match, found.etag, false)) return 412;
  } else if (request.if_unmodified_since) {
    const auto date = parse_http_date(*request.if_unmodified_since);
    if (date && to_second(found.modified) > *date) return 412;
  }
  if (request.if_none_match) {
    if (trim(*request.if_none_match) == "*" || names_etag(*request.if_none_match, found.etag, true)) return 304;
  } else if (request.if_modified_since) {
    const auto date = parse_http_date(*request.if_modified_since);
    if (date && to_second(found.modified) <= *date) return 304;
  }
  return 0;
}

}  // namespace

std::string format_http_date(Timestamp time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::seconds>(time - day)};
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[std::chrono::weekday{day}.c_encoding()],
                     static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count());
}

std::optional<Timestamp> parse_http_date(std::string_view text) {
  // curl reads all three forms, thread-safely and whatever the locale, but lenient ones as well ("tomorrow's" formats
  // with other zones). All of ours begin with a day's name and have a time.
  text = trim(text);
  const bool has_day = std::ranges::any_of(kDays, [&](std::string_view day) { return text.starts_with(day); });
  if (!has_day || std::ranges::count(text, ':') != 2 || text.size() > 40) return std::nullopt;
  const time_t seconds = curl_getdate(std::string(text).c_str(), nullptr);
  if (seconds == -1) return std::nullopt;
  return Timestamp{std::chrono::seconds{seconds}};
}

ByteRange parse_range(std::string_view header, std::int64_t size) {
  const auto equals = header.find('=');
  if (equals == std::string_view::npos || !equal_ignoring_case(trim(header.substr(0, equals)), "bytes")) return {};
  // A list may have empty elements (RFC 9110 section 5.6.1.2); `bytes=0-1,` is a single range.
  std::string_view rest = header.substr(equals + 1);
  std::string_view only;
  for (bool more = true; more;) {
    const auto comma = rest.find(',');
    const auto element = trim(rest.substr(0, comma));
    if (!element.empty()) {
      if (!only.empty()) return {};
      only = element;
    }
    more = comma != std::string_view::npos;
    if (more) rest.remove_prefix(comma + 1);
  }
  return parse_range_spec(only, size);
}

std::string content_range(const ByteRange& range, std::int64_t size) {
  if (range.kind == RangeKind::unsatisfiable) return fmt::format("bytes */{}", size);
  return fmt::format("bytes {}-{}/{}", range.first, range.first + range.length - 1, size);
}

Selection select_representation(const ConditionalRequest& request, const Representation& found) {
  if (const int status = evaluate_preconditions(request, found)) return {status, {}};
  const ByteRange whole{RangeKind::whole, 0, found.size};
  // Section 14.2: only GET has ranges.
  if (!request.range || request.method != ConditionalRequest::Method::get) return {200, whole};
  if (request.if_range && !range_condition_holds(*request.if_range, found)) return {200, whole};
  const ByteRange range = parse_range(*request.range, found.size);
  switch (range.kind) {
    case RangeKind::part:
      return {206, range};
    case RangeKind::unsatisfiable:
      return {416, range};
    case RangeKind::whole:
      break;
  }
  return {200, whole};
}

}  // namespace longshore
