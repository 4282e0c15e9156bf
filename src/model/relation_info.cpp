#include "model/relation_info.h"

#include <algorithm>

namespace longshore {

const ColumnInfo* RelationInfo::find_column(const std::string& column) const {
  const auto found = std::ranges::find(columns, column, &ColumnInfo::name);
  return found == columns.end() ? nullptr : &*found;
}

}  // namespace longshore
