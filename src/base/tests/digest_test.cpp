#include "base/digest.h"

namespace longshore {
namespace {

std::string bytes_of(const std::array<unsigned char, 32>& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

/// Bytes that look random but are the same everywhere.
std::string sample_bytes(std::size_t n) {
  std::string bytes;
  std::uint64_t state = 88172645463325252ULL;
  while (bytes.size() < n) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    bytes.push_back(static_cast<char>(state >> 32));
  }
  return bytes;
}

/// CRC by its definition, one bit at a time.
std::uint32_t slow_crc(std::uint32_t polynomial, std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? polynomial : 0);
  }
  return ~crc;
}

// NIST's examples for FIPS 180-4.
TEST(Sha256, PublishedVectors) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256_hex(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PiecesMakeTheSameDigestAsTheWhole) {
  const std::string bytes = sample_bytes(10'000);
  for (const std::size_t piece : {1U, 63U, 64U, 65U, 9'999U}) {
    Sha256 digest;
    for (std::size_t at = 0; at < bytes.size(); at += piece) digest.update(std::string_view(bytes).substr(at, piece));
    digest.update("");
    Sha256 moved = std::move(digest);
    EXPECT_EQ(moved.finish_hex(), sha256_hex(bytes)) << piece;
  }
}

// RFC 4231, test cases 1, 2, 3, 4, 6 and 7 (5 is truncated).
TEST(HmacSha256, Rfc4231Vectors) {
  const auto mac = [](std::string_view key, std::string_view message) {
    return to_hex(bytes_of(hmac_sha256(key, message)));
  };
  EXPECT_EQ(mac(std::string(20, '\x0b'), "Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(mac("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(mac(std::string(20, '\xaa'), std::string(50, '\xdd')),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  std::string counting;
  for (char c = 1; c <= 25; ++c) counting.push_back(c);
  EXPECT_EQ(mac(counting, std::string(50, '\xcd')), "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
  EXPECT_EQ(mac(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  EXPECT_EQ(mac(std::string(131, '\xaa'),
                "This is a test using a larger than block-size key and a larger than block-size data. The key needs to "
                "be hashed before being used by the HMAC algorithm."),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

TEST(HmacSha256, AnEmptyKeyAndMessageAreAllowed) {
  EXPECT_EQ(to_hex(bytes_of(hmac_sha256({}, {}))), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

// RFC 3720, appendix B.4, and the check value of the CRC catalogues.
TEST(Crc32c, PublishedVectors) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62A8AB43U);
  std::string rising;
  for (int i = 0; i < 32; ++i) rising.push_back(static_cast<char>(i));
  EXPECT_EQ(crc32c(rising), 0x46DD794EU);
  EXPECT_EQ(crc32c(std::string(rising.rbegin(), rising.rend())), 0x113FDB5CU);
  EXPECT_EQ(crc32c(""), 0U);
}

TEST(Crc32, PublishedVectors) {
  EXPECT_EQ(crc32("123456789"), 0xCBF43926U);
  EXPECT_EQ(crc32("The quick brown fox jumps over the lazy dog"), 0x414FA339U);
  EXPECT_EQ(crc32(""), 0U);
}

TEST(Crc, EveryLengthAndAlignmentAgreesWithTheDefinition) {
  const std::string bytes = sample_bytes(600);
  for (std::size_t offset = 0; offset < 9; ++offset) {
    for (std::size_t length = 0; length < 300; length += 1 + length / 17) {
      const std::string_view piece = std::string_view(bytes).substr(offset, length);
      ASSERT_EQ(crc32c(piece), slow_crc(0x82F63B78, piece)) << offset << "+" << length;
      ASSERT_EQ(crc32(piece), slow_crc(0xEDB88320, piece)) << offset << "+" << length;
    }
  }
}

TEST(Crc, ContinuesAndCombinesToThatOfTheWhole) {
  const std::string bytes = sample_bytes(70'000);
  const std::string_view whole = bytes;
  for (const std::size_t cut : {0U, 1U, 7U, 8U, 4'096U, 65'535U, 70'000U}) {
    const std::string_view a = whole.substr(0, cut);
    const std::string_view b = whole.substr(cut);
    EXPECT_EQ(crc32c(b, crc32c(a)), crc32c(whole)) << cut;
    EXPECT_EQ(crc32(b, crc32(a)), crc32(whole)) << cut;
    EXPECT_EQ(crc32c_combine(crc32c(a), crc32c(b), b.size()), crc32c(whole)) << cut;
    EXPECT_EQ(crc32_combine(crc32(a), crc32(b), b.size()), crc32(whole)) << cut;
  }
}

TEST(Crc, CombiningIsAssociativeForLengthsNoMemoryHolds) {
  // 5 TiB, S3's largest object: grouping the pieces differently must not change the result.
  const std::uint64_t long_piece = std::uint64_t{5} << 40;
  const std::uint32_t a = 0x12345678;
  const std::uint32_t b = 0x9ABCDEF0;
  const std::uint32_t c = 0x0BADF00D;
  EXPECT_EQ(crc32c_combine(crc32c_combine(a, b, long_piece), c, 77),
            crc32c_combine(a, crc32c_combine(b, c, 77), long_piece + 77));
  EXPECT_EQ(crc32_combine(crc32_combine(a, b, long_piece), c, 77),
            crc32_combine(a, crc32_combine(b, c, 77), long_piece + 77));
}

// RFC 4648, section 10.
TEST(Base64, PublishedVectors) {
  const std::vector<std::pair<std::string, std::string>> vectors{
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
  };
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(base64_encode(bytes), text);
    EXPECT_EQ(base64url_encode(bytes), text.substr(0, text.find('=')));
    EXPECT_EQ(base64url_decode(base64url_encode(bytes)), bytes);
  }
  EXPECT_EQ(base64_encode("\xfb\xff\xfe"), "+//+");
  EXPECT_EQ(base64url_encode("\xfb\xff\xfe"), "-__-");
}

TEST(Base64, AnyBytesComeBack) {
  for (std::size_t n = 0; n < 70; ++n) {
    const std::string bytes = sample_bytes(n);
    EXPECT_EQ(base64url_decode(base64url_encode(bytes)), bytes) << n;
  }
}

TEST(Base64, OneTextForEveryRunOfBytesAndNothingElse) {
  for (const char* text : {"A", "AAAAA", "Zg==", "Zm9v YmFy", "a+b/", "Zh", "Zm9", "\xc3\xbc"}) {
    const auto bytes = base64url_decode(text);
    ASSERT_FALSE(bytes) << text;
    EXPECT_EQ(bytes.error().code, "bad_base64");
  }
}

TEST(Hex, IsLowerCase) {
  EXPECT_EQ(to_hex(std::string_view("\x00\x0f\xa9\xff", 4)), "000fa9ff");
}

TEST(EqualInConstantTime, ComparesAllBytes) {
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_TRUE(equal_in_constant_time("secret", "secret"));
  EXPECT_FALSE(equal_in_constant_time("secret", "secreT"));
  EXPECT_FALSE(equal_in_constant_time("secret", "secre"));
  EXPECT_FALSE(equal_in_constant_time("", "x"));
}

}  // namespace
}  // namespace longshore
