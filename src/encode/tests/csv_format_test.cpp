#include "encode/csv/csv_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "sample_rows.h"

namespace longshore {
namespace {

using std::string_literals::operator""s;

const std::vector<std::string> kEveryType{
    "b:bool",           "i16:int16",      "i32:int32",   "i64:int64", "f32:float32", "f64:float64",
    "n:numeric(38,10)", "u:numeric",      "t:text",      "id:uuid",   "d:date",      "tm:time",
    "ts:timestamp",     "tz:timestamptz", "iv:interval", "j:json",    "raw:bytea",   "a:text[]"};

const std::vector<Row> kEveryTypeRows{
    {true, INT64_C(-32768), INT64_C(2147483647), INT64_MIN, 0.5, -0.0,
     int128("-12345678901234567890123456789012345678"), "1.000000000000000000000000001"s, "plain"s,
     "\x01\x92\xF0\xC4\x00\x00\x70\x00\x80\x00\x00\x00\x00\x00\x00\xFF"s, INT64_C(20610), INT64_C(51600000000),
     INT64_C(1780755600000000), INT64_C(1780755600000001), "P1DT2H"s, R"({"a": [1, "x"]})"s, "\x00\xFF"s,
     R"(["p","q"])"s},
    {false, INT64_C(32767), INT64_C(-2147483648), INT64_MAX, 3.4028234663852886e38, 5e-324, int128("1"), "-0.5"s, ""s,
     "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s, INT64_C(-1), INT64_C(86400000000),
     INT64_C(-1), kTimestampInfinity, "-P1Y"s, "[]"s, ""s, "[]"s},
    {kNull, kNull, kNull, kNull, kNull, kNull, kNull, kNull, kNull, kNull, kNull, kNull, kNull, kNull, kNull, kNull,
     kNull, kNull},
};

TEST(CsvFormat, WritesEveryTypeForMachines) {
  ExportSpec spec = make_spec("csv", kEveryType);
  spec.csv.profile = CsvProfile::machine;
  EXPECT_EQ(
      encode_file(spec, kEveryTypeRows).bytes,
      "b,i16,i32,i64,f32,f64,n,u,t,id,d,tm,ts,tz,iv,j,raw,a\r\n"
      "true,-32768,2147483647,-9223372036854775808,0.5,-0,-1234567890123456789012345678.9012345678,"
      "1.000000000000000000000000001,plain,0192f0c4-0000-7000-8000-0000000000ff,2026-06-06,14:20:00,"
      "2026-06-06T14:20:00,2026-06-06T14:20:00.000001Z,P1DT2H,\"{\"\"a\"\": [1, \"\"x\"\"]}\",AP8=,"
      "\"[\"\"p\"\",\"\"q\"\"]\"\r\n"
      "false,32767,-2147483648,9223372036854775807,3.4028235e+38,5e-324,0.0000000001,-0.5,\"\","
      "ffffffff-ffff-ffff-ffff-ffffffffffff,1969-12-31,24:00:00,1969-12-31T23:59:59.999999,infinity,-P1Y,[],\"\",[]\r\n"
      ",,,,,,,,,,,,,,,,,\r\n");
}

TEST(CsvFormat, GuardsOnlyTextTypedCellsForSpreadsheets) {
  ExportSpec spec = make_spec("csv", kEveryType);
  const EncodedFile file = encode_file(spec, kEveryTypeRows);
  EXPECT_THAT(file.bytes, testing::HasSubstr(",infinity,'-P1Y,[],"));
  EXPECT_THAT(file.bytes, testing::HasSubstr("-9223372036854775808,0.5,-0,-1234567890123456789012345678.9012345678,"));
  ASSERT_EQ(file.total.fidelity.size(), kEveryType.size());
  EXPECT_EQ(file.total.fidelity[14].guarded, 1);
  EXPECT_EQ(file.total.rows, 3);
}

TEST(CsvFormat, GuardsEveryFormulaStart) {
  const ExportSpec spec = bare_csv({"t:text"}, CsvProfile::spreadsheet);
  ChunkSummary summary;
  EXPECT_EQ(
      encode_rows(spec,
                  {{"=1+1"s},
                   {"+49 30 1"s},
                   {"-1"s},
                   {"@SUM(A1)"s},
                   {"\tx"s},
                   {"\rx"s},
                   {"\nx"s},
                   {"\0x"s},
                   {"=\"a\",b"s},
                   {"a=1"s},
                   {"'=1"s},
                   {" =1"s},
                   {"="s}},
                  &summary),
      "'=1+1\n'+49 30 1\n'-1\n'@SUM(A1)\n'\tx\n\"'\rx\"\n\"'\nx\"\n'\0x\n\"'=\"\"a\"\",b\"\na=1\n'=1\n\" =1\"\n'=\n"s);
  ASSERT_EQ(summary.fidelity.size(), 1U);
  EXPECT_EQ(summary.fidelity[0].guarded, 10);
}

TEST(CsvFormat, TheMachineProfileChangesNothing) {
  ChunkSummary summary;
  EXPECT_EQ(encode_rows(bare_csv({"t:text"}), {{"=1+1"s}, {"-1"s}, {"\tx"s}}, &summary), "=1+1\n-1\n\tx\n");
  EXPECT_TRUE(summary.fidelity.empty());
}

TEST(CsvFormat, QuotesWhatWouldBeReadWrongly) {
  EXPECT_EQ(encode_rows(bare_csv({"t:text"}), {{"a,b"s},
                                               {"say \"hi\""s},
                                               {"two\nlines"s},
                                               {"cr\r"s},
                                               {" lead"s},
                                               {"trail "s},
                                               {"in side"s},
                                               {""s},
                                               {"\\."s},
                                               {"\\"s},
                                               {"\""s},
                                               {" "s}}),
            "\"a,b\"\n\"say \"\"hi\"\"\"\n\"two\nlines\"\n\"cr\r\"\n\" lead\"\n\"trail \"\nin side\n\"\"\n\"\\.\"\n\\\n"
            "\"\"\"\"\n\" \"\n");
}

TEST(CsvFormat, TellsEmptyBytesFromNull) {
  EXPECT_EQ(encode_rows(bare_csv({"t:text", "raw:bytea"}), {{"a"s, ""s}, {"b"s, kNull}, {"c"s, "x"s}}),
            "a,\"\"\nb,\nc,eA==\n");
}

TEST(CsvFormat, QuotesForTheDelimiterInUse) {
  ExportSpec spec = bare_csv({"a:text", "b:numeric"});
  spec.csv.delimiter = ';';
  EXPECT_EQ(encode_rows(spec, {{"1,5"s, "1"s}, {"1;5"s, "2;5"s}}), "1,5;1\n\"1;5\";\"2;5\"\n");
  spec.csv.delimiter = '\t';
  EXPECT_EQ(encode_rows(spec, {{"1,5"s, "1"s}, {"x\ty"s, kNull}}), "1,5\t1\n\"x\ty\"\t\n");
}

TEST(CsvFormat, TellsNullFromTheEmptyString) {
  EXPECT_EQ(encode_rows(bare_csv({"a:text", "b:text"}), {{""s, kNull}, {kNull, ""s}, {kNull, kNull}}),
            "\"\",\n,\"\"\n,\n");
}

TEST(CsvFormat, ASingleColumnHasNoEmptyLines) {
  EXPECT_EQ(encode_rows(bare_csv({"n:int32"}), {{INT64_C(1)}, {kNull}, {INT64_C(3)}}), "1\n\"\"\n3\n");
}

TEST(CsvFormat, FloatsThatAreNoNumbersAreWords) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(encode_rows(bare_csv({"f:float64", "g:float32", "n:numeric"}), {{std::nan(""), std::nan(""), "NaN"s},
                                                                            {infinity, infinity, "Infinity"s},
                                                                            {-infinity, -infinity, "-Infinity"s}}),
            "NaN,NaN,NaN\nInfinity,Infinity,Infinity\n-Infinity,-Infinity,-Infinity\n");
}

TEST(CsvFormat, NumericOfAnyShapeKeepsItsText) {
  const ExportSpec spec = bare_csv({"n:numeric", "m:numeric(40,2)"}, CsvProfile::spreadsheet);
  EXPECT_EQ(encode_rows(spec, {{"-0.00000000000000000001"s, "-1234567890123456789012345678901234567.89"s}}),
            "-0.00000000000000000001,-1234567890123456789012345678901234567.89\n")
      << "and is never guarded";
}

TEST(CsvFormat, KeepsUnicodeOfAllPlanes) {
  const std::string text = "Zoë 日本語 \U0001F600 \u202E\uFEFF\u2028 \U0010FFFF e\u0301";
  EXPECT_EQ(encode_rows(bare_csv({"t:text"}), {{text}, {text + "," + text}}),
            text + "\n\"" + text + "," + text + "\"\n");
}

TEST(CsvFormat, ReplacesWhatIsNotUtf8AndSaysSo) {
  ChunkSummary summary;
  EXPECT_EQ(encode_rows(bare_csv({"t:text"}),
                        {{"\xFF"s}, {"ok"s}, {"a\xC3,b"s}, {"a long enough text to pass the short scan \xE2\x82"s}},
                        &summary),
            "\uFFFD\nok\n\"a\uFFFD,b\"\na long enough text to pass the short scan \uFFFD\n");
  ASSERT_EQ(summary.fidelity.size(), 1U);
  EXPECT_EQ(summary.fidelity[0].replaced, 3);
}

TEST(CsvFormat, HeaderFollowsTheOptions) {
  ExportSpec spec = make_spec("csv", {"createdAt:date", "a,b:text", "say \"x\":text", "-n:text"});
  EXPECT_EQ(encode_file(spec, {}).bytes, "createdAt,\"a,b\",\"say \"\"x\"\"\",-n\r\n");
  spec.csv.bom = true;
  spec.csv.crlf = false;
  spec.csv.delimiter = ';';
  EXPECT_EQ(encode_file(spec, {}).bytes,
            "\xEF\xBB\xBF"
            "createdAt;a,b;\"say \"\"x\"\"\";-n\n");
  spec.csv.header = false;
  spec.csv.bom = false;
  EXPECT_EQ(encode_file(spec, {}).bytes, "");
}

TEST(CsvFormat, RefusesDelimitersThatNumbersOrQuotesContain) {
  for (const char delimiter : "\"'-+.:/=\\0aZ \n\r\x80"s) EXPECT_FALSE(is_csv_delimiter(delimiter)) << delimiter;
  EXPECT_FALSE(is_csv_delimiter('\0'));
  for (const char delimiter : ",;|\t^~"s) EXPECT_TRUE(is_csv_delimiter(delimiter)) << delimiter;
  ExportSpec spec = make_spec("csv", {"n:int64"});
  spec.csv.delimiter = '-';
  const auto encoder = CsvFormat().make_encoder(spec, {});
  ASSERT_FALSE(encoder);
  EXPECT_EQ(encoder.error().code, "bad_csv_delimiter");
  EXPECT_EQ(encoder.error().source, ErrorSource::user);
}

TEST(CsvFormat, RefusesABatchOfAnotherShape) {
  const auto encoder = CsvFormat().make_encoder(make_spec("csv", {"n:int64"}), {});
  ASSERT_TRUE(encoder);
  ByteBuffer out;
  const ExportSpec other = make_spec("csv", {"n:text"});
  const auto wrong_type = (*encoder)->encode(make_batch(other, {{"x"s}}), out);
  ASSERT_FALSE(wrong_type);
  EXPECT_EQ(wrong_type.error().code, "batch_shape");
  EXPECT_THAT(wrong_type.error().message, testing::HasSubstr("'n' came as text"));
  const ExportSpec wider = make_spec("csv", {"n:int64", "m:int64"});
  EXPECT_FALSE((*encoder)->encode(make_batch(wider, {{INT64_C(1), INT64_C(2)}}), out));
  EXPECT_TRUE(out.empty());
}

TEST(CsvFormat, AnEmptyBatchIsNoChunk) {
  const ExportSpec spec = make_spec("csv", {"n:int64"});
  const auto encoder = CsvFormat().make_encoder(spec, {});
  ByteBuffer out;
  const auto summary = (*encoder)->encode(make_batch(spec, {}), out);
  ASSERT_TRUE(summary);
  EXPECT_FALSE(summary->has_value());
  EXPECT_TRUE(out.empty());
}

TEST(CsvFormat, ACellOfManyMegabytesIsACellLikeAnyOther) {
  std::string text(5 << 20, 'q');
  for (std::size_t i = 0; i < text.size(); i += 3) text[i] = '"';
  std::string expected = "1,\"";
  for (const char c : text) expected += c == '"' ? "\"\"" : std::string(1, c);
  expected += "\"\n";
  const std::string found = encode_rows(bare_csv({"n:int32", "t:text"}), {{INT64_C(1), text}});
  EXPECT_TRUE(found == expected);
}

}  // namespace
}  // namespace longshore
