#include <gtest/gtest.h>

#include <cfloat>
#include <cmath>
#include <limits>
#include <random>
#include <string>

#include "base/digest.h"
#include "base/utf8.h"
#include "encode/text/calendar.h"
#include "encode/text/digits.h"
#include "encode/text/plain_cells.h"
#include "sample_rows.h"

namespace longshore {
namespace {

template <class Writer>
std::string written(const Writer& writer) {
  char buffer[128];
  return {buffer, writer(buffer)};
}

std::string int_text(std::int64_t value) {
  return written([&](char* out) { return write_int64(out, value); });
}
std::string decimal_text(std::string_view digits, int scale) {
  return written([&](char* out) { return write_decimal(out, int128(digits), scale); });
}
std::string date_text(std::int32_t days) {
  DayText cache;
  return written([&](char* out) { return write_date(out, days, cache); });
}
std::string timestamp_text(std::int64_t micros, bool utc = true) {
  DayText cache;
  return written([&](char* out) { return write_timestamp(out, micros, utc, cache); });
}
template <class T>
std::string float_text(T value) {
  return written([&](char* out) { return write_float(out, value); });
}

TEST(IntegerText, AgreesWithTheStandardLibraryAtEveryLength) {
  EXPECT_EQ(int_text(0), "0");
  EXPECT_EQ(int_text(INT64_MIN), "-9223372036854775808");
  EXPECT_EQ(int_text(INT64_MAX), "9223372036854775807");
  std::uint64_t power = 1;
  for (int i = 0; i < 20; ++i, power *= 10) {
    for (const std::uint64_t value : {power - 1, power, power + 1, power * 3 / 2}) {
      EXPECT_EQ(written([&](char* out) { return write_uint64(out, value); }), std::to_string(value));
      const auto negative = -static_cast<std::int64_t>(value / 2);
      EXPECT_EQ(int_text(negative), std::to_string(negative));
    }
  }
  EXPECT_EQ(written([&](char* out) { return write_uint64(out, UINT64_MAX); }), "18446744073709551615");
}

TEST(DecimalText, IsExactWithTheScaleOfTheColumn) {
  EXPECT_EQ(decimal_text("0", 0), "0");
  EXPECT_EQ(decimal_text("0", 2), "0.00");
  EXPECT_EQ(decimal_text("5", 2), "0.05");
  EXPECT_EQ(decimal_text("-5", 2), "-0.05");
  EXPECT_EQ(decimal_text("100", 2), "1.00");
  EXPECT_EQ(decimal_text("-123456", 3), "-123.456");
  EXPECT_EQ(decimal_text("12345678901234567890", 1), "1234567890123456789.0");
  EXPECT_EQ(decimal_text("10000000000000000000", 0), "10000000000000000000") << "the first that needs two halves";
  EXPECT_EQ(decimal_text("99999999999999999999999999999999999999", 0), "99999999999999999999999999999999999999");
  EXPECT_EQ(decimal_text("-99999999999999999999999999999999999999", 38), "-0.99999999999999999999999999999999999999");
  EXPECT_EQ(decimal_text("-99999999999999999999999999999999999999", 19), "-9999999999999999999.9999999999999999999");
  EXPECT_EQ(decimal_text("1", 38), "0.00000000000000000000000000000000000001");
  EXPECT_EQ(decimal_text("10000000000000000000000000000000000001", 20), "100000000000000000.00000000000000000001");
}

TEST(DateText, KnowsLeapYearsCenturiesAndPostgresRange) {
  EXPECT_EQ(date_text(0), "1970-01-01");
  EXPECT_EQ(date_text(-1), "1969-12-31");
  EXPECT_EQ(date_text(11'016), "2000-02-29");
  EXPECT_EQ(date_text(20'610), "2026-06-06");
  EXPECT_EQ(date_text(-25'509), "1900-02-28") << "1900 had no 29 February";
  EXPECT_EQ(date_text(-25'508), "1900-03-01");
  EXPECT_EQ(date_text(-719'162), "0001-01-01");
  EXPECT_EQ(date_text(-719'163), "0001-12-31 BC");
  EXPECT_EQ(date_text(-2'440'588), "4714-11-24 BC") << "PostgreSQL's first day (its 4713 BC is of the Julian calendar)";
  EXPECT_EQ(date_text(2'932'896), "9999-12-31");
  EXPECT_EQ(date_text(2'932'897), "10000-01-01");
  EXPECT_EQ(date_text(2'145'042'905), "5874897-12-31") << "PostgreSQL's last date";
  EXPECT_EQ(date_text(kDateInfinity), "infinity");
  EXPECT_EQ(date_text(kDateMinusInfinity), "-infinity");
}

TEST(DateText, WalksThroughFourCenturiesDayByDay) {
  CivilDay expected{1799, 12, 31};
  for (std::int64_t day = -62'092; day <= 84'006; ++day) {
    const CivilDay found = civil_day(day);
    ASSERT_EQ(found.year, expected.year) << day;
    ASSERT_EQ(found.month, expected.month) << day;
    ASSERT_EQ(found.day, expected.day) << day;
    const bool leap = expected.year % 4 == 0 && (expected.year % 100 != 0 || expected.year % 400 == 0);
    const std::uint32_t lengths[] = {31, leap ? 29U : 28U, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (++expected.day > lengths[expected.month - 1]) {
      expected.day = 1;
      if (++expected.month > 12) {
        expected.month = 1;
        ++expected.year;
      }
    }
  }
}

TEST(TimestampText, ShowsAFractionOnlyWhenThereIsOne) {
  EXPECT_EQ(timestamp_text(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(timestamp_text(0, false), "1970-01-01T00:00:00");
  EXPECT_EQ(timestamp_text(-1), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(timestamp_text(1'780'755'600'000'000), "2026-06-06T14:20:00Z");
  EXPECT_EQ(timestamp_text(1'780'755'600'500'000), "2026-06-06T14:20:00.500000Z");
  EXPECT_EQ(timestamp_text(1'780'755'600'000'001, false), "2026-06-06T14:20:00.000001");
  EXPECT_EQ(timestamp_text(-62'135'596'800'000'001), "0001-12-31T23:59:59.999999Z BC");
  EXPECT_EQ(timestamp_text(INT64_MAX - 1), "294247-01-10T04:00:54.775806Z");
  EXPECT_EQ(timestamp_text(kTimestampInfinity), "infinity");
  EXPECT_EQ(timestamp_text(kTimestampMinusInfinity), "-infinity");
}

TEST(TimestampText, TheCacheOfDaysNeverLies) {
  std::mt19937_64 random(7);
  DayText shared;
  for (int i = 0; i < 20'000; ++i) {
    // Mostly of two neighbouring days, now and then of another age.
    std::int64_t micros = static_cast<std::int64_t>(random() % 172'800'000'000) - 86'400'000'000;
    if (i % 50 == 0) micros = static_cast<std::int64_t>(random()) / 2;
    EXPECT_EQ(written([&](char* out) { return write_timestamp(out, micros, true, shared); }), timestamp_text(micros));
  }
}

TEST(TimeText, GoesToMidnightAtTheEnd) {
  const auto text = [](std::int64_t micros) { return written([&](char* out) { return write_time(out, micros); }); };
  EXPECT_EQ(text(0), "00:00:00");
  EXPECT_EQ(text(86'399'999'999), "23:59:59.999999");
  EXPECT_EQ(text(86'400'000'000), "24:00:00");
}

TEST(FloatText, IsTheShortestThatReadsBack) {
  EXPECT_EQ(float_text(0.0), "0");
  EXPECT_EQ(float_text(-0.0), "-0");
  EXPECT_EQ(float_text(0.1), "0.1");
  EXPECT_EQ(float_text(100000.0), "100000");
  EXPECT_EQ(float_text(1e15), "1000000000000000");
  EXPECT_EQ(float_text(1e20), "1e+20");
  EXPECT_EQ(float_text(1e-5), "1e-05");
  EXPECT_EQ(float_text(DBL_MAX), "1.7976931348623157e+308");
  EXPECT_EQ(float_text(-DBL_MAX), "-1.7976931348623157e+308");
  EXPECT_EQ(float_text(5e-324), "5e-324") << "the smallest denormal";
  EXPECT_EQ(float_text(0.1F), "0.1");
  EXPECT_EQ(float_text(FLT_MAX), "3.4028235e+38");
  EXPECT_EQ(float_text(1e-45F), "1e-45");
  std::mt19937_64 random(3);
  for (int i = 0; i < 10'000; ++i) {
    const auto value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    EXPECT_EQ(std::strtod(float_text(value).c_str(), nullptr), value);
  }
}

TEST(UuidText, IsLowerCaseWithHyphens) {
  unsigned char bytes[16];
  for (int i = 0; i < 16; ++i) bytes[i] = static_cast<unsigned char>(i * 17);
  EXPECT_EQ(written([&](char* out) { return write_uuid(out, bytes); }), "00112233-4455-6677-8899-aabbccddeeff");
}

TEST(Base64Text, AgreesWithOpenSslAtEveryLength) {
  std::string bytes;
  for (int i = 0; i < 80; ++i) {
    EXPECT_EQ(written([&](char* out) { return write_base64(out, bytes.data(), bytes.size()); }), base64_encode(bytes));
    bytes.push_back(static_cast<char>(i * 37 + 200));
  }
}

TEST(Utf8, AcceptsExactlyWhatTheStandardAccepts) {
  for (const char* good : {"", "a", "ä", "\xE2\x82\xAC", "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF",
                           "\xED\x9F\xBF", "12345678\xC2\x80 and a longer tail of ASCII"}) {
    EXPECT_TRUE(is_utf8(good)) << good;
  }
  for (const char* bad :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80", "\xFF", "\xC3", "\xE2\x82", "\xF0\x9F\x98", "12345678\xE2\x82 tail"}) {
    EXPECT_FALSE(is_utf8(bad)) << base64_encode(bad);
  }
}

TEST(Utf8, ReplacesMaximalIllFormedRuns) {
  const auto repaired = [](std::string_view text) {
    std::string out(3 * text.size(), '\0');
    out.resize(static_cast<std::size_t>(copy_as_utf8(text, out.data()) - out.data()));
    return out;
  };
  // The example of The Unicode Standard, chapter 3, table 3-8.
  EXPECT_EQ(repaired("\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64"),
            "a\uFFFD\uFFFD\uFFFDb\uFFFDc\uFFFD\uFFFDd");
  EXPECT_EQ(repaired("gr\xFC\xDF dich"), "gr\uFFFD\uFFFD dich");
  EXPECT_EQ(repaired("ein ß \xE2\x82"), "ein ß \uFFFD");
}

}  // namespace
}  // namespace longshore
