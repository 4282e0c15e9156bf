#include "client/api_client.h"

#include <fmt/format.h>

#include <boost/json.hpp>

namespace longshore {
namespace {

namespace json = boost::json;

Error bad_answer(const std::string& what) {
  return external_error("bad_answer", "the server's answer is not what Longshore's API says: " + what, false);
}

std::string export_path(const std::string& id) {
  return "/v1/exports/" + percent_encode(canonical_export_id(id));
}

}  // namespace

std::string percent_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                            c == '.' || c == '_' || c == '~';
    if (unreserved) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string canonical_export_id(std::string_view text) {
  return text.starts_with("exp_") ? std::string(text) : "exp_" + std::string(text);
}

Result<ApiClient> ApiClient::make(ServerAddress server, HttpTransport& transport, Clock& clock, RetryPolicy policy) {
  if (!server.url.starts_with("http://") && !server.url.starts_with("https://")) {
    return fail(user_error(
        "bad_url", fmt::format("the server's address \"{}\" does not begin with http:// or https://", server.url)));
  }
  while (server.url.ends_with('/')) server.url.pop_back();
  return ApiClient(std::move(server), Retrier(transport, clock, policy));
}

Result<HttpResponse> ApiClient::call(std::string method, const std::string& path, std::string body,
                                     std::stop_token stop, const std::string& idempotency_key) {
  HttpRequest request{std::move(method), server_.url + path, {{"Accept", "application/json"}}, std::move(body)};
  if (!server_.token.empty()) request.headers.emplace_back("Authorization", "Bearer " + server_.token);
  if (!request.body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  if (!idempotency_key.empty()) request.headers.emplace_back("Idempotency-Key", idempotency_key);
  return retrier_.exchange(request, std::move(stop));
}

Result<ExportView> ApiClient::create_export(const std::string& body, const std::string& idempotency_key,
                                            std::stop_token stop) {
  TRY(const HttpResponse response, call("POST", "/v1/exports", body, std::move(stop), idempotency_key));
  return parse_export(response.body);
}

Result<ExportView> ApiClient::get_export(const std::string& id, std::stop_token stop) {
  TRY(const HttpResponse response, call("GET", export_path(id), {}, std::move(stop)));
  return parse_export(response.body);
}

Result<ExportPage> ApiClient::list_exports(const ExportListQuery& query, std::stop_token stop) {
  std::string path = fmt::format("/v1/exports?pageSize={}", query.page_size);
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) path += fmt::format("&{}={}", name, percent_encode(value));
  };
  add("status", query.status);
  add("exportType", query.export_type);
  add("requestedBy", query.requested_by);
  add("pageToken", query.page_token);
  TRY(const HttpResponse response, call("GET", path, {}, std::move(stop)));
  return parse_export_page(response.body);
}

Status ApiClient::cancel_export(const std::string& id, std::stop_token stop) {
  CHECK_OK(call("POST", export_path(id) + "/cancel", {}, std::move(stop)));
  return {};
}

Status ApiClient::delete_export(const std::string& id, std::stop_token stop) {
  CHECK_OK(call("DELETE", export_path(id), {}, std::move(stop)));
  return {};
}

Result<SignedLink> ApiClient::mint_link(const std::string& id, std::stop_token stop) {
  TRY(const HttpResponse response, call("POST", export_path(id) + "/download-url", "{}", std::move(stop)));
  boost::system::error_code broken;
  const json::value body = json::parse(response.body, broken);
  const json::value* url = !broken && body.is_object() ? body.get_object().if_contains("downloadUrl") : nullptr;
  if (url == nullptr || !url->is_string()) return fail(bad_answer("no downloadUrl"));
  SignedLink link{std::string(url->get_string()), std::chrono::seconds(300)};
  if (const json::value* seconds = body.get_object().if_contains("expiresInSeconds"); seconds && seconds->is_int64()) {
    link.lifetime = std::chrono::seconds(seconds->get_int64());
  }
  return link;
}

Result<std::string> ApiClient::manifest(const std::string& id, std::stop_token stop) {
  TRY(HttpResponse response, call("GET", export_path(id) + "/manifest", {}, std::move(stop)));
  return std::move(response.body);
}

Result<std::string> ApiClient::partitions(const std::string& id, std::stop_token stop) {
  TRY(HttpResponse response, call("GET", export_path(id) + "/partitions", {}, std::move(stop)));
  return std::move(response.body);
}

Result<std::string> ApiClient::workers(std::stop_token stop) {
  TRY(HttpResponse response, call("GET", "/v1/workers", {}, std::move(stop)));
  return std::move(response.body);
}

Result<ColumnTypes> ApiClient::column_types(const std::string& dataset, std::stop_token stop) {
  TRY(const HttpResponse response, call("GET", "/v1/datasets/" + percent_encode(dataset), {}, std::move(stop)));
  boost::system::error_code broken;
  const json::value body = json::parse(response.body, broken);
  const json::value* columns = !broken && body.is_object() ? body.get_object().if_contains("columns") : nullptr;
  if (columns == nullptr || !columns->is_array()) return fail(bad_answer("no columns"));
  ColumnTypes types;
  for (const json::value& entry : columns->get_array()) {
    if (!entry.is_object()) continue;
    const json::value* name = entry.get_object().if_contains("name");
    const json::value* type = entry.get_object().if_contains("type");
    if (name == nullptr || type == nullptr || !name->is_string() || !type->is_string()) continue;
    if (const auto parsed = parse_data_type(type->get_string())) types.emplace(name->get_string(), *parsed);
  }
  return types;
}

}  // namespace longshore
