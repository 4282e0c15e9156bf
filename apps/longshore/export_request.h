#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/data_type.h"

namespace longshore {

/// One `--filter`: `status>=400`, `action=login,logout`, `userId is null`.
struct FilterExpression {
  std::string name;
  std::string op;                   ///< `eq`, `gte`, `gt`, `lte`, `lt`, `is_null`
  std::vector<std::string> values;  ///< none with `is_null`, one or more with `eq`, else one

  friend bool operator==(const FilterExpression&, const FilterExpression&) = default;
};

/// Reads an expression. In a list a comma of a value is written `\,` and a backslash `\\`. Errors: `bad_arguments`.
Result<FilterExpression> parse_filter(std::string_view text);

/// What the command line says about an export, as texts.
struct ExportArguments {
  std::string dataset;
  std::string format = "csv";
  std::string compression;
  std::string consistency;
  std::vector<std::string> columns;
  std::vector<std::string> filters;  ///< expressions
  std::string filters_json;          ///< the API's form
  std::string from;
  std::string to;
  std::string csv_profile;
  std::string csv_delimiter;
  std::string title;
};

/// The body of `POST /v1/exports`. `types`: of the dataset's columns, to write each filter value as the JSON that the
/// column wants; a value of a column that is not in it is a string, and the server says what it thinks of it.
/// Errors: `bad_arguments` with a detail for each.
Result<std::string> request_body(const ExportArguments& arguments, const std::map<std::string, DataType>& types);

}  // namespace longshore
