#include "s3/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>

#include "s3/uri_encoding.h"

namespace longshore::s3 {
namespace {

/// The endpoint of AWS in a region; that of China has a domain of its own.
std::string aws_endpoint(const std::string& region) {
  return fmt::format("https://s3.{}.amazonaws.com{}", region, region.starts_with("cn-") ? ".cn" : "");
}

}  // namespace

std::optional<EndpointUrl> parse_endpoint(std::string_view url) {
  EndpointUrl out;
  if (url.starts_with("http://")) {
    out.secure = false;
    url.remove_prefix(7);
  } else if (url.starts_with("https://")) {
    url.remove_prefix(8);
  } else {
    return std::nullopt;
  }
  const auto slash = std::min(url.find('/'), url.size());
  out.path = url.substr(slash);
  if (!std::ranges::all_of(out.path, [](char c) { return c > ' ' && c <= '~' && c != '?' && c != '#'; })) {
    return std::nullopt;
  }
  std::string_view authority = url.substr(0, slash);
  const auto bracket = authority.rfind(']');
  const auto colon = authority.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    out.port = authority.substr(colon + 1);
    authority = authority.substr(0, colon);
    const bool digits = std::ranges::all_of(out.port, [](char c) { return c >= '0' && c <= '9'; });
    if (out.port.empty() || out.port.size() > 5 || !digits) return std::nullopt;
  }
  for (const char c : authority) out.host += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  const bool in_brackets = out.host.starts_with('[') && out.host.ends_with(']');
  const bool valid = std::ranges::all_of(out.host, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' ||
           (in_brackets && (c == '[' || c == ']' || c == ':'));
  });
  return valid && !out.host.empty() ? std::optional(out) : std::nullopt;
}

bool is_ip_address(const std::string& host) {
  in_addr address{};
  return host.starts_with('[') || ::inet_pton(AF_INET, host.c_str(), &address) == 1;
}

Result<BucketAddress> BucketAddress::make(std::string endpoint, const std::string& region, const std::string& bucket,
                                          S3Addressing addressing) {
  const bool on_aws = endpoint.empty();
  if (on_aws) endpoint = aws_endpoint(region);
  const std::optional<EndpointUrl> url = parse_endpoint(endpoint);
  if (!url) {
    return fail(user_error("bad_s3_option", fmt::format("\"{}\" is no endpoint of an S3 store; expected one like "
                                                        "https://s3.eu-central-1.amazonaws.com",
                                                        endpoint)));
  }
  BucketAddress address;
  address.secure_ = url->secure;
  if (addressing == S3Addressing::automatic) {
    // The certificate of *.s3.amazonaws.com does not cover names with further dots.
    const bool virtual_host = on_aws && bucket.find('.') == std::string::npos;
    addressing = virtual_host ? S3Addressing::virtual_host : S3Addressing::path;
  }
  const bool by_path = addressing == S3Addressing::path;
  std::string host = url->host;
  if (!by_path && is_ip_address(host)) {
    return fail(user_error("bad_s3_option", fmt::format("buckets cannot be virtual hosts of the address {}; use path "
                                                        "addressing, or a name with a wildcard DNS entry",
                                                        host)));
  }
  if (!by_path) host = bucket + "." + host;
  const std::string& port = url->port;
  const bool usual_port = port.empty() || port == (address.secure_ ? "443" : "80");
  address.host_ = usual_port ? host : fmt::format("{}:{}", host, port);
  address.origin_ = fmt::format("{}://{}", address.secure_ ? "https" : "http", address.host_);
  address.endpoint_path_ = url->path;
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
