#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "s3/credentials.h"

namespace longshore::s3 {

/// AWS Signature Version 4 for S3, as pure functions (Amazon S3 API Reference, "Authenticating Requests (AWS Signature
/// Version 4)"). libcurl's own signer is not used: that of Debian 12 (7.88) signs sub-resources without a value and
/// unsorted queries wrongly and knows no content hash.

using Headers = std::vector<std::pair<std::string, std::string>>;

/// x-amz-content-sha256 of a body that the signature does not cover.
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";
/// SHA-256 of nothing.
inline constexpr std::string_view kEmptyPayload = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// X-Amz-Expires can be no longer.
inline constexpr std::chrono::seconds kLongestPresigned{7 * 24 * 3600};

struct SigningScope {
  std::string region;
  std::string service = "s3";
};

/// What is signed. Path and query as they go over the wire: from uri_encode() and canonical_query().
struct SignedRequest {
  std::string method;
  std::string path;
  std::string query;
  Headers headers;           ///< all of them are signed, `host` must be among them; any order and case
  std::string payload_hash;  ///< SHA-256 of the body in hexadecimal, or kUnsignedPayload
};

std::string canonical_request(const SignedRequest& request);
std::string string_to_sign(std::string_view canonical, const SigningScope& scope, Timestamp now);
/// The signature in hexadecimal.
std::string signature(std::string_view to_sign, std::string_view secret, const SigningScope& scope, Timestamp now);

/// The headers that make `request` an authenticated one: x-amz-date, x-amz-content-sha256, x-amz-security-token (if
/// there is one), Authorization. They are to be sent beside `request.headers`.
Headers authorization_headers(SignedRequest request, const Credentials& credentials, const SigningScope& scope,
                              Timestamp now);

/// The query string (without `?`) that makes a request valid by itself for `lifetime`. `query` holds further
/// parameters, not encoded; of the headers, `host` only. REQUIRES: 1 s <= lifetime <= kLongestPresigned.
std::string presigned_query(const std::string& method, const std::string& path,
                            std::vector<std::pair<std::string, std::string>> query, const std::string& host,
                            const Credentials& credentials, const SigningScope& scope, Timestamp now,
                            std::chrono::seconds lifetime);

/// `20130524T000000Z`
std::string amz_date(Timestamp time);

}  // namespace longshore::s3
