#include "s3/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/digest.h"
#include "s3/address.h"
#include "s3/encryption.h"

namespace longshore::s3 {
namespace {

using testing::HasSubstr;

BucketAddress address(const std::string& endpoint, S3Addressing addressing = S3Addressing::automatic,
                      const std::string& bucket = "exports", const std::string& region = "eu-central-1") {
  return BucketAddress::make(endpoint, region, bucket, addressing).value();
}

TEST(BucketAddress, OfAwsIsAVirtualHost) {
  const auto aws = address("");
  EXPECT_EQ(aws.origin(), "https://exports.s3.eu-central-1.amazonaws.com");
  EXPECT_EQ(aws.host(), "exports.s3.eu-central-1.amazonaws.com");
  EXPECT_EQ(aws.path("a=b/c.csv"), "/a%3Db/c.csv");
  EXPECT_EQ(aws.path(""), "/");
  EXPECT_EQ(address("", S3Addressing::automatic, "exports", "cn-north-1").host(),
            "exports.s3.cn-north-1.amazonaws.com.cn");
}

TEST(BucketAddress, ABucketWithADotIsAPathBecauseOfItsCertificate) {
  const auto dotted = address("", S3Addressing::automatic, "my.exports");
  EXPECT_EQ(dotted.origin(), "https://s3.eu-central-1.amazonaws.com");
  EXPECT_EQ(dotted.path("k"), "/my.exports/k");
}

TEST(BucketAddress, OfAnEndpointIsAPathUnlessToldOtherwise) {
  const auto local = address("http://127.0.0.1:7480");
  EXPECT_EQ(local.origin(), "http://127.0.0.1:7480");
  EXPECT_EQ(local.path("k"), "/exports/k");
  EXPECT_EQ(local.path(""), "/exports");
  EXPECT_FALSE(local.secure());
  const auto named = address("https://Objects.Example.org:8443/", S3Addressing::virtual_host);
  EXPECT_EQ(named.origin(), "https://exports.objects.example.org:8443");
  EXPECT_EQ(named.path("k"), "/k");
  EXPECT_EQ(address("http://10.0.0.1.nip.io", S3Addressing::virtual_host).host(), "exports.10.0.0.1.nip.io");
}

TEST(BucketAddress, LeavesOutThePortThatTheSchemeImplies) {
  EXPECT_EQ(address("https://s3.example.org:443").host(), "s3.example.org");
  EXPECT_EQ(address("http://s3.example.org:80").host(), "s3.example.org");
  EXPECT_EQ(address("http://s3.example.org:443").host(), "s3.example.org:443");
  EXPECT_EQ(address("http://[::1]:7480").host(), "[::1]:7480");
}

TEST(BucketAddress, KeepsThePathOfAnEndpointBehindAProxy) {
  EXPECT_EQ(address("https://gate.example.org/s3/").path("k"), "/s3/exports/k");
}

TEST(BucketAddress, RefusesWhatIsNoEndpoint) {
  for (const std::string endpoint :
       {"s3.example.org", "ftp://x", "http://", "http://user:pw@host", "http://h/?q", "::"}) {
    const auto made = BucketAddress::make(endpoint, "r", "exports", S3Addressing::automatic);
    ASSERT_FALSE(made) << endpoint;
    EXPECT_EQ(made.error().code, "bad_s3_option");
    EXPECT_THAT(made.error().message, HasSubstr(endpoint));
  }
  EXPECT_THAT(BucketAddress::make("http://10.0.0.1", "r", "exports", S3Addressing::virtual_host).error().message,
              HasSubstr("cannot be virtual hosts of the address 10.0.0.1"));
}

TEST(S3Options, AllThatIsWrongIsSaidAtOnce) {
  S3Options options;
  options.bucket = "x";
  options.prefix = "../up";
  options.credentials.access_key_id = "AK";
  options.encryption.bucket_key = true;
  options.retry.max_attempts = 0;
  options.page = 1001;
  const Status checked = check_options(options);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, "bad_s3_option");
  EXPECT_EQ(checked.error().source, ErrorSource::user);
  for (const char* finding : {"\"x\" is no name of a bucket", "prefix: ", "only work together", "KMS",
                              "1 to 100 attempts", "a page of a listing"}) {
    EXPECT_THAT(checked.error().message, HasSubstr(finding));
  }
}

TEST(S3Options, ACustomerKeyNeedsTlsAndItsLength) {
  S3Options options;
  options.bucket = "exports";
  options.endpoint = "http://127.0.0.1:1";
  options.encryption.mode = S3Encryption::customer_key;
  options.encryption.customer_key = "too short";
  const std::string message = check_options(options).error().message;
  EXPECT_THAT(message, HasSubstr("has 9 bytes; it must have 32"));
  EXPECT_THAT(message, HasSubstr("only sent over TLS"));
  EXPECT_THAT(message, testing::Not(HasSubstr("too short")));
}

TEST(Encryption, SaysHowAtCreationOnly) {
  const S3EncryptionOptions kms{S3Encryption::kms, "key-1", true, ""};
  EXPECT_THAT(encryption_headers(kms, EncryptionPoint::creation),
              testing::ElementsAre(testing::Pair("x-amz-server-side-encryption", "aws:kms"),
                                   testing::Pair("x-amz-server-side-encryption-aws-kms-key-id", "key-1"),
                                   testing::Pair("x-amz-server-side-encryption-bucket-key-enabled", "true")));
  EXPECT_THAT(encryption_headers(kms, EncryptionPoint::access), testing::IsEmpty());
  EXPECT_THAT(encryption_headers({S3Encryption::s3, "", false, ""}, EncryptionPoint::creation),
              testing::ElementsAre(testing::Pair("x-amz-server-side-encryption", "AES256")));
}

TEST(Encryption, ShowsACustomerKeyEverywhere) {
  const S3EncryptionOptions own{S3Encryption::customer_key, "", false, std::string(32, '\0')};
  for (const auto point : {EncryptionPoint::creation, EncryptionPoint::access}) {
    EXPECT_THAT(
        encryption_headers(own, point),
        testing::ElementsAre(
            testing::Pair("x-amz-server-side-encryption-customer-algorithm", "AES256"),
            testing::Pair("x-amz-server-side-encryption-customer-key", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
            testing::Pair("x-amz-server-side-encryption-customer-key-md5", "cLyPS3KoaSFGi/joRB3OUQ==")));
  }
  EXPECT_EQ(encryption_headers(own, EncryptionPoint::copy).size(), 6U);
}

}  // namespace
}  // namespace longshore::s3
