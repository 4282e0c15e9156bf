#include "s3/signature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstdio>
#include <memory>

#include "base/digest.h"
#include "s3/md5.h"
#include "s3/uri_encoding.h"

namespace longshore::s3 {
namespace {

namespace json = boost::json;
using std::chrono::seconds;

// Keys, requests and signatures published in the Amazon S3 API Reference, "Signature Calculations for the Authorization
// Header: Transferring Payload in a Single Chunk" and "Authenticating Requests: Using Query Parameters".
const Credentials kPublished{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "", std::nullopt};
const SigningScope kScope{"us-east-1"};
const Timestamp kFridayMidnight{std::chrono::sys_days{std::chrono::year{2013} / 5 / 24}};
const std::string kHost = "examplebucket.s3.amazonaws.com";

std::string signature_of(const Headers& headers) {
  const std::string& authorization = headers.back().second;
  return authorization.substr(authorization.find("Signature=") + 10);
}

TEST(Signature, OfTheGetObjectExample) {
  const SignedRequest request{
      "GET", "/test.txt", "", {{"Host", kHost}, {"Range", "bytes=0-9"}}, std::string(kEmptyPayload)};
  const Headers added = authorization_headers(request, kPublished, kScope, kFridayMidnight);
  EXPECT_EQ(added.back().first, "Authorization");
  EXPECT_EQ(added.back().second,
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(Signature, StepsOfTheGetObjectExample) {
  const SignedRequest request{"GET",
                              "/test.txt",
                              "",
                              {{"host", kHost},
                               {"x-amz-date", "20130524T000000Z"},
                               {"range", "bytes=0-9"},
                               {"x-amz-content-sha256", std::string(kEmptyPayload)}},
                              std::string(kEmptyPayload)};
  const std::string canonical = canonical_request(request);
  EXPECT_EQ(canonical,
            "GET\n/test.txt\n\nhost:examplebucket.s3.amazonaws.com\nrange:bytes=0-9\n"
            "x-amz-content-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
            "x-amz-date:20130524T000000Z\n\nhost;range;x-amz-content-sha256;x-amz-date\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(string_to_sign(canonical, kScope, kFridayMidnight),
            "AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n"
            "7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972");
}

TEST(Signature, OfThePutObjectExample) {
  const SignedRequest request{
      "PUT",
      "/" + uri_encode("test$file.text", Slash::keep),
      "",
      {{"Host", kHost}, {"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
      sha256_hex("Welcome to Amazon S3.")};
  EXPECT_EQ(signature_of(authorization_headers(request, kPublished, kScope, kFridayMidnight)),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST(Signature, OfTheBucketLifecycleExample) {
  const SignedRequest request{
      "GET", "/", canonical_query({{"lifecycle", ""}}), {{"Host", kHost}}, std::string(kEmptyPayload)};
  EXPECT_EQ(signature_of(authorization_headers(request, kPublished, kScope, kFridayMidnight)),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

TEST(Signature, OfTheListObjectsExample) {
  const SignedRequest request{
      "GET", "/", canonical_query({{"prefix", "J"}, {"max-keys", "2"}}), {{"Host", kHost}}, std::string(kEmptyPayload)};
  EXPECT_EQ(signature_of(authorization_headers(request, kPublished, kScope, kFridayMidnight)),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(Signature, OfThePresignedUrlExample) {
  EXPECT_EQ(presigned_query("GET", "/test.txt", {}, kHost, kPublished, kScope, kFridayMidnight, seconds{86400}),
            "X-Amz-Algorithm=AWS4-HMAC-SHA256"
            "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
            "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
            "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

TEST(Signature, HeadersOfOneNameAreJoinedAndBlanksAreFolded) {
  const SignedRequest request{
      "GET", "/", "", {{"X-B", " two   blanks\t"}, {"x-a", "first"}, {"X-A", "second"}}, "UNSIGNED-PAYLOAD"};
  EXPECT_EQ(canonical_request(request), "GET\n/\n\nx-a:first,second\nx-b:two blanks\n\nx-a;x-b\nUNSIGNED-PAYLOAD");
}

TEST(UriEncoding, KeepsUnreservedCharactersOnly) {
  EXPECT_EQ(uri_encode("AZaz09-._~", Slash::encode), "AZaz09-._~");
  EXPECT_EQ(uri_encode("a/b c+d=e*\xC3\xA4", Slash::keep), "a/b%20c%2Bd%3De%2A%C3%A4");
  EXPECT_EQ(uri_encode("a/b", Slash::encode), "a%2Fb");
  EXPECT_EQ(uri_encode(std::string("\0\xFF", 2), Slash::keep), "%00%FF");
}

TEST(UriEncoding, DecodesWhatIsEncodedAndLeavesTheRest) {
  EXPECT_EQ(uri_decode("a%2Fb%20c%c3%A4"), "a/b c\xC3\xA4");
  EXPECT_EQ(uri_decode("100%"), "100%");
  EXPECT_EQ(uri_decode("%zz%4"), "%zz%4");
  EXPECT_EQ(uri_decode("a+b"), "a+b");
}

TEST(UriEncoding, SortsQueriesByEncodedNameThenValue) {
  EXPECT_EQ(canonical_query({{"b", "2"}, {"a", "z"}, {"a", "b"}, {"\xC3\xA4", ""}, {"A", "1"}}),
            "%C3%A4=&A=1&a=b&a=z&b=2");
  EXPECT_EQ(canonical_query({}), "");
}

TEST(Md5, IsThatOfRfc1321) {
  EXPECT_EQ(to_hex(md5("").value()), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(to_hex(md5("message digest").value()), "f96b697d7cb7938d525a2f31aaf161d0");
}

std::string from_hex(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    out.push_back(static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  }
  return out;
}

/// A case of botocore_signatures.py.
class Case {
 public:
  explicit Case(const std::string& line) : parsed_(json::parse(line)), fields_(parsed_.as_object()) {}
  std::string text(const char* name) const { return std::string(fields_.at(name).as_string()); }
  std::string unhexed(const char* name) const { return from_hex(text(name)); }
  std::int64_t number(const char* name) const { return fields_.at(name).as_int64(); }
  bool has(const char* name) const { return fields_.contains(name); }
  std::vector<std::pair<std::string, std::string>> pairs(const char* name, bool hexed) const {
    std::vector<std::pair<std::string, std::string>> out;
    for (const json::value& entry : fields_.at(name).as_array()) {
      const std::string first(entry.at(0).as_string());
      const std::string second(entry.at(1).as_string());
      out.emplace_back(hexed ? from_hex(first) : first, hexed ? from_hex(second) : second);
    }
    return out;
  }

 private:
  json::value parsed_;
  const json::object& fields_;
};

std::vector<std::string> botocore_cases() {
  std::vector<std::string> lines;
  const std::unique_ptr<FILE, int (*)(FILE*)> output(::popen("/usr/bin/python3 " LONGSHORE_BOTOCORE_SIGNATURES, "r"),
                                                     ::pclose);
  std::string line;
  for (int c = 0; output && (c = std::fgetc(output.get())) != EOF;) {
    if (c != '\n') {
      line.push_back(static_cast<char>(c));
      continue;
    }
    lines.push_back(std::move(line));
    line.clear();
  }
  return lines;
}

/// The parameters of a URL's query, in any order.
std::vector<std::string> sorted_parameters(std::string_view query) {
  std::vector<std::string> out;
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    out.emplace_back(query.substr(0, end));
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  std::sort(out.begin(), out.end());
  return out;
}

TEST(Signature, IsThatOfBotocoreForAwkwardKeysAndQueries) {
  const std::vector<std::string> lines = botocore_cases();
  ASSERT_EQ(lines.size(), 400U) << "botocore made no signatures; install python3-boto3 (scripts/install.sh test)";
  for (const std::string& line : lines) {
    SCOPED_TRACE(line);
    const Case given(line);
    const Credentials credentials{given.text("id"), given.text("secret"), given.text("token"), std::nullopt};
    const Timestamp now{seconds{given.number("time")}};
    const SigningScope scope{given.text("region")};
    const std::string path = uri_encode("/" + given.unhexed("key"), Slash::keep);
    ASSERT_EQ(path, given.text("path"));
    if (given.has("url")) {
      const std::string query = presigned_query("GET", path, given.pairs("query", true), given.text("host"),
                                                credentials, scope, now, seconds{given.number("lifetime")});
      const std::string url = given.text("url");
      ASSERT_EQ(sorted_parameters(query), sorted_parameters(std::string_view(url).substr(url.find('?') + 1)));
      continue;
    }
    Headers headers = given.pairs("headers", false);
    headers.emplace_back("Host", given.text("host"));
    const Headers added =
        authorization_headers({given.text("method"), path, canonical_query(given.pairs("query", true)), headers,
                               sha256_hex(given.unhexed("body"))},
                              credentials, scope, now);
    std::string expected = given.text("authorization");
    for (std::size_t at = 0; (at = expected.find(", ", at)) != std::string::npos;) expected.erase(at + 1, 1);
    ASSERT_EQ(added.back().second, expected);
  }
}

}  // namespace
}  // namespace longshore::s3
