#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/data_type.h"

namespace longshore {

/// What a column holds, as far as reading and comparing it goes.
enum class MysqlKind : std::uint8_t {
  integer,  ///< tinyint to bigint, signed or not
  decimal,
  float32,  ///< float
  float64,  ///< double
  bit,
  year,
  text,         ///< char, varchar, text of all sizes
  binary,       ///< binary, varbinary, blob of all sizes
  enumeration,  ///< sorts by the position in its list, compares with text as text
  set,          ///< sorts by its bits
  json,         ///< MySQL's json; MariaDB's, which is text with a check
  date,
  datetime,
  timestamp,  ///< an instant
  time,       ///< of a day, or any span of up to 838 hours, also negative
  uuid,       ///< MariaDB's
  address,    ///< MariaDB's inet4 and inet6
  geometry,
  other,
};

/// A column as information_schema has it.
struct MysqlColumn {
  std::string name;
  std::string spelled;  ///< `int(10) unsigned`
  MysqlKind kind = MysqlKind::other;
  bool is_unsigned = false;
  int bytes = 0;      ///< of an integer: 1, 2, 3, 4 or 8; of binary(n) and varbinary(n): n
  int precision = 0;  ///< of decimal and bit
  int scale = 0;
  bool nullable = true;
};

/// The kind of `data_type` (`bigint`, `varchar`, …).
MysqlKind kind_of(const std::string& data_type);

/// How a column is read: the SQL that makes the value, and how its text is understood.
struct MysqlWireColumn {
  std::string name;        ///< source column, for messages
  std::string expression;  ///< over the alias `r`
  MysqlKind kind = MysqlKind::other;
  DataType type;  ///< as declared
};

/// The type that Longshore exports a column as unless the catalog says otherwise.
///
/// tinyint(1) and bit(1) are bool, as every driver has it; bigint unsigned is numeric(20,0). enum, set, inet and
/// geometry (as WKT) are text. char(n) has no padding, as MySQL shows it.
DataType exported_type(const MysqlColumn& column);

/// How to read `column` as `declared`. Integers may be declared of any width and numerics of any shape: values that do
/// not fit are found while reading. datetime and timestamp both count as UTC and may be declared either way, time as
/// interval, char(36) and binary(16) as uuid, everything as text. Errors: `source_schema_changed`, naming both types.
Result<MysqlWireColumn> wire_column(const MysqlColumn& column, const DataType& declared);

/// How a key column is read so that its text can become a literal that compares and sorts as the column does.
MysqlWireColumn key_wire_column(const MysqlColumn& column, const DataType& declared);

}  // namespace longshore
