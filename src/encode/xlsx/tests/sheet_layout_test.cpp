#include "xlsx/sheet_layout.h"

#include <gtest/gtest.h>

#include "xlsx/partition_detail.h"
#include "xlsx/sheet_names.h"

namespace longshore {
namespace {

EncodedPartition partition(std::int64_t rows, std::int64_t raw_bytes = 0, std::uint32_t first_row = 0) {
  EncodedPartition result;
  result.summary.rows = rows;
  result.summary.raw_bytes = raw_bytes;
  if (rows > 0) result.summary.detail = to_detail({first_row, {}});
  return result;
}

std::string shape(const std::vector<EncodedPartition>& partitions, const XlsxLimits& limits) {
  const auto sheets = lay_out_sheets(partitions, limits);
  if (!sheets) return sheets.error().code;
  std::string text;
  for (const SheetSpan& sheet : *sheets) {
    text += std::to_string(sheet.first) + "-" + std::to_string(sheet.end) + ":" + std::to_string(sheet.rows) + " ";
  }
  return text;
}

const XlsxLimits kTen{.max_sheets = 3, .rows_per_sheet = 10, .sheet_bytes = 1000};

TEST(SheetLayout, PutsAsManyPartitionsOnASheetAsFit) {
  EXPECT_EQ(shape({}, kTen), "0-0:0 ");
  EXPECT_EQ(shape({partition(0)}, kTen), "0-1:0 ");
  EXPECT_EQ(shape({partition(4), partition(4), partition(4)}, kTen), "0-2:8 2-3:4 ");
  EXPECT_EQ(shape({partition(10), partition(10), partition(10)}, kTen), "0-1:10 1-2:10 2-3:10 ");
  EXPECT_EQ(shape({partition(0), partition(10), partition(0), partition(1), partition(0)}, kTen), "0-3:10 3-5:1 ");
}

TEST(SheetLayout, KeepsASheetBelowTheLimitOfZip) {
  EXPECT_EQ(shape({partition(1, 600), partition(1, 400), partition(1, 1)}, kTen), "0-2:2 2-3:1 ");
  EncodedPartition stored = partition(1, 500);
  stored.bytes = 501;
  EXPECT_EQ(shape({stored, stored}, kTen), "0-1:1 1-2:1 ");
}

TEST(SheetLayout, SaysWhenThereAreTooManySheets) {
  const auto sheets = lay_out_sheets({partition(9), partition(9), partition(9), partition(9)}, kTen);
  ASSERT_FALSE(sheets);
  EXPECT_EQ(sheets.error().code, "xlsx_too_many_rows");
  EXPECT_EQ(sheets.error().source, ErrorSource::external);
  EXPECT_FALSE(sheets.error().retriable);
  EXPECT_EQ(
      sheets.error().message,
      "the workbook would need 4 sheets of up to 10 rows; 3 are allowed. Export fewer rows or columns, or use CSV "
      "or Parquet");
}

TEST(SheetLayout, NumberedPartitionsStandWhereTheirNumberSays) {
  EXPECT_EQ(shape({partition(4, 0, 2), partition(4, 0, 6), partition(4, 0, 2)}, kTen), "0-2:8 2-3:4 ");
  EXPECT_EQ(shape({partition(4, 0, 2), partition(1, 0, 2)}, kTen), "0-1:4 1-2:1 ");
  EXPECT_EQ(shape({partition(4, 0, 2), partition(4)}, kTen), "0-2:8 ") << "the second has no numbers";
  EXPECT_EQ(shape({partition(4, 0, 2), partition(0), partition(4, 0, 6)}, kTen), "0-3:8 ");
  EXPECT_EQ(shape({partition(3, 0, 2), partition(4, 0, 6)}, kTen), "xlsx_rows_changed") << "a row went away";
  EXPECT_EQ(shape({partition(5, 0, 2), partition(4, 0, 6)}, kTen), "xlsx_rows_changed") << "a row came";
  EXPECT_EQ(shape({partition(5, 900, 2), partition(4, 900, 7)}, kTen), "xlsx_rows_changed") << "a sheet more";
}

TEST(SheetLayout, PlansTheNumbersThatItWillAskFor) {
  EXPECT_EQ(planned_first_row({}, kTen), 2U);
  EXPECT_EQ(planned_first_row({{4}, 4}, kTen), 6U);
  EXPECT_EQ(planned_first_row({{4, 4}, 4}, kTen), 2U);
  EXPECT_EQ(planned_first_row({{4, 4, 4}, 6}, kTen), 6U);
  EXPECT_EQ(planned_first_row({{0, 10, 0}, 1}, kTen), 2U);
  EXPECT_EQ(planned_first_row({{1'048'575}, 100'000}, {}), 2U);
  // Whatever the counts, layout agrees.
  std::uint64_t state = 1;
  for (int round = 0; round < 2000; ++round) {
    std::vector<EncodedPartition> partitions;
    PartitionPlace place;
    for (int p = 0; p < 12; ++p) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      place.rows = static_cast<std::int64_t>((state >> 33) % 11);
      partitions.push_back(partition(place.rows, 0, planned_first_row(place, kTen)));
      place.rows_before.push_back(place.rows);
    }
    XlsxLimits many = kTen;
    many.max_sheets = 100;
    std::vector<EncodedPartition> unnumbered;
    for (const EncodedPartition& each : partitions) unnumbered.push_back(partition(each.summary.rows));
    ASSERT_EQ(shape(partitions, many), shape(unnumbered, many));
  }
}

TEST(PartitionDetail, ReadsWhatItWrote) {
  const PartitionDetail detail = from_detail(to_detail({1'048'576, {0, 7, 255}}));
  EXPECT_EQ(detail.first_row, 1'048'576U);
  EXPECT_EQ(detail.widths, (std::vector<std::uint8_t>{0, 7, 255}));
  EXPECT_EQ(first_row_of(""), 0U);
}

TEST(SheetNames, AreWhatExcelAllows) {
  const auto name = [](std::string_view wanted) { return sheet_names(wanted, 1).front(); };
  EXPECT_EQ(name("Audit"), "Audit");
  EXPECT_EQ(name(""), "Sheet");
  EXPECT_EQ(name("  "), "Sheet");
  EXPECT_EQ(name("a:b\\c/d?e*f[g]h\n"), "a_b_c_d_e_f_g_h_");
  EXPECT_EQ(name("'quoted'"), "_quoted_");
  EXPECT_EQ(name("history"), "history_");
  EXPECT_EQ(name("1234567890123456789012345678901X"), "1234567890123456789012345678901");
  EXPECT_EQ(name("123456789012345678901234567890😀"), "123456789012345678901234567890");
  EXPECT_EQ(name("gr\xFC\xDF"), "gr\uFFFD\uFFFD");
  EXPECT_EQ(sheet_names("Audit", 3), (std::vector<std::string>{"Audit", "Audit (2)", "Audit (3)"}));
  EXPECT_EQ(sheet_names("1234567890123456789012345678901", 10).back(), "12345678901234567890123456 (10)");
}

TEST(SheetNames, HeadersOfATableDiffer) {
  EXPECT_EQ(table_headers({"id", "ID", "", "a\nb", "id2", "Id"}),
            (std::vector<std::string>{"id", "ID2", "Column3", "a b", "id22", "Id3"}));
  EXPECT_EQ(table_headers({std::string(300, 'x')}).front().size(), 255U);
}

}  // namespace
}  // namespace longshore
