#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/export_spec.h"

/// The pieces of SQL that both dialects share. Names given here come from the catalog only, never from a request.
namespace longshore {

/// `"name"`, quotes inside doubled. Both databases read it as a name whatever it contains.
std::string quote_identifier(std::string_view name);
/// `schema.table` becomes `"schema"."table"`; a name without a dot one identifier.
std::string quote_relation(std::string_view relation);
/// `'text'`, quotes inside doubled. REQUIRES: a dialect in which a backslash is an ordinary character.
std::string quote_text(std::string_view text);
/// `=`, `>=`, `>`, `<=`, `<`. REQUIRES: an operator with exactly one value.
std::string_view comparison_operator(FilterOp op);
/// `("a", "b") > (1, 2)`, or `"a" > 1` for a single column. The columns are quoted already, the values are SQL.
std::string compare_rows(const std::vector<std::string>& columns, std::string_view op,
                         const std::vector<std::string>& values);
std::string join(const std::vector<std::string>& parts, std::string_view between);

}  // namespace longshore
