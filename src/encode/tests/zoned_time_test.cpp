// Instants in a time zone: their text, and that Python reads the same instant back.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/clock.h"
#include "encode/text/calendar.h"
#include "sample_rows.h"

namespace longshore {
namespace {

using std::string_literals::operator""s;

LocalTime local_time(const std::string& zone) {
  return LocalTime(TimeZone::find(zone).value());
}

std::string text_of(std::int64_t micros, LocalTime& zone, DayText& cache) {
  char buffer[64];
  return {buffer, write_zoned_timestamp(buffer, micros, zone, cache)};
}
std::string text_of(std::int64_t micros, const std::string& zone) {
  LocalTime local = local_time(zone);
  DayText cache;
  return text_of(micros, local, cache);
}
std::string text_of(std::string_view instant, const std::string& zone) {
  return text_of(parse_rfc3339(instant)->time_since_epoch().count(), zone);
}

TEST(ZonedTimeText, ShowsTheOffsetOfTheInstant) {
  EXPECT_EQ(text_of("2026-06-06T14:20:00Z", "Europe/Berlin"), "2026-06-06T16:20:00+02:00");
  EXPECT_EQ(text_of("2026-01-06T14:20:00.5Z", "Europe/Berlin"), "2026-01-06T15:20:00.500000+01:00");
  EXPECT_EQ(text_of("2026-06-06T23:00:00Z", "Europe/Berlin"), "2026-06-07T01:00:00+02:00") << "the next day";
  EXPECT_EQ(text_of("2026-01-01T02:00:00Z", "America/St_Johns"), "2025-12-31T22:30:00-03:30") << "the last year";
  EXPECT_EQ(text_of("1969-12-31T23:59:59.999999Z", "Asia/Kathmandu"), "1970-01-01T05:29:59.999999+05:30");
  EXPECT_EQ(text_of("2026-01-06T14:20:00Z", "Europe/London"), "2026-01-06T14:20:00+00:00");
  // The hour that comes twice is told apart by its offset.
  EXPECT_EQ(text_of("2026-10-25T00:30:00Z", "Europe/Berlin"), "2026-10-25T02:30:00+02:00");
  EXPECT_EQ(text_of("2026-10-25T01:30:00Z", "Europe/Berlin"), "2026-10-25T02:30:00+01:00");
}

TEST(ZonedTimeText, RoundsOffsetsWithSecondsAndKeepsTheInstant) {
  // +00:53:28 until 1893. 12:00:00 UTC was 12:53:28 on Berlin's clocks.
  EXPECT_EQ(text_of("1890-01-01T12:00:00Z", "Europe/Berlin"), "1890-01-01T12:53:00+00:53");
  EXPECT_EQ(text_of("1880-01-01T12:00:00Z", "America/New_York"), "1880-01-01T07:04:00-04:56");
}

TEST(ZonedTimeText, TheEndsOfTime) {
  EXPECT_EQ(text_of(kTimestampInfinity, "Europe/Berlin"), "infinity");
  EXPECT_EQ(text_of(kTimestampMinusInfinity, "Europe/Berlin"), "-infinity");
  EXPECT_EQ(text_of("9999-12-31T23:59:59.999999Z", "Europe/Berlin"), "10000-01-01T00:59:59.999999+01:00");
  EXPECT_EQ(text_of("9999-12-31T22:59:59.999999Z", "Europe/Berlin"), "9999-12-31T23:59:59.999999+01:00");
  EXPECT_EQ(text_of("0001-01-01T00:00:00Z", "America/New_York"), "0001-12-31T19:04:00-04:56 BC");
  EXPECT_EQ(text_of(INT64_MAX - 1, "Asia/Tokyo"), "294247-01-10T13:00:54.775806+09:00");
  EXPECT_EQ(text_of(INT64_MIN + 1, "America/New_York"), "290309-12-21T15:03:05.224193-04:56 BC");
}

TEST(ZonedTimeText, NoCacheEverLies) {
  std::mt19937_64 random(11);
  LocalTime shared = local_time("Australia/Lord_Howe");
  DayText day;
  for (int i = 0; i < 20'000; ++i) {
    // Mostly around one change of the clocks, now and then in another age.
    std::int64_t micros =
        1'775'314'800'000'000 + static_cast<std::int64_t>(random() % 172'800'000'000) - 86'400'000'000;
    if (i % 50 == 0) micros = static_cast<std::int64_t>(random()) / 2;
    LocalTime fresh = local_time("Australia/Lord_Howe");
    DayText empty;
    ASSERT_EQ(text_of(micros, shared, day), text_of(micros, fresh, empty));
  }
}

const std::vector<Row> kMoment{
    {INT64_C(1780755600000000), INT64_C(1780755600000000), INT64_C(20610), INT64_C(3600000000), kTimestampInfinity},
    Row(5, kNull)};
const std::vector<std::string> kMomentColumns{"tz:timestamptz", "ts:timestamp", "d:date", "t:time", "inf:timestamptz"};

TEST(ZonedTime, TouchesNothingButTimestamptz) {
  ExportSpec spec = bare_csv(kMomentColumns);
  spec.time_zone = "Europe/Berlin";
  EXPECT_EQ(encode_rows(spec, kMoment),
            "2026-06-06T16:20:00+02:00,2026-06-06T14:20:00,2026-06-06,01:00:00,infinity\n,,,,\n");
  for (const char* format : {"jsonl", "json"}) {
    spec = make_spec(format, kMomentColumns);
    spec.time_zone = "Europe/Berlin";
    EXPECT_NE(encode_file(spec, kMoment)
                  .bytes.find(
                      R"({"tz":"2026-06-06T16:20:00+02:00","ts":"2026-06-06T14:20:00","d":"2026-06-06","t":"01:00:00",)"
                      R"("inf":"infinity"})"),
              std::string::npos);
  }
}

TEST(ZonedTime, UtcByAnotherNameIsStillZ) {
  ExportSpec spec = bare_csv({"tz:timestamptz"});
  spec.time_zone = "Etc/UTC";
  EXPECT_EQ(encode_rows(spec, {{INT64_C(0)}}), "1970-01-01T00:00:00Z\n");
}

TEST(ZonedTime, AnUnknownZoneIsRefused) {
  for (const char* format : {"csv", "jsonl", "json"}) {
    ExportSpec spec = make_spec(format, {"tz:timestamptz"});
    spec.time_zone = "Europe/Berlim";
    const auto encoder = make_formats().make_encoder(spec, {});
    ASSERT_FALSE(encoder);
    EXPECT_EQ(encoder.error().code, "unknown_time_zone");
    EXPECT_EQ(encoder.error().source, ErrorSource::user);
  }
}

TEST(ZonedTime, PythonReadsTheSameInstants) {
  std::mt19937_64 random(3);
  std::vector<Row> rows;
  for (int i = 0; i < 6000; ++i) {
    // Of the years 1970 to 2100, of all that Python can show in any zone, and around the changes of 2026 in Berlin.
    std::int64_t micros = static_cast<std::int64_t>(random() % 4'102'444'800'000'000);
    if (i % 3 == 1) micros = static_cast<std::int64_t>(random() % 315'000'000'000'000'000) - 62'000'000'000'000'000;
    if (i % 3 == 2) micros = 1'774'746'000'000'000 + static_cast<std::int64_t>(random() % 200'000'000) - 100'000'000;
    if (i % 2 == 0) micros -= micros % 1'000'000;
    rows.push_back({micros, micros});
  }
  std::sort(rows.begin() + 3000, rows.end());  // neighbours far apart, and near each other
  const TemporaryDirectory directory;
  std::string files;
  for (const std::string zone : {"UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kolkata", "Pacific/Apia",
                                 "Africa/Monrovia", "Antarctica/Troll", "America/Nuuk", "Africa/Casablanca"}) {
    for (const char* format : {"csv", "jsonl", "json"}) {
      ExportSpec spec = make_spec(format, {"micros:int64", "at:timestamptz"});
      spec.time_zone = zone;
      std::string name = zone + "." + format;
      std::replace(name.begin(), name.end(), '/', '~');
      files += " " + directory.write(name, encode_file(spec, rows, 3, 1000).bytes);
    }
  }
  const CommandResult python = run_command("/usr/bin/python3 " LONGSHORE_ENCODE_TESTS "/zoned_times.py" + files);
  EXPECT_EQ(python.status, 0) << python.output << "\nneeds Debian's python3: scripts/install.sh test";
}

}  // namespace
}  // namespace longshore
