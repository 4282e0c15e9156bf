#include "scan/row_width.h"

#include <algorithm>

namespace longshore {

namespace {

/// Types whose text is about as long whatever the value; nullopt for those that go by the stored width.
std::optional<std::int64_t> typical_width(LogicalType type) {
  switch (type) {
    case LogicalType::boolean:
      return 5;
    case LogicalType::int16:
      return 4;
    case LogicalType::int32:
      return 7;
    case LogicalType::int64:
    case LogicalType::decimal:
      return 10;
    case LogicalType::float32:
      return 9;
    case LogicalType::float64:
      return 14;
    case LogicalType::uuid:
      return 36;
    case LogicalType::date:
      return 10;
    case LogicalType::time:
      return 12;
    case LogicalType::timestamp:
    case LogicalType::timestamptz:
      return 25;
    case LogicalType::interval:
      return 10;
    case LogicalType::text:
    case LogicalType::json:
    case LogicalType::bytea:
    case LogicalType::array:
      break;
  }
  return std::nullopt;
}

}  // namespace

bool goes_by_stored_width(LogicalType type) {
  return !typical_width(type);
}

std::int64_t estimated_row_width(const std::vector<Column>& columns,
                                 const std::vector<std::optional<std::int64_t>>& stored) {
  constexpr std::int64_t kUnknown = 24;
  std::int64_t width = 0;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    std::int64_t column = typical_width(columns[i].type.logical).value_or(stored[i].value_or(kUnknown));
    if (columns[i].type.logical == LogicalType::bytea) column = column * 4 / 3;  // base64
    width += column + 1;
  }
  return std::max<std::int64_t>(1, width);
}

}  // namespace longshore
