#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace longshore {

/// How a bucket becomes part of the address.
enum class S3Addressing {
  automatic,     ///< virtual hosts on AWS (unless the bucket's name has a dot), paths on a given endpoint
  path,          ///< https://endpoint/bucket/key
  virtual_host,  ///< https://bucket.endpoint/key
};

enum class S3Encryption {
  none,          ///< whatever the bucket's default is
  s3,            ///< SSE-S3: keys of the store
  kms,           ///< SSE-KMS: a key of the store's key management
  customer_key,  ///< SSE-C: our own key, sent along with every request; only over TLS, and without links
};

struct S3EncryptionOptions {
  S3Encryption mode = S3Encryption::none;
  std::string kms_key_id;    ///< kms only; empty: the store's default key
  bool bucket_key = false;   ///< kms only: one data key for the bucket, which saves calls to the key management
  std::string customer_key;  ///< customer_key only: 32 raw bytes; a secret
};

/// Where credentials come from.
enum class S3CredentialSource {
  automatic,     ///< given ones, else the first of those below, in this order, that the environment speaks of
  given,         ///< those of S3CredentialOptions
  environment,   ///< AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
  web_identity,  ///< AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN, exchanged at the security token service
  file,          ///< the shared credentials file
  container,     ///< AWS_CONTAINER_CREDENTIALS_FULL_URI or _RELATIVE_URI
  instance,      ///< the instance metadata service (EC2), version 2
};

struct S3CredentialOptions {
  S3CredentialSource source = S3CredentialSource::automatic;
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;
  std::string file;     ///< empty: AWS_SHARED_CREDENTIALS_FILE, else ~/.aws/credentials
  std::string profile;  ///< empty: AWS_PROFILE, else `default`
  /// Empty: AWS_EC2_METADATA_SERVICE_ENDPOINT, else http://169.254.169.254
  std::string instance_endpoint;
  /// Of the security token service; empty: AWS_ENDPOINT_URL_STS, else that of AWS in the region.
  std::string token_service_endpoint;
  std::string ca_file;  ///< for these services; empty: the system's authorities
};

struct S3RetryOptions {
  int max_attempts = 8;  ///< of one call, the first included
  Duration first_wait =
      std::chrono::milliseconds{100};  ///< doubled for each further one; the real wait is random below it
  Duration longest_wait = std::chrono::seconds{5};
  Duration deadline = std::chrono::seconds{60};  ///< no further attempt is begun so long after the call's beginning
};

struct S3TimeoutOptions {
  Duration connect = std::chrono::seconds{5};
  Duration stall = std::chrono::seconds{20};    ///< nothing sent or received for so long ends an attempt
  Duration request = std::chrono::seconds{30};  ///< an attempt, plus what its bytes need at `slowest`
  std::int64_t slowest = 256 << 10;             ///< bytes a second
  Duration complete = std::chrono::minutes{5};  ///< CompleteMultipartUpload and copies, which a store may take long for
};

/// A bucket and how it is reached.
struct S3Options {
  std::string endpoint;         ///< http(s)://host[:port][/path]; empty: AWS in `region`
  std::string public_endpoint;  ///< the same store as browsers reach it, for links; empty: `endpoint`
  std::string region;           ///< empty: AWS_REGION, AWS_DEFAULT_REGION, else us-east-1
  std::string bucket;
  std::string prefix;  ///< put before every key, with a slash between; so one bucket can serve several installations
  S3Addressing addressing = S3Addressing::automatic;
  std::string ca_file;  ///< PEM; trusted for the endpoint instead of the system's authorities
  std::string proxy;    ///< http://host:port; empty: none, whatever the environment says
  S3EncryptionOptions encryption;
  S3CredentialOptions credentials;
  std::string storage_class;                              ///< e.g. STANDARD_IA; empty: the bucket's
  std::vector<std::pair<std::string, std::string>> tags;  ///< of every object; at most 10
  /// Content-MD5 beside the SHA-256 that is always sent and signed. It costs more CPU than the latter.
  bool content_md5 = true;
  S3RetryOptions retry;
  S3TimeoutOptions timeouts;
  int page = 1000;  ///< keys, uploads or parts of one listing; S3 gives 1,000 at most
};

/// What is wrong with the options by themselves, all of it in one message. Errors: `bad_s3_option` (user).
Status check_options(const S3Options& options);

}  // namespace longshore
