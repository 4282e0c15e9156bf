#include "xlsx/cell_styles.h"

#include <algorithm>

#include "batch/column_vector.h"

namespace longshore {
namespace {

constexpr int kFirstDecimal = CellStyles::kTimeFraction + 1;
/// Number formats below this are built in (ECMA-376 part 1, section 18.8.30).
constexpr int kFirstCustomFormat = 164;
constexpr int kBuiltInInteger = 1;
/// More fractional digits than these Excel shows in no format.
constexpr int kMaxShownScale = 30;

int shown_scale(int scale) {
  return std::min(scale, kMaxShownScale);
}

std::string number_format(int id, const std::string& code) {
  return "<numFmt numFmtId=\"" + std::to_string(id) + "\" formatCode=\"" + code + "\"/>";
}

std::string cell_format(int number_format_id, int font = 0) {
  std::string xml = "<xf numFmtId=\"" + std::to_string(number_format_id) + "\" fontId=\"" + std::to_string(font) +
                    "\" fillId=\"0\" borderId=\"0\" xfId=\"0\"";
  if (number_format_id != 0) xml += " applyNumberFormat=\"1\"";
  if (font != 0) xml += " applyFont=\"1\"";
  return xml + "/>";
}

}  // namespace

CellStyles::CellStyles(const std::vector<Column>& columns) {
  for (const Column& column : columns) {
    if (physical_type(column.type) == PhysicalType::decimal128 && column.type.scale > 0) {
      scales_.push_back(shown_scale(column.type.scale));
    }
  }
  std::sort(scales_.begin(), scales_.end());
  scales_.erase(std::unique(scales_.begin(), scales_.end()), scales_.end());
}

int CellStyles::decimal(int scale) const {
  if (scale == 0) return kInteger;
  const auto found = std::lower_bound(scales_.begin(), scales_.end(), shown_scale(scale));
  return kFirstDecimal + static_cast<int>(found - scales_.begin());
}

std::string CellStyles::styles_xml() const {
  constexpr int kDateFormat = kFirstCustomFormat;
  std::string formats = number_format(kDateFormat, "yyyy\\-mm\\-dd") +
                        number_format(kDateFormat + 1, "yyyy\\-mm\\-dd\\ hh:mm:ss") +
                        number_format(kDateFormat + 2, "yyyy\\-mm\\-dd\\ hh:mm:ss.000") +
                        number_format(kDateFormat + 3, "hh:mm:ss") + number_format(kDateFormat + 4, "hh:mm:ss.000");
  std::string cells = cell_format(0) + cell_format(0, 1) + cell_format(kBuiltInInteger);
  int next = kDateFormat;
  for (int i = 0; i < 5; ++i) cells += cell_format(next++);
  for (const int scale : scales_) {
    formats += number_format(next, "0." + std::string(static_cast<std::size_t>(scale), '0'));
    cells += cell_format(next++);
  }
  return "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
         "<styleSheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\">"
         "<numFmts count=\"" +
         std::to_string(next - kFirstCustomFormat) + "\">" + formats +
         "</numFmts>"
         "<fonts count=\"2\"><font><sz val=\"11\"/><name val=\"Calibri\"/><family val=\"2\"/></font>"
         "<font><b/><sz val=\"11\"/><name val=\"Calibri\"/><family val=\"2\"/></font></fonts>"
         "<fills count=\"2\"><fill><patternFill patternType=\"none\"/></fill>"
         "<fill><patternFill patternType=\"gray125\"/></fill></fills>"
         "<borders count=\"1\"><border><left/><right/><top/><bottom/><diagonal/></border></borders>"
         "<cellStyleXfs count=\"1\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\"/></cellStyleXfs>"
         "<cellXfs count=\"" +
         std::to_string(kFirstDecimal + static_cast<int>(scales_.size())) + "\">" + cells +
         "</cellXfs>"
         "<cellStyles count=\"1\"><cellStyle name=\"Normal\" xfId=\"0\" builtinId=\"0\"/></cellStyles>"
         "<dxfs count=\"0\"/>"
         "<tableStyles count=\"0\" defaultTableStyle=\"TableStyleMedium2\" defaultPivotStyle=\"PivotStyleLight16\"/>"
         "</styleSheet>";
}

}  // namespace longshore
