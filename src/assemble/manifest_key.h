#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace longshore {

/// An Ed25519 key pair (RFC 8032) that signs manifests. Immutable, thread-safe.
class ManifestKey {
 public:
  /// A new key, from the operating system's randomness.
  static Result<ManifestKey> generate();
  /// `seed`: base64url of the 32-byte private key, as seed() gives it. Errors: `bad_manifest_key`.
  static Result<ManifestKey> from_seed(std::string_view seed);

  std::string seed() const;                                      ///< the private key, base64url; a secret
  const std::string& public_key() const { return public_key_; }  ///< base64url of the 32 bytes
  const std::string& id() const { return id_; }  ///< first 16 hexadecimal digits of the public key's SHA-256
  Result<std::string> sign(std::string_view message) const;  ///< base64url of the 64-byte signature

 private:
  std::string seed_;  ///< 32 raw bytes
  std::string public_key_;
  std::string id_;
};

/// Whether `signature` (base64url) is `public_key`'s (base64url) over `message`.
bool signature_holds(std::string_view public_key, std::string_view message, std::string_view signature);
/// The id of a public key given in base64url. Errors: `bad_manifest_key`.
Result<std::string> manifest_key_id(std::string_view public_key);

}  // namespace longshore
