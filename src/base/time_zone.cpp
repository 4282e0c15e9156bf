#include "base/time_zone.h"

#include <cctz/time_zone.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "base/closest_name.h"

namespace longshore {
namespace {

using Seconds = cctz::time_point<cctz::seconds>;

constexpr std::int64_t kMicrosPerSecond = 1'000'000;
/// 2100-01-01T00:00:00Z. From here on no period is taken from cctz's list of transitions, which ends somewhere: every
/// second is looked up by itself, which is right for ever.
constexpr std::int64_t kListedUntil = INT64_C(4'102'444'800) * kMicrosPerSecond;
constexpr std::size_t kLongestName = 64;

std::filesystem::path database() {
  const char* directory = std::getenv("TZDIR");  // as cctz does
  return directory != nullptr && *directory != '\0' ? directory : "/usr/share/zoneinfo";
}

/// Folders and files beside the zones: the zones again, with leap seconds counted (`right`) or not, and what systems
/// set as their own zone.
bool is_zone_path(std::string_view name) {
  return !name.starts_with("posix/") && !name.starts_with("right/") && name != "posixrules" && name != "localtime" &&
         name != "Factory";
}

/// Names by the rules of the database (its file `theory.html`): these can be no path out of it and nothing that cctz
/// takes for more than a file name.
bool is_well_formed(std::string_view name) {
  if (name.empty() || name.size() > kLongestName || name.front() == '/' || !is_zone_path(name)) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '/' || c == '_' ||
           c == '-' || c == '+';
  });
}

/// For messages only.
std::vector<std::string> known_names() {
  std::vector<std::string> names;
  std::error_code failed;
  const std::filesystem::path root = database();
  for (std::filesystem::recursive_directory_iterator entry(root, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    std::string name = entry->path().lexically_relative(root).string();
    if (!is_zone_path(name + (entry->is_directory(failed) ? "/" : ""))) {
      entry.disable_recursion_pending();
    } else if (is_well_formed(name) && entry->is_regular_file(failed)) {
      names.push_back(std::move(name));
    }
  }
  // The order of a directory is any: of two names equally near, the same one is proposed everywhere.
  std::sort(names.begin(), names.end());
  return names;
}

Error unknown_zone(std::string_view name) {
  const std::vector<std::string> names = known_names();
  if (names.empty()) {
    return external_error("no_time_zone_database",
                          "there is no time zone database in " + database().string() + "; install the package tzdata",
                          false);
  }
  const std::string shown(name.substr(0, kLongestName));
  return user_error("unknown_time_zone", "there is no time zone '" + shown +
                                             "'; use a name of the IANA database such as UTC or Europe/Berlin" +
                                             did_you_mean(name, names));
}

std::int64_t floor_seconds(std::int64_t micros) {
  return micros / kMicrosPerSecond - (micros % kMicrosPerSecond < 0 ? 1 : 0);
}

/// The instant at which clocks that are `offset` seconds east of UTC show `civil`, in microseconds.
std::int64_t instant(const cctz::civil_second& civil, std::int32_t offset) {
  return (civil - cctz::civil_second(1970, 1, 1) - offset) * kMicrosPerSecond;
}

std::int32_t rounded_to_minutes(std::int32_t offset) {
  const std::int32_t up = offset + 30;
  return up - ((up % 60) + 60) % 60;
}

}  // namespace

struct TimeZone::Rules {
  cctz::time_zone zone;
};

Result<TimeZone> TimeZone::find(std::string_view name) {
  TimeZone found;
  if (name == "UTC") return found;
  // cctz remembers names that it could not load, for ever; it is asked only for those that are there.
  std::error_code absent;
  if (!is_well_formed(name) || !std::filesystem::is_regular_file(database() / name, absent)) {
    return fail(unknown_zone(name));
  }
  found.name_ = name;
  cctz::time_zone zone;
  if (!cctz::load_time_zone(found.name_, &zone)) return fail(unknown_zone(name));
  cctz::time_zone::civil_transition any;
  const bool fixed = !zone.next_transition(Seconds::min(), &any);
  if (!fixed || zone.lookup(Seconds{}).offset != 0) found.rules_ = std::make_shared<const Rules>(Rules{zone});
  return found;
}

TimeZone::Period TimeZone::period_at(std::int64_t micros) const {
  if (is_utc()) return {};
  const cctz::time_zone& zone = rules_->zone;
  const Seconds at{cctz::seconds{floor_seconds(micros)}};
  const std::int32_t offset = zone.lookup(at).offset;
  Period period;
  period.offset = rounded_to_minutes(offset);
  if (micros >= kListedUntil) {
    period.first = micros - micros % kMicrosPerSecond;
    period.last = period.first + std::min(kMicrosPerSecond - 1, INT64_MAX - period.first);
    return period;
  }
  cctz::time_zone::civil_transition transition;
  // The last transition before the next second is one at this second or earlier.
  if (zone.prev_transition(at + cctz::seconds{1}, &transition)) period.first = instant(transition.to, offset);
  period.last = kListedUntil - 1;
  if (zone.next_transition(at, &transition)) {
    period.last = std::min(period.last, instant(transition.from, offset) - 1);
  }
  return period;
}

Status check_time_zone(std::string_view name) {
  TRY([[maybe_unused]] const TimeZone zone, TimeZone::find(name));
  return {};
}

}  // namespace longshore
