#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "model/data_type.h"

namespace longshore {

using PostgresOid = std::uint32_t;

/// A column's type as pg_catalog has it, domains resolved to what they are made of.
struct PostgresColumn {
  std::string name;
  std::string spelled;       ///< `character varying(40)`, or the domain's name
  std::string base_spelled;  ///< the resolved type without its modifier, quoted where needed: fit for a cast
  std::string collation;     ///< of the column, quoted, fit for COLLATE; empty when the type has none
  PostgresOid type = 0;      ///< resolved
  int modifier = -1;         ///< atttypmod, of the column or its domain
  PostgresOid element = 0;   ///< resolved element type of an array, else 0
  bool nullable = true;
};

/// What a value looks like inside a COPY stream.
enum class WireKind : std::uint8_t {
  boolean,
  int2,
  int4,
  int8,
  float4,
  float8,
  numeric,
  text,  ///< the bytes themselves: text, varchar, char(n), json, and everything that SQL casts to text
  uuid,
  date,
  time,
  timestamp,  ///< with and without zone
  bytea,
  jsonb,        ///< text after a version byte in binary
  bytea_array,  ///< JSON of hexadecimal strings, which become base64
};

enum class CopyFormat { binary, text };

/// How a column is read: the SQL that makes the value and what comes over the wire for it.
struct WireColumn {
  std::string name;        ///< source column, for messages
  std::string expression;  ///< with an explicit cast to the wire's type, so that an ALTER TABLE in the middle of a scan
                           ///< becomes an error or a right value, and never bytes that are read as something else
  WireKind kind = WireKind::text;
  DataType type;  ///< as declared
};

/// The type that Longshore exports a column as unless the catalog says `text`.
///
/// char(n) is text with its padding, as PostgreSQL's own output has it. Ranges, geometry, hstore, composites, xml,
/// money, bit strings, enums, inet and the like are text in PostgreSQL's spelling.
DataType exported_type(const PostgresColumn& column);

/// How to read `column` as `declared`. Integers may be declared of any width and numerics of any shape: values that do
/// not fit are found while reading. Everything may be declared `text`. Errors: `source_schema_changed`, naming both
/// types.
Result<WireColumn> wire_column(const PostgresColumn& column, const DataType& declared);

/// What a value of this kind costs in this format, in nanoseconds of server and client; see the table in the source.
int wire_cost(WireKind kind, CopyFormat format);

}  // namespace longshore
