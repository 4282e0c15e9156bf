#include "http/target.h"
#include "base/utf8.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace longshore {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Target, DecodesPathAndQuery) {
  const auto target = parse_target("/v1/a%20b/%C3%A9?x=1&y=a+b%2Bc&flag&=v");
  ASSERT_TRUE(target.has_value());
  EXPECT_EQ(target->path, "/v1/a%20b/%C3%A9");
  EXPECT_THAT(target->segments, ElementsAre("v1", "a b", "é"));
  ASSERT_EQ(target->query.size(), 4u);
  EXPECT_EQ(target->query[0].value, "1");
  EXPECT_EQ(target->query[1].value, "a b+c");
  EXPECT_EQ(target->query[2].name, "flag");
  EXPECT_EQ(target->query[3].value, "v");
}

TEST(Target, KnowsTheOtherForms) {
  EXPECT_THAT(parse_target("/")->segments, IsEmpty());
  EXPECT_THAT(parse_target("http://host:80/a/b?c=d")->segments, ElementsAre("a", "b"));
  EXPECT_EQ(parse_target("HTTPS://host")->path, "/");
  EXPECT_EQ(parse_target("http://host?x=1")->path, "/");
  EXPECT_EQ(parse_target("*")->path, "*");
  EXPECT_THAT(parse_target("/a//b/")->segments, ElementsAre("a", "", "b", ""));
}

TEST(Target, RejectsTricks) {
  for (const std::string_view trick :
       {"/a/../b", "/a/%2e%2e/b", "/a/.%2E/b", "/./a",     "/a/%2e",    "/a%2fb", "/a%5cb",         "/a\\b",
        "/a%00b",  "/a%0ab",      "/a%",       "/a%1",     "/a%g1",     "/%ff",   "/%c0%ae%c0%ae/", "/%ed%a0%80",
        "/?a=%",   "/?a=%ff",     "/?a=%00",   "relative", "ftp://x/y", ""}) {
    const auto target = parse_target(trick);
    ASSERT_FALSE(target.has_value()) << trick;
    EXPECT_EQ(target.error().code, "malformed_request") << trick;
  }
  EXPECT_EQ(parse_target("/" + std::string(8000, 'a')).error().code, "target_too_long");
}

TEST(Target, ChecksUtf8) {
  EXPECT_TRUE(is_utf8("aé€😀"));
  for (const std::string_view bad : {"\x80", "\xc3", "\xc1\x81", "\xe0\x80\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80",
                                     "\xed\xa0\x80", "\xff", "a\xe2\x82"}) {
    EXPECT_FALSE(is_utf8(bad));
  }
}

}  // namespace
}  // namespace longshore
