#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/export_spec.h"

namespace longshore {

/// A sheet as the other parts of the workbook know it.
struct SheetFacts {
  std::string name;
  std::int64_t rows = 0;  ///< without the header
};

/// What the small parts of a workbook are made of (ECMA-376 part 1). Sheets and tables are numbered from 1.
struct WorkbookFacts {
  const ExportSpec& spec;
  std::vector<std::string> headers;  ///< the header cells, as a table needs them if there is one
  std::vector<SheetFacts> sheets;

  bool has_tables() const { return spec.xlsx.table_style != XlsxTableStyle::none; }
};

std::string content_types_xml(const WorkbookFacts& facts);
std::string package_rels_xml();
std::string core_properties_xml(const WorkbookFacts& facts);
std::string app_properties_xml();
std::string workbook_xml(const WorkbookFacts& facts);
std::string workbook_rels_xml(const WorkbookFacts& facts);
/// Without a string: cells hold their own. openpyxl does not open a workbook without this part.
std::string shared_strings_xml();
std::string sheet_rels_xml(std::size_t sheet);
std::string table_xml(const WorkbookFacts& facts, std::size_t sheet);

/// A sheet from its beginning to its header row, which is bold and frozen. `widths`: see column_width(), may be
/// shorter.
std::string sheet_head_xml(const WorkbookFacts& facts, std::size_t sheet, const std::vector<std::uint8_t>& widths);
/// From the end of the rows on: the filter, or the table.
std::string sheet_tail_xml(const WorkbookFacts& facts, std::size_t sheet);

/// `xl/worksheets/sheet1.xml`.
std::string sheet_part(std::size_t sheet);
/// `xl/worksheets/_rels/sheet1.xml.rels`.
std::string sheet_rels_part(std::size_t sheet);
/// `xl/tables/table1.xml`.
std::string table_part(std::size_t sheet);

}  // namespace longshore
