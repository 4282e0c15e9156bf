#include "model/key.h"

#include <boost/json.hpp>

namespace longshore {

std::string to_json(const KeyTuple& key) {
  boost::json::array array;
  array.reserve(key.size());
  for (const std::string& value : key) array.emplace_back(value);
  return boost::json::serialize(array);
}

Result<KeyTuple> key_from_json(std::string_view text) {
  const auto bad = [&] {
    return fail(internal_error("bad_key", "a stored key is not a JSON array of strings: " + std::string(text)));
  };
  // SQLite's text columns may hold bytes that are not UTF-8, and a key must come back as it was.
  boost::json::parse_options options;
  options.allow_invalid_utf8 = true;
  boost::json::error_code error;
  const boost::json::value json = boost::json::parse(text, error, {}, options);
  if (error || !json.is_array()) return bad();
  KeyTuple key;
  key.reserve(json.get_array().size());
  for (const boost::json::value& value : json.get_array()) {
    if (!value.is_string()) return bad();
    key.emplace_back(value.get_string());
  }
  return key;
}

}  // namespace longshore
