// The same bytes, wherever an export was interrupted and however its batches are cut.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "pdf/report_progress.h"
#include "pdf_reader.h"

namespace longshore {
namespace {

using testing::HasSubstr;

/// Rows of which the first know nothing of what the later ones hold: other scripts, long text, missing characters.
std::vector<Row> changing_rows(std::int64_t count) {
  const std::vector<std::string> texts{"plain",
                                       "Übersicht",
                                       "Привет",
                                       "שלום עולם",
                                       "a rather long text that takes "
                                       "two or three lines of its cell, now and then, as comments do",
                                       "漢字",
                                       "e\u0301",
                                       "مرحبا",
                                       "(x)\\",
                                       "line\nbreak"};
  std::vector<Row> rows;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto kinds = static_cast<std::uint64_t>(1 + i * static_cast<std::int64_t>(texts.size()) / count);
    const auto noise = static_cast<std::uint64_t>(i) * 0x9E3779B97F4A7C15ULL;
    rows.push_back({static_cast<std::int64_t>(noise >> 8), texts[(noise >> 33) % kinds],
                    i % 11 == 0 ? Cell(kNull) : Cell(static_cast<double>(noise >> 16) / 1000), std::to_string(noise)});
  }
  return rows;
}

const std::vector<std::string> kColumns{"id:int64", "text:text", "number:float64", "noise:text"};

TEST(PdfResume, AnyChunkBorderGivesTheSameBytes) {
  const std::vector<Row> rows = changing_rows(60'000);
  const ExportSpec spec = pdf_spec(kColumns);
  const EncodedFile whole = encode_pdf(spec, rows, 1000, false);
  const EncodedFile resumed = encode_pdf(spec, rows, 1000, true);
  ASSERT_GT(whole.bytes.size(), std::size_t{2} << 20) << "needs several chunks";
  EXPECT_TRUE(whole.bytes == resumed.bytes);
  EXPECT_EQ(whole.total, resumed.total);
  EXPECT_EQ(PdfReader(resumed.bytes).complaints(), "");
}

TEST(PdfResume, ABorderAfterEveryBatchGivesTheSameBytes) {
  const FormatTable formats = pdf_formats({.max_rows = 0, .chunk_bytes = 0});
  const std::vector<Row> rows = changing_rows(3000);
  const ExportSpec spec = pdf_spec(kColumns);
  // 5 rows: several borders on each page; 61: about one.
  for (const std::size_t batch_rows : {std::size_t{1}, std::size_t{5}, std::size_t{61}, std::size_t{2999}}) {
    const EncodedFile whole = encode_file(formats, spec, rows, 1, batch_rows, false);
    const EncodedFile resumed = encode_file(formats, spec, rows, 1, batch_rows, true);
    EXPECT_TRUE(whole.bytes == resumed.bytes) << batch_rows;
    EXPECT_EQ(PdfReader(resumed.bytes).complaints(), "");
  }
  // However many streams a page was written in, it reads the same.
  const auto text = [&](std::size_t batch_rows) {
    return PdfReader(encode_file(formats, spec, rows, 1, batch_rows, true).bytes).raw_text();
  };
  EXPECT_EQ(text(1500), text(1501));
}

TEST(PdfResume, ManyPagesAtOnceGiveTheSameBytes) {
  std::vector<std::string> columns;
  for (int i = 0; i < 120; ++i) columns.push_back("column_" + std::to_string(i) + ":text");
  std::vector<Row> rows;
  std::uint64_t noise = 1;
  for (int r = 0; r < 4000; ++r) {
    Row row;
    for (int i = 0; i < 120; ++i) {
      noise = noise * 6364136223846793005ULL + 1442695040888963407ULL;
      row.emplace_back(std::to_string(noise >> 40));
    }
    rows.push_back(std::move(row));
  }
  const ExportSpec spec = pdf_spec(columns);
  const EncodedFile whole = encode_pdf(spec, rows, 137, false);
  ASSERT_GT(whole.bytes.size(), std::size_t{2} << 20) << "needs several chunks";
  EXPECT_TRUE(whole.bytes == encode_pdf(spec, rows, 137, true).bytes);
}

TEST(PdfResume, TheSameQuestionGivesTheSameBytes) {
  const std::vector<Row> rows = changing_rows(3000);
  ExportSpec spec = pdf_spec(kColumns);
  const std::string first = encode_pdf(spec, rows).bytes;
  EXPECT_TRUE(first == encode_pdf(spec, rows).bytes);
  spec.requested_at += std::chrono::seconds(1);
  EXPECT_FALSE(first == encode_pdf(spec, rows).bytes);
}

TEST(PdfResume, ManyThreadsMakeTheSameBytes) {
  const std::vector<Row> rows = changing_rows(500);
  const ExportSpec spec = pdf_spec(kColumns);
  const FormatTable formats = pdf_formats({.max_rows = 0}, FontSet::with_fallbacks({}).value());
  std::vector<std::string> files(4);
  {
    std::vector<std::jthread> threads;
    for (std::string& file : files) threads.emplace_back([&] { file = encode_file(formats, spec, rows).bytes; });
  }
  for (const std::string& file : files) EXPECT_TRUE(file == files.front());
}

TEST(PdfResume, KeepsLittleBesideTheFile) {
  const EncodedFile file = encode_pdf(pdf_spec(kColumns), changing_rows(60'000));
  EXPECT_LT(file.total.detail.size(), file.bytes.size() / 200);
}

TEST(PdfResume, ChunksSayHowManyRowsAndBytesTheyHold) {
  const std::vector<Row> rows = changing_rows(60'000);
  const ExportSpec spec = pdf_spec(kColumns);
  const PdfFormat format({.max_rows = 0});
  const auto encoder = format.make_encoder(spec, {}).value();
  ByteBuffer out;
  std::size_t closed = 0;
  std::size_t begin = 0;
  std::int64_t rows_closed = 0;
  const auto check = [&](const std::optional<ChunkSummary>& chunk) {
    if (!chunk) return;
    EXPECT_EQ(chunk->raw_bytes, static_cast<std::int64_t>(out.size() - begin));
    begin = out.size();
    rows_closed += chunk->rows;
    ++closed;
  };
  for (std::size_t row = 0; row < rows.size(); row += 1000) {
    check(encoder->encode(make_batch(spec, rows, row, row + 1000), out).value());
  }
  check(encoder->finish(out).value());
  EXPECT_EQ(rows_closed, 60'000);
  EXPECT_GE(closed, 3U);
}

TEST(PdfResume, OtherFontsAreRefusedInsteadOfMixed) {
  const std::vector<std::string> fallbacks = FontSet::installed_fallbacks();
  ASSERT_FALSE(fallbacks.empty()) << "apt-get install fonts-droid-fallback";
  const ExportSpec spec = pdf_spec(kColumns);
  ChunkSummary before = encode_pdf(spec, changing_rows(100)).total;
  const PdfFormat other({}, FontSet::with_fallbacks(fallbacks).value());
  const auto encoder = other.make_encoder(spec, before);
  ASSERT_FALSE(encoder);
  EXPECT_EQ(encoder.error().code, "pdf_fonts_differ");
  EXPECT_TRUE(encoder.error().retriable);
  EXPECT_THAT(encoder.error().message, HasSubstr("give all workers the same fonts"));
}

TEST(PdfResume, DamagedStateIsAnErrorNotACrash) {
  const ExportSpec spec = pdf_spec(kColumns);
  const ChunkSummary good = encode_pdf(spec, changing_rows(2000)).total;
  const PdfFormat format({.max_rows = 0});
  for (std::size_t size = 1; size < good.detail.size(); ++size) {
    ChunkSummary cut = good;
    cut.detail.resize(size);
    ASSERT_FALSE(format.make_encoder(spec, cut)) << size;
  }
  for (std::size_t at = 0; at < good.detail.size(); ++at) {
    ChunkSummary altered = good;
    altered.detail[at] = static_cast<char>(altered.detail[at] ^ 0x55);
    ByteBuffer out;
    const EncodedPartition partition{altered, 1000};
    (void)format.make_frame(spec).value()->epilogue({partition}, {15}, out);
  }
}

TEST(PdfResume, MoreThanOnePartitionIsRefused) {
  const auto frame = PdfFormat().make_frame(pdf_spec(kColumns)).value();
  ByteBuffer out;
  EXPECT_EQ(frame->glue({{}, {}}, 1, out).error().code, "pdf_partitions");
  EXPECT_EQ(frame->epilogue({{}, {}}, {15, 15}, out).error().code, "pdf_partitions");
}

}  // namespace
}  // namespace longshore
