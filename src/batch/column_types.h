#pragma once

#include <vector>

#include "model/export_spec.h"

namespace longshore {

/// The types of an export's columns, in file order: what a RowBatch is made of.
inline std::vector<DataType> column_types(const ExportSpec& spec) {
  std::vector<DataType> types;
  types.reserve(spec.columns.size());
  for (const Column& column : spec.columns) types.push_back(column.type);
  return types;
}

}  // namespace longshore
