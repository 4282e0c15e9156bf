#include "http/openapi_routes.h"

#include <boost/json.hpp>
#include <memory>
#include <utility>

#include "base/version.h"
#include "http/json_text.h"
#include "http/openapi_text.h"

namespace longshore {

namespace json = boost::json;

std::string openapi_document(const std::string& public_url) {
  json::object document = json::parse(kOpenapiText.frame).as_object();
  document["info"].as_object()["version"] = kVersion;
  document["servers"] = json::array{json::object{{"url", public_url}}};
  document["paths"] = json::parse(kOpenapiText.paths);
  json::object& components = document["components"].as_object();
  components["schemas"] = json::parse(kOpenapiText.schemas);
  components["responses"] = json::parse(kOpenapiText.responses);
  return to_text(document);
}

void append_openapi_routes(Router& router, const std::string& public_url) {
  auto document = std::make_shared<const std::string>(openapi_document(public_url));
  router.add("GET", "/openapi.json",
             [document = std::move(document)](const Request&) { return json_response(200, *document); });
}

}  // namespace longshore
