#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace longshore {

/// SHA-256 in lower-case hexadecimal (64 characters). FIPS 180-4.
std::string sha256_hex(std::string_view bytes);
/// The 32 raw bytes.
std::array<unsigned char, 32> sha256(std::string_view bytes);
/// HMAC-SHA-256 (RFC 2104), 32 raw bytes.
std::array<unsigned char, 32> hmac_sha256(std::string_view key, std::string_view message);

/// SHA-256 over a stream of pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(std::string_view bytes);
  /// The digest in hexadecimal. REQUIRES: called once; no update() after it.
  std::string finish_hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `bytes`, continued from `crc` (0 to begin).
std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc = 0);
/// The CRC-32C of A followed by B, from those of A and B and the length of B in bytes.
std::uint32_t crc32c_combine(std::uint32_t crc_a, std::uint32_t crc_b, std::uint64_t length_b);
/// CRC-32 as in gzip and ZIP (RFC 1952), continued from `crc` (0 to begin).
std::uint32_t crc32(std::string_view bytes, std::uint32_t crc = 0);
std::uint32_t crc32_combine(std::uint32_t crc_a, std::uint32_t crc_b, std::uint64_t length_b);

std::string to_hex(std::string_view bytes);
/// The bytes of hexadecimal digits of either case. Errors: `bad_hex` for anything else.
Result<std::string> from_hex(std::string_view text);
std::string base64_encode(std::string_view bytes);
/// Unpadded URL-safe alphabet (RFC 4648 section 5).
std::string base64url_encode(std::string_view bytes);
/// Errors: `bad_base64`.
Result<std::string> base64url_decode(std::string_view text);

/// Compares without giving away by its duration where the two differ.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace longshore
