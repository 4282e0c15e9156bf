#include "s3/md5.h"

#include <openssl/evp.h>

#include <array>

namespace longshore::s3 {

std::optional<std::string> md5(std::string_view bytes) {
  // Fetched once: OpenSSL 3 would otherwise look the algorithm up for every digest.
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "MD5", nullptr);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (algorithm == nullptr || EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, algorithm, nullptr) != 1) {
    return std::nullopt;
  }
  return std::string(reinterpret_cast<const char*>(digest.data()), length);
}

}  // namespace longshore::s3
