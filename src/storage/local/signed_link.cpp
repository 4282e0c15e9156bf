#include "storage/local/signed_link.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/url/encode.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>
#include <charconv>

#include "base/digest.h"
#include "storage/object_key.h"

namespace longshore {
namespace {

constexpr std::size_t kMinSecretBytes = 32;
constexpr std::size_t kMaxKeyIdBytes = 64;
/// The year 9999: keeps sums of microseconds far from overflow.
constexpr std::int64_t kMaxExpires = 253'402'300'799;

bool is_key_id(std::string_view id) {
  return !id.empty() && id.size() <= kMaxKeyIdBytes && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  });
}

bool is_header_safe(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

std::string signature(const LinkKey& signer, std::string_view key, const LinkParameters& parameters) {
  std::string message = "longshore-file-link-1\n";
  for (const std::string_view field : {key, std::string_view(parameters.expires), std::string_view(parameters.kid),
                                       std::string_view(parameters.filename), std::string_view(parameters.type)}) {
    message += fmt::format("{}:{}\n", field.size(), field);
  }
  const auto mac = hmac_sha256(signer.secret, message);
  return base64url_encode({reinterpret_cast<const char*>(mac.data()), mac.size()});
}

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port != 0;
}

Error invalid_link() {
  return user_error("link_invalid",
                    "this download link is not valid: it was changed or cut off, or it is too old; ask for "
                    "a new one");
}

}  // namespace

Result<std::string> parse_base_url(std::string_view text) {
  const auto url = boost::urls::parse_uri({text.data(), text.size()});
  const bool is_http =
      url && (url->scheme_id() == boost::urls::scheme::http || url->scheme_id() == boost::urls::scheme::https);
  // Of `http://[::1]x`, Boost.URL 1.81 takes `x` for the path, though a path behind a host begins with a slash (RFC
  // 3986 section 3.2). Nor does it mind how large a port is.
  const bool path_joins = url && (url->encoded_path().empty() || url->encoded_path().front() == '/');
  if (!is_http || !path_joins || url->encoded_host().empty() || url->has_userinfo() || url->has_query() ||
      url->has_fragment() || (url->has_port() && !is_port({url->port().data(), url->port().size()}))) {
    return fail(
        user_error("bad_base_url", fmt::format("\"{}\" is no URL that links can begin with; expected http:// or "
                                               "https://, a host, maybe a port and a path, e.g. "
                                               "https://exports.example.com",
                                               text)));
  }
  while (text.ends_with('/')) text.remove_suffix(1);
  return std::string(text);
}

SignedLinks::SignedLinks(std::vector<LinkKey> keys, std::string base_url, const Clock& clock)
    : keys_(std::move(keys)), base_url_(std::move(base_url)), clock_(clock) {}

Result<std::unique_ptr<SignedLinks>> SignedLinks::make(std::vector<LinkKey> keys, std::string base_url,
                                                       const Clock& clock) {
  if (keys.empty()) return fail(user_error("bad_link_key", "signing download links needs at least one key"));
  for (const LinkKey& key : keys) {
    if (!is_key_id(key.id)) {
      return fail(user_error("bad_link_key", "the id of a link key must be 1 to 64 of A-Z a-z 0-9 . _ -"));
    }
    if (key.secret.size() < kMinSecretBytes) {
      return fail(
          user_error("bad_link_key", fmt::format("the secret of link key {} has {} bytes; at least {} are needed",
                                                 key.id, key.secret.size(), kMinSecretBytes)));
    }
    if (std::ranges::count(keys, key.id, &LinkKey::id) > 1) {
      return fail(user_error("bad_link_key", fmt::format("two link keys have the id {}", key.id)));
    }
  }
  TRY(base_url, parse_base_url(base_url));
  return std::unique_ptr<SignedLinks>(new SignedLinks(std::move(keys), std::move(base_url), clock));
}

Result<std::string> SignedLinks::sign(const std::string& key, const LinkOptions& options) {
  CHECK_OK(check_object_key(key));
  if (options.lifetime.count() < 1) {
    return fail(
        internal_error("bad_link_option", fmt::format("a link cannot live for {} s", options.lifetime.count())));
  }
  if (!is_header_safe(options.content_type)) {
    return fail(internal_error("bad_link_option", "the content type of a link holds characters that a header cannot"));
  }
  const auto now = std::chrono::floor<std::chrono::seconds>(clock_.now()).time_since_epoch().count();
  LinkParameters parameters;
  // Subtracting first keeps a lifetime of centuries from overflowing.
  parameters.expires =
      fmt::to_string(options.lifetime.count() > kMaxExpires - now ? kMaxExpires : now + options.lifetime.count());
  parameters.kid = keys_.front().id;
  parameters.filename = options.file_name;
  parameters.type = options.content_type;

  // A key's characters are all path characters, so the URL spells it as it is. In values all but unreserved characters
  // are encoded, more than must be: `+` would come back as a space, and programs that look for links in text stop at
  // `;`.
  const auto encode = [](std::string_view value) {
    return boost::urls::encode({value.data(), value.size()}, boost::urls::unreserved_chars);
  };
  return fmt::format("{}/v1/files/{}?expires={}&kid={}&filename={}&type={}&sig={}", base_url_, key, parameters.expires,
                     parameters.kid, encode(parameters.filename), encode(parameters.type),
                     signature(keys_.front(), key, parameters));
}

Result<VerifiedLink> SignedLinks::verify(const std::string& key, const LinkParameters& parameters,
                                         Timestamp now) const {
  const auto signer = std::ranges::find(keys_, parameters.kid, &LinkKey::id);
  if (signer == keys_.end() || !equal_in_constant_time(signature(*signer, key, parameters), parameters.sig)) {
    return fail(invalid_link());
  }
  // Signed, so it is as sign() made it; checked all the same, because it decides on access.
  std::int64_t expires = 0;
  const char* const end = parameters.expires.data() + parameters.expires.size();
  const auto parsed = std::from_chars(parameters.expires.data(), end, expires);
  if (parsed.ec != std::errc{} || parsed.ptr != end || expires < 0 || expires > kMaxExpires || !check_object_key(key)) {
    return fail(invalid_link());
  }
  const Timestamp until{std::chrono::seconds{expires}};
  if (now >= until) {
    return fail(user_error("link_expired",
                           fmt::format("this download link was valid until {}; ask for a new one", to_rfc3339(until))));
  }
  return VerifiedLink{key, parameters.filename, parameters.type, until};
}

}  // namespace longshore
