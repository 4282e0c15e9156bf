#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <mutex>
#include <optional>
#include <system_error>

#include "client/http_transport.h"

namespace longshore {
namespace {

constexpr std::size_t kMaxKeptBody = 64 << 20;  // a manifest of 10,000 parts is about 2 MB

struct SlistDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, SlistDeleter>;

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

/// What the callbacks of one exchange share.
struct Exchange {
  HttpResponse response;
  const BodySink* sink = nullptr;
  std::stop_token stop;
  std::optional<Error> error;  ///< why a callback ended the exchange
};

std::size_t on_header(char* data, std::size_t, std::size_t length, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  const std::string_view line(data, length);
  if (line.starts_with("HTTP/")) {  // a new block: an interim answer (100) came before
    exchange.response.headers.clear();
    const auto space = line.find(' ');
    exchange.response.status = space == line.npos ? 0 : std::atoi(std::string(line.substr(space + 1, 3)).c_str());
    return length;
  }
  const auto colon = line.find(':');
  if (colon != line.npos) {
    std::string name(trimmed(line.substr(0, colon)));
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    exchange.response.headers[std::move(name)] = trimmed(line.substr(colon + 1));
  }
  return length;
}

std::size_t on_body(char* data, std::size_t, std::size_t length, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  const std::string_view bytes(data, length);
  if (exchange.sink != nullptr && exchange.response.status / 100 == 2) {
    if (auto taken = (*exchange.sink)(exchange.response, bytes); !taken) {
      exchange.error = std::move(taken).error();
      return 0;
    }
    return length;
  }
  if (exchange.response.body.size() + length > kMaxKeptBody) {
    exchange.error = external_error("response_too_large", "the server's answer is larger than 64 MiB", false);
    return 0;
  }
  exchange.response.body.append(bytes);
  return length;
}

int on_progress(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Exchange*>(context)->stop.stop_requested() ? 1 : 0;
}

Error describe_failure(CURL* easy, CURLcode code, const char* text, const std::string& url,
                       const TransportOptions& options) {
  // Only scheme and host: the rest says nothing about a broken connection, and a signed link's query is a secret.
  const auto scheme_end = url.find("://");
  const std::string where = scheme_end == url.npos ? url : url.substr(0, url.find_first_of("/?", scheme_end + 3));
  std::string why = *text != '\0' ? text : curl_easy_strerror(code);
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return user_error("bad_url", fmt::format("{} is not an http:// or https:// address", where));
    case CURLE_COULDNT_CONNECT: {
      long reason = 0;  // the system's words are shorter than libcurl's
      curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &reason);
      if (reason != 0) why = std::generic_category().message(static_cast<int>(reason));
      return external_error("server_unreachable", fmt::format("cannot reach {}: {}", where, why));
    }
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return external_error("server_unreachable", fmt::format("cannot reach {}: {}", where, why));
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
      return external_error("tls_failed", fmt::format("no trusted connection to {}: {}", where, why), false);
    case CURLE_OPERATION_TIMEDOUT:
      return external_error("transfer_stalled",
                            fmt::format("{} did not answer within {} seconds", where, options.stall_timeout.count()));
    default:
      return external_error("transfer_broken", fmt::format("the connection to {} broke: {}", where, why));
  }
}

}  // namespace

const std::string& HttpResponse::header(const std::string& name) const {
  static const std::string kNone;
  const auto at = headers.find(name);
  return at == headers.end() ? kNone : at->second;
}

struct CurlTransport::Handle {
  CURL* easy = nullptr;
  explicit Handle(CURL* handle) : easy(handle) {}
  ~Handle() { curl_easy_cleanup(easy); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
};

CurlTransport::CurlTransport(TransportOptions options, std::unique_ptr<Handle> handle)
    : options_(std::move(options)), handle_(std::move(handle)) {}
CurlTransport::~CurlTransport() = default;

Result<std::unique_ptr<CurlTransport>> CurlTransport::make(TransportOptions options) {
  static std::once_flag initialised;  // curl_global_init is not thread-safe
  std::call_once(initialised, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  CURL* easy = curl_easy_init();
  if (easy == nullptr) return fail(internal_error("curl_unavailable", "libcurl cannot be initialised"));
  return std::unique_ptr<CurlTransport>(new CurlTransport(std::move(options), std::make_unique<Handle>(easy)));
}

Result<HttpResponse> CurlTransport::exchange(const HttpRequest& request, const BodySink* sink, std::stop_token stop) {
  if (stop.stop_requested()) return fail(user_error("stopped", "interrupted"));
  Exchange exchange{{}, sink, std::move(stop), {}};
  CURL* easy = handle_->easy;
  curl_easy_reset(easy);  // keeps connections, DNS answers and TLS sessions
  std::array<char, CURL_ERROR_SIZE> reason{};

  HeaderList headers;
  const auto add_header = [&](const std::string& line) {
    headers.reset(curl_slist_append(headers.release(), line.c_str()));
  };
  for (const auto& [name, value] : request.headers) add_header(fmt::format("{}: {}", name, value));
  add_header("Expect:");  // no round trip for "100 Continue": bodies are small

  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, reason.data());
  curl_easy_setopt(easy, CURLOPT_USERAGENT, options_.user_agent.c_str());
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, static_cast<long>(options_.connect_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options_.stall_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, &on_progress);
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, &exchange);
  if (request.method == "POST" || !request.body.empty()) {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
  }
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());

  const CURLcode code = curl_easy_perform(easy);
  if (exchange.error) return fail(*std::move(exchange.error));
  if (code == CURLE_ABORTED_BY_CALLBACK) return fail(user_error("stopped", "interrupted"));
  if (code != CURLE_OK) return fail(describe_failure(easy, code, reason.data(), request.url, options_));
  return std::move(exchange.response);
}

}  // namespace longshore
