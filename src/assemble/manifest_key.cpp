#include "assemble/manifest_key.h"

#include <openssl/evp.h>

#include "base/digest.h"
#include "base/random.h"

namespace longshore {

namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kSignatureBytes = 64;

struct KeyDeleter {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct ContextDeleter {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using KeyPointer = std::unique_ptr<EVP_PKEY, KeyDeleter>;
using ContextPointer = std::unique_ptr<EVP_MD_CTX, ContextDeleter>;

const unsigned char* as_bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Error bad_key(const std::string& why) {
  return user_error("bad_manifest_key", "the manifest key " + why);
}

KeyPointer private_key(std::string_view seed) {
  return KeyPointer(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, as_bytes(seed), seed.size()));
}

}  // namespace

Result<ManifestKey> ManifestKey::generate() {
  return from_seed(base64url_encode(random_bytes(kKeyBytes)));
}

Result<ManifestKey> ManifestKey::from_seed(std::string_view seed) {
  auto raw = base64url_decode(seed);
  if (!raw || raw->size() != kKeyBytes) return fail(bad_key("must be 32 bytes in base64url"));
  const KeyPointer key = private_key(*raw);
  std::string public_bytes(kKeyBytes, '\0');
  std::size_t length = public_bytes.size();
  if (!key ||
      EVP_PKEY_get_raw_public_key(key.get(), reinterpret_cast<unsigned char*>(public_bytes.data()), &length) != 1) {
    return fail(bad_key("was refused by the crypto library"));
  }
  ManifestKey result;
  result.seed_ = std::move(*raw);
  result.public_key_ = base64url_encode(public_bytes);
  result.id_ = sha256_hex(public_bytes).substr(0, 16);
  return result;
}

std::string ManifestKey::seed() const {
  return base64url_encode(seed_);
}

Result<std::string> ManifestKey::sign(std::string_view message) const {
  const KeyPointer key = private_key(seed_);
  const ContextPointer context(EVP_MD_CTX_new());
  std::string signature(kSignatureBytes, '\0');
  std::size_t length = signature.size();
  if (!key || !context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &length, as_bytes(message),
                     message.size()) != 1) {
    return fail(internal_error("signing_failed", "the crypto library could not sign the manifest"));
  }
  return base64url_encode(signature);
}

bool signature_holds(std::string_view public_key, std::string_view message, std::string_view signature) {
  const auto key_bytes = base64url_decode(public_key);
  const auto signature_bytes = base64url_decode(signature);
  if (!key_bytes || key_bytes->size() != kKeyBytes || !signature_bytes || signature_bytes->size() != kSignatureBytes) {
    return false;
  }
  const KeyPointer key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, as_bytes(*key_bytes), key_bytes->size()));
  const ContextPointer context(EVP_MD_CTX_new());
  return key && context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), as_bytes(*signature_bytes), signature_bytes->size(), as_bytes(message),
                          message.size()) == 1;
}

Result<std::string> manifest_key_id(std::string_view public_key) {
  const auto raw = base64url_decode(public_key);
  if (!raw || raw->size() != kKeyBytes) return fail(bad_key("must be 32 bytes in base64url"));
  return sha256_hex(*raw).substr(0, 16);
}

}  // namespace longshore
