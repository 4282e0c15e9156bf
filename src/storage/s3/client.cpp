#include "s3/client.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/digest.h"
#include "s3/curl_transport.h"
#include "s3/signature.h"

namespace longshore::s3 {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A store that asks for more is away rather than busy: the caller's own backoff does better then.
constexpr Duration kLongestRetryAfter = seconds{30};
constexpr HttpTimeouts kProbeTimeouts{seconds{3}, seconds{5}, seconds{5}};

S3Options with_region(S3Options options, const Environment& environment) {
  for (const char* name : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    if (options.region.empty()) options.region = environment(name);
  }
  if (options.region.empty()) options.region = "us-east-1";
  return options;
}

/// An error of the transport as the store's.
Error unreachable(const Error& error, const std::string& operation) {
  // Whatever is wrong out there may be right again for the job's next try; but not within this call, where
  // `error.retriable` decides.
  return external_error("store_unavailable", fmt::format("{}: {}", operation, error.message));
}

}  // namespace

Client::Client(S3Options options, Clock& clock, Surroundings surroundings, BucketAddress address,
               BucketAddress public_address, std::unique_ptr<CredentialSource> source)
    : options_(std::move(options)),
      prefix_(options_.prefix),
      clock_(clock),
      surroundings_(std::move(surroundings)),
      address_(std::move(address)),
      public_address_(std::move(public_address)),
      credentials_(std::move(source), clock) {
  if (!prefix_.empty() && !prefix_.ends_with('/')) prefix_ += '/';
}

Result<std::shared_ptr<Client>> Client::make(S3Options options, Clock& clock, Surroundings surroundings) {
  CHECK_OK(check_options(options));
  if (!surroundings.environment) surroundings.environment = process_environment;
  options = with_region(std::move(options), surroundings.environment);
  TRY(BucketAddress address, BucketAddress::make(options.endpoint, options.region, options.bucket, options.addressing));
  const std::string& public_endpoint = options.public_endpoint.empty() ? options.endpoint : options.public_endpoint;
  TRY(BucketAddress public_address,
      BucketAddress::make(public_endpoint, options.region, options.bucket, options.addressing));
  if (!surroundings.transport) {
    surroundings.transport = CurlTransport::make({options.ca_file, options.proxy, surroundings.stop});
  }
  if (!surroundings.credential_transport) {
    surroundings.credential_transport =
        CurlTransport::make({options.credentials.ca_file, options.proxy, surroundings.stop, 1});
  }
  TRY(std::unique_ptr<CredentialSource> source,
      choose_credential_source(options.credentials, options.region, surroundings.environment,
                               surroundings.credential_transport));
  return std::shared_ptr<Client>(new Client(std::move(options), clock, std::move(surroundings), std::move(address),
                                            std::move(public_address), std::move(source)));
}

std::optional<std::string> Client::own_key(std::string_view full) const {
  if (!full.starts_with(prefix_)) return std::nullopt;
  return std::string(full.substr(prefix_.size()));
}

Asked Client::asked(const Call& call) const {
  const std::string operation =
      call.key.empty() ? std::string(call.operation) : fmt::format("{} {}", call.operation, call.key);
  return {operation, options_.bucket, address_.origin(), options_.region, credentials_.place(), {}};
}

HttpTimeouts Client::timeouts(const Call& call) const {
  if (call.patience == Patience::none) return kProbeTimeouts;
  const S3TimeoutOptions& given = options_.timeouts;
  HttpTimeouts out{given.connect, given.stall, given.request};
  out.total += seconds{static_cast<std::int64_t>(call.body.size()) / given.slowest};
  if (call.patience == Patience::long_) {
    // Until it is done, the store sends nothing, or a blank now and then.
    out.total = std::max(out.total, given.complete);
    out.stall = std::max(out.stall, given.complete);
  }
  return out;
}

HttpRequest Client::sign(const Call& call, const Credentials& credentials, const std::string& payload_hash) const {
  HttpRequest request;
  request.method = call.method;
  const std::string path = address_.path(call.key.empty() ? "" : full_key(call.key));
  const std::string query = canonical_query(call.query);
  request.headers = call.headers;
  request.headers.emplace_back("Host", address_.host());
  const Headers added = authorization_headers({call.method, path, query, request.headers, payload_hash}, credentials,
                                              {options_.region}, clock_.now());
  request.headers.insert(request.headers.end(), added.begin(), added.end());
  request.url = address_.origin() + path + (query.empty() ? "" : "?" + query);
  request.body = call.body;
  request.sink = call.sink;
  request.max_sink = call.max_sink;
  request.timeouts = timeouts(call);
  return request;
}

bool Client::wait(int attempt, std::optional<Duration> at_least, std::chrono::steady_clock::time_point deadline) {
  Duration delay = backoff_delay(options_.retry, attempt, jitter_.next());
  if (at_least) delay = std::max(delay, *at_least);
  if (delay > kLongestRetryAfter || clock_.steady_now() + delay >= deadline) return false;
  return clock_.sleep_for(delay, surroundings_.stop);
}

Result<Answer> Client::call(const Call& call) {
  const std::string payload_hash = !call.body_sha256.empty() ? call.body_sha256
                                   : call.body.empty()       ? std::string(kEmptyPayload)
                                                             : sha256_hex(call.body);
  const int attempts = call.patience == Patience::none ? 1 : options_.retry.max_attempts;
  const auto deadline = clock_.steady_now() + options_.retry.deadline;
  const std::size_t sink_begin = call.sink == nullptr ? 0 : call.sink->size();
  bool asked_for_credentials = false;
  int retries = 0;
  for (int attempt = 1;; ++attempt) {
    TRY(const Credentials credentials, credentials_.get());
    if (call.sink != nullptr) call.sink->truncate(sink_begin);
    Result<HttpResponse> exchanged = surroundings_.transport->exchange(sign(call, credentials, payload_hash));
    std::optional<Duration> retry_after;
    Result<Answer> outcome = Answer{};
    bool again = false;
    if (!exchanged) {
      again = exchanged.error().retriable;
      outcome = fail(unreachable(exchanged.error(), asked(call).operation));
    } else {
      std::optional<Refusal> refusal = read_refusal(*exchanged, call.body_may_refuse, clock_.now());
      if (!refusal) {
        budget_.succeeded(retries);
        return Answer{std::move(*exchanged), std::nullopt};
      }
      if (is_about_credentials(*refusal) && !asked_for_credentials) {
        asked_for_credentials = true;
        credentials_.reject(credentials);
        const Result<Credentials> others = credentials_.get();
        if (others && !(*others == credentials)) continue;
      }
      again = is_retriable(*refusal);
      retry_after = refusal->retry_after;
      outcome = Answer{std::move(*exchanged), std::move(refusal)};
    }
    if (!again || attempt >= attempts || !budget_.take()) return outcome;
    ++retries;
    if (!wait(attempt, retry_after, deadline) || (call.may_repeat && !call.may_repeat())) return outcome;
  }
}

Error Client::describe(const Refusal& refusal, const Call& call) {
  Asked who = asked(call);
  if (const auto credentials = credentials_.get()) who.access_key = credentials->access_key_id;
  return s3::describe(refusal, who);
}

Result<HttpResponse> Client::expect(const Call& call) {
  TRY(Answer answer, this->call(call));
  if (answer.refusal) return fail(describe(*answer.refusal, call));
  return std::move(answer.response);
}

}  // namespace longshore::s3
