#include "scan/value_text.h"

#include <gtest/gtest.h>

#include <limits>

#include "scan/key_domain.h"

namespace longshore {
namespace {

TEST(ValueTextTest, DatesThereAndBack) {
  EXPECT_EQ(date_text(0), "1970-01-01");
  EXPECT_EQ(date_text(-1), "1969-12-31");
  EXPECT_EQ(date_text(11016), "2000-02-29");
  EXPECT_EQ(date_text(-719529), "0002-12-31 BC");
  EXPECT_EQ(date_text(kDateInfinity), "infinity");
  for (const std::int32_t days : {0, -1, 1, 11016, 20610, -719162, -719163, -719529, -2440588, 2145042905}) {
    EXPECT_EQ(parse_date(date_text(days)), days) << date_text(days);
  }
  for (std::int32_t days = -800'000; days < 800'000; days += 37) ASSERT_EQ(parse_date(date_text(days)), days);
  for (const char* bad :
       {"", "2026-02-29", "2026-13-01", "2026-00-01", "2026-1-1", "2026-01-01 ", "x", "0000-01-01 BC"}) {
    EXPECT_EQ(parse_date(bad), std::nullopt) << bad;
  }
}

TEST(ValueTextTest, TimestampsThereAndBack) {
  EXPECT_EQ(timestamp_text(0, true), "1970-01-01T00:00:00Z");
  EXPECT_EQ(timestamp_text(-1, false), "1969-12-31T23:59:59.999999");
  EXPECT_EQ(timestamp_text(kTimestampMinusInfinity, true), "-infinity");
  for (const std::int64_t micros : {0L, -1L, 1L, 1780753200000001L, -62135596800000001L, 9223371331199999999L}) {
    EXPECT_EQ(parse_timestamp(timestamp_text(micros, true)), micros) << timestamp_text(micros, true);
    EXPECT_EQ(parse_timestamp(timestamp_text(micros, false)), micros);
  }
  const std::int64_t expected = 1780748400000000;
  for (const char* same : {"2026-06-06T12:20:00Z", "2026-06-06 12:20", "2026-06-06 14:20:00+02",
                           "2026-06-06T14:20:00+02:00", "2026-06-06T06:50:00.000-0530", "2026-06-06 12:20:00 +00"}) {
    EXPECT_EQ(parse_timestamp(same), expected) << same;
  }
  EXPECT_EQ(parse_timestamp("1970-01-02"), 86'400'000'000);
  for (const char* bad :
       {"", "2026-06-06T", "2026-06-06T25:00:00Z", "2026-06-06T12:60:00", "2026-06-06T12:00:00.1234567",
        "2026-06-06T12:00:00+99", "2026-06-06T12:00:00Zjunk", "300000-01-01"}) {
    EXPECT_EQ(parse_timestamp(bad), std::nullopt) << bad;
  }
}

TEST(ValueTextTest, Times) {
  EXPECT_EQ(time_text(86'400'000'000), "24:00:00");
  EXPECT_EQ(time_text(1), "00:00:00.000001");
  EXPECT_EQ(parse_time("23:59:59.5"), 86'399'500'000);
  EXPECT_EQ(parse_time("24:00:01"), std::nullopt);
  EXPECT_EQ(parse_time("1:00"), std::nullopt);
}

TEST(ValueTextTest, Decimals) {
  EXPECT_EQ(decimal_text(-5, 2), "-0.05");
  EXPECT_EQ(decimal_text(12345, 2), "123.45");
  EXPECT_EQ(decimal_text(7, 0), "7");
  EXPECT_EQ(parse_decimal("123.45", 5, 2), Int128{12345});
  EXPECT_EQ(parse_decimal("123.4500", 5, 2), Int128{12345});
  EXPECT_EQ(parse_decimal("-1e2", 5, 2), Int128{-10000});
  EXPECT_EQ(parse_decimal("1.5E-1", 5, 2), Int128{15});
  EXPECT_EQ(parse_decimal("0.000", 5, 2), Int128{0});
  EXPECT_EQ(parse_decimal("1000", 5, 2), std::nullopt);   // too large
  EXPECT_EQ(parse_decimal("1.001", 5, 2), std::nullopt);  // would round
  EXPECT_EQ(parse_decimal("99999999999999999999999999999999999999", 38, 0), power_of_ten(38) - 1);
  EXPECT_EQ(parse_decimal("100000000000000000000000000000000000000", 38, 0), std::nullopt);
  for (const char* bad : {"", "-", ".", "1.2.3", "abc", "1e", "1e99999999", "NaN", "0x10"}) {
    EXPECT_EQ(parse_decimal(bad, 38, 2), std::nullopt) << bad;
  }
}

TEST(ValueTextTest, Int128Extremes) {
  EXPECT_EQ(int128_text(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(int128_text(static_cast<Int128>(UInt128{1} << 127)), "-170141183460469231731687303715884105728");
}

TEST(ValueTextTest, Uuids) {
  const auto bytes = parse_uuid("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11");
  ASSERT_TRUE(bytes);
  EXPECT_EQ(uuid_text(bytes->data()), "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
  EXPECT_EQ(parse_uuid("a0eebc999c0b4ef8bb6d6bb9bd380a11"), bytes);
  EXPECT_EQ(parse_uuid("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1"), std::nullopt);
  EXPECT_EQ(parse_uuid("a0eebc99x9c0b-4ef8-bb6d-6bb9bd380a11"), std::nullopt);
  EXPECT_EQ(parse_uuid("g0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), std::nullopt);
}

TEST(KeyDomainTest, NumbersKeepTheOrderOfKeys) {
  const auto check = [](const char* type, std::vector<std::string> rising) {
    const auto domain = KeyDomain::of(*parse_data_type(type));
    ASSERT_TRUE(domain) << type;
    for (std::size_t i = 0; i < rising.size(); ++i) {
      const auto number = domain->number(rising[i]);
      ASSERT_TRUE(number) << rising[i];
      EXPECT_EQ(domain->text(*number), rising[i]);
      if (i > 0) {
        EXPECT_LT(*domain->number(rising[i - 1]), *number);
      }
    }
  };
  check("int64", {"-9223372036854775808", "-1", "0", "9223372036854775807"});
  check("uuid", {"00000000-0000-0000-0000-000000000000", "7fffffff-0000-0000-0000-000000000000",
                 "80000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-fffffffffffe"});
  check("timestamptz", {"0044-03-15T00:00:00Z BC", "1969-12-31T23:59:59.999999Z", "2026-01-01T00:00:00Z"});
  check("date", {"1969-12-31", "2026-01-01"});
  check("numeric(10,2)", {"-1.50", "0.00", "0.01", "12.00"});
  EXPECT_FALSE(KeyDomain::of(*parse_data_type("text")));
  EXPECT_FALSE(KeyDomain::of(*parse_data_type("float64")));
  EXPECT_EQ(KeyDomain::of(*parse_data_type("timestamp"))->number("infinity"), std::nullopt);
}

}  // namespace
}  // namespace longshore
