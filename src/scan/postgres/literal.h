#pragma once

#include <string>

#include "base/result.h"
#include "model/export_spec.h"

namespace longshore {

/// The only place where a value becomes part of a statement for PostgreSQL (COPY takes no parameters): a quoted literal
/// with a cast, `'2026-06-06T14:20:00Z'::timestamptz`.
///
/// A text value stays without a cast, `'x'`: such a literal takes the type of the column that it is compared with, so
/// that varchar, char(n), citext, enum and inet columns compare by their own rules and through their own indexes.
///
/// Errors: `bad_filter_value` for NUL bytes and invalid UTF-8, which PostgreSQL's text cannot hold.
/// REQUIRES: a session with standard_conforming_strings on (PostgresConnection sets it).
Result<std::string> postgres_literal(const Value& value);

}  // namespace longshore
