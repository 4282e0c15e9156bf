#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "storage/object_store.h"

namespace longshore {

/// A secret that links are signed with.
struct LinkKey {
  std::string id;      ///< shown in links: 1 to 64 of `[A-Za-z0-9._-]`
  std::string secret;  ///< at least 32 bytes
};

/// The query parameters of a signed link, decoded. What a link does not have is empty.
struct LinkParameters {
  std::string expires;
  std::string kid;
  std::string filename;
  std::string type;
  std::string sig;
};

/// What a genuine link allows: reading this object under this name.
struct VerifiedLink {
  std::string key;
  std::string file_name;     ///< for content_disposition()
  std::string content_type;  ///< safe in a header; may be empty
  Timestamp expires;
};

/// The URL of a server as links begin with it: http or https, a host (a name, an IPv4 address, an IPv6 address in
/// brackets), with or without a port and a path; returned without slashes at its end. Errors: `bad_base_url` (user).
Result<std::string> parse_base_url(std::string_view text);

/// Links to objects of the local store, which the API process itself serves:
///
///   {base_url}/v1/files/{key}?expires=<Unix seconds>&kid=<key id>&filename=<name>&type=<media type>&sig=<signature>
///
/// The signature is base64url HMAC-SHA-256 over the object key and every parameter, each preceded by its length so that
/// no byte can move from one into the next. The method is not signed: HEAD and GET reveal the same. Whoever has the
/// link may read the object until it expires; changing anything in it makes it invalid. Immutable, so thread-safe.
class SignedLinks final : public LinkSigner {
 public:
  /// The first key signs, all of them verify: to rotate, put the new key first and drop the old one once its links have
  /// expired. `base_url`: where clients reach this server, as parse_base_url() takes it. `clock` must outlive this.
  /// Errors: `bad_link_key`, `bad_base_url` (user).
  static Result<std::unique_ptr<SignedLinks>> make(std::vector<LinkKey> keys, std::string base_url, const Clock& clock);

  /// Errors: `bad_object_key` (user); `bad_link_option` (internal) for a lifetime under a second or a content type with
  /// control characters.
  Result<std::string> sign(const std::string& key, const LinkOptions& options) override;

  /// Errors: `link_invalid` (user) if anything was changed or the signing key is not known any more, `link_expired`
  /// (user). The signature is looked at first, in constant time: a forged link learns nothing.
  Result<VerifiedLink> verify(const std::string& key, const LinkParameters& parameters, Timestamp now) const;

 private:
  SignedLinks(std::vector<LinkKey> keys, std::string base_url, const Clock& clock);

  std::vector<LinkKey> keys_;
  std::string base_url_;  ///< without a slash at the end
  const Clock& clock_;
};

}  // namespace longshore
