// What a person sees of a report, through the eyes of qpdf and poppler.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "pdf_reader.h"

namespace longshore {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

std::vector<Row> orders(std::int64_t count) {
  std::vector<Row> rows;
  for (std::int64_t i = 0; i < count; ++i) {
    rows.push_back({1'000'000 + i, "customer_" + std::to_string(i * 7919 % 1000), Int128{i * 4321 % 1'000'000},
                    1'767'225'600'000'000 + i * 61'000'000, i % 3 == 0});
  }
  return rows;
}

const std::vector<std::string> kOrderColumns{"orderId:int64", "customer:text", "total:numeric(12,2)",
                                             "createdAt:timestamptz", "paid:bool"};

Filter filter(const std::string& column, FilterOp op, LogicalType type, const std::vector<std::string>& values) {
  Filter result{column, op, {}};
  for (const std::string& value : values) result.values.push_back({{type}, value});
  return result;
}

TEST(PdfReport, IsSoundAndSaysWhatItIs) {
  ExportSpec spec = pdf_spec(kOrderColumns);
  spec.title = "Orders (first half) & more <2026>";
  const PdfReader reader(encode_pdf(spec, orders(500)).bytes);
  EXPECT_EQ(reader.complaints(), "");
  auto info = reader.info();
  EXPECT_EQ(info["Title"], "Orders (first half) & more <2026>");
  EXPECT_EQ(info["Subject"], "samples");
  EXPECT_THAT(info["Producer"], HasSubstr("longshore"));
  EXPECT_THAT(info["CreationDate"], HasSubstr("Jun  6 14:20:00 2026"));
  EXPECT_THAT(info["Page size"], HasSubstr("(A4)"));
  EXPECT_EQ(info["Encrypted"], "no");
}

TEST(PdfReport, DeclaresPdfA2bWithItsColours) {
  const std::string file = encode_pdf(pdf_spec(kOrderColumns), orders(5)).bytes;
  EXPECT_THAT(file, HasSubstr("<pdfaid:part>2</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>"));
  const std::string text = PdfReader(file).uncompressed();
  EXPECT_THAT(text, HasSubstr("/GTS_PDFA1"));
  EXPECT_THAT(text, HasSubstr("/DestOutputProfile"));
  EXPECT_THAT(text, HasSubstr("acsp"));
  for (const char* forbidden : {"/Encrypt", "/JavaScript", "/SMask", "/LZWDecode", "/Launch"}) {
    EXPECT_THAT(text, Not(HasSubstr(forbidden)));
  }
}

TEST(PdfReport, EmbedsItsFontsWithUnicode) {
  std::vector<Row> rows = orders(3);
  rows[1][1] = "Ελλάδα";
  const std::string fonts = PdfReader(encode_pdf(pdf_spec(kOrderColumns), rows).bytes).fonts();
  EXPECT_EQ(count(fonts, "yes yes yes"), 3U) << fonts;  // embedded, subset, Unicode
  EXPECT_EQ(count(fonts, "+DejaVuSans"), 3U) << fonts;
  EXPECT_THAT(fonts, HasSubstr("Identity-H"));
  EXPECT_THAT(fonts, HasSubstr("WinAnsi"));
}

TEST(PdfReport, BeginsWithTitleDatasetRowsTimeAndFilters) {
  ExportSpec spec = pdf_spec(kOrderColumns);
  for (Column& column : spec.dataset.columns) column.source = "db_" + column.name;
  spec.dataset.description = "Orders of all shops";
  spec.time_zone = "Europe/Berlin";
  spec.filters = {
      filter("db_createdAt", FilterOp::gte, LogicalType::timestamptz, {"2026-01-01T00:00:00Z"}),
      filter("db_customer", FilterOp::in, LogicalType::text, {"a b", "c"}),
      filter("db_total", FilterOp::lt, LogicalType::decimal, {"12.50"}),
      filter("db_paid", FilterOp::is_null, LogicalType::boolean, {}),
  };
  const std::string text = PdfReader(encode_pdf(spec, orders(1234)).bytes).raw_text(1);
  EXPECT_THAT(text, HasSubstr("Samples\n"));
  EXPECT_THAT(text, HasSubstr("Orders of all shops\n"));
  EXPECT_THAT(text, HasSubstr("Dataset samples\n"));
  EXPECT_THAT(text, HasSubstr("Rows 1,234\n"));
  EXPECT_THAT(text, HasSubstr("Generated 2026-06-06 16:20:00+02\n"));
  EXPECT_THAT(text, HasSubstr("Time zone Europe/Berlin\n"));
  EXPECT_THAT(text, HasSubstr("createdAt \u2265 2026-01-01 01:00:00+01\n"));
  EXPECT_THAT(text, HasSubstr("customer is one of \u201Ca b\u201D, c\n"));
  EXPECT_THAT(text, HasSubstr("total < 12.50\n"));
  EXPECT_THAT(text, HasSubstr("paid is empty\n"));
  EXPECT_THAT(text, Not(HasSubstr("db_")));
}

TEST(PdfReport, CountsFiltersThatFindNoRoom) {
  ExportSpec spec = pdf_spec(kOrderColumns);
  for (int i = 0; i < 30; ++i) {
    spec.filters.push_back(filter("customer", FilterOp::gt, LogicalType::text, {"value" + std::to_string(i)}));
  }
  spec.filters[0].values.front().text = std::string(5000, 'x');
  const PdfReader reader(encode_pdf(spec, orders(3)).bytes);
  EXPECT_THAT(reader.raw_text(1), HasSubstr("\nand 25 more\n"));
  EXPECT_THAT(reader.raw_lines(1), Contains("1000000 customer_0 0.00 2026-01-01 00:00:00 true"));
}

TEST(PdfReport, NumbersItsPagesAndRepeatsTheHeader) {
  const std::vector<Row> rows = orders(3000);
  const PdfReader reader(encode_pdf(pdf_spec(kOrderColumns), rows).bytes);
  const int pages = std::stoi(reader.info()["Pages"]);
  ASSERT_GT(pages, 50);
  const std::string all = reader.raw_text();
  EXPECT_EQ(count(all, "orderId customer total createdAt paid\n"), static_cast<std::size_t>(pages));
  std::size_t page = 1;
  for (std::size_t at = 0; (at = all.find("\nPage ", at)) != std::string::npos; ++at, ++page) {
    const std::string expected = "\nPage " + std::to_string(page) + " of " + std::to_string(pages);
    ASSERT_EQ(all.substr(at, expected.size()), expected);
  }
  EXPECT_EQ(page - 1, static_cast<std::size_t>(pages));
}

TEST(PdfReport, HasEveryRowOnceAndInOrder) {
  const std::vector<Row> rows = orders(3000);
  const std::vector<std::string> lines = PdfReader(encode_pdf(pdf_spec(kOrderColumns), rows).bytes).raw_lines();
  std::size_t next = 0;
  for (const std::string& line : lines) {
    if (!line.starts_with("1000") && !line.starts_with("1001") && !line.starts_with("1002")) continue;
    const std::string expected =
        std::to_string(std::get<std::int64_t>(rows.at(next)[0])) + " " + std::get<std::string>(rows[next][1]) + " ";
    ASSERT_TRUE(line.starts_with(expected)) << line << " instead of " << expected;
    ++next;
  }
  EXPECT_EQ(next, rows.size());
}

TEST(PdfReport, FillsItsPages) {
  const std::vector<PageBoxes> pages = PdfReader(encode_pdf(pdf_spec(kOrderColumns), orders(40'000)).bytes).boxes();
  ASSERT_GT(pages.size(), 500U);
  // Chunks ended on the way (1 MiB each), and nobody can see where.
  const std::size_t usual = pages[1].words.size();
  for (std::size_t i = 1; i + 1 < pages.size(); ++i) ASSERT_EQ(pages[i].words.size(), usual) << "page " << i + 1;
}

TEST(PdfReport, WithoutRowsSaysSo) {
  for (const std::vector<std::string>& columns : {kOrderColumns, std::vector<std::string>(300, "c:text")}) {
    const PdfReader reader(encode_pdf(pdf_spec(columns), {}).bytes);
    EXPECT_EQ(reader.complaints(), "");
    EXPECT_EQ(reader.info()["Pages"], "1");
    const std::string text = reader.raw_text();
    EXPECT_THAT(text, HasSubstr("There are no rows."));
    EXPECT_THAT(text, HasSubstr("Rows 0\n"));
    EXPECT_THAT(text, HasSubstr("Page 1 of 1"));
  }
}

TEST(PdfReport, TurnsToLandscapeWhenItIsWide) {
  const auto size_of = [](const ExportSpec& spec, std::size_t columns) {
    Row row;
    for (std::size_t i = 0; i < columns; ++i) row.emplace_back("some text here");
    return PdfReader(encode_pdf(spec, {row}).bytes).info()["Page size"];
  };
  const std::vector<std::string> few(3, "name:text"), many(9, "name:text");
  EXPECT_THAT(size_of(pdf_spec(few), 3), HasSubstr("595.3 x 841.9"));
  EXPECT_THAT(size_of(pdf_spec(many), 9), HasSubstr("841.9 x 595.3"));
  ExportSpec spec = pdf_spec(few);
  spec.pdf.orientation = PdfOrientation::landscape;
  EXPECT_THAT(size_of(spec, 3), HasSubstr("841.9 x 595.3"));
  spec = pdf_spec(many);
  spec.pdf.orientation = PdfOrientation::portrait;
  EXPECT_THAT(size_of(spec, 9), HasSubstr("595.3 x 841.9"));
  spec.pdf.page_size = PdfPageSize::a3;
  EXPECT_THAT(size_of(spec, 9), HasSubstr("841.9 x 1190.6"));
  spec.pdf.page_size = PdfPageSize::letter;
  EXPECT_THAT(size_of(spec, 9), HasSubstr("612 x 792"));
  spec.pdf.page_size = PdfPageSize::legal;
  EXPECT_THAT(size_of(spec, 9), HasSubstr("612 x 1008"));
}

/// Every word stands on its page, within the margins.
void expect_nothing_clipped(const PdfReader& reader) {
  for (const PageBoxes& page : reader.boxes()) {
    ASSERT_FALSE(page.words.empty());
    for (const WordBox& word : page.words) {
      ASSERT_GE(word.left, 38) << word.text;
      ASSERT_LE(word.right, page.width - 38) << word.text;
      ASSERT_GE(word.top, 20) << word.text;
      ASSERT_LE(word.bottom, page.height - 20) << word.text;
    }
  }
}

TEST(PdfReport, CarriesManyColumnsOverToFurtherPages) {
  std::vector<std::string> columns{"key:int64"};
  for (int i = 1; i < 300; ++i) columns.push_back("column_" + std::to_string(i) + (i % 2 == 0 ? ":text" : ":int32"));
  std::vector<Row> rows;
  for (std::int64_t r = 0; r < 70; ++r) {
    Row row{r};
    for (std::int64_t i = 1; i < 300; ++i) {
      if (i % 2 == 0) row.emplace_back("t" + std::to_string(r) + "x" + std::to_string(i));
      if (i % 2 == 1) row.emplace_back(1000 * i + r);
    }
    rows.push_back(std::move(row));
  }
  const PdfReader reader(encode_pdf(pdf_spec(columns), rows).bytes);
  EXPECT_EQ(reader.complaints(), "");
  expect_nothing_clipped(reader);
  const std::string text = reader.raw_text();
  for (const std::string cell : {"t0x2", "t69x298", "299069", "t33x150"}) {
    EXPECT_EQ(count(" " + text, cell + "\n") + count(text, cell + " "), 1U) << cell;
  }
  EXPECT_THAT(text, HasSubstr("Columns 1\u2013"));
  EXPECT_THAT(text, HasSubstr("\u2013300 of 300"));
  for (int i = 1; i < 300; ++i) {
    ASSERT_THAT(text, HasSubstr("column_" + std::to_string(i)));
  }
}

TEST(PdfReport, KeepsLongAndWideValuesWithinTheirColumns) {
  std::vector<Row> rows;
  for (int i = 0; i < 30; ++i) {
    rows.push_back({std::int64_t{INT64_MIN}, std::string(static_cast<std::size_t>(i * 37), 'W'),
                    std::string(200, '9') + ".5", 1e300 * i});
  }
  rows[0] = {std::int64_t{1}, "short", "1", 1.0};
  for (const PdfOrientation orientation : {PdfOrientation::portrait, PdfOrientation::automatic}) {
    ExportSpec spec = pdf_spec({"id:int64", "text:text", "number:numeric", "f:float64"});
    spec.pdf.orientation = orientation;
    // The first batch, by which columns are measured, has one short row.
    std::vector<Row> later{rows[0]};
    later.insert(later.end(), rows.begin(), rows.end());
    for (const std::size_t batch_rows : {std::size_t{1000}, std::size_t{1}}) {
      const PdfReader reader(encode_pdf(spec, later, batch_rows).bytes);
      EXPECT_EQ(reader.complaints(), "");
      expect_nothing_clipped(reader);
    }
  }
}

TEST(PdfReport, LeavesTheMarginsWhite) {
  const PdfReader reader(encode_pdf(pdf_spec(kOrderColumns), orders(200)).bytes);
  for (const int page : {1, 2}) {
    const auto picture = reader.picture(page);
    ASSERT_EQ(picture.size(), 842U);
    std::size_t ink = 0;
    for (std::size_t y = 0; y < picture.size(); ++y) {
      for (std::size_t x = 0; x < picture[y].size(); ++x) {
        const bool margin = x < 38 || x + 38 >= picture[y].size() || y < 38 || y + 20 >= picture.size();
        if (margin) {
          ASSERT_EQ(picture[y][x], 255) << x << "," << y;
        } else if (picture[y][x] < 128) {
          ++ink;
        }
      }
    }
    EXPECT_GT(ink, 2000U);
  }
}

TEST(PdfReport, RefusesMoreRowsThanItsLimit) {
  const PdfFormat format({.max_rows = 10});
  EXPECT_EQ(format.traits().max_rows, 10);
  const ExportSpec spec = pdf_spec(kOrderColumns);
  const auto encoder = format.make_encoder(spec, {});
  ASSERT_TRUE(encoder);
  ByteBuffer out;
  ASSERT_TRUE((*encoder)->encode(make_batch(spec, orders(10)), out));
  const auto refused = (*encoder)->encode(make_batch(spec, orders(1)), out);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "too_many_rows");
  EXPECT_EQ(refused.error().source, ErrorSource::user);
  EXPECT_FALSE(refused.error().retriable);
  EXPECT_THAT(refused.error().message, HasSubstr("at most 10 rows"));
  EXPECT_THAT(refused.error().message, HasSubstr("narrow it with a filter, or choose csv"));
}

TEST(PdfReport, SaysWhatItIsAsAFormat) {
  const FormatTraits traits = PdfFormat().traits();
  EXPECT_EQ(traits.name, "pdf");
  EXPECT_EQ(traits.extension, "pdf");
  EXPECT_EQ(traits.content_type, "application/pdf");
  EXPECT_FALSE(traits.parallel);
  EXPECT_FALSE(traits.compressible);
  EXPECT_TRUE(traits.streamable);
  EXPECT_EQ(traits.max_rows, 200'000);
  EXPECT_GT(traits.encoder_memory, 0);
}

TEST(PdfReport, RefusesWhatItCannotMake) {
  const PdfFormat format;
  ExportSpec spec = pdf_spec({});
  EXPECT_EQ(format.make_encoder(spec, {}).error().code, "no_columns");
  EXPECT_EQ(format.make_frame(spec).error().code, "no_columns");
  spec = pdf_spec(kOrderColumns);
  spec.time_zone = "Atlantis/Capital";
  EXPECT_EQ(format.make_encoder(spec, {}).error().code, "unknown_time_zone");
  EXPECT_EQ(FontSet::with_fallbacks({"/nowhere/font.ttf"}).error().code, "bad_font");
  EXPECT_EQ(FontSet::with_fallbacks({"/etc/hostname"}).error().code, "bad_font");
}

}  // namespace
}  // namespace longshore
