#include "client/problem.h"

#include <fmt/format.h>

#include <boost/json.hpp>

namespace longshore {
namespace {

namespace json = boost::json;

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::string first_of(std::string a, std::string b) {
  return a.empty() ? std::move(b) : std::move(a);
}

std::string code_for(int status, std::string code) {
  if (status == 401) return "unauthenticated";
  if (status == 403) return "permission_denied";
  if (status == 404 && !code.ends_with("_not_found")) return "resource_not_found";
  if (status == 429) return "too_many_requests";
  return code.empty() ? fmt::format("http_{}", status) : std::move(code);
}

std::string message_for(int status) {
  switch (status) {
    case 401:
      return "the server does not accept the token";
    case 403:
      return "not permitted";
    case 404:
      return "there is no such thing on the server";
    case 429:
      return "too many requests";
    case 502:
    case 503:
    case 504:
      return fmt::format("the server is not available at the moment (HTTP {})", status);
    default:
      return fmt::format("the server answered with HTTP {}", status);
  }
}

}  // namespace

Error error_of_response(const HttpResponse& response) {
  const int status = response.status;
  Error error;
  const bool server_side = status >= 500 || status == 408 || status == 429;
  error.source = server_side ? ErrorSource::external : ErrorSource::user;
  error.retriable = server_side && status != 501;

  boost::system::error_code broken;
  const json::value body = json::parse(response.body, broken);
  if (!broken && body.is_object()) {
    const json::object& problem = body.get_object();
    error.code = text_of(problem, "code");
    error.message = first_of(text_of(problem, "detail"), text_of(problem, "title"));
    if (const json::value* errors = problem.if_contains("errors"); errors != nullptr && errors->is_array()) {
      for (const json::value& entry : errors->get_array()) {
        if (!entry.is_object()) continue;
        const json::object& field = entry.get_object();
        error.details.push_back({first_of(text_of(field, "pointer"), text_of(field, "parameter")),
                                 text_of(field, "code"), text_of(field, "detail")});
      }
    }
  }
  // An earlier try of ours is still being worked on; its answer can be had in a moment.
  if (error.code == "idempotency_key_in_flight") error.retriable = true;
  error.code = code_for(status, std::move(error.code));
  if (error.message.empty()) error.message = message_for(status);
  return error;
}

}  // namespace longshore
