#include "s3/curl_transport.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstring>
#include <mutex>
#include <vector>

#include "base/version.h"

namespace longshore::s3 {
namespace {

// The services that give credentials to instances and containers answer nobody but those.
constexpr const char* kNeverByProxy =
    "localhost,127.0.0.1,::1,169.254.169.254,169.254.170.2,169.254.170.23,fd00:ec2::23,fd00:ec2::254";

struct FreeHandle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using Handle = std::unique_ptr<CURL, FreeHandle>;

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

/// What the callbacks of one exchange share.
struct Exchange {
  const HttpRequest& request;
  const std::stop_token& stop;
  HttpResponse response;
  std::size_t sent = 0;
  std::size_t sunk = 0;
  bool too_large = false;
};

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::size_t on_header(char* data, std::size_t, std::size_t length, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  const std::string_view line(data, length);
  if (line.starts_with("HTTP/")) {  // of the answer, or of an interim one (100) before it
    exchange.response.headers.clear();
    exchange.response.status = 0;
    if (const auto space = line.find(' '); space != std::string_view::npos) {
      std::from_chars(line.data() + space + 1, line.data() + line.size(), exchange.response.status);
    }
    return length;
  }
  if (const auto colon = line.find(':'); colon != std::string_view::npos) {
    std::string name(trimmed(line.substr(0, colon)));
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    exchange.response.headers.emplace_back(std::move(name), trimmed(line.substr(colon + 1)));
  }
  return length;
}

std::size_t on_answer(char* data, std::size_t, std::size_t length, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  const bool to_sink = exchange.request.sink != nullptr && exchange.response.status / 100 == 2;
  const std::size_t taken = to_sink ? exchange.sunk : exchange.response.body.size();
  if (length > (to_sink ? exchange.request.max_sink : exchange.request.max_body) - taken) {
    exchange.too_large = true;
    return 0;
  }
  if (to_sink) {
    exchange.request.sink->append(data, length);
    exchange.sunk += length;
  } else {
    exchange.response.body.append(data, length);
  }
  return length;
}

std::size_t on_send(char* into, std::size_t, std::size_t room, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  const std::size_t length = std::min(room, exchange.request.body.size() - exchange.sent);
  if (length > 0) std::memcpy(into, exchange.request.body.data() + exchange.sent, length);
  exchange.sent += length;
  return length;
}

// libcurl begins again by itself when a connection that it kept turns out to be closed.
int on_rewind(void* context, curl_off_t offset, int origin) {
  auto& exchange = *static_cast<Exchange*>(context);
  if (origin != SEEK_SET || offset < 0 || static_cast<std::size_t>(offset) > exchange.request.body.size()) {
    return CURL_SEEKFUNC_FAIL;
  }
  exchange.sent = static_cast<std::size_t>(offset);
  return CURL_SEEKFUNC_OK;
}

int on_progress(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Exchange*>(context)->stop.stop_requested() ? 1 : 0;
}

long milliseconds(Duration duration) {
  return std::max<long>(1, std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

std::string_view host_of(std::string_view url) {
  const auto scheme = url.find("://");
  const auto begin = scheme == std::string_view::npos ? 0 : scheme + 3;
  return url.substr(begin, url.find_first_of("/?", begin) - begin);
}

void set_options(CURL* handle, const HttpRequest& request, const CurlOptions& options, Exchange& exchange) {
  curl_easy_setopt(handle, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  // Empty means none; not to set it would mean what http_proxy and its like say.
  curl_easy_setopt(handle, CURLOPT_PROXY, options.proxy.c_str());
  curl_easy_setopt(handle, CURLOPT_NOPROXY, kNeverByProxy);
  curl_easy_setopt(handle, CURLOPT_USERAGENT, "longshore/" LONGSHORE_VERSION);
  curl_easy_setopt(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!options.ca_file.empty()) {
    curl_easy_setopt(handle, CURLOPT_CAINFO, options.ca_file.c_str());
    // Debian's libcurl also looks into the system's directory unless told not to.
    curl_easy_setopt(handle, CURLOPT_CAPATH, nullptr);
  }
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(request.timeouts.connect));
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, milliseconds(request.timeouts.total));
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, (milliseconds(request.timeouts.stall) + 999) / 1000);
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_answer);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &exchange);
}

