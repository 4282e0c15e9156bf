#include "s3/completion.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "s3/tests/scripted_client.h"
#include "storage/multipart_rules.h"

namespace longshore::s3 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

const UploadRef kUpload{"a/x.csv", "U"};
const std::vector<PartReceipt> kParts{{1, "0cc175b9c0f1b6a831c399e269772661", kMinPartBytes},
                                      {7, "92eb5ffee6ae2fec3ad71c777531578f", 10}};
const std::int64_t kSize = kMinPartBytes + 10;
// md5 of the two sums above: printf '0cc1…92eb…' | xxd -r -p | md5sum
const std::string kMadeEtag = "96e024ba2074fe77e8e965ba43a704be-2";

const std::string kNoParts = "<ListPartsResult><IsTruncated>false</IsTruncated></ListPartsResult>";

class CompletionTest : public testing::Test {
 protected:
  ScriptedTransport& transport() { return scripted_.transport(); }
  Result<ObjectInfo> complete() { return scripted_.store().complete_upload(kUpload, kParts); }
  void then_object(std::int64_t size, const std::string& etag, Headers more = {}) {
    more.insert(more.end(), {{"content-length", fmt::to_string(size)},
                             {"etag", "\"" + etag + "\""},
                             {"last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"}});
    transport().then(200, "", more);
  }
  static std::string made(const std::string& etag) {
    return "<?xml version=\"1.0\"?>  \n<CompleteMultipartUploadResult><ETag>\"" + etag +
           "\"</ETag></CompleteMultipartUploadResult>";
  }
  static std::string error(const std::string& code) { return ScriptedStore::error(code); }

  ScriptedStore scripted_;
};

TEST_F(CompletionTest, NamesThePartsAndLooksAtTheObject) {
  transport().then(200, made(kMadeEtag));
  then_object(kSize, kMadeEtag);
  const auto object = complete();
  ASSERT_TRUE(object) << object.error().message;
  EXPECT_EQ(object->size, kSize);
  EXPECT_EQ(object->etag, kMadeEtag);
  EXPECT_THAT(transport().lines(), ElementsAre("POST /exports/a/x.csv?uploadId=U", "HEAD /exports/a/x.csv"));
  EXPECT_THAT(transport().seen()[0].body,
              HasSubstr("<PartNumber>7</PartNumber><ETag>\"92eb5ffee6ae2fec3ad71c777531578f\""));
  EXPECT_GE(transport().seen()[0].timeouts.stall, std::chrono::minutes{5}) << "the store may be silent for long";
}

TEST_F(CompletionTest, TheEtagOfManyPartsIsComputed) {
  EXPECT_EQ(multipart_etag(kParts), kMadeEtag);
  EXPECT_EQ(multipart_etag(std::vector<PartReceipt>{{1, "not-md5", 1}}), std::nullopt);
}

TEST_F(CompletionTest, AnEtagOfAnotherKindIsTheStoresAffair) {
  transport().then(200, made("opaque"));
  then_object(kSize, "opaque");
  EXPECT_TRUE(complete());
}

TEST_F(CompletionTest, AnErrorInsideASuccessIsAnError) {
  transport().then(200, error("InternalError")).then(200, kNoParts);
  transport().then(200, "  \n" + error("SlowDown")).then(200, kNoParts);
  transport().then(200, made(kMadeEtag));
  then_object(kSize, kMadeEtag);
  ASSERT_TRUE(complete());
  EXPECT_THAT(transport().seen(), SizeIs(6));
}

TEST_F(CompletionTest, AnUploadThatIsGoneMayHaveBecomeTheObject) {
  transport().then(404, error("NoSuchUpload"));
  then_object(kSize, kMadeEtag);
  EXPECT_EQ(complete().value().etag, kMadeEtag);
}

TEST_F(CompletionTest, AnErrorOfTheServerIsNotRepeatedIfTheUploadIsGone) {
  transport().then(500, error("InternalError")).then(404, error("NoSuchUpload"));
  then_object(kSize, kMadeEtag);
  EXPECT_EQ(complete().value().etag, kMadeEtag);
  EXPECT_THAT(transport().lines(), ElementsAre("POST /exports/a/x.csv?uploadId=U",
                                               "GET /exports/a/x.csv?max-parts=1&uploadId=U", "HEAD /exports/a/x.csv"));
  transport().then(500, error("UnknownError")).then(404, error("NoSuchUpload")).then(404);
  EXPECT_EQ(complete().error().code, "upload_not_found");
}

