#include "xlsx/xlsx_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "workbook_file.h"

namespace longshore {
namespace {

using std::string_literals::operator""s;
using testing::HasSubstr;

/// The cells of a single column, without their tags `<row…>`.
std::string cells_of(const std::string& type, const std::vector<Cell>& values, ColumnFidelity* fidelity = nullptr,
                     const std::string& time_zone = "UTC") {
  ExportSpec spec = make_spec("xlsx", {"c:" + type});
  spec.time_zone = time_zone;
  std::vector<Row> rows;
  for (const Cell& value : values) rows.push_back({value});
  WorkbookCut cut;
  cut.numbered = false;
  const EncodedFile file = encode_workbook(spec, rows, cut);
  if (fidelity != nullptr) *fidelity = file.total.fidelity.empty() ? ColumnFidelity{} : file.total.fidelity.front();
  std::string text = row_xml(file.bytes);
  for (const std::string tag : {"<row>", "</row>"}) {
    for (std::size_t at = text.find(tag); at != std::string::npos; at = text.find(tag)) text.erase(at, tag.size());
  }
  return text;
}

std::string text_cell(const std::string& content) {
  return "<c t=\"inlineStr\"><is><t>" + content + "</t></is></c>";
}
std::string kept_cell(const std::string& content) {
  return "<c t=\"inlineStr\"><is><t xml:space=\"preserve\">" + content + "</t></is></c>";
}
std::string number_cell(const std::string& number, int style = 0) {
  return (style == 0 ? "<c><v>" : "<c s=\"" + std::to_string(style) + "\"><v>") + number + "</v></c>";
}

TEST(XlsxFormat, SaysWhatItCan) {
  const FormatTraits traits = XlsxFormat().traits();
  EXPECT_EQ(traits.name, "xlsx");
  EXPECT_EQ(traits.extension, "xlsx");
  EXPECT_EQ(traits.content_type, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
  EXPECT_TRUE(traits.parallel);
  EXPECT_FALSE(traits.compressible);
  EXPECT_FALSE(traits.streamable);
  EXPECT_EQ(traits.max_rows, 10'485'750);
  EXPECT_EQ(traits.sheet_rows, 1'048'575);
  EXPECT_EQ(traits.max_partition_rows, 1'048'575);
  XlsxLimits three;
  three.max_sheets = 3;
  EXPECT_EQ(XlsxFormat(three).traits().max_rows, 3'145'725);
}

TEST(XlsxFormat, WritesNumberedRows) {
  const ExportSpec spec = make_spec("xlsx", {"id:int64", "name:text", "on:bool", "price:numeric(12,2)"});
  const std::vector<Row> rows{
      {INT64_C(1), "a"s, true, int128("1250")}, {INT64_C(2), kNull, kNull, kNull}, Row(4, kNull)};
  EXPECT_EQ(row_xml(encode_workbook(spec, rows).bytes),
            R"(<row r="2"><c r="A2" s="2"><v>1</v></c><c r="B2" t="inlineStr"><is><t>a</t></is></c>)"
            R"(<c r="C2" t="b"><v>1</v></c><c r="D2" s="8"><v>12.50</v></c></row>)"
            R"(<row r="3"><c r="A3" s="2"><v>2</v></c></row><row r="4"></row>)");
}

TEST(XlsxFormat, WritesRowsWithoutNumbersWhereTheirPlaceIsUnknown) {
  const ExportSpec spec = make_spec("xlsx", {"id:int64", "name:text"});
  WorkbookCut cut;
  cut.numbered = false;
  EXPECT_EQ(row_xml(encode_workbook(spec, {{INT64_C(1), kNull}, {kNull, "b"s}}, cut).bytes),
            R"(<row><c s="2"><v>1</v></c><c/></row><row><c/><c t="inlineStr"><is><t>b</t></is></c></row>)");
}

TEST(XlsxFormat, WritesASheetAroundTheRows) {
  ExportSpec spec = make_spec("xlsx", {"id:int32", "name:text"});
  EXPECT_EQ(
      sheet_xml(encode_workbook(spec, {{INT64_C(7), "some words"s}}).bytes),
      "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
      R"(<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" )"
      R"(xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><dimension ref="A1:B2"/>)"
      R"(<sheetViews><sheetView tabSelected="1" workbookViewId="0"><pane ySplit="1" topLeftCell="A2" )"
      R"(activePane="bottomLeft" state="frozen"/><selection pane="bottomLeft" activeCell="A2" sqref="A2"/></sheetView>)"
      R"(</sheetViews><sheetFormatPr defaultRowHeight="15"/><cols><col min="1" max="1" width="6.00" customWidth="1"/>)"
      R"(<col min="2" max="2" width="11.70" customWidth="1"/></cols><sheetData><row r="1">)"
      R"(<c r="A1" s="1" t="inlineStr"><is><t>id</t></is></c><c r="B1" s="1" t="inlineStr"><is><t>name</t></is></c>)"
      R"(</row><row r="2"><c r="A2"><v>7</v></c><c r="B2" t="inlineStr"><is><t>some words</t></is></c></row>)"
      R"(</sheetData><autoFilter ref="A1:B2"/><pageMargins left="0.7" right="0.7" top="0.75" bottom="0.75" )"
      R"(header="0.3" footer="0.3"/></worksheet>)");
}

TEST(XlsxFormat, WritesTheSmallParts) {
  ExportSpec spec = make_spec("xlsx", {"id:int32", "a & b:numeric(20,4)"});
  spec.dataset.name = "audit-log";
  spec.title = "Events <2026>";
  spec.requested_at = Timestamp{std::chrono::microseconds{1'780'755'600'123'456}};
  const std::string file = encode_workbook(spec, {{INT64_C(7), kNull}}).bytes;
  const auto entries = unzip(file);
  std::vector<std::string> names;
  for (const auto& [name, content] : entries) names.push_back(name);
  EXPECT_THAT(names, testing::ElementsAre("[Content_Types].xml", "_rels/.rels", "docProps/core.xml", "docProps/app.xml",
                                          "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml",
                                          "xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"));
  EXPECT_THAT(entry(file, "xl/workbook.xml"),
              HasSubstr(R"(<sheets><sheet name="audit-log" sheetId="1" r:id="rId1"/></sheets><definedNames>)"
                        R"(<definedName name="_xlnm._FilterDatabase" localSheetId="0" hidden="1">)"
                        R"('audit-log'!$A$1:$B$2</definedName></definedNames></workbook>)"));
  const std::string core = entry(file, "docProps/core.xml");
  EXPECT_THAT(core, HasSubstr("<dc:title>Events &lt;2026&gt;</dc:title>"));
  EXPECT_THAT(core, HasSubstr(R"(<dcterms:created xsi:type="dcterms:W3CDTF">2026-06-06T14:20:00Z</dcterms:created>)"));
  EXPECT_THAT(entry(file, "xl/styles.xml"), HasSubstr(R"(formatCode="0.0000"/></numFmts>)"));
  EXPECT_THAT(entry(file, "xl/styles.xml"), HasSubstr(R"(<cellXfs count="9">)"));
}

TEST(XlsxFormat, MakesATableWhereAStyleIsAskedFor) {
  ExportSpec spec = make_spec("xlsx", {"id:int32", "ID:int32", "a \"b\":int32"});
  spec.xlsx.table_style = XlsxTableStyle::medium;
  std::string file = encode_workbook(spec, {{INT64_C(1), INT64_C(2), INT64_C(3)}}).bytes;
  EXPECT_EQ(entry(file, "xl/tables/table1.xml"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
            R"(<table xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" id="1" name="Table1" )"
            R"(displayName="Table1" ref="A1:C2" totalsRowShown="0"><autoFilter ref="A1:C2"/><tableColumns count="3">)"
            R"(<tableColumn id="1" name="id"/><tableColumn id="2" name="ID2"/>)"
            R"(<tableColumn id="3" name="a &quot;b&quot;"/></tableColumns><tableStyleInfo name="TableStyleMedium2" )"
            R"(showFirstColumn="0" showLastColumn="0" showRowStripes="1" showColumnStripes="0"/></table>)");
  EXPECT_THAT(sheet_xml(file), HasSubstr("<is><t>ID2</t></is>"));
  EXPECT_THAT(sheet_xml(file), HasSubstr(R"(<tableParts count="1"><tablePart r:id="rId1"/></tableParts></worksheet>)"));
  EXPECT_THAT(sheet_xml(file), testing::Not(HasSubstr("<autoFilter")));
  EXPECT_THAT(entry(file, "xl/workbook.xml"), testing::Not(HasSubstr("definedName")));
  EXPECT_THAT(entry(file, "[Content_Types].xml"), HasSubstr("/xl/tables/table1.xml"));
  EXPECT_THAT(entry(file, "xl/worksheets/_rels/sheet1.xml.rels"), HasSubstr("../tables/table1.xml"));
  // A table must have a row.
  EXPECT_THAT(entry(encode_workbook(spec, {}).bytes, "xl/tables/table1.xml"), HasSubstr(R"( ref="A1:C2")"));
  for (const auto& [style, name] :
       {std::pair{XlsxTableStyle::light, "TableStyleLight9"}, std::pair{XlsxTableStyle::dark, "TableStyleDark2"}}) {
    spec.xlsx.table_style = style;
    EXPECT_THAT(entry(encode_workbook(spec, {}).bytes, "xl/tables/table1.xml"), HasSubstr(name));
  }
}

TEST(XlsxFormat, WritesTextAsText) {
  ColumnFidelity fidelity;
  EXPECT_EQ(cells_of("text", {"plain"s, ""s, "007"s, "=1+1"s, "a<b"s, kNull}, &fidelity),
            text_cell("plain") + text_cell("") + text_cell("007") + text_cell("=1+1") + text_cell("a&lt;b") + "<c/>");
  EXPECT_TRUE(fidelity.clean());
  EXPECT_EQ(
      cells_of("text", {" a"s, "a "s, "a\n"s, "a  b"s, "\t"s, " "s}),
      kept_cell(" a") + kept_cell("a ") + kept_cell("a\n") + text_cell("a  b") + kept_cell("\t") + kept_cell(" "));
  EXPECT_EQ(cells_of("text[]", {"[1,2]"s}), text_cell("[1,2]"));
  EXPECT_EQ(cells_of("json", {R"({"a": "<"})"s}), text_cell(R"({"a": "&lt;"})"));
  EXPECT_EQ(cells_of("interval", {"P1DT2H"s}), text_cell("P1DT2H"));
  EXPECT_EQ(cells_of("uuid", {"\x01\x92\xF0\xC4\x00\x00\x70\x00\x80\x00\x00\x00\x00\x00\x00\xFF"s}),
            text_cell("0192f0c4-0000-7000-8000-0000000000ff"));
  EXPECT_EQ(cells_of("bytea", {"\x00\xFF"s, ""s}), text_cell("AP8=") + text_cell(""));
}

TEST(XlsxFormat, RepairsTextThatIsNoUtf8) {
  ColumnFidelity fidelity;
  EXPECT_EQ(cells_of("text", {"gr\xFC\xDF"s, "good"s}, &fidelity), text_cell("gr\uFFFD\uFFFD") + text_cell("good"));
  EXPECT_EQ(fidelity, (ColumnFidelity{.replaced = 1}));
}

TEST(XlsxFormat, CutsTextThatNoCellHolds) {
  const auto repeat = [](const std::string& piece, std::size_t times) {
    std::string text;
    for (std::size_t i = 0; i < times; ++i) text += piece;
    return text;
  };
  ColumnFidelity fidelity;
  for (const std::string piece : {"x", "é", "日", "\uFFFF"}) {
    const std::string escaped = piece == "\uFFFF" ? "_xFFFF_" : piece;
    EXPECT_TRUE(cells_of("text", {repeat(piece, 32'767)}, &fidelity) == text_cell(repeat(escaped, 32'767))) << piece;
    EXPECT_TRUE(fidelity.clean()) << piece;
    for (const std::size_t length : {32'768, 40'000, 200'000}) {
      EXPECT_TRUE(cells_of("text", {repeat(piece, length)}, &fidelity) == text_cell(repeat(escaped, 32'767))) << piece;
      EXPECT_EQ(fidelity, (ColumnFidelity{.truncated = 1})) << piece << " " << length;
    }
  }
  // A surrogate pair is not cut in two.
  EXPECT_TRUE(cells_of("text", {repeat("😀", 16'384)}, &fidelity) == text_cell(repeat("😀", 16'383)));
  EXPECT_EQ(fidelity.truncated, 1);
  EXPECT_TRUE(cells_of("text", {"x" + repeat("😀", 16'383)}, &fidelity) == text_cell("x" + repeat("😀", 16'383)));
  EXPECT_EQ(fidelity.truncated, 0);
  // What is not UTF-8 counts by what it becomes.
  EXPECT_TRUE(cells_of("text", {repeat("\xFF", 40'000)}, &fidelity) == text_cell(repeat("\uFFFD", 32'767)));
  EXPECT_EQ(fidelity, (ColumnFidelity{.truncated = 1, .replaced = 1}));
  // Base64 stays whole groups.
  EXPECT_TRUE(cells_of("bytea", {std::string(24'573, '\0')}, &fidelity) == text_cell(std::string(32'764, 'A')));
  EXPECT_TRUE(fidelity.clean());
  EXPECT_TRUE(cells_of("bytea", {std::string(24'574, '\0')}, &fidelity) == text_cell(std::string(32'764, 'A')));
  EXPECT_EQ(fidelity.truncated, 1);
}

TEST(XlsxFormat, WritesNumbersThatExcelKeepsAndOthersAsText) {
  ColumnFidelity fidelity;
  EXPECT_EQ(cells_of("bool", {true, false}), R"(<c t="b"><v>1</v></c><c t="b"><v>0</v></c>)");
  EXPECT_EQ(cells_of("int16", {INT64_C(-32768)}), number_cell("-32768"));
  EXPECT_EQ(cells_of("int32", {INT64_C(-2147483648)}), number_cell("-2147483648"));
  EXPECT_EQ(cells_of("int64", {INT64_C(999'999'999'999'999), INT64_C(-999'999'999'999'999)}, &fidelity),
            number_cell("999999999999999", 2) + number_cell("-999999999999999", 2));
  EXPECT_TRUE(fidelity.clean());
  EXPECT_EQ(cells_of("int64", {INT64_C(1'000'000'000'000'000), INT64_MIN, INT64_MAX}, &fidelity),
            text_cell("1000000000000000") + text_cell("-9223372036854775808") + text_cell("9223372036854775807"));
  EXPECT_EQ(fidelity, (ColumnFidelity{.stringified = 3}));

  EXPECT_EQ(cells_of("numeric(38,10)",
                     {int128("1234567890000000"), int128("-1"), int128("123456789012345"), int128("0"),
                      int128("1000000000000000000000000"), int128("9999999999999990000000000")},
                     &fidelity),
            number_cell("123456.7890000000", 8) + number_cell("-0.0000000001", 8) + number_cell("12345.6789012345", 8) +
                number_cell("0.0000000000", 8) + number_cell("100000000000000.0000000000", 8) +
                number_cell("999999999999999.0000000000", 8));
  EXPECT_TRUE(fidelity.clean());
  EXPECT_EQ(cells_of("numeric(38,10)",
                     {int128("1234567890123456"), int128("10000000000000000000000000"),
                      int128("-99999999999999999999999999999999999999")},
                     &fidelity),
            text_cell("123456.7890123456") + text_cell("1000000000000000.0000000000") +
                text_cell("-9999999999999999999999999999.9999999999"));
  EXPECT_EQ(fidelity, (ColumnFidelity{.stringified = 3}));
  EXPECT_EQ(cells_of("numeric(5,0)", {int128("12")}), number_cell("12", 2));

  EXPECT_EQ(cells_of("numeric", {"0"s, "-12.50"s, "0.000000000000000123"s, "123456789012345.000"s}, &fidelity),
            number_cell("0") + number_cell("-12.50") + number_cell("0.000000000000000123") +
                number_cell("123456789012345.000"));
  EXPECT_TRUE(fidelity.clean());
  EXPECT_EQ(cells_of("numeric", {"1234567890123456"s, "NaN"s, "-Infinity"s, "1e5"s, "="s, ""s, ".5"s, "5."s, "007"s},
                     &fidelity),
            text_cell("1234567890123456") + text_cell("NaN") + text_cell("-Infinity") + text_cell("1e5") +
                text_cell("=") + text_cell("") + text_cell(".5") + text_cell("5.") + text_cell("007"));
  EXPECT_EQ(fidelity, (ColumnFidelity{.stringified = 9}));
}

TEST(XlsxFormat, WritesFloatsWithinTheRangeOfExcel) {
  ColumnFidelity fidelity;
  EXPECT_EQ(cells_of("float64", {0.1, -0.0, 1e20, 2.2250738585072014e-308, 9.99999999999999e307}, &fidelity),
            number_cell("0.1") + number_cell("-0") + number_cell("1e+20") + number_cell("2.2250738585072014e-308") +
                number_cell("9.99999999999999e+307"));
  EXPECT_TRUE(fidelity.clean());
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(cells_of("float64", {std::nan(""), kInfinity, -kInfinity, 5e-324, 1.7976931348623157e308}, &fidelity),
            text_cell("NaN") + text_cell("Infinity") + text_cell("-Infinity") + text_cell("5e-324") +
                text_cell("1.7976931348623157e+308"));
  EXPECT_EQ(fidelity, (ColumnFidelity{.stringified = 5}));
  EXPECT_EQ(cells_of("float32", {0.1, 1e-45, kInfinity}),
            number_cell("0.1") + number_cell("1e-45") + text_cell("Infinity"));
}

TEST(XlsxFormat, WritesDatesAsSerialNumbers) {
  ColumnFidelity fidelity;
  EXPECT_EQ(cells_of("date", {INT64_C(-25508), INT64_C(0), INT64_C(20610), INT64_C(2932896)}, &fidelity),
            number_cell("61", 3) + number_cell("25569", 3) + number_cell("46179", 3) + number_cell("2958465", 3));
  EXPECT_TRUE(fidelity.clean());
  EXPECT_EQ(
      cells_of("date", {INT64_C(-25509), INT64_C(2932897), INT64_C(-719162), std::int64_t{kDateInfinity}}, &fidelity),
      text_cell("1900-02-28") + text_cell("10000-01-01") + text_cell("0001-01-01") + text_cell("infinity"));
  EXPECT_EQ(fidelity, (ColumnFidelity{.stringified = 4}));

  EXPECT_EQ(
      cells_of("time", {INT64_C(0), INT64_C(43'200'000'000), INT64_C(500'000), INT64_C(86'399'999'499)}, &fidelity),
      number_cell("0", 6) + number_cell("0.5", 6) + number_cell("0.000005787037", 7) +
          number_cell("0.999999994201", 7));
  EXPECT_TRUE(fidelity.clean());
  EXPECT_EQ(cells_of("time", {INT64_C(86'400'000'000), INT64_C(86'399'999'500)}, &fidelity),
            text_cell("24:00:00") + text_cell("23:59:59.999500"));
  EXPECT_EQ(fidelity.stringified, 2);

  EXPECT_EQ(cells_of("timestamp",
                     {INT64_C(1780755600000000), INT64_C(1780755600500000), INT64_C(1780704000000000), INT64_C(-1)}),
            number_cell("46179.597222222222", 4) + number_cell("46179.597228009259", 5) + number_cell("46179", 4) +
                number_cell("25568.999999999988", 5));
  EXPECT_EQ(cells_of("timestamp",
                     {kTimestampInfinity, INT64_C(-2203891200000001), INT64_C(253402300799999500),
                      INT64_C(253402300800000000)},
                     &fidelity),
            text_cell("infinity") + text_cell("1900-02-28T23:59:59.999999") + text_cell("9999-12-31T23:59:59.999500") +
                text_cell("10000-01-01T00:00:00"));
  EXPECT_EQ(fidelity.stringified, 4);
}

TEST(XlsxFormat, ShowsInstantsInTheZoneAskedFor) {
  EXPECT_EQ(cells_of("timestamptz", {INT64_C(1780755600000000), kTimestampMinusInfinity, INT64_C(-62135596800000000)}),
            number_cell("46179.597222222222", 4) + text_cell("-infinity") + text_cell("0001-01-01T00:00:00Z"));
  ColumnFidelity fidelity;
  EXPECT_EQ(
      cells_of("timestamptz",
               {INT64_C(1780755600000000), INT64_C(1767225600000000), kTimestampInfinity, kTimestampMinusInfinity},
               &fidelity, "Asia/Kolkata"),
      number_cell("46179.826388888889", 4) + number_cell("46023.229166666667", 4) + text_cell("infinity") +
          text_cell("-infinity"));
  EXPECT_EQ(fidelity.stringified, 2);
  // The year 10000 has begun in Kolkata.
  EXPECT_EQ(cells_of("timestamptz", {INT64_C(253402300799000000)}, nullptr, "Asia/Kolkata"),
            text_cell("10000-01-01T05:29:59+05:30"));
  const Result<std::unique_ptr<PartitionEncoder>> nowhere = [] {
    ExportSpec spec = make_spec("xlsx", {"a:timestamptz"});
    spec.time_zone = "Moon/Tycho";
    return XlsxFormat().make_encoder(spec, {});
  }();
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code, "unknown_time_zone");
}

TEST(XlsxFormat, RollsOverToFurtherSheets) {
  ExportSpec spec = make_spec("xlsx", {"id:int32"});
  spec.dataset.name = "audit";
  std::vector<Row> rows;
  for (std::int64_t i = 0; i < 23; ++i) rows.push_back({i});
  WorkbookCut cut;
  cut.limits = {.max_sheets = 3, .rows_per_sheet = 10};
  cut.borders = {0, 5, 10, 10, 15, 20, 23};
  for (const bool numbered : {true, false}) {
    cut.numbered = numbered;
    const EncodedFile file = encode_workbook(spec, rows, cut);
    EXPECT_EQ(file.total.rows, 23);
    const auto first = [&](int row, int value) {
      return numbered ? "<row r=\"" + std::to_string(row) + "\"><c r=\"A" + std::to_string(row) + "\"><v>" +
                            std::to_string(value) + "</v></c></row>"
                      : "<row><c><v>" + std::to_string(value) + "</v></c></row>";
    };
    EXPECT_TRUE(row_xml(file.bytes, 1).starts_with(first(2, 0) + first(3, 1)));
    EXPECT_TRUE(row_xml(file.bytes, 1).ends_with(first(11, 9)));
    EXPECT_TRUE(row_xml(file.bytes, 2).starts_with(first(2, 10)));
    EXPECT_EQ(row_xml(file.bytes, 3), first(2, 20) + first(3, 21) + first(4, 22));
    EXPECT_THAT(sheet_xml(file.bytes, 3), HasSubstr(R"(<dimension ref="A1:A4"/>)"));
    EXPECT_THAT(
        entry(file.bytes, "xl/workbook.xml"),
        HasSubstr(R"x(<sheet name="audit" sheetId="1" r:id="rId1"/><sheet name="audit (2)" sheetId="2" r:id="rId2"/>)x"
                  R"x(<sheet name="audit (3)" sheetId="3" r:id="rId3"/>)x"));
    EXPECT_EQ(unzip(file.bytes).size(), 11U);
  }
}

TEST(XlsxFormat, AWorkbookWithoutRowsHasItsHeader) {
  const ExportSpec spec = make_spec("xlsx", {"id:int32", "t:text"});
  for (const std::vector<std::size_t>& borders :
       {std::vector<std::size_t>{0}, std::vector<std::size_t>{0, 0}, std::vector<std::size_t>{0, 0, 0}}) {
    WorkbookCut cut;
    cut.borders = borders;
    const std::string file = encode_workbook(spec, {}, cut).bytes;
    EXPECT_EQ(row_xml(file), "");
    EXPECT_THAT(sheet_xml(file), HasSubstr(R"(<autoFilter ref="A1:B1"/>)"));
    EXPECT_THAT(sheet_xml(file), HasSubstr("<is><t>id</t></is>"));
  }
}

TEST(XlsxFormat, SaysWhichLimitIsBroken) {
  ExportSpec wide;
  for (int i = 0; i < 16'384; ++i) wide.columns.push_back({"c", "c", {LogicalType::int32}, "", "", false});
  EXPECT_TRUE(XlsxFormat().make_encoder(wide, {}));
  EXPECT_TRUE(XlsxFormat().make_frame(wide));
  wide.columns.push_back(wide.columns.front());
  for (const Error& error : {XlsxFormat().make_encoder(wide, {}).error(), XlsxFormat().make_frame(wide).error()}) {
    EXPECT_EQ(error.code, "xlsx_too_many_columns");
    EXPECT_EQ(error.source, ErrorSource::user);
    EXPECT_EQ(error.message,
              "a sheet holds 16384 columns, and 16385 were asked for; name fewer in `columns`, or use CSV or Parquet");
  }

  const ExportSpec spec = make_spec("xlsx", {"id:int32"});
  const std::vector<Row> rows(11, Row{INT64_C(1)});
  WorkbookCut cut;
  cut.limits.rows_per_sheet = 10;
  cut.batch_rows = 4;
  const auto message = [&] {
    try {
      encode_workbook(spec, rows, cut);
    } catch (const std::exception& problem) {
      return std::string(problem.what());
    }
    return std::string("no error");
  };
  EXPECT_THAT(message(), HasSubstr("xlsx_partition_too_large: a sheet of a workbook holds 10 rows"));
  cut.fresh_encoders = true;
  EXPECT_THAT(message(), HasSubstr("xlsx_partition_too_large"));
  cut.limits.rows_per_sheet = 100;
  cut.limits.sheet_bytes = 200;
  EXPECT_THAT(message(), HasSubstr("xlsx_partition_too_large: a sheet of a workbook holds 200 bytes of XML"));
}

TEST(XlsxFormat, RefusesBatchesOfAnotherShape) {
  const ExportSpec spec = make_spec("xlsx", {"id:int32"});
  const auto encoder = XlsxFormat().make_encoder(spec, {});
  ByteBuffer out;
  EXPECT_EQ((*encoder)->encode(make_batch(make_spec("xlsx", {"id:int64"}), {{INT64_C(1)}}), out).error().code,
            "batch_shape");
  EXPECT_EQ((*encoder)
                ->encode(make_batch(make_spec("xlsx", {"a:int32", "b:int32"}), {{INT64_C(1), INT64_C(1)}}), out)
                .error()
                .code,
            "batch_shape");
}

/// 16,384 columns, the last of them XFD.
TEST(XlsxFormat, WritesTheWidestSheet) {
  ExportSpec wide;
  Row row;
  for (int i = 0; i < 16'384; ++i) {
    wide.columns.push_back({"c" + std::to_string(i), "c", {LogicalType::int32}, "", "", false});
    row.push_back(std::int64_t{i});
  }
  const std::string file = encode_workbook(wide, {row, row}).bytes;
  EXPECT_THAT(sheet_xml(file),
              HasSubstr(R"(<c r="XFD3"><v>16383</v></c></row></sheetData><autoFilter ref="A1:XFD3"/>)"));
}

}  // namespace
}  // namespace longshore
