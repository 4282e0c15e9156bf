// Workbooks read back by readers that nobody here wrote: openpyxl, exceljs, LibreOffice, Java's ZipInputStream.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "awkward_rows.h"
#include "base/digest.h"
#include "workbook_file.h"

namespace longshore {
namespace {

namespace json = boost::json;
using std::string_literals::operator""s;

/// A workbook and what it must hold, as check_workbook.py reads it.
struct Sample {
  ExportSpec spec;
  std::vector<Row> rows;
  WorkbookCut cut;
  json::array types;
  json::array sheets;
};

/// An awkward table over the sheets of a workbook, `per_sheet` rows each.
Sample awkward_sample(std::size_t columns, std::size_t rows, std::size_t per_sheet) {
  const AwkwardTable table = make_awkward_table(columns, rows);
  Sample sample;
  sample.spec = make_spec("xlsx", table.columns);
  sample.spec.dataset.name = "Über & <all>";
  sample.rows = table.rows();
  sample.cut.limits.rows_per_sheet = static_cast<std::int64_t>(per_sheet);
  sample.cut.batch_rows = 50;
  for (std::size_t row = 0; row < rows; row += per_sheet / 2) sample.cut.borders.push_back(row);
  sample.cut.borders.push_back(rows);
  json::array headers;
  for (const std::string& column : table.columns) {
    headers.emplace_back(column.substr(0, column.rfind(':')));
    sample.types.emplace_back(column.substr(column.rfind(':') + 1));
  }
  for (std::size_t begin = 0; begin < rows; begin += per_sheet) {
    json::array cells;
    for (std::size_t row = begin; row < std::min(rows, begin + per_sheet); ++row) {
      json::array texts;
      for (std::size_t c = 0; c < columns; ++c) {
        const bool null = std::holds_alternative<std::monostate>(table.cells[row][c].cell);
        texts.push_back(null ? json::value() : json::value(table.cells[row][c].csv));
      }
      cells.push_back(std::move(texts));
    }
    const std::string number = begin == 0 ? "" : " (" + std::to_string(begin / per_sheet + 1) + ")";
    sample.sheets.push_back({{"name", sample.spec.dataset.name + number}, {"headers", headers}, {"rows", cells}});
  }
  return sample;
}

class Reading {
 public:
  explicit Reading(const Sample& sample)
      : file(encode_workbook(sample.spec, sample.rows, sample.cut).bytes),
        path(directory.write("book.xlsx", file)),
        expected(directory.write("expected.json",
                                 json::serialize(json::object{{"types", sample.types}, {"sheets", sample.sheets}}))) {}

  void by_openpyxl() const { check("openpyxl", path); }

  void by_exceljs() const {
    const std::string seen = path + ".json";
    const CommandResult read = run_command(
        "NODE_PATH=" LONGSHORE_READERS " node " LONGSHORE_XLSX_TESTS "/read_exceljs.cjs " + path + " >" + seen);
    ASSERT_EQ(read.status, 0) << "exceljs (scripts/readers.sh installs it): " << read.output;
    check("exceljs", seen);
  }

  void by_libreoffice() const {
    const std::string folder = path.substr(0, path.rfind('/'));
    const CommandResult read = run_command("cd " + folder + " && soffice --headless -env:UserInstallation=file://" +
                                           folder + "/profile --convert-to fods book.xlsx");
    ASSERT_EQ(read.status, 0) << "soffice (package libreoffice-calc-nogui): " << read.output;
    check("libreoffice", folder + "/book.fods");
  }

  void by_java() const {
    const CommandResult read = run_command("java " LONGSHORE_XLSX_TESTS "/ReadZip.java " + path);
    ASSERT_EQ(read.status, 0) << "java (package openjdk-17-jdk-headless): " << read.output;
    std::string all;
    for (const auto& [name, content] : unzip(file)) {
      all += name + " " + std::to_string(content.size()) + " " + sha256_hex(content) + "\n";
    }
    EXPECT_EQ(read.output, all);
  }

 private:
  void check(const std::string& reader, const std::string& read) const {
    const CommandResult result = run_command("/usr/bin/python3 " LONGSHORE_XLSX_TESTS "/check_workbook.py " + reader +
                                             " " + read + " " + expected);
    ASSERT_EQ(result.status, 0) << reader << " (scripts/install.sh test): " << result.output;
    ASSERT_NE(result.output.find("cells are right"), std::string::npos) << result.output;
  }

