// Values come back from a report as text, whatever their type and script.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <climits>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "pdf/font_set.h"
#include "pdf/text_shaper.h"
#include "pdf_reader.h"

namespace longshore {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

/// One column of values, each read back as a line of its own: `value` behind the row's number.
std::vector<std::string> shown(const std::string& type, const std::vector<Cell>& values,
                               const std::string& zone = "UTC") {
  ExportSpec spec = pdf_spec({"n:int32", "value:" + type, "end:text"});
  spec.time_zone = zone;
  std::vector<Row> rows;
  for (std::size_t i = 0; i < values.size(); ++i) rows.push_back({static_cast<std::int64_t>(i), values[i], "end"});
  std::vector<std::string> result;
  for (const std::string& line : PdfReader(encode_pdf(spec, rows).bytes).raw_lines()) {
    const std::string number = std::to_string(result.size()) + " ";
    if (line.starts_with(number) && line.ends_with(" end")) {
      result.push_back(line.substr(number.size(), line.size() - number.size() - 4));
    }
  }
  EXPECT_EQ(result.size(), values.size());
  return result;
}

using Texts = std::vector<std::string>;

TEST(PdfValues, Numbers) {
  EXPECT_EQ(shown("int64", {std::int64_t{INT64_MIN}, std::int64_t{INT64_MAX}, std::int64_t{0}, kNull}),
            (Texts{"-9223372036854775808", "9223372036854775807", "0", "\u2013"}));
  EXPECT_EQ(shown("int32", {std::int64_t{INT32_MIN}, std::int64_t{INT32_MAX}}), (Texts{"-2147483648", "2147483647"}));
  EXPECT_EQ(shown("numeric(38,10)", {int128("99999999999999999999999999999999999999"), int128("-1"), kNull}),
            (Texts{"9999999999999999999999999999.9999999999", "-0.0000000001", "\u2013"}));
  EXPECT_EQ(shown("numeric", {std::string("123456789012345678901234567890.5"), std::string("NaN")}),
            (Texts{"123456789012345678901234567890.5", "NaN"}));
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(shown("float64", {0.1, 1e20, -0.0, std::nan(""), kInfinity, -kInfinity, 5e-324, 1.7976931348623157e308}),
            (Texts{"0.1", "1e+20", "-0", "NaN", "Infinity", "-Infinity", "5e-324", "1.7976931348623157e+308"}));
  EXPECT_EQ(shown("float32", {0.1}), (Texts{"0.1"}));
  EXPECT_EQ(shown("bool", {true, false, kNull}), (Texts{"true", "false", "\u2013"}));
}

TEST(PdfValues, Times) {
  constexpr std::int64_t kNoon = 1'780'755'600'000'000;  // 2026-06-06 14:20:00 UTC
  EXPECT_EQ(shown("date", {std::int64_t{20'610}, std::int64_t{-719'162}, std::int64_t{2'932'896},
                           std::int64_t{kDateInfinity}, std::int64_t{-800'000}}),
            (Texts{"2026-06-06", "0001-01-01", "9999-12-31", "infinity", "0222-09-04 BC"}));
  EXPECT_EQ(shown("timestamp", {kNoon, kNoon + 5}), (Texts{"2026-06-06 14:20:00", "2026-06-06 14:20:00.000005"}));
  EXPECT_EQ(shown("timestamptz", {kNoon, std::int64_t{kTimestampInfinity}, std::int64_t{kTimestampMinusInfinity}}),
            (Texts{"2026-06-06 14:20:00", "infinity", "-infinity"}));
  EXPECT_EQ(shown("timestamptz", {kNoon, kNoon - 13'000'000'000'000}, "Europe/Berlin"),
            (Texts{"2026-06-06 16:20:00+02", "2026-01-07 04:13:20+01"}));
  EXPECT_EQ(shown("timestamptz", {kNoon}, "Asia/Kolkata"), (Texts{"2026-06-06 19:50:00+05:30"}));
  EXPECT_EQ(shown("timestamptz", {kNoon}, "America/New_York"), (Texts{"2026-06-06 10:20:00-04"}));
  EXPECT_EQ(shown("timestamptz", {std::int64_t{-63'000'000'000'000'000}}, "Asia/Kolkata"),
            (Texts{"0028-08-11 13:53:00+05:53 BC"}));
  EXPECT_EQ(shown("time", {std::int64_t{0}, std::int64_t{86'399'999'999}}), (Texts{"00:00:00", "23:59:59.999999"}));
}

TEST(PdfValues, TextAndBytes) {
  EXPECT_EQ(shown("text", {std::string("plain"), std::string("(a) \\b\\ ((c"), std::string("100% <b> & 'q'"), kNull}),
            (Texts{"plain", "(a) \\b\\ ((c", "100% <b> & 'q'", "\u2013"}));
  EXPECT_EQ(shown("uuid", {std::string("\x01\x23\x45\x67\x89\xAB\xCD\xEF\x01\x23\x45\x67\x89\xAB\xCD\xEF")}),
            (Texts{"01234567-89ab-cdef-0123-456789abcdef"}));
  EXPECT_EQ(shown("bytea", {std::string("\0\1\xFF", 3), std::string("hello")}), (Texts{"AAH/", "aGVsbG8="}));
  EXPECT_EQ(shown("json", {std::string(R"({"a": [1, null]})")}), (Texts{R"({"a": [1, null]})"}));
  EXPECT_EQ(shown("int64[]", {std::string("[1, 2, 3]")}), (Texts{"[1, 2, 3]"}));
  EXPECT_EQ(shown("interval", {std::string("P1DT2H")}), (Texts{"P1DT2H"}));
}

TEST(PdfValues, NullIsLighterThanADashAndEmptyTextIsBlank) {
  const ExportSpec spec = pdf_spec({"n:int32", "value:text"});
  const PdfReader reader(
      encode_pdf(spec, {{std::int64_t{1}, kNull}, {std::int64_t{2}, "\u2013"}, {std::int64_t{3}, ""}}).bytes);
  const std::vector<std::string> lines = reader.raw_lines();
  EXPECT_THAT(lines, Contains("1 \u2013"));
  EXPECT_THAT(lines, Contains("2 \u2013"));
  EXPECT_THAT(lines, Contains("3"));
  EXPECT_EQ(count(reader.uncompressed(), ".66 .69 .73 rg"), 1U);
}

TEST(PdfValues, ManyScriptsByGlyphs) {
  const Texts texts{"Falsches Üben quält größere Zwerge",
                    "Ταχίστη αλώπηξ βαφής ψημένη γη",
                    "Съешь же ещё этих мягких булок",
                    "Pchnąć w tę łódź jeża",
                    "Pijamalı hasta yağız şoföre",
                    "Tiếng Việt có dấu",
                    "საქართველო",
                    "Հայաստան",
                    "€ £ ¥ © ® ™ • … “quoted” ‘x’ – —",
                    "№ ← → ↔ ≤ ≠ ≥ ∞ ☺ ✓ 😀"};
  EXPECT_EQ(shown("text", {texts.begin(), texts.end()}), texts);
}

TEST(PdfValues, EveryCharacterOfTheFontIsCopiedAsItself) {
  constexpr std::u32string_view kBlanks = U"\u00A0\u2007\u2028\u2029\u202F\u205F";
  const auto fonts = FontSet::built_in();
  Texts texts;
  for (char32_t c = 0x21; c < 0x10000; ++c) {
    const CharacterInfo info = fonts->character(c);
    // Poppler writes all blanks as U+0020.
    const bool blank = info.line_break == LineBreak::after_space || kBlanks.find(c) != std::u32string_view::npos;
    if (info.kind != CharacterKind::direct || blank) continue;
    texts.push_back("x" + encode_utf8({&c, 1}) + "x");
  }
  ASSERT_GT(texts.size(), 3900U);
  const Texts copied = shown("text", {texts.begin(), texts.end()});
  ASSERT_EQ(copied.size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(copied[i], texts[i]);
}

TEST(PdfValues, RightToLeftTextIsCopiedInReadingOrder) {
  ExportSpec spec = pdf_spec({"n:int32", "value:text"});
  const PdfReader reader(encode_pdf(spec, {{std::int64_t{1}, "דג סקרן שט בים מאוכזב"},
                                           {std::int64_t{2}, "نص حكيم له سر قاطع"},
                                           {std::int64_t{3}, "گچ پژ چشم"}})
                             .bytes);
  EXPECT_EQ(reader.complaints(), "");
  const std::string text = reader.text();
  EXPECT_THAT(text, HasSubstr("דג סקרן שט בים מאוכזב"));
  EXPECT_THAT(text, HasSubstr("نص حكيم له سر قاطع"));
  EXPECT_THAT(text, HasSubstr("گچ پژ چشم"));
}

TEST(PdfValues, CombiningAndMissingCharactersAreCopiedAsTheyWere) {
  ExportSpec spec = pdf_spec({"n:int32", "value:text"});
  const std::string combining = "e\u0301 a\u0308 q\u0303";
  const std::string missing = "漢字 ok เป็น";
  const EncodedFile file =
      encode_pdf(spec, {{std::int64_t{1}, combining}, {std::int64_t{2}, missing}, {std::int64_t{3}, "plain"}});
  const PdfReader reader(file.bytes);
  EXPECT_EQ(reader.complaints(), "");
  EXPECT_THAT(reader.raw_text(), HasSubstr("1 " + combining));
  EXPECT_THAT(reader.raw_text(), HasSubstr("2 " + missing));
  ASSERT_EQ(file.total.fidelity.size(), 2U);
  EXPECT_EQ(file.total.fidelity[1], (ColumnFidelity{.replaced = 1}));
}

TEST(PdfValues, AFallbackFontShowsWhatTheFirstLacks) {
  const std::vector<std::string> fallbacks = FontSet::installed_fallbacks();
  ASSERT_FALSE(fallbacks.empty()) << "apt-get install fonts-droid-fallback";
  const FormatTable formats = pdf_formats({}, FontSet::with_fallbacks(fallbacks).value());
  const ExportSpec spec = pdf_spec({"n:int32", "value:text"});
  const std::vector<Row> rows{{std::int64_t{1}, "我能吞下玻璃而不伤身体"}, {std::int64_t{2}, "日本語 and Latin"}};
  const EncodedFile file = encode_file(formats, spec, rows);
  const PdfReader reader(file.bytes);
  EXPECT_EQ(reader.complaints(), "");
  EXPECT_THAT(reader.raw_text(), HasSubstr("1 我能吞下玻璃而不伤身体"));
  EXPECT_THAT(reader.raw_text(), HasSubstr("2 日本語 and Latin"));
  EXPECT_EQ(count(reader.fonts(), "yes yes yes"), 4U) << reader.fonts();
  EXPECT_TRUE(file.total.fidelity.empty());
}

TEST(PdfValues, LongTextIsBrokenIntoLinesAndCut) {
  std::string words;
  for (int i = 0; words.size() < 32'767; ++i) words += "word" + std::to_string(i) + " ";
  words.resize(32'767);
  const ExportSpec spec = pdf_spec({"n:int32", "value:text", "other:text"});
  const EncodedFile file = encode_pdf(spec, {{std::int64_t{1}, words, std::string(32'767, 'x')},
                                             {std::int64_t{2}, "two\nlines", "a\r\nb\rc\n\n"},
                                             {std::int64_t{3}, "w1 " + std::string(100, 'y') + " w2", "short"}});
  const PdfReader reader(file.bytes);
  EXPECT_EQ(reader.complaints(), "");
  const std::string text = reader.raw_text();
  EXPECT_THAT(text, HasSubstr("word0 word1 word2"));
  EXPECT_EQ(count(text, "\u2026"), 2U);
  EXPECT_THAT(text, Not(HasSubstr("word500")));
  EXPECT_THAT(text, HasSubstr("two\n"));
  ASSERT_EQ(file.total.fidelity.size(), 3U);
  EXPECT_EQ(file.total.fidelity[0], ColumnFidelity{});
  EXPECT_EQ(file.total.fidelity[1], (ColumnFidelity{.truncated = 1}));
  EXPECT_EQ(file.total.fidelity[2], (ColumnFidelity{.truncated = 1}));
}

TEST(PdfValues, ControlCharactersAndBrokenUtf8AreShown) {
  const ExportSpec spec = pdf_spec({"n:int32", "value:text"});
  const EncodedFile file = encode_pdf(spec, {{std::int64_t{1}, std::string("a\0b\x1B", 4)},
                                             {std::int64_t{2}, "tab\there"},
                                             {std::int64_t{3}, "bad \xFF\xC3 end"},
                                             {std::int64_t{4}, "\x7F"}});
  const PdfReader reader(file.bytes);
  EXPECT_EQ(reader.complaints(), "");
  const std::vector<std::string> lines = reader.raw_lines();
  EXPECT_THAT(lines, Contains("1 a\\x00b\\x1B"));
  EXPECT_THAT(lines, Contains("2 tab here"));
  EXPECT_THAT(lines, Contains("3 bad \uFFFD\uFFFD end"));
  EXPECT_THAT(lines, Contains("4 \\x7F"));
  EXPECT_EQ(file.total.fidelity.at(1), (ColumnFidelity{.replaced = 3}));
}

TEST(PdfValues, NamesOfColumnsInAnyScript) {
  const ExportSpec spec = pdf_spec({"größe:text", "מחיר:text", "aVeryLongColumnNameThatIsBrokenAtItsCapitals:bool"});
  const PdfReader reader(encode_pdf(spec, {{"a", "b", true}}).bytes);
  EXPECT_EQ(reader.complaints(), "");
  EXPECT_THAT(reader.text(), HasSubstr("größe"));
  EXPECT_THAT(reader.text(), HasSubstr("מחיר"));
  EXPECT_THAT(reader.text(), HasSubstr("Capitals"));
}

}  // namespace
}  // namespace longshore
