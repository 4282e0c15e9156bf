#include "http/export_routes.h"

#include <utility>

#include "http/export_request.h"
#include "http/export_view.h"

namespace longshore {

namespace {

constexpr std::size_t kMaxUserAgent = 512;  // what the audit keeps

ClientInfo client_of(const Request& request) {
  const std::string* agent = request.header("User-Agent");
  std::string text = agent == nullptr ? std::string() : agent->substr(0, kMaxUserAgent);
  // The audit is stored and shown as UTF-8; header bytes need not be.
  for (char& c : text) {
    if (static_cast<unsigned char>(c) >= 0x7f || static_cast<unsigned char>(c) < 0x20) c = '?';
  }
  return {.ip = request.client_ip, .user_agent = std::move(text)};
}

Result<JobId> id_of(const Request& request) {
  return parse_export_id(request.parameter("id"));
}

class ExportRoutes {
 public:
  ExportRoutes(Router& router, const ApiContext& context, ExportService& service)
      : router_(router), context_(context), service_(service) {}

  void append_collection() {
    add("POST", "/v1/exports",
        [&context = context_, &service = service_](const Request& request, const Principal& who) -> Result<Response> {
          CHECK_OK(require_json(request));
          TRY(const std::string key, idempotency_key_of(request));
          TRY(const CreateOutcome outcome, service.create(who, request.body, key));
          Response response = json_response(202, created_json(outcome.view, context.public_url));
          response.set_header("Location", export_url(context.public_url, outcome.view.job.id));
          response.set_header("Retry-After", "1");
          if (outcome.replayed) response.set_header("Idempotency-Replayed", "true");
          return response;
        });
    add("GET", "/v1/exports",
        [&context = context_, &service = service_](const Request& request, const Principal& who) -> Result<Response> {
          TRY(const JobQuery query, job_query_of(request));
          TRY(const JobPage page, service.list(who, query));
          return json_response(200, page_json(page, context.public_url));
        });
    add("POST", "/v1/exports/estimate",
        [&service = service_](const Request& request, const Principal& who) -> Result<Response> {
          CHECK_OK(require_json(request));
          TRY(const Estimate estimate, service.estimate(who, request.body));
          return json_response(200, estimate_json(estimate));
        });
  }

  void append_one() {
    add("GET", "/v1/exports/{id}",
        [&context = context_, &service = service_](const Request& request, const Principal& who) -> Result<Response> {
          TRY(const JobId id, id_of(request));
          TRY(const JobView view, service.get(who, id));
          Response response = json_response(200, export_json(view, context.public_url));
          if (!is_terminal(view.job.state)) response.set_header("Retry-After", "1");
          return response;
        });
    add("DELETE", "/v1/exports/{id}",
        [&service = service_](const Request& request, const Principal& who) -> Result<Response> {
          TRY(const JobId id, id_of(request));
          CHECK_OK(service.remove(who, id));
          Response response;
          response.status = 204;
          return response;
        });
    add("POST", "/v1/exports/{id}/cancel",
        [&context = context_, &service = service_](const Request& request, const Principal& who) -> Result<Response> {
          TRY(const JobId id, id_of(request));
          TRY(const JobView view, service.cancel(who, id));
          return json_response(202, export_json(view, context.public_url));
        });
  }

  void append_artefact() {
    add("POST", "/v1/exports/{id}/download-url",
        [&service = service_](const Request& request, const Principal& who) -> Result<Response> {
          TRY(const JobId id, id_of(request));
          TRY(const auto lifetime, link_lifetime_of(request));
          TRY(const DownloadLink link, service.mint_link(who, id, lifetime, client_of(request)));
          return json_response(200, download_link_json(id, link));
        });
    add("GET", "/v1/exports/{id}/download",
        [&service = service_](const Request& request, const Principal& who) -> Result<Response> {
          TRY(const JobId id, id_of(request));
          TRY(const DownloadLink link, service.mint_link(who, id, std::nullopt, client_of(request)));
          Response response;
          response.status = 303;
          response.set_header("Location", link.url);
          return response;
        });
    add("GET", "/v1/exports/{id}/manifest",
        [&service = service_](const Request& request, const Principal& who) -> Result<Response> {
          TRY(const JobId id, id_of(request));
          TRY(std::string manifest, service.manifest(who, id));
          return json_response(200, std::move(manifest));
        });
    add("GET", "/v1/exports/{id}/partitions",
        [&service = service_](const Request& request, const Principal& who) -> Result<Response> {
          TRY(const JobId id, id_of(request));
          TRY(const auto partitions, service.partitions(who, id));
          return json_response(200, partitions_json(id, partitions));
        });
    add("GET", "/v1/exports/{id}/downloads",
        [&service = service_](const Request& request, const Principal& who) -> Result<Response> {
          TRY(const JobId id, id_of(request));
          TRY(const auto downloads, service.downloads(who, id));
          return json_response(200, downloads_json(id, downloads));
        });
  }

 private:
  void add(std::string method, const std::string& path_template, ApiHandler handler) {
    router_.add(std::move(method), path_template, for_principal(context_, std::move(handler)));
  }

  Router& router_;
  const ApiContext& context_;
  ExportService& service_;
};

}  // namespace

void append_export_routes(Router& router, const ApiContext& context, ExportService& service) {
  ExportRoutes routes(router, context, service);
  routes.append_collection();
  routes.append_one();
  routes.append_artefact();
}

}  // namespace longshore
