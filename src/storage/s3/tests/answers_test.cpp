#include "s3/answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace longshore::s3 {
namespace {

using testing::HasSubstr;

TEST(Answers, ErrorsAreReadWithWhatTheySayOfOtherRegions) {
  const auto error = parse_error(
      R"(<?xml version="1.0" encoding="UTF-8"?><Error><Code>PermanentRedirect</Code><Message>a &amp; b</Message>)"
      R"(<Endpoint>b.s3-eu.example.org</Endpoint><Region>eu-west-1</Region><RequestId>1</RequestId></Error>)");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, "PermanentRedirect");
  EXPECT_EQ(error->message, "a & b");
  EXPECT_EQ(error->region, "eu-west-1");
  EXPECT_EQ(error->endpoint, "b.s3-eu.example.org");
  EXPECT_FALSE(parse_error(""));
  EXPECT_FALSE(parse_error("<html><body>502</body></html>"));
  EXPECT_FALSE(parse_error("<Error><Code>cut"));
  EXPECT_FALSE(parse_error("<ListBucketResult/>"));
}

TEST(Answers, ObjectPagesAreDecoded) {
  const auto page = parse_object_page(
      R"(<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><EncodingType>url</EncodingType>)"
      R"(<IsTruncated>true</IsTruncated><NextContinuationToken>a+b/==</NextContinuationToken>)"
      R"(<Contents><Key>x/a%3Db%20%00</Key><LastModified>2026-06-06T14:20:00.123Z</LastModified>)"
      R"(<ETag>&quot;abc-2&quot;</ETag><Size>12345678901</Size><StorageClass>STANDARD</StorageClass></Contents>)"
      R"(</ListBucketResult>)");
  ASSERT_TRUE(page) << page.error().message;
  ASSERT_EQ(page->objects.size(), 1U);
  EXPECT_EQ(page->objects[0].key, std::string("x/a=b \0", 7));
  EXPECT_EQ(page->objects[0].etag, "abc-2");
  EXPECT_EQ(page->objects[0].size, 12'345'678'901);
  EXPECT_EQ(to_rfc3339(page->objects[0].modified), "2026-06-06T14:20:00.123000Z");
  EXPECT_TRUE(page->truncated);
  EXPECT_EQ(page->next, "a+b/==");
}

TEST(Answers, KeysAreTakenAsTheyStandIfTheStoreDoesNotEncodeThem) {
  const auto page = parse_object_page(
      "<ListBucketResult><Contents><Key>a%3D</Key><LastModified>2026-06-06T14:20:00Z</LastModified><Size>0</Size>"
      "</Contents></ListBucketResult>");
  EXPECT_EQ(page.value().objects.at(0).key, "a%3D");
}

TEST(Answers, UploadsAndPartsArePaged) {
  const auto uploads = parse_upload_page(
      "<s3:ListMultipartUploadsResult xmlns:s3=\"x\"><s3:NextKeyMarker>k</s3:NextKeyMarker>"
      "<s3:NextUploadIdMarker>u</s3:NextUploadIdMarker><s3:IsTruncated>true</s3:IsTruncated><s3:Upload><s3:Key>k</"
      "s3:Key>"
      "<s3:UploadId>u</s3:UploadId><s3:Initiated>2026-06-06T14:20:00Z</s3:Initiated></s3:Upload>"
      "</s3:ListMultipartUploadsResult>");
  ASSERT_TRUE(uploads) << uploads.error().message;
  EXPECT_EQ(uploads->uploads.at(0).upload.id, "u");
  EXPECT_EQ(uploads->next_key, "k");
  EXPECT_EQ(uploads->next_id, "u");
  const auto parts = parse_part_page(
      "<ListPartsResult><IsTruncated>true</IsTruncated><Part><PartNumber>7</PartNumber><Size>5</Size>"
      "<ETag>\"e\"</ETag></Part></ListPartsResult>");
  EXPECT_EQ(parts.value().parts.at(0).number, 7);
  EXPECT_EQ(parts.value().next, 7);
}

TEST(Answers, WhatIsNotS3IsRefusedWithWhatItIs) {
  const auto html = parse_object_page("<html></html>");
  ASSERT_FALSE(html);
  EXPECT_EQ(html.error().code, "store_unavailable");
  EXPECT_TRUE(html.error().retriable);
  EXPECT_THAT(html.error().message, HasSubstr("<html> instead of <ListBucketResult>"));
  EXPECT_THAT(parse_complete("<CompleteMultipartUploadResult><ETag>").error().message, HasSubstr("at byte"));
  EXPECT_FALSE(parse_complete(""));
  EXPECT_FALSE(parse_upload_id("<InitiateMultipartUploadResult/>"));
  EXPECT_FALSE(parse_object_page("<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"));
  EXPECT_FALSE(
      parse_object_page("<ListBucketResult><Contents><Key>a</Key><Size>-</Size></Contents></ListBucketResult>"));
  EXPECT_FALSE(parse_part_page("<ListPartsResult><Part><PartNumber>99999999999</PartNumber></Part></ListPartsResult>"));
}

TEST(Answers, EntitiesOfADocumentTypeAreNotExpanded) {
  // Neither files nor exponential growth come in by a DTD.
  const auto error = parse_error(
      "<!DOCTYPE x [<!ENTITY f SYSTEM \"file:///etc/passwd\"><!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]>"
      "<Error><Code>&f;&b;</Code></Error>");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, "&f;&b;");
}

TEST(Answers, DeepDocumentsDoNotOverflowTheStack) {
  std::string deep;
  for (int i = 0; i < 1'000'000; ++i) deep += "<a>";
  EXPECT_FALSE(parse_object_page(deep));
  for (int i = 0; i < 1'000'000; ++i) deep += "</a>";
  EXPECT_FALSE(parse_object_page(deep));
}

TEST(Answers, ThePartsOfACompletionCannotBecomeMarkup) {
  const std::vector<PartReceipt> parts{{1, "abc", 1}, {20, "</ETag>&<x>", 1}};
  EXPECT_EQ(complete_document(parts), R"(<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">)"
                                      R"(<Part><PartNumber>1</PartNumber><ETag>"abc"</ETag></Part>)"
                                      R"(<Part><PartNumber>20</PartNumber><ETag>"&lt;/ETag>&amp;&lt;x>"</ETag></Part>)"
                                      R"(</CompleteMultipartUpload>)");
}

}  // namespace
}  // namespace longshore::s3