TEST_F(CompletionTest, AnotherObjectIsNotTakenForIt) {
  for (const auto& [size, etag] : std::vector<std::pair<std::int64_t, std::string>>{
           {kSize - 1, kMadeEtag},                          // another size
           {kSize, "00000000000000000000000000000000-2"},   // other parts
           {kSize, "96e024ba2074fe77e8e965ba43a704be-3"},   // another number of parts
           {kSize, "96e024ba2074fe77e8e965ba43a704be"}}) {  // one PUT
    SCOPED_TRACE(etag);
    transport().then(404, error("NoSuchUpload"));
    then_object(size, etag);
    const auto object = complete();
    ASSERT_FALSE(object);
    EXPECT_EQ(object.error().code, "upload_not_found");
    EXPECT_FALSE(object.error().retriable);
  }
  transport().then(404, error("NoSuchUpload")).then(404);
  EXPECT_EQ(complete().error().code, "upload_not_found");
}

TEST_F(CompletionTest, UnderKeyManagementEtagsOnlyTellTheNumberOfParts) {
  const Headers kms{{"x-amz-server-side-encryption", "aws:kms"}};
  transport().then(404, error("NoSuchUpload"));
  then_object(kSize, "11111111111111111111111111111111-2", kms);
  EXPECT_TRUE(complete());
  transport().then(404, error("NoSuchUpload"));
  then_object(kSize, "11111111111111111111111111111111-3", kms);
  EXPECT_EQ(complete().error().code, "upload_not_found");
}

TEST_F(CompletionTest, ASecondYesIsNotBelievedIfTheObjectIsAnother) {
  transport().then(200, made(kMadeEtag));
  then_object(14, "ffffffffffffffffffffffffffffffff");
  then_object(14, "ffffffffffffffffffffffffffffffff");
  EXPECT_EQ(complete().error().code, "upload_not_found");
  transport().then(200, made(kMadeEtag)).then(404).then(404);
  EXPECT_EQ(complete().error().code, "upload_not_found");
}

TEST_F(CompletionTest, AnswersThatAreLostAreLookedForInTheStore) {
  bool object_is_there = true;
  transport().otherwise([&](const HttpRequest& request) -> Result<HttpResponse> {
    if (request.method != "HEAD") return fail(external_error("http_timeout", "nothing came"));
    if (!object_is_there) return HttpResponse{404, {}, ""};
    return HttpResponse{200,
                        {{"content-length", fmt::to_string(kSize)},
                         {"etag", kMadeEtag},
                         {"last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"}},
                        ""};
  });
  EXPECT_TRUE(complete());
  object_is_there = false;
  const auto object = complete();
  ASSERT_FALSE(object);
  EXPECT_EQ(object.error().code, "store_unavailable");
  EXPECT_TRUE(object.error().retriable);
}

TEST_F(CompletionTest, AnswersThatAreCutOffAreLookedForInTheStore) {
  transport().then(200, "<CompleteMultipartUploadResult><ETag>&quot;9");
  then_object(kSize, kMadeEtag);
  EXPECT_TRUE(complete());
  transport().then(200, "").then(404);
  EXPECT_EQ(complete().error().code, "store_unavailable");
}

TEST_F(CompletionTest, PartsThatAreRefusedAreNamed) {
  const std::string listed =
      "<ListPartsResult><IsTruncated>false</IsTruncated><Part><PartNumber>1</PartNumber>"
      "<Size>5242880</Size><ETag>0cc175b9c0f1b6a831c399e269772661</ETag></Part>";
  transport().then(400, error("InvalidPart")).then(200, listed + "</ListPartsResult>");
  EXPECT_THAT(complete().error().message, HasSubstr("part 7 of upload U"));
  transport().then(400, error("InvalidPart"));
  transport().then(200, listed +
                            "<Part><PartNumber>7</PartNumber><Size>11</Size><ETag>\"other\"</ETag></Part>"
                            "</ListPartsResult>");
  const auto object = complete();
  EXPECT_EQ(object.error().code, "part_mismatch");
  EXPECT_THAT(object.error().message, HasSubstr("the store's has 11 bytes and ETag other"));
}

TEST_F(CompletionTest, OtherRefusalsHaveTheirCodes) {
  transport().then(400, error("EntityTooSmall"));
  EXPECT_EQ(complete().error().code, "part_too_small");
  transport().then(400, error("InvalidPartOrder"));
  EXPECT_EQ(complete().error().code, "bad_part_number");
  transport().then(403, error("AccessDenied"));
  EXPECT_EQ(complete().error().code, "store_denied");
}

}  // namespace
}  // namespace longshore::s3
