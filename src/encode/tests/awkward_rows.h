#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "sample_rows.h"

namespace longshore {

/// A value, and what a text format makes of it: the content of its CSV cell (profile machine, without quotes) and its
/// JSON. Both are written by hand or by other people's libraries, never by what is tested.
struct AwkwardValue {
  Cell cell;
  std::string csv;
  std::string json;
};

/// Rows that break naive writers: every type with its extremes, NULL and empty, Unicode of all planes, right-to-left
/// and control characters, cells of 32,767 characters and more, NaN and infinity, years 0001, 9999 and beyond, nested
/// JSON and arrays. Every value of every type comes up if there are enough rows (about 120).
struct AwkwardTable {
  std::vector<std::string> columns;  ///< `name:type`, as make_spec() takes them
  std::vector<std::vector<AwkwardValue>> cells;

  std::vector<Row> rows() const;
};

/// The types take turns over the columns. The first row is all NULL.
AwkwardTable make_awkward_table(std::size_t columns, std::size_t rows);
/// How many columns have each type once.
std::size_t awkward_type_count();

}  // namespace longshore
