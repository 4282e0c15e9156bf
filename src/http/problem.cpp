#include "http/problem.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <string>
#include <string_view>

namespace longshore {

namespace {

namespace json = boost::json;

struct KnownCode {
  std::string_view code;
  int status;
  std::string_view title;
};

// The codes that the API promises. Adding one is additive; a code never changes its status.
constexpr std::array kKnownCodes{
    KnownCode{"malformed_request", 400, "The request cannot be read"},
    KnownCode{"invalid_parameter", 400, "A query parameter is wrong"},
    KnownCode{"unauthenticated", 401, "Credentials are missing or wrong"},
    KnownCode{"permission_denied", 403, "A permission is missing"},
    KnownCode{"link_invalid", 403, "The download link is not valid"},
    KnownCode{"route_not_found", 404, "There is nothing here"},
    KnownCode{"export_not_found", 404, "There is no such export"},
    KnownCode{"dataset_not_found", 404, "There is no such dataset"},
    KnownCode{"file_not_found", 404, "The file is gone"},
    KnownCode{"method_not_allowed", 405, "The method does not apply here"},
    KnownCode{"request_timeout", 408, "The request took too long to arrive"},
    KnownCode{"export_active", 409, "The export is still active"},
    KnownCode{"export_finished", 409, "The export has already finished"},
    KnownCode{"export_not_ready", 409, "The export has no file yet"},
    KnownCode{"idempotency_key_in_flight", 409, "The same request is being processed"},
    KnownCode{"export_expired", 410, "The export has expired"},
    KnownCode{"link_expired", 410, "The download link has expired"},
    KnownCode{"precondition_failed", 412, "The file has changed"},
    KnownCode{"body_too_large", 413, "The body is too large"},
    KnownCode{"request_too_large", 413, "The request is too large"},
    KnownCode{"target_too_long", 414, "The URL is too long"},
    KnownCode{"unsupported_media_type", 415, "The content type is not supported"},
    KnownCode{"range_not_satisfiable", 416, "The range lies outside of the file"},
    KnownCode{"expectation_failed", 417, "The expectation cannot be met"},
    KnownCode{"invalid_request", 422, "The request is not valid"},
    KnownCode{"idempotency_key_reused", 422, "The idempotency key belongs to another request"},
    KnownCode{"headers_too_large", 431, "The header fields are too large"},
    KnownCode{"internal_error", 500, "Something went wrong inside"},
    KnownCode{"not_implemented", 501, "The transfer coding is not supported"},
    KnownCode{"store_unavailable", 503, "The object store is away"},
    KnownCode{"store_full", 503, "The object store is full"},
    KnownCode{"source_timeout", 503, "The source database is too slow"},
    KnownCode{"source_busy", 503, "The source database has no free connection"},
    KnownCode{"source_unavailable", 503, "The source database is away"},
    KnownCode{"metadata_unavailable", 503, "The metadata store is away"},
    KnownCode{"too_many_connections", 503, "The server is busy"},
    KnownCode{"server_busy", 503, "The server is busy"},
    KnownCode{"http_version_not_supported", 505, "The HTTP version is not supported"},
};

const KnownCode* find_code(std::string_view code) {
  const auto found = std::ranges::find(kKnownCodes, code, &KnownCode::code);
  return found == kKnownCodes.end() ? nullptr : &*found;
}

/// What a client is told of a fault that is not its own: never the message, which may name hosts, files or SQL.
std::string general_detail(int status, const Request& request) {
  if (status == 503)
    return "Please try again in a moment. If it stays, tell the operator request id " + request.request_id + ".";
  return "This is not your fault. Tell the operator request id " + request.request_id + "; the log has the details.";
}

std::string type_of(std::string_view code) {
  std::string type = "/problems/" + std::string(code);
  std::ranges::replace(type, '_', '-');
  return type;
}

json::array details_of(const Error& error) {
  json::array errors;
  for (const ErrorDetail& detail : error.details) {
    const bool parameter = detail.where.starts_with('?');
    errors.push_back(json::object{
        {parameter ? "parameter" : "pointer", parameter ? detail.where.substr(1) : detail.where},
        {"code", detail.code},
        {"detail", detail.message},
    });
  }
  return errors;
}

}  // namespace

int status_of(const Error& error) {
  if (const KnownCode* known = find_code(error.code)) return known->status;
  if (error.source == ErrorSource::user) return 400;
  return error.source == ErrorSource::external && error.retriable ? 503 : 500;
}

Response problem_response(const Error& error, const Request& request) {
  return problem_response(status_of(error), error, request);
}

Response problem_response(int status, const Error& error, const Request& request) {
  // An internal code would tell a client nothing and bind us to it.
  const KnownCode* known = find_code(error.code);
  const bool hidden = status >= 500 && error.source != ErrorSource::user;
  std::string_view code = error.code;
  if (hidden && known == nullptr) {
    known = find_code(status == 503 ? "server_busy" : "internal_error");
    code = known->code;
  }
  json::object problem{
      {"type", type_of(code)},
      {"title", known != nullptr ? known->title : reason_phrase(status)},
      {"status", status},
      {"detail", hidden ? general_detail(status, request) : error.message},
      {"instance", request.path},
      {"code", code},
      {"requestId", request.request_id},
  };
  if (!hidden && !error.details.empty()) problem["errors"] = details_of(error);

  Response response;
  response.status = status;
  response.body = json::serialize(problem);
  response.set_header("Content-Type", "application/problem+json");
  if (status == 401) response.set_header("WWW-Authenticate", "Bearer");
  if (status == 503) response.set_header("Retry-After", "5");
  response.note.error_code = error.code;
  if (hidden) response.note.error_detail = error.message;
  return response;
}

}  // namespace longshore
