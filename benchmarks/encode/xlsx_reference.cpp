#include "xlsx_reference.h"

#include <xlsxwriter.h>

#include "audit_rows.h"

namespace longshore {
namespace {

/// One cell as libxlsxwriter takes it: a function call for each, strings with a zero at the end.
void write_cell(lxw_worksheet* sheet, lxw_row_t row, lxw_col_t index, const ColumnVector& column, std::size_t from,
                lxw_format* moment, std::string& text) {
  if (column.is_null(from)) return;
  switch (column.type().logical) {
    case LogicalType::int64:
      worksheet_write_number(sheet, row, index, static_cast<double>(column.values<std::int64_t>()[from]), nullptr);
      return;
    case LogicalType::int32:
      worksheet_write_number(sheet, row, index, column.values<std::int32_t>()[from], nullptr);
      return;
    case LogicalType::boolean:
      worksheet_write_boolean(sheet, row, index, column.values<std::uint8_t>()[from], nullptr);
      return;
    case LogicalType::decimal:
      worksheet_write_number(sheet, row, index, static_cast<double>(column.values<Int128>()[from]) / 100, nullptr);
      return;
    case LogicalType::timestamptz:
      worksheet_write_number(sheet, row, index,
                             static_cast<double>(column.values<std::int64_t>()[from]) / 86'400e6 + 25'569, moment);
      return;
    default:
      text = column.text(from);
      worksheet_write_string(sheet, row, index, text.c_str(), nullptr);
  }
}

}  // namespace

bool write_with_libxlsxwriter(const std::string& path, const std::vector<RowBatch>& batches) {
  lxw_workbook_options options{};
  options.constant_memory = LXW_TRUE;
  lxw_workbook* book = workbook_new_opt(path.c_str(), &options);
  if (book == nullptr) return false;
  lxw_worksheet* sheet = workbook_add_worksheet(book, "audit");
  lxw_format* moment = workbook_add_format(book);
  format_set_num_format(moment, "yyyy-mm-dd hh:mm:ss");
  lxw_col_t index = 0;
  for (const Column& column : audit_columns()) {
    worksheet_write_string(sheet, 0, index++, column.name.c_str(), nullptr);
  }
  lxw_row_t row = 1;
  std::string text;
  for (const RowBatch& batch : batches) {
    for (std::size_t from = 0; from < batch.row_count(); ++from, ++row) {
      for (std::size_t i = 0; i < batch.column_count(); ++i) {
        write_cell(sheet, row, static_cast<lxw_col_t>(i), batch.column(i), from, moment, text);
      }
    }
  }
  return workbook_close(book) == LXW_NO_ERROR;
}

}  // namespace longshore
