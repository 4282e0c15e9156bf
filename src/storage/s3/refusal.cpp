#include "s3/refusal.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "s3/answers.h"
#include "storage/range.h"

namespace longshore::s3 {
namespace {

using std::chrono::seconds;

/// What the status alone says, in S3's words.
std::string_view code_of_status(int status) {
  switch (status) {
    case 301:
      return "PermanentRedirect";
    case 307:
      return "TemporaryRedirect";
    case 400:
      return "BadRequest";
    case 403:
      return "AccessDenied";
    case 404:
      return "NotFound";
    case 412:
      return "PreconditionFailed";
    case 416:
      return "InvalidRange";
    case 429:
      return "TooManyRequests";
    case 503:
      return "ServiceUnavailable";
    default:
      return status >= 500 ? "InternalError" : "UnknownError";
  }
}

/// Seconds or a date (RFC 9110 section 10.2.3).
std::optional<Duration> parse_retry_after(std::string_view text, Timestamp now) {
  if (text.empty()) return std::nullopt;
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc{} && end == text.data() + text.size()) return seconds{std::max(0, value)};
  const auto date = parse_http_date(text);
  if (!date) return std::nullopt;
  return std::max(Duration{0}, *date - now);
}

template <std::size_t N>
bool is_one_of(std::string_view code, const std::array<std::string_view, N>& codes) {
  return std::ranges::find(codes, code) != codes.end();
}

std::string human(Duration duration) {
  const auto total = std::chrono::duration_cast<seconds>(duration).count();
  if (total < 120) return fmt::format("{} s", total);
  if (total < 7200) return fmt::format("{} min {} s", total / 60, total % 60);
  return fmt::format("{} h {} min", total / 3600, total / 60 % 60);
}

/// Enough to tell keys apart, not the whole.
std::string shown_key(const std::string& id) {
  return id.size() <= 4 ? std::string("(empty)") : "…" + id.substr(id.size() - 4);
}

/// What S3 itself said, at the end of every message.
std::string official(const Refusal& refusal) {
  std::string out = fmt::format(" [HTTP {} {}", refusal.status, refusal.code);
  if (!refusal.message.empty()) out += ": " + refusal.message;
  if (!refusal.request_id.empty()) out += ", request " + refusal.request_id;
  return out + "]";
}

/// What a policy must allow for an operation (Amazon S3 User Guide, "Required permissions for Amazon S3 API
/// operations"); empty where it is not known.
std::string_view permission_for(std::string_view operation) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kPermissions{{
      {"PutObject", "s3:PutObject"},
      {"UploadPartCopy", "s3:PutObject"},
      {"UploadPart", "s3:PutObject"},
      {"CreateMultipartUpload", "s3:PutObject"},
      {"CompleteMultipartUpload", "s3:PutObject"},
      {"GetObject", "s3:GetObject"},
      {"HeadObject", "s3:GetObject"},
      {"DeleteObject", "s3:DeleteObject"},
      {"AbortMultipartUpload", "s3:AbortMultipartUpload"},
      {"ListObjectsV2", "s3:ListBucket"},
      {"ListMultipartUploads", "s3:ListBucketMultipartUploads"},
      {"ListParts", "s3:ListMultipartUploadParts"},
  }};
  const std::string_view name = operation.substr(0, operation.find(' '));
  const auto* const found = std::ranges::find(kPermissions, name, [](const auto& entry) { return entry.first; });
  return found == kPermissions.end() ? std::string_view() : found->second;
}

struct Verdict {
  std::string code;
  bool retriable;
  std::string what;
};

bool is_elsewhere(const Refusal& refusal) {
  return refusal.status == 301 || refusal.status == 302 || refusal.status == 307 || refusal.status == 308 ||
         !refusal.region.empty() || refusal.code == "AuthorizationHeaderMalformed" ||
         refusal.code == "IllegalLocationConstraintException";
}

Verdict elsewhere(const Refusal& refusal, const Asked& asked) {
  std::string what =
      fmt::format("the bucket {} is not served by {} for region {}", asked.bucket, asked.endpoint, asked.region);
  if (!refusal.region.empty()) what += fmt::format("; set the region to {}", refusal.region);
  if (!refusal.endpoint.empty()) what += fmt::format("; the store names the endpoint {}", refusal.endpoint);
  if (refusal.region.empty() && refusal.endpoint.empty()) what += "; check endpoint and region";
  return {"store_denied", false, what};
}

Verdict skewed(const Refusal& refusal) {
  std::string what = "this machine's clock differs too much from the store's";
  if (refusal.clock_ahead && std::abs(refusal.clock_ahead->count()) >= 1'000'000) {
    const bool ahead = refusal.clock_ahead->count() > 0;
    what = fmt::format("this machine's clock is {} {} the store's",
                       human(ahead ? *refusal.clock_ahead : -*refusal.clock_ahead), ahead ? "ahead of" : "behind");
  }
  // Another worker's clock may be right, so the job need not fail.
  return {"store_unavailable", true, what + "; set it, best by NTP"};
}

