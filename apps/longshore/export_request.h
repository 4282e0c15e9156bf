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
  std::string format;       ///< empty: by the name of the file
  std::string compression;  ///< empty: by the name of the file
  std::string consistency;
  std::vector<std::string> columns;
  std::vector<std::string> filters;  ///< expressions
  std::string filters_json;          ///< the API's form
  std::string from;
  std::string to;
  std::string csv_profile;
  std::string csv_delimiter;
  std::string title;
  std::string time_zone;
  std::string parquet_profile;
  std::string parquet_compression;
  std::vector<std::string> parquet_bloom_filters;  ///< names of columns
  std::string xlsx_sheet_name;
  std::string xlsx_table_style;
  std::string pdf_orientation;
  std::string pdf_page_size;
};

/// Fills in what the command line left to the name of the file: `orders.csv.gz` is CSV and gzip. A name that says
/// nothing (or no name: `-`) means CSV, not compressed. `formats`: names, which are also the extensions.
void guess_from_name(const std::string& file, const std::vector<std::string>& formats, ExportArguments& arguments);

/// The body of `POST /v1/exports`. REQUIRES: a format. `types`: of the dataset's columns, to write each filter value as
/// the JSON that the column wants; a value of a column that is not in it is a string, and the server says what it
/// thinks of it. Errors: `bad_arguments` with a detail for each.
Result<std::string> request_body(const ExportArguments& arguments, const std::map<std::string, DataType>& types);

}  // namespace longshore
