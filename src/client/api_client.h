#pragma once

#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "client/export_view.h"
#include "client/http_transport.h"
#include "client/retry.h"
#include "model/data_type.h"

namespace longshore {

/// Where the server is and who asks.
struct ServerAddress {
  std::string url;    ///< `https://exports.example.com`; a path before `/v1` is kept
  std::string token;  ///< bearer token; may be empty, the server says so then
};

struct SignedLink {
  std::string url;
  std::chrono::seconds lifetime{};
};

/// What `GET /v1/exports` may be asked for; empty texts ask for any.
struct ExportListQuery {
  std::string status;
  std::string export_type;
  std::string requested_by;
  int page_size = 50;
  std::string page_token;
};

/// Types of a dataset's columns by API name, as far as the server tells.
using ColumnTypes = std::map<std::string, DataType>;

/// The calls of Longshore's REST API. Every call is tried again as RetryPolicy says. Not thread-safe.
///
/// Errors: those of HttpTransport, of error_of_response(), and `bad_answer` (external, final).
class ApiClient {
 public:
  /// `transport` and `clock` outlive the client. Errors: `bad_url` (user).
  static Result<ApiClient> make(ServerAddress server, HttpTransport& transport, Clock& clock, RetryPolicy policy = {});

  /// `body`: the request's JSON. `idempotency_key` must not be empty: it makes the call safe to repeat.
  Result<ExportView> create_export(const std::string& body, const std::string& idempotency_key, std::stop_token stop);
  Result<ExportView> get_export(const std::string& id, std::stop_token stop);
  Result<ExportPage> list_exports(const ExportListQuery& query, std::stop_token stop);
  Status cancel_export(const std::string& id, std::stop_token stop);
  Status delete_export(const std::string& id, std::stop_token stop);
  Result<SignedLink> mint_link(const std::string& id, std::stop_token stop);
  /// JSON, exactly as served.
  Result<std::string> manifest(const std::string& id, std::stop_token stop);
  Result<std::string> partitions(const std::string& id, std::stop_token stop);
  Result<std::string> workers(std::stop_token stop);
  Result<ColumnTypes> column_types(const std::string& dataset, std::stop_token stop);

  void set_retries(RetryPolicy policy) { retrier_.set_policy(policy); }
  void observe_waits(WaitObserver observer) { retrier_.observe(std::move(observer)); }

 private:
  ApiClient(ServerAddress server, Retrier retrier) : server_(std::move(server)), retrier_(std::move(retrier)) {}
  Result<HttpResponse> call(std::string method, const std::string& path, std::string body, std::stop_token stop,
                            const std::string& idempotency_key = {});

  ServerAddress server_;
  Retrier retrier_;
};

/// `text` as a path segment or query value (RFC 3986: all but unreserved characters as %XX).
std::string percent_encode(std::string_view text);

/// `exp_` + UUID: accepts both forms, and the short prefix is added when it is missing.
std::string canonical_export_id(std::string_view text);

}  // namespace longshore
