#include "xlsx/workbook_parts.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/clock.h"
#include "xlsx/cell_styles.h"
#include "xlsx/column_width.h"
#include "xlsx/sheet_cells.h"
#include "xlsx/xml_text.h"

namespace longshore {
namespace {

constexpr const char* kDeclaration = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
constexpr const char* kMain = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const std::string kRelations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const std::string kPackage = "http://schemas.openxmlformats.org/package/2006";

std::string content_override(const std::string& part, const std::string& type) {
  return "<Override PartName=\"/" + part + "\" ContentType=\"application/vnd.openxmlformats-" + type + "+xml\"/>";
}

std::string relation(int id, const std::string& type, const std::string& target) {
  return "<Relationship Id=\"rId" + std::to_string(id) + "\" Type=\"" + type + "\" Target=\"" + target + "\"/>";
}

std::string relations(const std::string& content) {
  return kDeclaration + std::string("<Relationships xmlns=\"") + kPackage + "/relationships\">" + content +
         "</Relationships>";
}

std::string root(const std::string& element, bool with_relations = false) {
  std::string xml = kDeclaration + ("<" + element) + " xmlns=\"" + kMain + "\"";
  if (with_relations) xml += " xmlns:r=\"" + kRelations + "\"";
  return xml;
}

/// `A1:K101`: the header and the rows. `rows`: at least that many below the header.
std::string range(const WorkbookFacts& facts, std::size_t sheet, std::int64_t rows) {
  return "A1:" + column_letters(facts.headers.size() - 1) +
         std::to_string(1 + std::max(rows, facts.sheets[sheet].rows));
}

/// The same as a formula: `'Name'!$A$1:$K$101`.
std::string absolute_range(const WorkbookFacts& facts, std::size_t sheet) {
  std::string quoted;
  for (const char c : facts.sheets[sheet].name) {
    quoted += c;
    if (c == '\'') quoted += c;
  }
  return "'" + quoted + "'!$A$1:$" + column_letters(facts.headers.size() - 1) + "$" +
         std::to_string(1 + facts.sheets[sheet].rows);
}

std::string table_style(XlsxTableStyle style) {
  switch (style) {
    case XlsxTableStyle::light:
      return "TableStyleLight9";
    case XlsxTableStyle::dark:
      return "TableStyleDark2";
    case XlsxTableStyle::medium:
    case XlsxTableStyle::none:
      break;
  }
  return "TableStyleMedium2";
}

std::string shown_width(double width) {
  char text[16];
  std::snprintf(text, sizeof text, "%.2f", width);
  return text;
}

std::string header_row(const WorkbookFacts& facts) {
  std::string xml = "<row r=\"1\">";
  for (std::size_t i = 0; i < facts.headers.size(); ++i) {
    xml += header_cell(facts.headers[i], column_letters(i) + "1", CellStyles::kHeader);
  }
  return xml + "</row>";
}

}  // namespace

std::string sheet_part(std::size_t sheet) {
  return "xl/worksheets/sheet" + std::to_string(sheet + 1) + ".xml";
}
std::string sheet_rels_part(std::size_t sheet) {
  return "xl/worksheets/_rels/sheet" + std::to_string(sheet + 1) + ".xml.rels";
}
std::string table_part(std::size_t sheet) {
  return "xl/tables/table" + std::to_string(sheet + 1) + ".xml";
}

std::string content_types_xml(const WorkbookFacts& facts) {
  const std::string spreadsheet = "officedocument.spreadsheetml.";
  std::string xml = kDeclaration + std::string("<Types xmlns=\"") + kPackage + "/content-types\">" +
                    "<Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships"
                    "+xml\"/><Default Extension=\"xml\" ContentType=\"application/xml\"/>" +
                    content_override("xl/workbook.xml", spreadsheet + "sheet.main");
  for (std::size_t i = 0; i < facts.sheets.size(); ++i) {
    xml += content_override(sheet_part(i), spreadsheet + "worksheet");
    if (facts.has_tables()) xml += content_override(table_part(i), spreadsheet + "table");
  }
  return xml + content_override("xl/styles.xml", spreadsheet + "styles") +
         content_override("xl/sharedStrings.xml", spreadsheet + "sharedStrings") +
         content_override("docProps/core.xml", "package.core-properties") +
         content_override("docProps/app.xml", "officedocument.extended-properties") + "</Types>";
}

std::string package_rels_xml() {
  return relations(relation(1, kRelations + "/officeDocument", "xl/workbook.xml") +
                   relation(2, kPackage + "/relationships/metadata/core-properties", "docProps/core.xml") +
                   relation(3, kRelations + "/extended-properties", "docProps/app.xml"));
}

std::string core_properties_xml(const WorkbookFacts& facts) {
  // W3CDTF; Excel takes whole seconds only.
  const std::string created =
      to_rfc3339(Timestamp(std::chrono::floor<std::chrono::seconds>(facts.spec.requested_at.time_since_epoch())));
  std::string xml = kDeclaration + std::string("<cp:coreProperties xmlns:cp=\"") + kPackage +
                    "/metadata/core-properties\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" "
                    "xmlns:dcterms=\"http://purl.org/dc/terms/\" "
                    "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">";
  if (!facts.spec.title.empty()) xml += "<dc:title>" + xml_text(repaired_utf8(facts.spec.title)) + "</dc:title>";
  xml += "<dc:creator>Longshore</dc:creator>";
  for (const std::string when : {"created", "modified"}) {
    xml.append("<dcterms:").append(when).append(" xsi:type=\"dcterms:W3CDTF\">");
    xml.append(created).append("</dcterms:").append(when).append(">");
  }
  return xml + "</cp:coreProperties>";
}

std::string app_properties_xml() {
  return kDeclaration + std::string(
                            "<Properties xmlns=\"http://schemas.openxmlformats.org/officeDocument/2006/"
                            "extended-properties\"><Application>Longshore</Application></Properties>");
}

std::string workbook_xml(const WorkbookFacts& facts) {
  std::string sheets;
  std::string filters;
  for (std::size_t i = 0; i < facts.sheets.size(); ++i) {
    const std::string number = std::to_string(i + 1);
    sheets.append("<sheet name=\"").append(xml_attribute(facts.sheets[i].name)).append("\" sheetId=\"");
    sheets.append(number).append("\" r:id=\"rId").append(number).append("\"/>");
    filters.append("<definedName name=\"_xlnm._FilterDatabase\" localSheetId=\"").append(std::to_string(i));
    filters.append("\" hidden=\"1\">").append(xml_text(absolute_range(facts, i))).append("</definedName>");
  }
  std::string xml =
      root("workbook", true) + "><workbookPr/><bookViews><workbookView/></bookViews><sheets>" + sheets + "</sheets>";
  // Excel keeps the range of a sheet's filter as a hidden name as well; a table has its own.
  if (!facts.has_tables()) xml += "<definedNames>" + filters + "</definedNames>";
  return xml + "</workbook>";
}

std::string workbook_rels_xml(const WorkbookFacts& facts) {
  std::string content;
  int id = 0;
  for (std::size_t i = 0; i < facts.sheets.size(); ++i) {
    content += relation(++id, kRelations + "/worksheet", "worksheets/sheet" + std::to_string(i + 1) + ".xml");
  }
  content += relation(++id, kRelations + "/styles", "styles.xml");
  content += relation(++id, kRelations + "/sharedStrings", "sharedStrings.xml");
  return relations(content);
}

std::string shared_strings_xml() {
  return root("sst") + " count=\"0\" uniqueCount=\"0\"/>";
}

std::string sheet_rels_xml(std::size_t sheet) {
  return relations(relation(1, kRelations + "/table", "../tables/table" + std::to_string(sheet + 1) + ".xml"));
}

std::string table_xml(const WorkbookFacts& facts, std::size_t sheet) {
  // A table needs a row besides its header, be it an empty one.
  const std::string cells = range(facts, sheet, 1);
  const std::string number = std::to_string(sheet + 1);
  std::string xml = root("table") + " id=\"" + number + "\" name=\"Table" + number + "\" displayName=\"Table" + number +
                    "\" ref=\"" + cells + "\" totalsRowShown=\"0\"><autoFilter ref=\"" + cells +
                    "\"/><tableColumns count=\"" + std::to_string(facts.headers.size()) + "\">";
  for (std::size_t i = 0; i < facts.headers.size(); ++i) {
    xml += "<tableColumn id=\"" + std::to_string(i + 1) + "\" name=\"" + xml_attribute(facts.headers[i]) + "\"/>";
  }
  return xml + "</tableColumns><tableStyleInfo name=\"" + table_style(facts.spec.xlsx.table_style) +
         "\" showFirstColumn=\"0\" showLastColumn=\"0\" showRowStripes=\"1\" showColumnStripes=\"0\"/></table>";
}

std::string sheet_head_xml(const WorkbookFacts& facts, std::size_t sheet, const std::vector<std::uint8_t>& widths) {
  std::string xml = root("worksheet", true) + "><dimension ref=\"" + range(facts, sheet, 0) +
                    "\"/><sheetViews><sheetView " + (sheet == 0 ? "tabSelected=\"1\" " : "") +
                    "workbookViewId=\"0\"><pane ySplit=\"1\" topLeftCell=\"A2\" activePane=\"bottomLeft\" "
                    "state=\"frozen\"/><selection pane=\"bottomLeft\" activeCell=\"A2\" sqref=\"A2\"/></sheetView>"
                    "</sheetViews><sheetFormatPr defaultRowHeight=\"15\"/><cols>";
  for (std::size_t i = 0; i < facts.headers.size(); ++i) {
    const std::string number = std::to_string(i + 1);
    const std::uint8_t measured = i < widths.size() ? widths[i] : 0;
    xml.append("<col min=\"").append(number).append("\" max=\"").append(number).append("\" width=\"");
    xml.append(shown_width(column_width(facts.headers[i], measured))).append("\" customWidth=\"1\"/>");
  }
  return xml + "</cols><sheetData>" + header_row(facts);
}

std::string sheet_tail_xml(const WorkbookFacts& facts, std::size_t sheet) {
  std::string xml = "</sheetData>";
  if (!facts.has_tables()) xml += "<autoFilter ref=\"" + range(facts, sheet, 0) + "\"/>";
  xml += "<pageMargins left=\"0.7\" right=\"0.7\" top=\"0.75\" bottom=\"0.75\" header=\"0.3\" footer=\"0.3\"/>";
  if (facts.has_tables()) xml += "<tableParts count=\"1\"><tablePart r:id=\"rId1\"/></tableParts>";
  return xml + "</worksheet>";
}

}  // namespace longshore
