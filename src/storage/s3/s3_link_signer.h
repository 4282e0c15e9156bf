#pragma once

#include <memory>
#include <string>

#include "s3/client.h"
#include "storage/object_store.h"

namespace longshore {

/// Presigned GET links (Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters"): browsers fetch the
/// object from the store itself, by `public_endpoint`, with the file name and content type of the link. Signing does no
/// I/O, unless credentials are due. Thread-safe.
///
/// A link dies with the credentials that signed it and can live for 7 days at most, so sign() shortens a longer
/// lifetime; longest_lifetime() says beforehand what there is.
class S3LinkSigner final : public LinkSigner {
 public:
  /// Errors: `bad_s3_option` (user) with customer keys: whoever opens a link cannot send their headers.
  static Result<std::unique_ptr<S3LinkSigner>> make(std::shared_ptr<s3::Client> client);

  /// Errors: `bad_object_key` (user); `bad_link_option` (internal) for a lifetime under a second or a content type that
  /// no header can hold; those of credentials.
  Result<std::string> sign(const std::string& key, const LinkOptions& options) override;
  Result<std::chrono::seconds> longest_lifetime() override;

 private:
  explicit S3LinkSigner(std::shared_ptr<s3::Client> client) : client_(std::move(client)) {}

  std::shared_ptr<s3::Client> client_;
};

}  // namespace longshore
