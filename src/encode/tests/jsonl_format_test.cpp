#include "encode/json/jsonl_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "sample_rows.h"

namespace longshore {
namespace {

using std::string_literals::operator""s;

TEST(JsonlFormat, WritesEveryType) {
  const ExportSpec spec =
      make_spec("jsonl", {"b:bool", "i16:int16", "i32:int32", "i64:int64", "f32:float32", "f64:float64",
                          "n:numeric(38,10)", "u:numeric", "t:text", "id:uuid", "d:date", "tm:time", "ts:timestamp",
                          "tz:timestamptz", "iv:interval", "j:json", "raw:bytea", "a:text[]"});
  const std::vector<Row> rows{
      {true, INT64_C(-32768), INT64_C(2147483647), INT64_MIN, 0.5, -0.0,
       int128("-12345678901234567890123456789012345678"), "1.000000000000000000000000001"s, "plain"s,
       "\x01\x92\xF0\xC4\x00\x00\x70\x00\x80\x00\x00\x00\x00\x00\x00\xFF"s, INT64_C(20610), INT64_C(51600000000),
       INT64_C(1780755600000000), INT64_C(1780755600000001), "P1DT2H"s, R"({"a": [1, "x"]})"s, "\x00\xFF"s,
       R"(["p",null])"s},
      {false, INT64_C(32767), INT64_C(-2147483648), INT64_MAX, 1e-45, 5e-324, int128("0"), "-0"s, ""s,
       std::string(16, '\0'), std::int64_t{kDateInfinity}, INT64_C(0), kTimestampMinusInfinity, kTimestampInfinity, ""s,
       "null"s, ""s, "[]"s},
      Row(18, kNull)};
  EXPECT_EQ(
      encode_file(spec, rows).bytes,
      R"({"b":true,"i16":-32768,"i32":2147483647,"i64":-9223372036854775808,"f32":0.5,"f64":-0,)"
      R"("n":-1234567890123456789012345678.9012345678,"u":1.000000000000000000000000001,"t":"plain",)"
      R"("id":"0192f0c4-0000-7000-8000-0000000000ff","d":"2026-06-06","tm":"14:20:00","ts":"2026-06-06T14:20:00",)"
      R"("tz":"2026-06-06T14:20:00.000001Z","iv":"P1DT2H","j":{"a": [1, "x"]},"raw":"AP8=","a":["p",null]})"
      "\n"
      R"({"b":false,"i16":32767,"i32":-2147483648,"i64":9223372036854775807,"f32":1e-45,"f64":5e-324,)"
      R"("n":0.0000000000,"u":-0,"t":"","id":"00000000-0000-0000-0000-000000000000","d":"infinity",)"
      R"("tm":"00:00:00","ts":"-infinity","tz":"infinity","iv":"","j":null,"raw":"","a":[]})"
      "\n"
      R"({"b":null,"i16":null,"i32":null,"i64":null,"f32":null,"f64":null,"n":null,"u":null,"t":null,"id":null,)"
      R"("d":null,"tm":null,"ts":null,"tz":null,"iv":null,"j":null,"raw":null,"a":null})"
      "\n");
}

TEST(JsonlFormat, EscapesWhatRfc8259Names) {
  const ExportSpec spec = make_spec("jsonl", {"t:text"});
  EXPECT_EQ(
      encode_rows(spec, {{"\"\\/\b\f\n\r\t"s}, {"\0\x01\x1F\x7F"s}, {"a long text that ends in a line feed \n"s}}),
      R"({"t":"\"\\/\b\f\n\r\t"})"
      "\n"
      R"({"t":"\u0000\u0001\u001f)"
      "\x7F"
      R"("})"
      "\n"
      R"({"t":"a long text that ends in a line feed \n"})"
      "\n");
}

TEST(JsonlFormat, KeepsUnicodeOfAllPlanes) {
  const ExportSpec spec = make_spec("jsonl", {"t:text"});
  const std::string text = "Zoë 日本語 \U0001F600 \u202E\uFEFF\u2028 \U0010FFFF e\u0301";
  EXPECT_EQ(encode_rows(spec, {{text}, {text + "\n"}}), "{\"t\":\"" + text + "\"}\n{\"t\":\"" + text + "\\n\"}\n");
}

TEST(JsonlFormat, ReplacesWhatIsNotUtf8AndSaysSo) {
  const ExportSpec spec = make_spec("jsonl", {"t:text", "j:json"});
  ChunkSummary summary;
  EXPECT_EQ(encode_rows(spec, {{"\xFF\"\xC3"s, "{\"k\": \"\xFF\"}"s}, {"fine"s, "1"s}}, &summary),
            "{\"t\":\"\uFFFD\\\"\uFFFD\",\"j\":{\"k\": \"\uFFFD\"}}\n{\"t\":\"fine\",\"j\":1}\n");
  ASSERT_EQ(summary.fidelity.size(), 2U);
  EXPECT_EQ(summary.fidelity[0].replaced, 1);
  EXPECT_EQ(summary.fidelity[1].replaced, 1);
}

