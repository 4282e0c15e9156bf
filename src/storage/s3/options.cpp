#include "s3/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "storage/object_key.h"

namespace longshore {
namespace {

constexpr std::size_t kMaxTags = 10;
constexpr std::size_t kCustomerKeyBytes = 32;
// Leaves object keys of the longest allowed size within S3's 1,024 bytes.
constexpr std::size_t kMaxPrefixBytes = 256;

bool is_bucket_name(std::string_view name) {
  return name.size() >= 3 && name.size() <= 63 && name.front() != '.' && name.front() != '-' &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
                  c == '_';
         });
}

bool is_header_safe(std::string_view value) {
  return std::ranges::all_of(value, [](char c) { return c > ' ' && c <= '~'; });
}

class Findings {
 public:
  void add(std::string finding) { text_ += (text_.empty() ? "" : "; ") + std::move(finding); }
  void require(bool holds, std::string_view otherwise) {
    if (!holds) add(std::string(otherwise));
  }
  Status result() && {
    if (text_.empty()) return {};
    return fail(user_error("bad_s3_option", "the S3 store's options: " + std::move(text_)));
  }

 private:
  std::string text_;
};

void check_encryption(const S3Options& options, Findings& findings) {
  const S3EncryptionOptions& encryption = options.encryption;
  const bool kms = encryption.mode == S3Encryption::kms;
  const bool customer = encryption.mode == S3Encryption::customer_key;
  findings.require(kms || (encryption.kms_key_id.empty() && !encryption.bucket_key),
                   "a KMS key or bucket key goes with KMS encryption only");
  findings.require(is_header_safe(encryption.kms_key_id), "the KMS key id holds characters that none has");
  findings.require(customer || encryption.customer_key.empty(),
                   "a customer key goes with customer-key encryption only");
  if (!customer) return;
  if (encryption.customer_key.size() != kCustomerKeyBytes) {
    findings.add(fmt::format("the customer key has {} bytes; it must have 32 (openssl rand 32)",
                             encryption.customer_key.size()));
  }
  findings.require(!options.endpoint.starts_with("http://"),
                   "a customer key is only sent over TLS, but the endpoint begins with http://");
}

void check_credentials(const S3CredentialOptions& credentials, Findings& findings) {
  findings.require(credentials.access_key_id.empty() == credentials.secret_access_key.empty(),
                   "an access key id and a secret access key only work together");
  findings.require(credentials.session_token.empty() || !credentials.access_key_id.empty(),
                   "a session token needs its access key id and secret access key");
  findings.require(credentials.source != S3CredentialSource::given || !credentials.access_key_id.empty(),
                   "credentials are to be those given, but none are");
  findings.require(is_header_safe(credentials.access_key_id) && is_header_safe(credentials.session_token),
                   "the access key id or session token holds a space or a control character");
}

void check_limits(const S3Options& options, Findings& findings) {
  findings.require(options.retry.max_attempts >= 1 && options.retry.max_attempts <= 100,
                   "1 to 100 attempts are possible");
  findings.require(options.retry.first_wait > Duration{0} && options.retry.longest_wait >= options.retry.first_wait,
                   "the longest wait between attempts must be no shorter than the first, and both above 0");
  findings.require(options.timeouts.connect > Duration{0} && options.timeouts.stall > Duration{0} &&
                       options.timeouts.request > Duration{0} && options.timeouts.complete > Duration{0} &&
                       options.timeouts.slowest > 0,
                   "time-outs and the slowest speed must be above 0");
  findings.require(options.page >= 1 && options.page <= 1000, "a page of a listing holds 1 to 1000 entries");
}

}  // namespace

Status check_options(const S3Options& options) {
  Findings findings;
  if (!is_bucket_name(options.bucket)) {
    findings.add(
        fmt::format("\"{}\" is no name of a bucket (3 to 63 letters, digits, dots and dashes)", options.bucket));
  }
  if (const Status prefix = check_key_prefix(options.prefix); !prefix)
    findings.add("prefix: " + prefix.error().message);
  findings.require(options.prefix.size() <= kMaxPrefixBytes, "the prefix is longer than 256 bytes");
  findings.require(is_header_safe(options.region), "the region holds characters that none has");
  findings.require(is_header_safe(options.storage_class), "the storage class holds characters that none has");
  findings.require(options.tags.size() <= kMaxTags, "an object can have 10 tags at most");
  check_encryption(options, findings);
  check_credentials(options.credentials, findings);
  check_limits(options, findings);
  return std::move(findings).result();
}

}  // namespace longshore
