#include "base/clock.h"

#include <thread>

namespace longshore {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

/// What a text means, written back in UTC; the error's code if it means nothing.
std::string utc(std::string_view text) {
  const auto time = parse_rfc3339(text);
  return time ? to_rfc3339(*time) : time.error().code;
}

TEST(TimeToState, IsNowUnlessTheEnvironmentAsksForAnother) {
  const Timestamp now{std::chrono::seconds{1'780'000'000}};
  ::unsetenv("SOURCE_DATE_EPOCH");
  EXPECT_EQ(time_to_state(now), now);
  ::setenv("SOURCE_DATE_EPOCH", "1700000000", 1);
  EXPECT_EQ(to_rfc3339(time_to_state(now)), "2023-11-14T22:13:20Z");
  for (const char* nonsense : {"", "yesterday", "-1", "17e8", "99999999999999"}) {
    ::setenv("SOURCE_DATE_EPOCH", nonsense, 1);
    EXPECT_EQ(time_to_state(now), now) << nonsense;
  }
  ::unsetenv("SOURCE_DATE_EPOCH");
}

TEST(Rfc3339, WritesMicrosecondsOnlyIfThereAreAny) {
  EXPECT_EQ(to_rfc3339(Timestamp{}), "1970-01-01T00:00:00Z");
  EXPECT_EQ(to_rfc3339(Timestamp{Duration{1}}), "1970-01-01T00:00:00.000001Z");
  EXPECT_EQ(to_rfc3339(Timestamp{Duration{500'000}}), "1970-01-01T00:00:00.500000Z");
  EXPECT_EQ(to_rfc3339(Timestamp{Duration{-1}}), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(to_rfc3339(Timestamp{seconds{1'780'755'600}}), "2026-06-06T14:20:00Z");
}

TEST(Rfc3339, ReadsAnyOffsetAndFraction) {
  EXPECT_EQ(utc("2026-06-06T14:20:00Z"), "2026-06-06T14:20:00Z");
  EXPECT_EQ(utc("2026-06-06T16:20:00+02:00"), "2026-06-06T14:20:00Z");
  EXPECT_EQ(utc("2026-06-06T09:20:00-05:00"), "2026-06-06T14:20:00Z");
  EXPECT_EQ(utc("2026-06-06T19:50:00+05:30"), "2026-06-06T14:20:00Z");
  EXPECT_EQ(utc("2026-01-01T00:30:00+01:00"), "2025-12-31T23:30:00Z");
  EXPECT_EQ(utc("2026-06-06T14:20:00-00:00"), "2026-06-06T14:20:00Z");
  EXPECT_EQ(utc("2026-06-06t14:20:00z"), "2026-06-06T14:20:00Z");
  EXPECT_EQ(utc("2026-06-06 14:20:00.5Z"), "2026-06-06T14:20:00.500000Z");
  EXPECT_EQ(utc("2026-06-06T14:20:00.000001Z"), "2026-06-06T14:20:00.000001Z");
  EXPECT_EQ(utc("2026-06-06T14:20:00.123456789Z"), "2026-06-06T14:20:00.123456Z");
  EXPECT_EQ(utc("2026-06-06T14:20:00.0000000000000000000000001Z"), "2026-06-06T14:20:00Z");
}

TEST(Rfc3339, ADateAloneIsMidnightUtc) {
  EXPECT_EQ(utc("2026-01-01"), "2026-01-01T00:00:00Z");
  EXPECT_EQ(utc("2026-02-30"), "bad_timestamp");
}

TEST(Rfc3339, KnowsLeapYears) {
  EXPECT_EQ(utc("2024-02-29"), "2024-02-29T00:00:00Z");
  EXPECT_EQ(utc("2000-02-29"), "2000-02-29T00:00:00Z");
  EXPECT_EQ(utc("2023-02-29"), "bad_timestamp");
  EXPECT_EQ(utc("1900-02-29"), "bad_timestamp");
}

TEST(Rfc3339, ALeapSecondIsTheNextDaysFirst) {
  EXPECT_EQ(utc("2016-12-31T23:59:60Z"), "2017-01-01T00:00:00Z");
  EXPECT_EQ(utc("2017-01-01T08:59:60.25+09:00"), "2017-01-01T00:00:00.250000Z");
  EXPECT_EQ(utc("2016-12-31T23:58:60Z"), "bad_timestamp");
  EXPECT_EQ(utc("2016-12-31T22:59:60Z"), "bad_timestamp");
}

TEST(Rfc3339, FromYear1To9999) {
  EXPECT_EQ(utc("0001-01-01T00:00:00Z"), "0001-01-01T00:00:00Z");
  EXPECT_EQ(utc("9999-12-31T23:59:59.999999Z"), "9999-12-31T23:59:59.999999Z");
  EXPECT_EQ(utc("0000-12-31"), "bad_timestamp");
  EXPECT_EQ(utc("0001-01-01T00:00:00+00:01"), "bad_timestamp") << "is in the year 0 in UTC";
  EXPECT_EQ(utc("9999-12-31T23:59:00-00:01"), "bad_timestamp") << "is in the year 10000 in UTC";
}

TEST(Rfc3339, EveryDayOfFourCenturiesComesBack) {
  constexpr std::chrono::sys_days kFirst{std::chrono::year{1800} / 1 / 1};
  for (int day = 0; day < 146'097; day += 13) {
    const Timestamp time = kFirst + std::chrono::days{day} + Duration{day % 1000} + hours{day % 24};
    ASSERT_EQ(parse_rfc3339(to_rfc3339(time)), time) << to_rfc3339(time);
  }
}

TEST(Rfc3339, RejectsGarbageAndSaysHowToWriteIt) {
  for (const char* text : {"",
                           " ",
                           "now",
                           "2026",
                           "2026-06",
                           "2026-6-6",
                           "2026-06-06T",
                           "2026-06-06T14:20",
                           "2026-06-06T14:20Z",
                           "2026-06-06T14:20:00",
                           "2026-06-06T14:20:00.Z",
                           "2026-06-06T14:20:00,5Z",
                           "2026-06-06T24:00:00Z",
                           "2026-06-06T14:60:00Z",
                           "2026-06-06T14:20:61Z",
                           "2026-13-01",
                           "2026-00-10",
                           "2026-01-00",
                           "2026-06-06T14:20:00+2",
                           "2026-06-06T14:20:00+0200",
                           "2026-06-06T14:20:00+24:00",
                           "2026-06-06T14:20:00+02:60",
                           "2026-06-06T14:20:00Z ",
                           " 2026-06-06T14:20:00Z",
                           "2026-06-06T14:20:00ZZ",
                           "+2026-06-06",
                           "-026-06-06",
                           "2026-06-06T-1:20:00Z",
                           "12026-06-06T14:20:00Z",
                           "1780755600",
                           "2026-06-06'; drop table x;--"}) {
    const auto time = parse_rfc3339(text);
    ASSERT_FALSE(time) << text;
    EXPECT_EQ(time.error().code, "bad_timestamp");
    EXPECT_EQ(time.error().source, ErrorSource::user);
    EXPECT_THAT(time.error().message, testing::HasSubstr("2026-06-06T14:20:00Z"));
  }
}

TEST(ParseDuration, ReadsEveryUnit) {
  EXPECT_EQ(parse_duration("300ms"), std::chrono::milliseconds{300});
  EXPECT_EQ(parse_duration("5s"), seconds{5});
  EXPECT_EQ(parse_duration("10m"), std::chrono::minutes{10});
  EXPECT_EQ(parse_duration("24h"), hours{24});
  EXPECT_EQ(parse_duration("7d"), hours{168});
  EXPECT_EQ(parse_duration("0s"), Duration{0});
}

TEST(ParseDuration, RejectsWhatCouldBeMisread) {
  for (const char* text : {"", "5", "s", "-5s", "+5s", "1.5h", "5 s", " 5s", "5s ", "5S", "5sec", "1h30m", "5us",
                           "9223372036854775807d", "99999999999999999999s"}) {
    const auto duration = parse_duration(text);
    ASSERT_FALSE(duration) << text;
    EXPECT_EQ(duration.error().code, "bad_duration");
    EXPECT_THAT(duration.error().message, testing::HasSubstr("300ms, 5s or 7d"));
  }
}

TEST(ParseByteSize, ReadsBinaryUnits) {
  EXPECT_EQ(parse_byte_size("100"), 100);
  EXPECT_EQ(parse_byte_size("100B"), 100);
  EXPECT_EQ(parse_byte_size("512KiB"), 524'288);
  EXPECT_EQ(parse_byte_size("8MiB"), 8'388'608);
  EXPECT_EQ(parse_byte_size("1GiB"), 1'073'741'824);
  EXPECT_EQ(parse_byte_size("5TiB"), 5'497'558'138'880);
  EXPECT_EQ(parse_byte_size("9223372036854775807"), INT64_MAX);
}

TEST(ParseByteSize, RejectsDecimalUnitsAndOverflow) {
  for (const char* text :
       {"", "8MB", "8M", "8 MiB", "8mib", "-1", "1.5GiB", "MiB", "9223372036854775808", "9000000TiB", "0x10"}) {
    const auto size = parse_byte_size(text);
    ASSERT_FALSE(size) << text;
    EXPECT_EQ(size.error().code, "bad_size");
    EXPECT_THAT(size.error().message, testing::HasSubstr("512KiB or 8MiB"));
  }
}

TEST(ManualClock, MovesOnlyWhenToldAndSleepingAdvancesIt) {
  ManualClock clock(Timestamp{seconds{1000}});
  const auto steady = clock.steady_now();
  EXPECT_EQ(clock.now(), Timestamp{seconds{1000}});
  EXPECT_EQ(clock.now(), clock.now());
  clock.advance(seconds{5});
  EXPECT_EQ(clock.now(), Timestamp{seconds{1005}});
  EXPECT_TRUE(clock.sleep_for(hours{1}, {}));
  EXPECT_EQ(clock.now(), Timestamp{seconds{4605}});
  EXPECT_EQ(clock.steady_now() - steady, seconds{3605});
}

TEST(ManualClock, AStoppedSleepDoesNotMoveIt) {
  ManualClock clock;
  const Timestamp before = clock.now();
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(clock.sleep_for(hours{1}, stop.get_token()));
  EXPECT_EQ(clock.now(), before);
}

TEST(SystemClock, SleepsToTheEndUnlessStopped) {
  SystemClock clock;
  const auto start = clock.steady_now();
  EXPECT_TRUE(clock.sleep_for(std::chrono::milliseconds{5}, {}));
  EXPECT_GE(clock.steady_now() - start, std::chrono::milliseconds{5});
  EXPECT_TRUE(clock.sleep_for(Duration{-1}, {}));
}

TEST(SystemClock, AStopRequestEndsASleepOfAnotherThread) {
  SystemClock clock;
  bool slept_through = true;
  {
    std::jthread sleeper([&](std::stop_token stop) { slept_through = clock.sleep_for(hours{1}, stop); });
    sleeper.request_stop();
  }
  EXPECT_FALSE(slept_through);
}

TEST(SystemClock, TellsTheTimeOfThisCentury) {
  EXPECT_GT(SystemClock{}.now(), *parse_rfc3339("2024-01-01"));
}

}  // namespace
}  // namespace longshore
