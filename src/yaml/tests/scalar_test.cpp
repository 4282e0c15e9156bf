#include "yaml/scalar.h"

#include <gtest/gtest.h>

namespace longshore {
namespace {

using namespace std::chrono_literals;

TEST(Scalar, Integers) {
  EXPECT_EQ(*read_integer("42", 0, 100), 42);
  EXPECT_EQ(*read_integer("-1", -1, 1), -1);
  for (const char* bad : {"", "4 2", "4.0", "0x10", "+4", "101", "-1", "99999999999999999999", "4k"}) {
    const auto result = read_integer(bad, 0, 100);
    ASSERT_FALSE(result) << bad;
    EXPECT_EQ(result.error().message, "\"" + std::string(bad) + "\" is not an integer from 0 to 100");
  }
}

TEST(Scalar, Booleans) {
  EXPECT_TRUE(*read_boolean("true"));
  EXPECT_FALSE(*read_boolean("false"));
  EXPECT_EQ(read_boolean("yes").error().message, "\"yes\" is not true or false");
}

TEST(Scalar, DurationsAndSizes) {
  EXPECT_EQ(*read_duration("500ms", 1ms, 1s), 500ms);
  EXPECT_EQ(read_duration("2s", 1ms, 1s).error().message,
            "\"2s\" is not a duration from 1ms to 1s (a number with ms, s, m, h or d)");
  EXPECT_FALSE(read_duration("soon", 1ms, 1s));
  EXPECT_EQ(*read_byte_size("8MiB", 1, 1 << 30), 8 << 20);
  EXPECT_EQ(read_byte_size("8MB", 1 << 10, 512 << 20).error().message,
            "\"8MB\" is not a size from 1KiB to 512MiB (bytes, or a number with KiB, MiB or GiB)");
}

TEST(Scalar, LongValuesAreShownInPart) {
  EXPECT_EQ(read_boolean(std::string(100, 'x')).error().message,
            "\"" + std::string(60, 'x') + "…\" is not true or false");
}

TEST(Scalar, FormatsReadBack) {
  for (const Duration duration : {Duration(0ms), Duration(1ms), Duration(90s), Duration(24h), Duration(168h)}) {
    EXPECT_EQ(*parse_duration(format_duration(duration)), duration) << format_duration(duration);
  }
  for (const std::int64_t bytes : {0LL, 1LL, 1024LL, 1536LL, 8LL << 20, 5LL << 30}) {
    EXPECT_EQ(*parse_byte_size(format_byte_size(bytes)), bytes) << format_byte_size(bytes);
  }
}

}  // namespace
}  // namespace longshore
