#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace longshore::parquet {

/// An element of a JSON array, as it stands in the text.
struct JsonElement {
  enum class Kind : std::uint8_t { null, string, other };
  Kind kind = Kind::null;
  std::string_view text;  ///< of a string: what is between the quotes; else the whole token, object or array
};

/// What read_json_array() found.
enum class JsonArrayShape : std::uint8_t {
  flat,       ///< an array of scalars (and objects)
  flattened,  ///< arrays in it were taken apart: their elements are in the list, in order
  broken,     ///< no array; the list is of no use
};

/// Lists the elements of a JSON array. With `keep_nested`, arrays in it are elements, else they are taken apart. Checks
/// no more of the syntax than it needs to find the elements. Views point into `text`.
JsonArrayShape read_json_array(std::string_view text, bool keep_nested, std::vector<JsonElement>& elements);

}  // namespace longshore::parquet
