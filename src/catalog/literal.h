#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/result.h"
#include "catalog/json_document.h"
#include "model/export_spec.h"

namespace longshore {

/// A JSON value as a literal of `type` in canonical text (see Value). Numbers and their decimals keep every digit; a
/// decimal's value is of type `numeric` without precision, so that nothing rounds it to the column's scale.
/// Integers and decimals may also be written as strings, for clients whose numbers are doubles.
/// Errors: `wrong_type`, `bad_value`. REQUIRES: is_filterable(type.logical).
Result<Value> read_literal(const JsonValue& json, const DataType& type);

/// As read_literal, from text that is not JSON, e.g. a tenant's id.
Result<Value> read_literal(std::string_view text, const DataType& type);

/// The order of two literals of one type. REQUIRES: is_ordered(type.logical).
std::partial_ordering compare_literals(const Value& a, const Value& b);

}  // namespace longshore
