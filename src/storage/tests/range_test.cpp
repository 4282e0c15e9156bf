#include "storage/range.h"

#include <gtest/gtest.h>

namespace longshore {
namespace {

using Method = ConditionalRequest::Method;

constexpr ByteRange kWhole{};
constexpr ByteRange kUnsatisfiable{RangeKind::unsatisfiable, 0, 0};
constexpr ByteRange part(std::int64_t first, std::int64_t length) {
  return {RangeKind::part, first, length};
}

TEST(RangeTest, ReadsSingleRanges) {
  EXPECT_EQ(parse_range("bytes=0-0", 10), part(0, 1));
  EXPECT_EQ(parse_range("bytes=2-5", 10), part(2, 4));
  EXPECT_EQ(parse_range("bytes=5-", 10), part(5, 5));
  EXPECT_EQ(parse_range("bytes=-3", 10), part(7, 3));
  EXPECT_EQ(parse_range("bytes=-30", 10), part(0, 10));
  EXPECT_EQ(parse_range("bytes=8-100", 10), part(8, 2));
  EXPECT_EQ(parse_range("BYTES= 1-2 ", 10), part(1, 2));
  EXPECT_EQ(parse_range("bytes=,1-2, ,", 10), part(1, 2));
  EXPECT_EQ(parse_range("bytes=5-99999999999999999999999", 10), part(5, 5));
  EXPECT_EQ(parse_range("bytes=-99999999999999999999999", 10), part(0, 10));
  EXPECT_EQ(parse_range("bytes=4000000000-4000000000", 5'000'000'000), part(4'000'000'000, 1));
}

TEST(RangeTest, KnowsWhatCannotBeSatisfied) {
  EXPECT_EQ(parse_range("bytes=10-", 10), kUnsatisfiable);
  EXPECT_EQ(parse_range("bytes=10-20", 10), kUnsatisfiable);
  EXPECT_EQ(parse_range("bytes=-0", 10), kUnsatisfiable);
  EXPECT_EQ(parse_range("bytes=0-", 0), kUnsatisfiable);
  EXPECT_EQ(parse_range("bytes=99999999999999999999999-", 10), kUnsatisfiable);
  // An empty body satisfies any suffix; all of it is nothing.
  EXPECT_EQ(parse_range("bytes=-5", 0), kWhole);
}

TEST(RangeTest, IgnoresWhatIsNoRangeOrSeveral) {
  for (const char* header : {"", "bytes", "bytes=", "bytes=-", "bytes=5", "bytes=5-2", "bytes=a-b", "bytes=1-2x",
                             "bytes=+1-2", "bytes=1--2", "bytes=-1-2", "bytes= 1 - 2", "bytes 0-1", "items=0-1",
                             "bytes=0-1,3-4", "bytes=0-1,x", "0-1", "bytes=0x1-2", "=0-1"}) {
    EXPECT_EQ(parse_range(header, 10), kWhole) << header;
  }
}

TEST(RangeTest, WritesContentRange) {
  EXPECT_EQ(content_range(part(2, 4), 10), "bytes 2-5/10");
  EXPECT_EQ(content_range(kUnsatisfiable, 10), "bytes */10");
}

TEST(HttpDateTest, WritesAndReads) {
  const Timestamp time{std::chrono::seconds{784'111'777}};
  EXPECT_EQ(format_http_date(time), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(format_http_date(time + std::chrono::microseconds{999'999}), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), time);
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT"), time);
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994"), time);
  for (const char* bad : {"", "now", "1994-11-06T08:49:37Z", "Sun, 06 Nov 1994", "784111777",
                          "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 28:49:37 GMT"}) {
    EXPECT_EQ(parse_http_date(bad), std::nullopt) << bad;
  }
}

class SelectionTest : public testing::Test {
 protected:
  int status(const ConditionalRequest& request) const { return select_representation(request, found_).status; }

  // Half a second past what Last-Modified can say.
  const Timestamp modified_{std::chrono::seconds{784'111'777} + std::chrono::milliseconds{500}};
  const Representation found_{"abc-1", modified_, 100};
  const std::string same_ = "Sun, 06 Nov 1994 08:49:37 GMT";
  const std::string earlier_ = "Sun, 06 Nov 1994 08:49:36 GMT";
  const std::string later_ = "Sun, 06 Nov 1994 08:49:38 GMT";
};

TEST_F(SelectionTest, AnswersPlainRequestsInFull) {
  const auto selection = select_representation({}, found_);
  EXPECT_EQ(selection.status, 200);
  EXPECT_EQ(selection.range.first, 0);
  EXPECT_EQ(selection.range.length, 100);
}

TEST_F(SelectionTest, IfMatch) {
  EXPECT_EQ(status({.if_match = "\"abc-1\""}), 200);
  EXPECT_EQ(status({.if_match = "*"}), 200);
  EXPECT_EQ(status({.if_match = "\"x\", \"abc-1\""}), 200);
  EXPECT_EQ(status({.if_match = R"("x,\" ,"abc-1")"}), 200) << "a backslash escapes nothing";
  EXPECT_EQ(status({.if_match = "\"x\" y, \"abc-1\""}), 412) << "what cannot be read ends the list";
  EXPECT_EQ(status({.if_match = "\"x\""}), 412);
  EXPECT_EQ(status({.if_match = "W/\"abc-1\""}), 412) << "compared strongly";
  EXPECT_EQ(status({.if_match = "abc-1"}), 412);
  EXPECT_EQ(status({.if_match = ""}), 412);
}

TEST_F(SelectionTest, IfUnmodifiedSince) {
  EXPECT_EQ(status({.if_unmodified_since = same_}), 200);
  EXPECT_EQ(status({.if_unmodified_since = later_}), 200);
  EXPECT_EQ(status({.if_unmodified_since = earlier_}), 412);
  EXPECT_EQ(status({.if_unmodified_since = "yesterday"}), 200) << "an invalid date is ignored";
  EXPECT_EQ(status({.if_match = "\"abc-1\"", .if_unmodified_since = earlier_}), 200) << "If-Match comes before it";
}

TEST_F(SelectionTest, IfNoneMatch) {
  EXPECT_EQ(status({.if_none_match = "\"abc-1\""}), 304);
  EXPECT_EQ(status({.method = Method::head, .if_none_match = "\"abc-1\""}), 304);
  EXPECT_EQ(status({.if_none_match = "W/\"abc-1\""}), 304) << "compared weakly";
  EXPECT_EQ(status({.if_none_match = "\"x\" , W/\"y\",\"abc-1\""}), 304);
  EXPECT_EQ(status({.if_none_match = "*"}), 304);
  EXPECT_EQ(status({.if_none_match = "\"x\""}), 200);
  EXPECT_EQ(status({.if_none_match = "\"x,abc-1\""}), 200);
}

TEST_F(SelectionTest, IfModifiedSince) {
  EXPECT_EQ(status({.if_modified_since = same_}), 304);
  EXPECT_EQ(status({.if_modified_since = later_}), 304);
  EXPECT_EQ(status({.if_modified_since = earlier_}), 200);
  EXPECT_EQ(status({.if_modified_since = "yesterday"}), 200);
  EXPECT_EQ(status({.if_none_match = "\"x\"", .if_modified_since = later_}), 200) << "If-None-Match comes before it";
}

TEST_F(SelectionTest, PreconditionsInTheirOrder) {
  EXPECT_EQ(status({.if_match = "\"x\"", .if_none_match = "\"abc-1\""}), 412);
  EXPECT_EQ(status({.if_match = "\"abc-1\"", .if_none_match = "\"abc-1\""}), 304);
  EXPECT_EQ(status({.if_none_match = "\"abc-1\"", .range = "bytes=0-1"}), 304) << "before the range";
}

TEST_F(SelectionTest, Ranges) {
  const auto some = select_representation({.range = "bytes=10-19"}, found_);
  EXPECT_EQ(some.status, 206);
  EXPECT_EQ(some.range, part(10, 10));
  const auto beyond = select_representation({.range = "bytes=100-"}, found_);
  EXPECT_EQ(beyond.status, 416);
  EXPECT_EQ(content_range(beyond.range, 100), "bytes */100");
  EXPECT_EQ(status({.range = "bytes=0-1,5-6"}), 200);
  EXPECT_EQ(status({.range = "lines=0-1"}), 200);
  EXPECT_EQ(status({.method = Method::head, .range = "bytes=0-1"}), 200) << "only GET has ranges";
  EXPECT_EQ(status({.method = Method::head, .range = "bytes=100-"}), 200);
}

TEST_F(SelectionTest, IfRange) {
  EXPECT_EQ(status({.if_range = "\"abc-1\"", .range = "bytes=0-1"}), 206);
  EXPECT_EQ(status({.if_range = "\"x\"", .range = "bytes=0-1"}), 200);
  EXPECT_EQ(status({.if_range = "\"x\"", .range = "bytes=100-"}), 200) << "the range is not looked at";
  EXPECT_EQ(status({.if_range = "W/\"abc-1\"", .range = "bytes=0-1"}), 200);
  EXPECT_EQ(status({.if_range = same_, .range = "bytes=0-1"}), 206);
  EXPECT_EQ(status({.if_range = later_, .range = "bytes=0-1"}), 200) << "the very date";
  EXPECT_EQ(status({.if_range = "nonsense", .range = "bytes=0-1"}), 200);
  EXPECT_EQ(status({.if_range = "\"x\""}), 200);
}

}  // namespace
}  // namespace longshore
