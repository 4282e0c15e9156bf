#include "model/dataset.h"

#include <algorithm>

namespace longshore {

const Column* Dataset::find_column(const std::string& api_name) const {
  const auto found = std::ranges::find(columns, api_name, &Column::name);
  return found == columns.end() ? nullptr : &*found;
}

}  // namespace longshore