  TemporaryDirectory directory;
  std::string file;
  std::string path;
  std::string expected;
};

/// Every value of every type, over three sheets.
TEST(XlsxReadBack, AwkwardRowsByOpenpyxl) {
  Sample sample = awkward_sample(awkward_type_count(), 260, 100);
  Reading(sample).by_openpyxl();
  sample.cut.numbered = false;
  Reading(sample).by_openpyxl();
}

TEST(XlsxReadBack, AwkwardRowsByExceljs) {
  Reading(awkward_sample(awkward_type_count(), 260, 100)).by_exceljs();
}

TEST(XlsxReadBack, AwkwardRowsByLibreOffice) {
  Reading(awkward_sample(awkward_type_count(), 260, 100)).by_libreoffice();
}

TEST(XlsxReadBack, RowsWithoutNumbersByLibreOffice) {
  Sample sample = awkward_sample(awkward_type_count(), 150, 100);
  sample.cut.numbered = false;
  Reading(sample).by_libreoffice();
}

TEST(XlsxReadBack, SeveralSheetsByJavaOverASlowStream) {
  Reading(awkward_sample(awkward_type_count(), 260, 100)).by_java();
}

TEST(XlsxReadBack, ThreeHundredColumns) {
  const Reading reading(awkward_sample(300, 10, 100));
  reading.by_openpyxl();
  reading.by_exceljs();
}

TEST(XlsxReadBack, OneRowAndNone) {
  Sample sample = awkward_sample(5, 1, 10);
  sample.rows = {{INT64_C(7), "=1+1"s, true, INT64_C(-1), kNull}};
  sample.sheets[0].as_object()["rows"] = json::array{json::array{"7", "=1+1", "true", "-1", nullptr}};
  for (const bool with_row : {true, false}) {
    if (!with_row) {
      sample.rows.clear();
      sample.cut.borders = {0};
      sample.sheets[0].as_object()["rows"] = json::array();
    }
    const Reading reading(sample);
    reading.by_openpyxl();
    reading.by_exceljs();
    reading.by_java();
  }
}

/// No reader takes text for a formula, number, date or link: all types of text columns, all readers.
TEST(XlsxReadBack, TextThatLooksLikeAFormulaIsText) {
  Sample sample;
  sample.spec = make_spec("xlsx", {"t:text", "j:json"});
  sample.spec.dataset.name = "formulas";
  sample.types = {"text", "json"};
  json::array cells;
  for (const std::string text : {"=1+1", "=HYPERLINK(\"http://x\",\"y\")", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0",
                                 "\t=1", "\n=1", "007", "1e5", "TRUE", "2026-06-06", "#N/A", "{=1}", "'=1", " =1"}) {
    sample.rows.push_back({text, text});
    cells.push_back(json::array{text, text});
  }
  sample.sheets.push_back({{"name", "formulas"}, {"headers", {"t", "j"}}, {"rows", cells}});
  const Reading reading(sample);
  reading.by_openpyxl();
  reading.by_exceljs();
  reading.by_libreoffice();
}

TEST(XlsxReadBack, Tables) {
  for (const XlsxTableStyle style : {XlsxTableStyle::light, XlsxTableStyle::medium, XlsxTableStyle::dark}) {
    Sample sample = awkward_sample(awkward_type_count(), 40, 20);
    sample.spec.xlsx.table_style = style;
    const Reading reading(sample);
    reading.by_openpyxl();
    if (style != XlsxTableStyle::dark) continue;
    reading.by_exceljs();
    reading.by_libreoffice();
  }
}

TEST(XlsxReadBack, AFreshEncoderMakesTheSameBytes) {
  for (const bool numbered : {true, false}) {
    Sample sample = awkward_sample(awkward_type_count(), 260, 100);
    sample.cut.numbered = numbered;
    const EncodedFile whole = encode_workbook(sample.spec, sample.rows, sample.cut);
    sample.cut.fresh_encoders = true;
    const EncodedFile resumed = encode_workbook(sample.spec, sample.rows, sample.cut);
    ASSERT_TRUE(resumed.bytes == whole.bytes);
    ASSERT_EQ(resumed.total, whole.total);
  }
}

/// However the rows are cut into partitions and batches, the sheets are the same.
TEST(XlsxReadBack, TheCutNeverShows) {
  Sample sample = awkward_sample(awkward_type_count(), 230, 1000);
  sample.cut.borders.clear();
  sample.cut.batch_rows = 1000;
  const EncodedFile whole = encode_workbook(sample.spec, sample.rows, sample.cut);
  for (const std::vector<std::size_t>& borders :
       {std::vector<std::size_t>{0, 230}, {0, 1, 230}, {0, 0, 100, 100, 229, 230, 230}}) {
    for (const std::size_t batch_rows : {1, 31, 33, 1000}) {
      sample.cut.borders = borders;
      sample.cut.batch_rows = batch_rows;
      const EncodedFile cut = encode_workbook(sample.spec, sample.rows, sample.cut);
      ASSERT_TRUE(row_xml(cut.bytes) == row_xml(whole.bytes)) << borders.size() << " " << batch_rows;
      ASSERT_EQ(cut.total.fidelity, whole.total.fidelity);
    }
  }
}

}  // namespace
}  // namespace longshore
