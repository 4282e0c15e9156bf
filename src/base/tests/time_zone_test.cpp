#include "base/time_zone.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include "base/clock.h"

namespace longshore {
namespace {

TimeZone zone(const char* name) {
  const auto found = TimeZone::find(name);
  EXPECT_TRUE(found) << name << ": " << found.error().message;
  return found.value_or(TimeZone{});
}

/// Offset in minutes at an instant given as RFC 3339.
int minutes(const char* name, std::string_view instant) {
  return zone(name).period_at(parse_rfc3339(instant)->time_since_epoch().count()).offset / 60;
}

TEST(TimeZone, KnowsSummerAndWinter) {
  EXPECT_EQ(minutes("Europe/Berlin", "2026-06-06T14:20:00Z"), 120);
  EXPECT_EQ(minutes("Europe/Berlin", "2026-01-06T14:20:00Z"), 60);
  EXPECT_EQ(minutes("Europe/Berlin", "2026-03-29T00:59:59.999999Z"), 60);
  EXPECT_EQ(minutes("Europe/Berlin", "2026-03-29T01:00:00Z"), 120);
  EXPECT_EQ(minutes("Europe/Berlin", "2026-10-25T00:59:59.999999Z"), 120);
  EXPECT_EQ(minutes("Europe/Berlin", "2026-10-25T01:00:00Z"), 60);
  EXPECT_EQ(minutes("America/St_Johns", "2026-06-06T14:20:00Z"), -150);
  EXPECT_EQ(minutes("Asia/Kathmandu", "2026-06-06T14:20:00Z"), 345);
  EXPECT_EQ(minutes("Pacific/Kiritimati", "2026-06-06T14:20:00Z"), 840);
  EXPECT_EQ(minutes("Australia/Lord_Howe", "2026-01-06T00:00:00Z"), 660);
  EXPECT_EQ(minutes("Etc/GMT+3", "2026-01-06T00:00:00Z"), -180);
}

TEST(TimeZone, RulesHoldAfterTheTablesEnd) {
  EXPECT_EQ(minutes("Europe/Berlin", "2038-07-01T00:00:00Z"), 120);
  EXPECT_EQ(minutes("Europe/Berlin", "2099-07-01T00:00:00Z"), 120);
  EXPECT_EQ(minutes("Europe/Berlin", "2100-07-01T00:00:00Z"), 120);
  EXPECT_EQ(minutes("America/Nuuk", "2050-07-01T00:00:00Z"), -60);
  EXPECT_EQ(minutes("Europe/Berlin", "9999-12-31T23:59:59.999999Z"), 60);
  EXPECT_EQ(minutes("Europe/Berlin", "9999-07-31T23:59:59.999999Z"), 120);
}

TEST(TimeZone, OffsetsThatAreNoMinutesAreRounded) {
  EXPECT_EQ(minutes("Europe/Berlin", "0001-01-01T00:00:00Z"), 53) << "+00:53:28";
  EXPECT_EQ(minutes("America/New_York", "1800-01-01T00:00:00Z"), -296) << "-04:56:02";
  EXPECT_EQ(minutes("Africa/Monrovia", "1971-01-01T00:00:00Z"), -44) << "-00:44:30";
}

TEST(TimeZone, PeriodsReachFromChangeToChange) {
  const TimeZone::Period summer =
      zone("Europe/Berlin").period_at(parse_rfc3339("2026-06-06T14:20:00Z")->time_since_epoch().count());
  EXPECT_EQ(to_rfc3339(Timestamp(Duration(summer.first))), "2026-03-29T01:00:00Z");
  EXPECT_EQ(to_rfc3339(Timestamp(Duration(summer.last))), "2026-10-25T00:59:59.999999Z");
  const TimeZone::Period earliest = zone("Europe/Berlin").period_at(INT64_MIN + 1);
  EXPECT_EQ(earliest.first, INT64_MIN);
  EXPECT_EQ(to_rfc3339(Timestamp(Duration(earliest.last))), "1893-03-31T23:06:31.999999Z");
  EXPECT_EQ(zone("Europe/Berlin").period_at(INT64_MAX).last, INT64_MAX);
}

TEST(TimeZone, UtcHasManyNamesAndNeedsNoDatabase) {
  EXPECT_TRUE(TimeZone().is_utc());
  EXPECT_EQ(TimeZone().name(), "UTC");
  for (const char* name : {"UTC", "Etc/UTC", "Zulu", "Etc/GMT"}) {
    EXPECT_TRUE(zone(name).is_utc()) << name;
    EXPECT_EQ(zone(name).name(), name);
  }
  EXPECT_FALSE(zone("Europe/London").is_utc()) << "its winter is at +00:00, which is something else";
  EXPECT_EQ(LocalTime().offset_at(INT64_MAX), 0);
  EXPECT_EQ(LocalTime().local_micros(-7), -7);
}

TEST(TimeZone, SaysWhatIsMeant) {
  const auto message = [](std::string_view name) {
    const Status status = check_time_zone(name);
    EXPECT_FALSE(status) << name;
    if (status) return std::string();
    EXPECT_EQ(status.error().code, "unknown_time_zone");
    EXPECT_EQ(status.error().source, ErrorSource::user);
    return status.error().message;
  };
  EXPECT_EQ(message("Europe/Belin"),
            "there is no time zone 'Europe/Belin'; use a name of the IANA database such as UTC or Europe/Berlin; did "
            "you mean \"Europe/Berlin\"?");
  EXPECT_NE(message("europe/berlin").find("\"Europe/Berlin\""), std::string::npos);
  EXPECT_NE(message("utc").find("\"UTC\""), std::string::npos);
  for (const char* name : {"", "Europe", "Europe/", "+02:00", "../../etc/passwd", "/etc/localtime", "localtime",
                           "posixrules", "right/Europe/Berlin", "posix/Europe/Berlin", "Factory", "zone.tab",
                           "tzdata.zi", "leapseconds", "libc:UTC", "file:Europe/Berlin", "Fixed/UTC+01:00:00"}) {
    message(name);
  }
  message(std::string("Europe/Berlin\0", 14));
  EXPECT_LT(message(std::string(100'000, 'x')).size(), 300U);
  EXPECT_TRUE(check_time_zone("America/Argentina/Buenos_Aires"));
}

/// Every zone, over four centuries, as Python's zoneinfo has it; also that what is remembered is never used for an
/// instant that it does not hold for.
TEST(TimeZone, AgreesWithPython) {
  FILE* python = popen("/usr/bin/python3 " LONGSHORE_BASE_TESTS "/zone_offsets.py", "r");
  ASSERT_NE(python, nullptr);
  char name[80];
  long long seconds = 0;
  int offset = 0;
  std::optional<LocalTime> local;
  int zones = 0;
  int differences = 0;
  while (std::fscanf(python, "%79s %lld %d", name, &seconds, &offset) == 3) {
    if (!local || local->zone().name() != name) {
      local.emplace(zone(name));
      ++zones;
    }
    const std::int64_t micros = seconds * 1'000'000;
    const int found = local->offset_at(micros);
    // Up to half a minute of difference is the rounding.
    if (found % 60 != 0 || std::abs(found - offset) > (offset % 60 == 0 ? 0 : 30)) {
      ADD_FAILURE() << name << " at " << seconds << ": " << found << ", expected " << offset;
      if (++differences == 20) break;
    }
    const TimeZone::Period period = local->zone().period_at(micros);
    EXPECT_LE(period.first, micros);
    EXPECT_GE(period.last, micros);
    EXPECT_EQ(period.offset, found) << name << " at " << seconds;
    EXPECT_EQ(local->zone().period_at(period.first).offset, found) << name << " at " << seconds;
    EXPECT_EQ(local->zone().period_at(period.last).offset, found) << name << " at " << seconds;
  }
  EXPECT_EQ(pclose(python), 0) << "needs Debian's python3 (scripts/install.sh test)";
  EXPECT_GT(zones, 400);
}

}  // namespace
}  // namespace longshore
