#include "xlsx/xml_text.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace longshore {
namespace {

using std::string_literals::operator""s;

TEST(XmlText, EscapesMarkup) {
  EXPECT_EQ(xml_text("a < b > c & d \"e\" 'f'"), "a &lt; b &gt; c &amp; d \"e\" 'f'");
  EXPECT_EQ(xml_text("]]>"), "]]&gt;");
}

TEST(XmlText, EscapesWhatXmlCannotHold) {
  EXPECT_EQ(xml_text("\0\x01\x1F\x7F"s), "_x0000__x0001__x001F_\x7F");
  EXPECT_EQ(xml_text("\uFFFE\uFFFF\uFFFD\uFEFF"), "_xFFFE__xFFFF_\uFFFD\uFEFF");
  EXPECT_EQ(xml_text("tab\tline\nreturn\rboth\r\n"), "tab\tline\nreturn&#13;both&#13;\n");
}

TEST(XmlText, EscapesWhatLooksLikeAnEscape) {
  EXPECT_EQ(xml_text("_x0041_"), "_x005F_x0041_");
  EXPECT_EQ(xml_text("_x00e9_x0041_"), "_x005F_x00e9_x005F_x0041_");
  EXPECT_EQ(xml_text("_x004_ _x00410_ _y0041_ _X0041_ _x00G1_ tenant_x1"),
            "_x004_ _x00410_ _y0041_ _X0041_ _x00G1_ tenant_x1");
}

/// Found by fuzzing: the last underscore may come from the escape behind.
TEST(XmlText, EscapesWhatAnEscapeWouldComplete) {
  EXPECT_EQ(xml_text("_x0041\x01"), "_x005F_x0041_x0001_");
  EXPECT_EQ(xml_text("_x0041\uFFFF"), "_x005F_x0041_xFFFF_");
  EXPECT_EQ(xml_text("_x0041\r_x0041\t_x0041\uFFFD_x0041"), "_x0041&#13;_x0041\t_x0041\uFFFD_x0041");
  EXPECT_EQ(xml_text("_x0041_x0042\x01"), "_x005F_x0041_x005F_x0042_x0001_");
}

TEST(XmlText, AttributesAreOneLineWithoutQuotes) {
  EXPECT_EQ(xml_attribute("a \"b\" <c>\n&\r"), "a &quot;b&quot; &lt;c&gt; &amp; ");
}

/// Both scans against the rule itself, with every special byte at every place.
TEST(XmlText, ScansSeeWhatWantsALook) {
  std::mt19937_64 random(7);
  const std::vector<std::string> pieces{"a", "plain words ", "_", "x", "_x", "\xC3\xA9", "&", "<",
                                        ">", "\x1F",         "=", ";"};
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    const std::size_t length = random() % 70;
    while (text.size() < length) text += pieces[random() % (round % 2 == 0 ? 4 : pieces.size())];
    bool special = text.find("_x") != std::string::npos;
    bool non_ascii = false;
    for (const char c : text) {
      special |= c == '&' || c == '<' || c == '>' || static_cast<unsigned char>(c) < 0x20;
      non_ascii |= static_cast<unsigned char>(c) >= 0x80;
    }
    const auto judge = [&](unsigned flags, const std::string& copy) {
      ASSERT_EQ((flags & kXmlSpecial) != 0, special) << text;
      if (special) return;
      ASSERT_EQ((flags & kXmlNonAscii) != 0, non_ascii) << text;
      ASSERT_EQ(copy.substr(0, text.size()), text);
    };
    std::string copy(text.size(), '?');
    judge(scan_xml(text.data(), text.size(), copy.data()), copy);
    if (text.size() > 32) continue;
    const std::string padded = text + std::string(32, round % 3 == 0 ? 'x' : '&');
    std::string room(64, '?');
    judge(scan_xml_short(padded.data(), text.size(), room.data()), room);
  }
}

/// Escaping does not depend on where in a block a character stands.
TEST(XmlText, EscapesAtEveryOffset) {
  for (const auto& [raw, escaped] : std::vector<std::pair<std::string, std::string>>{{"&", "&amp;"},
                                                                                     {"\x01", "_x0001_"},
                                                                                     {"_x0041_", "_x005F_x0041_"},
                                                                                     {"\uFFFF", "_xFFFF_"},
                                                                                     {"_", "_"},
                                                                                     {"\uFF21", "\uFF21"}}) {
    for (std::size_t before = 0; before < 40; ++before) {
      for (const std::size_t after : {0, 1, 15, 16, 17}) {
        const std::string left(before, 'a');
        const std::string right(after, 'b');
        ASSERT_EQ(xml_text(left + raw + right), left + escaped + right);
      }
    }
  }
}

TEST(XmlText, CutsAtCharacters) {
  EXPECT_EQ(bytes_of_units("abc", 2), 2U);
  EXPECT_EQ(bytes_of_units("aé日", 3), 6U);
  EXPECT_EQ(bytes_of_units("a😀b", 2), 1U);
  EXPECT_EQ(bytes_of_units("a😀b", 3), 5U);
  EXPECT_EQ(bytes_of_units("", 0), 0U);
}

}  // namespace
}  // namespace longshore
