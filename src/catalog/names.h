#pragma once

#include <string>
#include <string_view>

#include "model/data_type.h"

namespace longshore {

inline constexpr const char* kDatasetNameRule =
    "use a lower-case letter, then up to 63 lower-case letters, digits and \"_\"";
inline constexpr const char* kColumnNameRule = "use a letter or \"_\", then up to 63 letters, digits and \"_\"";

/// `[a-z][a-z0-9_]{0,63}`: names of datasets and sources.
bool is_dataset_name(std::string_view name);
/// `[A-Za-z_][A-Za-z0-9_]{0,63}`: what the API calls columns.
bool is_column_name(std::string_view name);
/// A name in the database: 1 to 128 bytes, no control characters. It is quoted wherever it enters SQL.
bool is_identifier(std::string_view name);
/// `name` or `schema.name`.
bool is_relation_name(std::string_view name);

/// Whether a filter on `name` would be taken for the time range.
bool is_time_range_word(std::string_view name);

/// Whether values of the type can be compared with a literal.
bool is_filterable(LogicalType type);
/// Whether literals of the type can bound a range (gte, gt, lte, lt).
bool is_ordered(LogicalType type);
/// Whether the type can be (part of) a keyset: the order of its values is the same in the database and for us.
bool is_key_type(LogicalType type);
bool is_tenant_type(LogicalType type);
bool is_time_type(LogicalType type);

}  // namespace longshore
