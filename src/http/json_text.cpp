#include "http/json_text.h"

#include <array>
#include <boost/json/serialize.hpp>
#include <charconv>

namespace longshore {

namespace {

namespace json = boost::json;

void append(std::string& out, const json::value& value);

void append_array(std::string& out, const json::array& array) {
  out += '[';
  bool first = true;
  for (const json::value& element : array) {
    if (!first) out += ',';
    first = false;
    append(out, element);
  }
  out += ']';
}

void append_object(std::string& out, const json::object& object) {
  out += '{';
  bool first = true;
  for (const auto& [name, member] : object) {
    if (!first) out += ',';
    first = false;
    out += json::serialize(name);
    out += ':';
    append(out, member);
  }
  out += '}';
}

void append(std::string& out, const json::value& value) {
  if (value.is_object()) {
    append_object(out, value.get_object());
  } else if (value.is_array()) {
    append_array(out, value.get_array());
  } else if (value.is_double()) {
    std::array<char, 32> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value.get_double());
    out.append(digits.data(), end.ptr);
  } else {
    out += json::serialize(value);
  }
}

}  // namespace

std::string to_text(const json::value& value) {
  std::string out;
  append(out, value);
  return out;
}

}  // namespace longshore
