#include "jobs/request_digest.h"

#include <algorithm>
#include <boost/json.hpp>
#include <string>
#include <vector>

#include "base/digest.h"

namespace longshore {

namespace json = boost::json;

namespace {

/// The value with the members of every object in name order.
json::value sorted(const json::value& value) {
  if (const json::array* array = value.if_array()) {
    json::array result;
    for (const json::value& element : *array) result.push_back(sorted(element));
    return result;
  }
  if (const json::object* object = value.if_object()) {
    std::vector<std::string> names;
    for (const auto& member : *object) names.emplace_back(member.key());
    std::sort(names.begin(), names.end());
    json::object result;
    for (const std::string& name : names) result[name] = sorted(object->at(name));
    return result;
  }
  return value;
}

}  // namespace

Result<std::string> request_digest(const Principal& who, std::string_view body) {
  boost::system::error_code error;
  const json::value parsed = json::parse(body, error);
  if (error) return fail(user_error("malformed_request", "the body is not JSON: " + error.message()));
  return sha256_hex(json::serialize(json::array{who.user.str(), sorted(parsed)}));
}

}  // namespace longshore
