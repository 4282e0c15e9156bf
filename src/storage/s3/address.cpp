#include "s3/address.h"

#include <fmt/format.h>

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "s3/uri_encoding.h"

namespace longshore::s3 {
namespace {

/// The endpoint of AWS in a region; that of China has a domain of its own.
std::string aws_endpoint(const std::string& region) {
  return fmt::format("https://s3.{}.amazonaws.com{}", region, region.starts_with("cn-") ? ".cn" : "");
}

}  // namespace

Result<BucketAddress> BucketAddress::make(std::string endpoint, const std::string& region, const std::string& bucket,
                                          S3Addressing addressing) {
  const bool on_aws = endpoint.empty();
  if (on_aws) endpoint = aws_endpoint(region);
  const auto url = boost::urls::parse_uri(endpoint);
  if (!url || (url->scheme() != "http" && url->scheme() != "https") || url->encoded_host().empty() ||
      url->has_query() || url->has_fragment() || url->has_userinfo()) {
    return fail(user_error("bad_s3_option", fmt::format("\"{}\" is no endpoint of an S3 store; expected one like "
                                                        "https://s3.eu-central-1.amazonaws.com",
                                                        endpoint)));
  }
  BucketAddress address;
  address.secure_ = url->scheme() == "https";
  if (addressing == S3Addressing::automatic) {
    // The certificate of *.s3.amazonaws.com does not cover names with further dots.
    const bool virtual_host = on_aws && bucket.find('.') == std::string::npos;
    addressing = virtual_host ? S3Addressing::virtual_host : S3Addressing::path;
  }
  const bool by_path = addressing == S3Addressing::path;
  if (!by_path && url->host_type() != boost::urls::host_type::name) {
    return fail(user_error("bad_s3_option", fmt::format("buckets cannot be virtual hosts of the address {}; use path "
                                                        "addressing, or a name with a wildcard DNS entry",
                                                        std::string_view(url->encoded_host()))));
  }
  std::string host(url->encoded_host());
  for (char& c : host) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (!by_path) host = bucket + "." + host;
  const std::string_view port = url->port();
  const bool usual_port = port.empty() || port == (address.secure_ ? "443" : "80");
  address.host_ = usual_port ? host : fmt::format("{}:{}", host, port);
  address.origin_ = fmt::format("{}://{}", address.secure_ ? "https" : "http", address.host_);
  address.endpoint_path_ = std::string(url->encoded_path());
  while (address.endpoint_path_.ends_with('/')) address.endpoint_path_.pop_back();
  if (by_path) address.path_base_ = "/" + bucket;
  return address;
}

std::string BucketAddress::path(std::string_view key) const {
  std::string out = endpoint_path_ + path_base_;
  if (!key.empty()) out += "/" + uri_encode(key, Slash::keep);
  return out.empty() ? "/" : out;
}

}  // namespace longshore::s3