TEST(JsonlFormat, NumbersThatJsonCannotHoldAreNull) {
  const double infinity = std::numeric_limits<double>::infinity();
  const ExportSpec spec = make_spec("jsonl", {"f:float64", "g:float32", "n:numeric"});
  ChunkSummary summary;
  EXPECT_EQ(encode_rows(spec,
                        {{std::nan(""), infinity, "NaN"s},
                         {-infinity, 1.5, "-Infinity"s},
                         {1.0, 1.0, "-1234567890123456789012345678901234567890.000000000000000000001"s},
                         {1.0, 1.0, "twelve"s}},
                        &summary),
            "{\"f\":null,\"g\":null,\"n\":null}\n{\"f\":null,\"g\":1.5,\"n\":null}\n"
            "{\"f\":1,\"g\":1,\"n\":-1234567890123456789012345678901234567890.000000000000000000001}\n"
            "{\"f\":1,\"g\":1,\"n\":\"twelve\"}\n");
  ASSERT_EQ(summary.fidelity.size(), 3U);
  EXPECT_EQ(summary.fidelity[0].replaced, 2);
  EXPECT_EQ(summary.fidelity[1].replaced, 1);
  EXPECT_EQ(summary.fidelity[2].replaced, 2);
  EXPECT_EQ(summary.fidelity[2].stringified, 1) << "a source without types may hold anything in a numeric column";
}

TEST(JsonlFormat, EmbedsJsonOnOneLine) {
  const ExportSpec spec = make_spec("jsonl", {"j:json"});
  ChunkSummary summary;
  EXPECT_EQ(
      encode_rows(
          spec,
          {{"{\n  \"a\": \"x\\ny\",\r\n  \"b\": [1,\n2]\n}"s}, {" \"text\" "s}, {"not json"s}, {"{\"a\":1"s}, {""s}},
          &summary),
      "{\"j\":{  \"a\": \"x\\ny\",  \"b\": [1,2]}}\n{\"j\": \"text\" }\n{\"j\":\"not json\"}\n"
      "{\"j\":\"{\\\"a\\\":1\"}\n{\"j\":\"\"}\n");
  ASSERT_EQ(summary.fidelity.size(), 1U);
  EXPECT_EQ(summary.fidelity[0].stringified, 3) << "a broken value must not break the line it stands in";
}

TEST(JsonlFormat, EscapesNames) {
  const ExportSpec spec = make_spec("jsonl", {"a \"b\" \\:int32", "a_name_of_more_than_sixteen_bytes:int32"});
  EXPECT_EQ(encode_rows(spec, {{INT64_C(1), INT64_C(2)}}),
            "{\"a \\\"b\\\" \\\\\":1,\"a_name_of_more_than_sixteen_bytes\":2}\n");
}

TEST(JsonlFormat, ACellOfManyMegabytesIsACellLikeAnyOther) {
  const ExportSpec spec = make_spec("jsonl", {"n:int32", "t:text"});
  std::string expected = "{\"n\":1,\"t\":\"";
  std::string text;
  for (int i = 0; i < (1 << 20); ++i) {
    text += i % 2 == 0 ? "\x01" : "q";
    expected += i % 2 == 0 ? "\\u0001" : "q";
  }
  expected += "\"}\n";
  EXPECT_TRUE(encode_rows(spec, {{INT64_C(1), text}}) == expected);
}

/// Room is reserved by worst cases; AddressSanitizer sees a cell that takes more.
TEST(TextFormats, StayWithinWhatTheyReserve) {
  for (const char* format : {"csv", "jsonl", "json"}) {
    const ExportSpec spec = make_spec(format, {"t:text", "j:json", "n:numeric", "b:bytea", "d:numeric(38,38)"});
    for (const char* piece : {"\x01", "\"", "\xFF", "=", "\xE2\x82", "[", "1"}) {
      std::string text;
      for (int i = 0; i < 70; ++i, text += piece) {
        const Row row{text, text, text, text, int128("-99999999999999999999999999999999999999")};
        EXPECT_FALSE(encode_rows(spec, {row}).empty());
        EXPECT_FALSE(encode_rows(spec, std::vector<Row>(32, row)).empty());
      }
    }
  }
}

TEST(FormatTable, NamesWhatItHas) {
  const FormatTable formats = make_formats();
  ASSERT_NE(formats.find("csv"), nullptr);
  EXPECT_EQ(formats.find("CSV"), nullptr);
  EXPECT_EQ(formats.all().size(), 3U);
  ExportSpec spec = make_spec("jsonl", {"n:int32"});
  EXPECT_EQ(formats.extension(spec), "jsonl");
  EXPECT_EQ(formats.content_type(spec), "application/x-ndjson");
  spec.compression = Compression::zstd;
  EXPECT_EQ(formats.extension(spec), "jsonl.zst");
  EXPECT_EQ(formats.content_type(spec), "application/zstd");
  spec.format = "csv";
  spec.compression = Compression::gzip;
  EXPECT_EQ(formats.extension(spec), "csv.gz");
  EXPECT_EQ(formats.content_type(spec), "application/gzip");
  spec.format = "xml";
  const auto encoder = formats.make_encoder(spec, {});
  ASSERT_FALSE(encoder);
  EXPECT_EQ(encoder.error().message, "there is no format 'xml'; choose one of: csv, jsonl, json");
}

}  // namespace
}  // namespace longshore