void set_method(CURL* handle, const HttpRequest& request, Exchange& exchange) {
  if (request.method == "HEAD") {
    curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
    return;
  }
  if (request.method == "PUT" || request.method == "POST") {
    // Also for POST: what libcurl makes of CURLOPT_POST is a form.
    curl_easy_setopt(handle, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(handle, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(handle, CURLOPT_READFUNCTION, on_send);
    curl_easy_setopt(handle, CURLOPT_READDATA, &exchange);
    curl_easy_setopt(handle, CURLOPT_SEEKFUNCTION, on_rewind);
    curl_easy_setopt(handle, CURLOPT_SEEKDATA, &exchange);
    // A quarter of the system calls that the default of 64 KiB takes; it is the only copy of the body.
    curl_easy_setopt(handle, CURLOPT_UPLOAD_BUFFERSIZE, 256L << 10);
  }
  if (request.method != "GET") curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

Error failure(CURLcode code, std::string_view detail, const Exchange& exchange) {
  const std::string_view host = host_of(exchange.request.url);
  if (detail.empty()) detail = curl_easy_strerror(code);
  const auto error = [&](std::string name, std::string_view what, bool retriable) {
    return external_error(std::move(name), fmt::format("{} {}: {}", what, host, detail), retriable);
  };
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return error("http_unresolved", "the name cannot be resolved of", true);
    case CURLE_COULDNT_CONNECT:
      return error("http_unreachable", "no connection to", true);
    case CURLE_OPERATION_TIMEDOUT:
      return error("http_timeout", "no answer in time from", true);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CIPHER:
      return error("http_tls", "no trusted TLS connection to", false);
    case CURLE_SSL_CONNECT_ERROR:
      return error("http_tls", "no TLS connection to", true);
    case CURLE_ABORTED_BY_CALLBACK:
      return error("http_cancelled", "given up, because the process is stopping, while talking to", false);
    case CURLE_WRITE_ERROR:
      if (exchange.too_large) {
        return external_error("http_too_large", fmt::format("{} answers with more bytes than it was asked for", host),
                              false);
      }
      break;
    default:
      break;
  }
  return error("http_broken", "the exchange broke off with", true);
}

}  // namespace

std::string_view HttpResponse::header(std::string_view name) const {
  const auto found = std::ranges::find(headers, name, &Headers::value_type::first);
  return found == headers.end() ? std::string_view{} : std::string_view(found->second);
}

/// Handles that are not in use, each with its open connections.
struct CurlTransport::Pool {
  std::mutex mutex;
  std::vector<Handle> idle;

  Handle take() {
    {
      const std::lock_guard lock(mutex);
      if (!idle.empty()) {
        Handle handle = std::move(idle.back());
        idle.pop_back();
        return handle;
      }
    }
    Handle handle(curl_easy_init());
    if (handle == nullptr) throw std::bad_alloc();
    return handle;
  }
  void give_back(Handle handle, std::size_t limit) {
    const std::lock_guard lock(mutex);
    if (idle.size() < limit) idle.push_back(std::move(handle));
  }
};

CurlTransport::CurlTransport(CurlOptions options, std::unique_ptr<Pool> pool)
    : options_(std::move(options)), pool_(std::move(pool)) {}
CurlTransport::~CurlTransport() = default;

std::unique_ptr<CurlTransport> CurlTransport::make(CurlOptions options) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  return std::unique_ptr<CurlTransport>(new CurlTransport(std::move(options), std::make_unique<Pool>()));
}

Result<HttpResponse> CurlTransport::exchange(const HttpRequest& request) {
  Exchange exchange{request, options_.stop, {}};
  Handle handle = pool_->take();
  std::array<char, CURL_ERROR_SIZE> detail{};
  set_options(handle.get(), request, options_, exchange);
  set_method(handle.get(), request, exchange);
  curl_easy_setopt(handle.get(), CURLOPT_ERRORBUFFER, detail.data());
  HeaderList headers;
  for (const auto& [name, value] : request.headers) {
    curl_slist* longer = curl_slist_append(headers.get(), fmt::format("{}: {}", name, value).c_str());
    if (longer == nullptr) throw std::bad_alloc();
    (void)headers.release();
    headers.reset(longer);
  }
  curl_easy_setopt(handle.get(), CURLOPT_HTTPHEADER, headers.get());
  const CURLcode code = curl_easy_perform(handle.get());
  // Keeps connections, forgets everything that points into this call.
  curl_easy_reset(handle.get());
  pool_->give_back(std::move(handle), options_.idle);
  if (code != CURLE_OK) return fail(failure(code, detail.data(), exchange));
  return std::move(exchange.response);
}

}  // namespace longshore::s3
