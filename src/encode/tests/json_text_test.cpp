#include "encode/json/json_text.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <random>
#include <string>

namespace longshore {
namespace {

bool valid(const std::string& text) {
  return check_json(text).valid;
}

TEST(CheckJson, AcceptsEveryKindOfValue) {
  for (const char* text : {"null", "true", "false", "0", "-0", "12.5e-3", "1E+9", "\"\"", "\"\\u00Ff\\n\"", "[]", "{}",
                           " [ ] ", "[[],[{}]]", "{\"a\":{\"b\":[1,2,{\"c\":null}]},\"d\":[]}", "\t\"x\"\t"}) {
    EXPECT_TRUE(valid(text)) << text;
  }
}

TEST(CheckJson, RefusesWhatIsNearlyJson) {
  for (const char* text :
       {"",          " ",    "nul",   "True",   "01",      "-",           "1.",         ".5",    "1e",    "+1",
        "0x1",       "NaN",  "\"",    "\"\n\"", "\"\\x\"", "\"\\u12g4\"", "[",          "]",     "[1",    "[1,",
        "[1,]",      "[,1]", "[1 2]", "{",      "{\"a\"}", "{\"a\":}",    "{\"a\":1,}", "{a:1}", "{1:1}", "[1}",
        "{\"a\":1]", "1 2",  "[] []", "{}x",    "'a'",     "[\"a\":1]",   "{\"a\",1}",  "//x\n1"}) {
    EXPECT_FALSE(valid(text)) << text;
  }
  EXPECT_FALSE(valid(std::string("\"\\\0\"", 4)));
  EXPECT_FALSE(valid(std::string("[1\0]", 4)));
}

TEST(CheckJson, SeesLineBreaksBetweenTokens) {
  EXPECT_FALSE(check_json("[1, 2]").line_breaks);
  EXPECT_TRUE(check_json("[1,\n2]").line_breaks);
  EXPECT_TRUE(check_json("[]\r").line_breaks);
}

TEST(CheckJson, GoesAsDeepAsItSays) {
  EXPECT_TRUE(valid(std::string(kMaxJsonDepth, '[') + std::string(kMaxJsonDepth, ']')));
  EXPECT_FALSE(valid(std::string(kMaxJsonDepth + 1, '[') + std::string(kMaxJsonDepth + 1, ']')));
}

TEST(CheckJson, AgreesWithBoostOnMutilatedText) {
  const std::string seed =
      R"({"id": 12, "tags": ["a", "b\"c", "\u00e4"], "on": true, "at": null, "n": [-1.5e+10, 0, {"x": {}}], "e": ""})";
  const std::string bytes = "{}[]\",:\\ 0123456789-+.eEtrufalsn\n\tx";
  std::mt19937 random(11);
  boost::json::parse_options options;
  options.max_depth = 1000;
  int valid_count = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text = seed;
    // Cut a window, so that short and odd beginnings are common, then change up to three bytes.
    text = text.substr(random() % text.size(), i % 2 == 0 ? std::string::npos : random() % 12);
    if (i % 4 == 0) text = seed;
    for (unsigned n = random() % 4; n > 0 && !text.empty(); --n) {
      const std::size_t place = random() % text.size();
      const char byte = bytes[random() % bytes.size()];
      if (random() % 2 == 0) {
        text[place] = byte;
      } else if (random() % 2 == 0) {
        text.insert(place, 1, byte);
      } else {
        text.erase(place, 1);
      }
    }
    boost::json::error_code error;
    boost::json::parse(text, error, {}, options);
    ASSERT_EQ(valid(text), !error) << text;
    valid_count += !error;
  }
  EXPECT_GT(valid_count, 10'000) << "the test must see both sides";
}

TEST(JsonEscape, AgreesWithBoostOnEveryByteAtEveryPlace) {
  for (std::size_t size = 1; size < 40; ++size) {
    for (std::size_t place = 0; place < size; ++place) {
      std::string text(size, 'x');
      text[place] = static_cast<char>((size * 7 + place * 3) % 128);
      text[place / 2] = '"';
      EXPECT_EQ(boost::json::parse(json_string(text)).as_string(), text);
    }
  }
}

TEST(IsJsonNumber, KnowsTheGrammar) {
  for (const char* text : {"0", "-0", "10", "0.0", "1e5", "-1.25E-7", "99999999999999999999999999999999999999999"}) {
    EXPECT_TRUE(is_json_number(text)) << text;
  }
  for (const char* text : {"", "-", "00", "+1", "1.", ".1", "1e", "1 ", " 1", "NaN", "Infinity", "0x10", "1,5"}) {
    EXPECT_FALSE(is_json_number(text)) << text;
  }
}

}  // namespace
}  // namespace longshore
