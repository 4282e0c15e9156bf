#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "pdf/color_profile.h"
#include "pdf/detail_codec.h"
#include "pdf/page_content.h"
#include "pdf/pdf_objects.h"
#include "pdf/report_text.h"
#include "pdf/text_lines.h"
#include "pdf/text_shaper.h"

namespace longshore {
namespace {

/// Every character is one wide.
struct Monospace {
  std::string text;
  std::size_t size() const { return text.size(); }
  int advance(std::size_t) const { return 1; }
  LineBreak line_break(std::size_t i) const { return line_break_after(static_cast<unsigned char>(text[i])); }
};

std::vector<std::string> broken(const std::string& text, int limit, std::size_t max_lines = 9, bool cut = false) {
  std::vector<TextLine> lines;
  const bool truncated = break_lines(Monospace{text}, limit, max_lines, 1, cut, lines);
  std::vector<std::string> result;
  for (const TextLine& line : lines) {
    result.push_back(text.substr(line.begin, line.end - line.begin) + (line.ellipsis ? "~" : ""));
    EXPECT_EQ(line.width, static_cast<int>(result.back().size()));
    EXPECT_LE(line.width, std::max(limit, 1));
  }
  EXPECT_EQ(truncated, !result.empty() && result.back().ends_with("~"));
  return result;
}

using Lines = std::vector<std::string>;

TEST(PdfLines, BreaksAtSpaces) {
  EXPECT_EQ(broken("the quick brown fox", 10), (Lines{"the quick", "brown fox"}));
  EXPECT_EQ(broken("the quick", 9), (Lines{"the quick"}));
  EXPECT_EQ(broken("ab   cd", 4), (Lines{"ab", "cd"}));
  EXPECT_EQ(broken("ends   ", 4), (Lines{"ends"}));
  EXPECT_EQ(broken("", 4), Lines{});
  EXPECT_EQ(broken("   ", 2), Lines{""});
}

TEST(PdfLines, BreaksLongWordsBehindSymbolsOrAnywhere) {
  EXPECT_EQ(broken("/api/v1/items/12345", 10), (Lines{"/api/v1/", "items/", "12345"}));
  EXPECT_EQ(broken("abcdefghij", 4), (Lines{"abcd", "efgh", "ij"}));
  EXPECT_EQ(broken("a /very/long/path", 12), (Lines{"a /very/", "long/path"}));
  EXPECT_EQ(broken("xy", 0), (Lines{"x", "y"}));
}

TEST(PdfLines, BreaksAtLineFeeds) {
  EXPECT_EQ(broken("a\nb\n\nc", 10), (Lines{"a", "b", "", "c"}));
}

TEST(PdfLines, CutsWithAnEllipsis) {
  EXPECT_EQ(broken("one two three four", 5, 2), (Lines{"one", "two~"}));
  EXPECT_EQ(broken("abcdefghij", 4, 2), (Lines{"abcd", "efg~"}));
  EXPECT_EQ(broken("abcd", 4, 2, true), (Lines{"abc~"}));
  EXPECT_EQ(broken("a\nb\nc", 4, 2), (Lines{"a", "b~"}));
}

TEST(PdfShaping, JoinsAndTurnsRightToLeftText) {
  TextShaper shaper(*FontSet::built_in());
  const ShapedText text = shaper.shape("\u05D0\u05D1 \u05D2", kRegularFont, 1 << 20, 1);
  ASSERT_EQ(text.lines.size(), 1U);
  EXPECT_TRUE(text.right_to_left);
  EXPECT_FALSE(text.missing);
  std::u32string shown;
  for (const GlyphRun& run : text.lines[0].runs) {
    EXPECT_EQ(run.actual_text, "");
    for (const PlacedGlyph& glyph : run.glyphs) shown += FontSet::built_in()->face(run.font).code_point(glyph.glyph);
  }
  EXPECT_EQ(shown, U"\u05D2 \u05D1\u05D0");
}

TEST(PdfShaping, BreaksAndCutsParagraphs) {
  TextShaper shaper(*FontSet::built_in());
  const ShapedText text = shaper.shape("e\u0301 one\ntwo\nthree", kRegularFont, 1 << 20, 2);
  EXPECT_EQ(text.lines.size(), 2U);
  EXPECT_TRUE(text.truncated);
  EXPECT_FALSE(shaper.shape("e\u0301 one\ntwo", kRegularFont, 1 << 20, 2).truncated);
  const ShapedText narrow = shaper.shape("\u05D0\u05D1\u05D2\u05D3\u05D4\u05D5", kRegularFont, 3000, 6);
  EXPECT_GT(narrow.lines.size(), 1U);
  for (const ShapedLine& line : narrow.lines) EXPECT_LE(line.width, 3000);
  std::string endless;
  for (int i = 0; i < 20'000; ++i) endless += "\u0301";
  EXPECT_TRUE(shaper.shape(endless, kRegularFont, 3000, 6).truncated);
}

TEST(PdfDetail, NumbersAndTextsComeBack) {
  DetailWriter writer;
  const std::vector<std::uint64_t> numbers{0, 1, 127, 128, 300, UINT32_MAX, UINT64_MAX};
  for (const std::uint64_t number : numbers) writer.number(number);
  writer.text("text");
  const std::string bytes = writer.take();
  DetailReader reader(bytes);
  for (const std::uint64_t number : numbers) EXPECT_EQ(reader.number(), number);
  EXPECT_EQ(reader.text(), "text");
  EXPECT_TRUE(reader.at_end());
  EXPECT_FALSE(reader.failed());
  reader.number();
  EXPECT_TRUE(reader.failed());
}

TEST(PdfProfile, WhiteIsTheSumOfThePrimaries) {
  const std::string profile = make_srgb_profile();
  ASSERT_EQ(profile.substr(36, 4), "acsp");
  const auto number = [&](std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(profile[at + i]);
    return value;
  };
  EXPECT_EQ(number(0), profile.size());
  const double d50[] = {0.9642, 1, 0.8249};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    double sum = 0;
    for (const std::string name : {"rXYZ", "gXYZ", "bXYZ"}) {
      const std::size_t tag = profile.find(name);
      sum += static_cast<std::int32_t>(number(number(tag + 4) + 8 + 4 * axis)) / 65536.0;
    }
    EXPECT_NEAR(sum, d50[axis], 0.0002);
  }
}

TEST(PdfTexts, Readable) {
  EXPECT_EQ(readable_name("audit_logs"), "Audit logs");
  EXPECT_EQ(grouped_digits(1'234'567), "1,234,567");
  EXPECT_EQ(grouped_digits(999), "999");
  EXPECT_EQ(clean_text("a\nb\xFF"), "a b\uFFFD");
  EXPECT_EQ(pdf_text_string("a\u20AC\U0001F600"), "<FEFF006120ACD83DDE00>");
}

TEST(PdfObjects, StreamsSayTheirLength) {
  ByteBuffer out;
  append_stream_object(12, "/Type/X", "data", out);
  EXPECT_EQ(out.view(), "12 0 obj\n<</Type/X/Length 4>>\nstream\ndata\nendstream\nendobj\n");
}

}  // namespace
}  // namespace longshore
