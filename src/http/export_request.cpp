#include "http/export_request.h"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <utility>

#include "base/closest_name.h"
#include "http/api_context.h"

namespace longshore {

namespace {

namespace json = boost::json;

constexpr std::size_t kMaxKey = 256;
constexpr int kMaxPageSize = 200;

Error bad_key(std::string message) {
  return user_error("malformed_request", "The Idempotency-Key " + std::move(message));
}

/// `"a\"b"` → `a"b`.
Result<std::string> unquote(std::string_view quoted) {
  std::string out;
  for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
    if (quoted[i] == '"') return fail(bad_key("has a quote in its middle that is not escaped."));
    if (quoted[i] == '\\') {
      ++i;
      if (i + 1 >= quoted.size() || (quoted[i] != '"' && quoted[i] != '\\')) {
        return fail(bad_key("has a backslash that escapes neither a quote nor a backslash."));
      }
    }
    out += quoted[i];
  }
  return out;
}

/// Collects what is wrong with a query.
class QueryReader {
 public:
  explicit QueryReader(const Request& request) : request_(request) {}

  void find(const std::string& name, std::string code, std::string message) {
    details_.push_back({"?" + name, std::move(code), std::move(message)});
  }

  /// Every parameter must be known, and come once.
  void check_names(const std::vector<std::string>& known) {
    std::vector<std::string> seen;
    for (const Field& field : request_.query) {
      if (std::ranges::find(known, field.name) == known.end()) {
        find(field.name, "unknown_parameter",
             "There is no parameter '" + field.name + "'" + did_you_mean(field.name, known) + ".");
      } else if (std::ranges::find(seen, field.name) != seen.end()) {
        find(field.name, "repeated_parameter", "The parameter '" + field.name + "' may come only once.");
      }
      seen.push_back(field.name);
    }
  }

  /// nullptr when it is missing or empty, as a form sends a field that was left blank.
  const std::string* get(std::string_view name) const {
    const auto found = std::ranges::find(request_.query, name, &Field::name);
    return found == request_.query.end() || found->value.empty() ? nullptr : &found->value;
  }

  Status finish() && {
    if (details_.empty()) return {};
    Error error = user_error("invalid_parameter",
                             details_.size() == 1 ? details_.front().message
                                                  : std::to_string(details_.size()) + " query parameters are wrong.");
    error.details = std::move(details_);
    return fail(std::move(error));
  }

 private:
  const Request& request_;
  std::vector<ErrorDetail> details_;
};

/// A member's JSON pointer (RFC 6901).
std::string pointer_to(std::string_view name) {
  std::string pointer = "/";
  for (const char c : name) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
  return pointer;
}

Error bad_body(std::string pointer, std::string code, std::string message) {
  Error error = user_error("invalid_request", message);
  error.details.push_back({std::move(pointer), std::move(code), std::move(message)});
  return error;
}

}  // namespace

Result<std::string> idempotency_key_of(const Request& request) {
  const std::string* header = request.header("Idempotency-Key");
  if (header == nullptr) return std::string();
  if (request.count_headers("Idempotency-Key") > 1) return fail(bad_key("header may come only once."));
  std::string key = *header;
  if (key.starts_with('"')) {
    if (key.size() < 2 || !key.ends_with('"')) return fail(bad_key("begins with a quote and does not end with one."));
    TRY(key, unquote(*header));
  }
  if (key.empty()) return fail(bad_key("is empty."));
  if (key.size() > kMaxKey) return fail(bad_key("is longer than 256 characters."));
  if (!std::ranges::all_of(key, [](char c) { return c > 0x20 && c < 0x7f; })) {
    return fail(bad_key("may only have visible ASCII characters."));
  }
  return key;
}

Result<JobQuery> job_query_of(const Request& request) {
  static const std::vector<std::string> kNames{"status", "exportType", "requestedBy", "pageSize", "pageToken"};
  QueryReader reader(request);
  reader.check_names(kNames);
  JobQuery query;
  if (const std::string* status = reader.get("status")) {
    query.state = parse_job_state(*status);
    if (!query.state) {
      reader.find("status", "unknown_status",
                  "status is one of QUEUED, RUNNING, SUCCEEDED, FAILED, CANCELLED, EXPIRED, not '" + *status + "'.");
    }
  }
  if (const std::string* type = reader.get("exportType")) query.export_type = *type;
  if (const std::string* user = reader.get("requestedBy")) query.requested_by = *user;
  if (const std::string* size = reader.get("pageSize")) {
    const auto [end, ec] = std::from_chars(size->data(), size->data() + size->size(), query.page_size);
    if (ec != std::errc() || end != size->data() + size->size() || query.page_size < 1 ||
        query.page_size > kMaxPageSize) {
      reader.find("pageSize", "out_of_range", "pageSize is a whole number from 1 to 200, not '" + *size + "'.");
    }
  }
  if (const std::string* token = reader.get("pageToken")) query.page_token = *token;
  CHECK_OK(std::move(reader).finish());
  return query;
}

Result<std::optional<std::chrono::seconds>> link_lifetime_of(const Request& request) {
  if (request.body.empty()) return std::nullopt;
  CHECK_OK(require_json(request));
  json::error_code ec;
  const json::value body = json::parse(request.body, ec);
  if (ec || !body.is_object()) {
    return fail(user_error("malformed_request", "The body is not a JSON object; it may be left out."));
  }
  for (const auto& [name, value] : body.get_object()) {
    if (name == "expiresInSeconds") continue;
    return fail(bad_body(pointer_to(name), "unknown_field",
                         "The only field here is 'expiresInSeconds', not '" + std::string(name) + "'."));
  }
  const json::value* seconds = body.get_object().if_contains("expiresInSeconds");
  if (seconds == nullptr) return std::nullopt;
  if (!seconds->is_int64() || seconds->get_int64() < 1) {
    return fail(bad_body("/expiresInSeconds", "wrong_type", "expiresInSeconds is a positive whole number."));
  }
  return std::chrono::seconds(seconds->get_int64());
}

}  // namespace longshore