Verdict judge(const Refusal& refusal, const Asked& asked) {
  const std::string& code = refusal.code;
  const auto denied = [](std::string what) { return Verdict{"store_denied", false, std::move(what)}; };
  if (code == "RequestTimeTooSkewed" || code == "RequestExpired") return skewed(refusal);
  if (is_elsewhere(refusal)) return elsewhere(refusal, asked);
  if (code == "NoSuchBucket") {
    return denied(fmt::format("there is no bucket {} at {}; create it, or correct the bucket's name or the endpoint",
                              asked.bucket, asked.endpoint));
  }
  if (code == "SignatureDoesNotMatch") {
    return denied(fmt::format("the secret access key does not belong to the access key id {} (from {})",
                              shown_key(asked.access_key), asked.credentials));
  }
  if (code == "InvalidAccessKeyId") {
    return denied(fmt::format("the store does not know the access key id {} (from {})", shown_key(asked.access_key),
                              asked.credentials));
  }
  if (code == "ExpiredToken" || code == "InvalidToken" || code == "TokenRefreshRequired") {
    return {"store_unavailable", true,
            fmt::format("the session token from {} has expired or is not valid, and there is no newer one",
                        asked.credentials)};
  }
  if (code == "QuotaExceeded" || code == "InsufficientStorage" || code == "XMinioStorageFull" ||
      refusal.status == 507) {
    return {"store_full", true, fmt::format("no space is left for the bucket {} (a quota?)", asked.bucket)};
  }
  if (code.starts_with("KMS.") || refusal.message.find("kms:") != std::string::npos) {
    return denied(
        "the store may not use the KMS key: check that it exists, is enabled, and that the credentials may use it");
  }
  if (code == "AccessDenied" || code == "AllAccessDisabled" || refusal.status == 403 || refusal.status == 401) {
    const std::string_view permission = permission_for(asked.operation);
    return denied(
        fmt::format("the credentials from {} (access key id {}) have no permission for it on the bucket {}{}; "
                    "docs/operations.md lists what is needed",
                    asked.credentials, shown_key(asked.access_key), asked.bucket,
                    permission.empty() ? std::string() : fmt::format(" (it takes {})", permission)));
  }
  if (is_retriable(refusal)) return {"store_unavailable", true, "the store is busy or in trouble"};
  return denied("the store does not accept the request");
}

}  // namespace

std::optional<Refusal> read_refusal(const HttpResponse& response, bool body_may_refuse, Timestamp now) {
  const bool refused = response.status >= 300 || response.status < 200;
  if (!refused && !body_may_refuse) return std::nullopt;
  const std::optional<ErrorAnswer> said = parse_error(response.body);
  if (!refused && !said) return std::nullopt;

  Refusal out;
  out.status = response.status;
  if (said) {
    out.code = said->code;
    out.message = said->message;
    out.region = said->region;
    out.endpoint = said->endpoint;
  }
  if (out.code.empty()) out.code = code_of_status(response.status);
  out.request_id = response.header("x-amz-request-id");
  // HEAD has no body, but AWS says the region in a header, too.
  if (out.region.empty() && refused && (response.status / 100 == 3 || response.status == 400)) {
    out.region = response.header("x-amz-bucket-region");
  }
  if (const auto date = parse_http_date(response.header("date"))) out.clock_ahead = now - *date;
  out.retry_after = parse_retry_after(response.header("retry-after"), now);
  return out;
}

bool is_retriable(const Refusal& refusal) {
  static constexpr std::array<std::string_view, 14> kCodes{
      "InternalError",        "SlowDown",       "ServiceUnavailable",  "RequestTimeout",           "OperationAborted",
      "Throttling",           "BadDigest",      "ThrottlingException", "RequestThrottled",         "TooManyRequests",
      "RequestLimitExceeded", "IncompleteBody", "InvalidDigest",       "XAmzContentSHA256Mismatch"};
  if (refusal.status == 501 || refusal.status == 505 || refusal.status == 507) return false;
  return refusal.status >= 500 || refusal.status == 429 || refusal.status == 408 || is_one_of(refusal.code, kCodes);
}

bool is_about_credentials(const Refusal& refusal) {
  static constexpr std::array<std::string_view, 5> kCodes{"ExpiredToken", "InvalidToken", "TokenRefreshRequired",
                                                          "InvalidAccessKeyId", "SignatureDoesNotMatch"};
  return is_one_of(refusal.code, kCodes);
}

Error describe(const Refusal& refusal, const Asked& asked) {
  Verdict verdict = judge(refusal, asked);
  return external_error(std::move(verdict.code),
                        fmt::format("{}: {}{}", asked.operation, verdict.what, official(refusal)), verdict.retriable);
}

}  // namespace longshore::s3
