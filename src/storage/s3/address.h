#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "s3/options.h"

namespace longshore::s3 {

/// `http(s)://host[:port][/path]`, taken apart. Not by Boost.URL: that of 1.81 reads the host 10.0.0.1.example.org as
/// the address 10.0.0.1, where libcurl would not go.
struct EndpointUrl {
  bool secure = true;
  std::string host;  ///< lower case; IPv6 addresses in brackets
  std::string port;  ///< empty if the URL names none
  std::string path;  ///< empty or beginning with a slash
};
/// Nothing for any other scheme, and for a user name, query, fragment or what no host has.
std::optional<EndpointUrl> parse_endpoint(std::string_view url);

/// Whether the host of a URL is an IPv4 address, or an IPv6 address in brackets.
bool is_ip_address(const std::string& host);

/// Where a bucket's objects are: what requests are sent to, and what is signed. Immutable.
class BucketAddress {
 public:
  /// `endpoint` is empty for AWS. REQUIRES: check_options() passed. Errors: `bad_s3_option` (user).
  static Result<BucketAddress> make(std::string endpoint, const std::string& region, const std::string& bucket,
                                    S3Addressing addressing);

  /// The Host header: without the scheme's own port.
  const std::string& host() const { return host_; }
  /// Scheme and authority.
  const std::string& origin() const { return origin_; }
  bool secure() const { return secure_; }
  bool path_style() const { return !path_base_.empty(); }
  /// The encoded path of a key, or of the bucket if it is empty.
  std::string path(std::string_view key) const;

 private:
  std::string origin_;
  std::string host_;
  std::string endpoint_path_;  ///< that of the endpoint's URL, without a slash at its end
  std::string path_base_;      ///< `/bucket` with path-style addressing
  bool secure_ = true;
};

}  // namespace longshore::s3
