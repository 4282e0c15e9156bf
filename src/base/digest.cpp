#include "base/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <stdexcept>

extern "C" {
#include <isa-l/crc.h>
}

namespace longshore {

namespace {

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

[[noreturn]] void fail_digest(const char* step) {
  throw std::runtime_error(std::string("OpenSSL cannot compute SHA-256 (") + step + ")");
}

/// Fetched once for the process: OpenSSL 3 would otherwise look the algorithm up for every digest.
const EVP_MD* sha256_algorithm() {
  static const EVP_MD* const algorithm = [] {
    const EVP_MD* fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    if (fetched == nullptr) fail_digest("fetch");
    return fetched;
  }();
  return algorithm;
}

std::string_view as_text(const std::array<unsigned char, 32>& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string encode_base64(std::string_view bytes, std::string_view alphabet, bool padded) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t given = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group = (group << 8) | (i < given ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    }
    for (std::size_t i = 0; i <= given; ++i) text.push_back(alphabet[(group >> (18 - 6 * i)) & 63]);
    if (padded) text.append(3 - given, '=');
  }
  return text;
}

/// The product of two polynomials over GF(2) modulo the Castagnoli polynomial. Bit 31 is the coefficient of x^0, as in
/// every reflected CRC.
std::uint32_t multiply_crc32c(std::uint32_t a, std::uint32_t b) {
  constexpr std::uint32_t kPolynomial = 0x82F63B78;
  std::uint32_t product = 0;
  for (std::uint32_t bit = 0x80000000; bit != 0; bit >>= 1) {
    if ((a & bit) != 0) product ^= b;
    b = (b >> 1) ^ ((b & 1) != 0 ? kPolynomial : 0);
  }
  return product;
}

}  // namespace

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  if (state_->context == nullptr || EVP_DigestInit_ex(state_->context, sha256_algorithm(), nullptr) != 1) {
    fail_digest("init");
  }
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::string_view bytes) {
  if (EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) != 1) fail_digest("update");
}

std::string Sha256::finish_hex() {
  std::array<unsigned char, 32> digest{};
  if (EVP_DigestFinal_ex(state_->context, digest.data(), nullptr) != 1) fail_digest("final");
  return to_hex(as_text(digest));
}

std::array<unsigned char, 32> sha256(std::string_view bytes) {
  std::array<unsigned char, 32> digest{};
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, sha256_algorithm(), nullptr) != 1) {
    fail_digest("digest");
  }
  return digest;
}

std::string sha256_hex(std::string_view bytes) {
  return to_hex(as_text(sha256(bytes)));
}

std::array<unsigned char, 32> hmac_sha256(std::string_view key, std::string_view message) {
  // OpenSSL takes a null pointer for a missing argument, even where there are no bytes to point at.
  if (key.data() == nullptr) key = "";
  if (message.data() == nullptr) message = "";
  std::array<unsigned char, 32> mac{};
  if (key.size() > std::numeric_limits<int>::max() ||
      HMAC(sha256_algorithm(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(message.data()), message.size(), mac.data(), nullptr) == nullptr) {
    fail_digest("HMAC");
  }
  return mac;
}

std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc) {
  // ISA-L gives the bare polynomial division; the inversions before and after are ours. Its length is an int.
  constexpr std::size_t kPiece = std::size_t{1} << 30;
  std::uint32_t state = ~crc;
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kPiece);
    // The pointer is not const in ISA-L's interface, but the bytes are only read.
    auto* data = reinterpret_cast<unsigned char*>(const_cast<char*>(piece.data()));
    state = crc32_iscsi(data, static_cast<int>(piece.size()), state);
    bytes.remove_prefix(piece.size());
  }
  return ~state;
}

std::uint32_t crc32c_combine(std::uint32_t crc_a, std::uint32_t crc_b, std::uint64_t length_b) {
  // Appending B shifts A's remainder by 8 bits for each byte of B: multiply by x^(8 * length_b), by squaring.
  std::uint32_t shift = 0x80000000;   // x^0
  std::uint32_t square = 0x00800000;  // x^8
  for (std::uint64_t left = length_b; left != 0; left >>= 1) {
    if ((left & 1) != 0) shift = multiply_crc32c(shift, square);
    square = multiply_crc32c(square, square);
  }
  return multiply_crc32c(shift, crc_a) ^ crc_b;
}

std::uint32_t crc32(std::string_view bytes, std::uint32_t crc) {
  if (bytes.empty()) return crc;
  return crc32_gzip_refl(crc, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

std::uint32_t crc32_combine(std::uint32_t crc_a, std::uint32_t crc_b, std::uint64_t length_b) {
  return static_cast<std::uint32_t>(::crc32_combine(crc_a, crc_b, static_cast<z_off_t>(length_b)));
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

Result<std::string> from_hex(std::string_view text) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    const int high = digit(text[i]);
    const int low = digit(text[i + 1]);
    if (high < 0 || low < 0) break;
    bytes.push_back(static_cast<char>(high * 16 + low));
  }
  if (bytes.size() * 2 == text.size()) return bytes;
  return fail(user_error("bad_hex", "not an even number of hexadecimal digits"));
}

std::string base64_encode(std::string_view bytes) {
  return encode_base64(bytes, kBase64, true);
}

std::string base64url_encode(std::string_view bytes) {
  return encode_base64(bytes, kBase64Url, false);
}

Result<std::string> base64url_decode(std::string_view text) {
  const auto bad = [] {
    return fail(user_error("bad_base64", "the text is not unpadded URL-safe base64 (RFC 4648 section 5)"));
  };
  if (text.size() % 4 == 1) return bad();
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t group = 0;
  int bits = 0;
  for (const char c : text) {
    const std::size_t value = kBase64Url.find(c);
    if (value == std::string_view::npos) return bad();
    group = (group << 6) | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push_back(static_cast<char>((group >> bits) & 0xFF));
    group &= (1U << bits) - 1;
  }
  // Bits left over must be zero, or several texts would mean the same bytes (signatures must have one spelling).
  if (group != 0) return bad();
  return bytes;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace longshore
