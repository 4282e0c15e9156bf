#include "encode/json/json_format.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "decompressed.h"
#include "sample_rows.h"

namespace longshore {
namespace {

using std::string_literals::operator""s;

const std::vector<std::string> kColumns{"n:int64", "t:text"};

std::vector<Row> numbered_rows(std::int64_t first, std::int64_t last) {
  std::vector<Row> rows;
  for (std::int64_t n = first; n < last; ++n) rows.push_back({n, "row " + std::to_string(n)});
  return rows;
}

TEST(JsonFormat, IsAnArrayWithARowALine) {
  EXPECT_EQ(encode_file(make_spec("json", kColumns), {{INT64_C(1), "a"s}, {INT64_C(2), kNull}, {kNull, "\n"s}}).bytes,
            "[\n"
            "{\"n\":1,\"t\":\"a\"},\n"
            "{\"n\":2,\"t\":null},\n"
            "{\"n\":null,\"t\":\"\\n\"}\n"
            "]\n");
}

TEST(JsonFormat, WithoutRowsItIsAnEmptyArray) {
  const ExportSpec spec = make_spec("json", kColumns);
  for (const std::size_t partitions : {0, 1, 3}) EXPECT_EQ(encode_file(spec, {}, partitions).bytes, "[]\n");
}

TEST(JsonFormat, SpellsRowsAsJsonLinesDoes) {
  const std::vector<Row> rows = numbered_rows(0, 100);
  std::string lines = encode_file(make_spec("jsonl", kColumns), rows).bytes;
  lines.pop_back();
  for (std::size_t i = lines.find('\n'); i != std::string::npos; i = lines.find('\n', i + 2)) lines.insert(i, ",");
  EXPECT_EQ(encode_file(make_spec("json", kColumns), rows).bytes, "[\n" + lines + "\n]\n");
}

/// Partitions without rows can lie anywhere; commas stand between rows and nowhere else.
TEST(JsonFormat, CommasAreOnlyBetweenRows) {
  for (const Compression compression : {Compression::none, Compression::gzip, Compression::zstd}) {
    ExportSpec spec = make_spec("json", kColumns);
    spec.compression = compression;
    const std::vector<Row> rows = numbered_rows(0, 9);
    for (const std::vector<std::size_t>& borders : std::vector<std::vector<std::size_t>>{
             {0, 9}, {0, 0, 9}, {0, 9, 9}, {0, 0, 0, 9, 9, 9}, {0, 1, 2, 9}, {0, 4, 4, 9}, {0, 0, 1, 1, 1, 8, 9, 9}}) {
      for (const std::size_t batch_rows : {1, 2, 9}) {
        const EncodedFile cut = encode_partitions(make_formats(), spec, rows, borders, batch_rows, false);
        EXPECT_EQ(encode_partitions(make_formats(), spec, rows, borders, batch_rows, true).bytes, cut.bytes)
            << "a fresh encoder after every chunk";
        EXPECT_EQ(uncompressed(cut.bytes, compression), encode_file(make_spec("json", kColumns), rows).bytes);
      }
    }
  }
}

TEST(JsonFormat, AStreamedFileIsTheSame) {
  // Written to a pipe: the prologue is made before anything is known, glue when only the past and the next are.
  const ExportSpec spec = make_spec("json", kColumns);
  const FormatTable formats = make_formats();
  const auto frame = *formats.make_frame(spec);
  ByteBuffer file;
  std::vector<EncodedPartition> partitions;
  ASSERT_TRUE(frame->prologue({}, file));
  for (std::int64_t p = 0; p < 5; ++p) {
    const bool has_rows = p % 2 == 1;
    partitions.emplace_back().summary.rows = has_rows ? 1 : 0;
    if (p > 0) {
      ASSERT_TRUE(frame->glue(partitions, static_cast<std::size_t>(p), file));
    }
    if (!has_rows) continue;
    const auto encoder = *formats.make_encoder(spec, {});
    ASSERT_TRUE(encoder->encode(make_batch(spec, numbered_rows(p, p + 1)), file));
  }
  ASSERT_TRUE(frame->epilogue(partitions, {}, file));
  EXPECT_EQ(file.view(), "[\n{\"n\":1,\"t\":\"row 1\"},\n{\"n\":3,\"t\":\"row 3\"}\n]\n");
}

TEST(JsonFormat, TheFirstRowMayBeOfAnySize) {
  const ExportSpec spec = make_spec("json", {"t:text"});
  for (const std::size_t size : {0, 10, 1000, 100'000, 5'000'000}) {
    const std::string text(size, '"');
    const boost::json::value read = boost::json::parse(encode_file(spec, {{text}, {text}}).bytes);
    ASSERT_EQ(read.as_array().size(), 2U);
    EXPECT_TRUE(read.at(0).at("t").as_string() == text);
    EXPECT_TRUE(read.at(1).at("t").as_string() == text);
  }
}

}  // namespace
}  // namespace longshore
