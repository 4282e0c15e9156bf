#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sample_rows.h"
#include "xlsx/xlsx_format.h"

namespace longshore {

/// How encode_workbook() is to go about it.
struct WorkbookCut {
  std::vector<std::size_t> borders;  ///< where partitions begin, and the end of the rows; empty: one of all rows
  std::size_t batch_rows = 1000;
  bool numbered = true;         ///< encoders are told their place
  bool fresh_encoders = false;  ///< a new encoder after every chunk, as after crashes
  XlsxLimits limits{};
};

/// A workbook of `rows`, made as the pipeline would. Throws what fails, as `code: message`.
EncodedFile encode_workbook(const ExportSpec& spec, const std::vector<Row>& rows, const WorkbookCut& cut = {});

/// The entries of a ZIP archive in file order, read as a stream is: local headers one after the other, by the sizes
/// they state, up to the directory. Throws when anything is not as it says: flags, sizes, checksums.
std::vector<std::pair<std::string, std::string>> unzip(std::string_view file);
/// The content of an entry. Throws when there is none.
std::string entry(std::string_view file, const std::string& name);
/// Sheet `number` (from 1), whole.
std::string sheet_xml(std::string_view file, int number = 1);
/// The rows of a sheet: what stands between the header row and the end of the sheet's data.
std::string row_xml(std::string_view file, int number = 1);

}  // namespace longshore
