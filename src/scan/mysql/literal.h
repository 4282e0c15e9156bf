#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "model/export_spec.h"
#include "scan/mysql/column_type.h"

/// The only place where a value becomes part of a statement for MySQL: numbers are checked to be digits, times are
/// written anew from their parsed value, text is quoted, or written as hexadecimal digits where it holds a backslash or
/// a NUL byte, so that no mode of a session can make SQL of it.
///
/// A text literal has no collation of its own: it takes that of the column it is compared with, the same that sorts
/// the rows.
namespace longshore {

/// A filter's or tenant's value, to be compared with `column`. MySQL compares anything with anything (0 = 'abc'), so
/// types that do not belong together are refused here: `source_schema_changed`. Errors also: `bad_filter_value`.
Result<std::string> filter_literal(const Value& value, const MysqlColumn& column);

/// A key column's value, as key_text() wrote it or in canonical text. Error `bad_key`.
Result<std::string> key_literal(std::string_view text, const MysqlColumn& column);

/// The text of a key column's value as it came over the wire by key_wire_column(): as it is, but bytes as `\x00ff`, and
/// those of a uuid as 36 characters.
std::string key_text(std::string_view wire, const MysqlWireColumn& column);

/// The bytes as a literal of no character set.
std::string binary_literal(std::string_view bytes);

}  // namespace longshore
