#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "s3/address.h"
#include "s3/backoff.h"
#include "s3/credential_cache.h"
#include "s3/http.h"
#include "s3/options.h"
#include "s3/refusal.h"
#include "s3/uri_encoding.h"

namespace longshore::s3 {

/// What a request is allowed to take.
enum class Patience {
  usual,  ///< the options' retries and time-outs
  long_,  ///< the same, with the time-out for what a store may take minutes for
  none,   ///< one attempt with short time-outs: for probes
};

/// A request on the bucket or, with a key, on an object.
struct Call {
  std::string_view operation;  ///< S3's name, for messages
  std::string method;
  std::string key = {};  ///< as the caller of the store knows it, without the prefix; empty: the bucket itself
  std::vector<QueryParameter> query = {};
  Headers headers = {};          ///< signed, all of them
  std::string_view body = {};    ///< must live as long as the call
  std::string body_sha256 = {};  ///< in hexadecimal, if it is known already
  ByteBuffer* sink = nullptr;    ///< where the body of a success goes
  std::size_t max_sink = 0;      ///< how much of it there may be
  Patience patience = Patience::usual;
  bool body_may_refuse = false;           ///< an `<Error>` may come with status 200
  std::function<bool()> may_repeat = {};  ///< asked before each further attempt; false ends them
};

struct Answer {
  HttpResponse response;
  std::optional<Refusal> refusal;  ///< that trying again does not help against
};

/// The outside world of a client; what is not given is the real one.
struct Surroundings {
  std::shared_ptr<HttpTransport> transport;             ///< to the store
  std::shared_ptr<HttpTransport> credential_transport;  ///< to the services that give credentials
  Environment environment;
  std::stop_token stop;  ///< ends calls under way within about a second, and every wait between attempts at once
};

/// Requests to one bucket: signed, sent, and tried again where that helps. Thread-safe.
class Client {
 public:
  /// Does no I/O but reading the environment. `clock` must outlive this. Errors: `bad_s3_option` (user).
  static Result<std::shared_ptr<Client>> make(S3Options options, Clock& clock, Surroundings surroundings = {});

  /// A success, or a refusal that the caller judges. Errors: `store_unavailable` when attempts or time are used up;
  /// those of credentials.
  Result<Answer> call(const Call& call);
  /// The same where no refusal is expected: each is an error.
  Result<HttpResponse> expect(const Call& call);
  Error describe(const Refusal& refusal, const Call& call);

  /// `prefix/key`
  std::string full_key(std::string_view key) const { return prefix_ + std::string(key); }
  /// The key without the prefix; nothing for what lies outside of it.
  std::optional<std::string> own_key(std::string_view full) const;

  const S3Options& options() const { return options_; }
  const BucketAddress& public_address() const { return public_address_; }
  CredentialCache& credentials() { return credentials_; }
  Clock& clock() { return clock_; }

 private:
  Client(S3Options options, Clock& clock, Surroundings surroundings, BucketAddress address,
         BucketAddress public_address, std::unique_ptr<CredentialSource> source);
  HttpRequest sign(const Call& call, const Credentials& credentials, const std::string& payload_hash) const;
  HttpTimeouts timeouts(const Call& call) const;
  Asked asked(const Call& call) const;
  bool wait(int attempt, std::optional<Duration> at_least, std::chrono::steady_clock::time_point deadline);

  S3Options options_;
  std::string prefix_;  ///< empty or with a slash at its end
  Clock& clock_;
  Surroundings surroundings_;
  BucketAddress address_;
  BucketAddress public_address_;
  CredentialCache credentials_;
  Jitter jitter_;
  RetryBudget budget_;
};

}  // namespace longshore::s3
