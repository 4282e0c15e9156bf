#include "catalog/names.h"

#include <algorithm>

namespace longshore {
namespace {

constexpr std::size_t kLongestName = 64;
constexpr std::size_t kLongestIdentifier = 128;

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_letter(char c) {
  return is_lower(c) || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

bool is_dataset_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName && is_lower(name.front()) &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_lower(c) || is_digit(c) || c == '_'; });
}

bool is_column_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName && !is_digit(name.front()) &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
}

bool is_identifier(std::string_view name) {
  return !name.empty() && name.size() <= kLongestIdentifier && std::none_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  });
}

bool is_relation_name(std::string_view name) {
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos) return is_identifier(name);
  const std::string_view relation = name.substr(dot + 1);
  return is_identifier(name.substr(0, dot)) && is_identifier(relation) && relation.find('.') == std::string_view::npos;
}

bool is_time_range_word(std::string_view name) {
  return name == "from" || name == "to" || name == "date_range";
}

bool is_filterable(LogicalType type) {
  switch (type) {
    case LogicalType::bytea:
    case LogicalType::json:
    case LogicalType::interval:
    case LogicalType::array:
      return false;
    default:
      return true;
  }
}

bool is_ordered(LogicalType type) {
  return is_filterable(type) && type != LogicalType::boolean && type != LogicalType::uuid;
}

bool is_key_type(LogicalType type) {
  switch (type) {
    case LogicalType::int16:
    case LogicalType::int32:
    case LogicalType::int64:
    case LogicalType::decimal:
    case LogicalType::text:
    case LogicalType::uuid:
    case LogicalType::date:
    case LogicalType::timestamp:
    case LogicalType::timestamptz:
      return true;
    default:
      return false;
  }
}

bool is_tenant_type(LogicalType type) {
  return type == LogicalType::text || type == LogicalType::uuid || type == LogicalType::int16 ||
         type == LogicalType::int32 || type == LogicalType::int64;
}

bool is_time_type(LogicalType type) {
  return type == LogicalType::date || type == LogicalType::timestamp || type == LogicalType::timestamptz;
}

}  // namespace longshore
