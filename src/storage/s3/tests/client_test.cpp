#include "s3/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/digest.h"
#include "s3/s3_link_signer.h"
#include "s3/tests/scripted_client.h"
#include "storage/range.h"

namespace longshore::s3 {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

const Headers kEtag{{"etag", "\"0123456789abcdef0123456789abcdef\""}};

class ClientTest : public testing::Test {
 protected:
  S3Store& store() { return scripted_.store(); }
  ScriptedTransport& transport() { return scripted_.transport(); }
  ManualClock& clock() { return scripted_.clock(); }
  static std::string error(const std::string& code, const std::string& message = "") {
    return ScriptedStore::error(code, message);
  }

  ScriptedStore scripted_;
};

TEST_F(ClientTest, SignsWhatItSends) {
  transport().then(200, "", kEtag);
  const auto put = store().put("a/b.csv", "hello", {"text/csv"});
  ASSERT_TRUE(put) << put.error().message;
  EXPECT_EQ(put->etag, "0123456789abcdef0123456789abcdef");
  const auto request = transport().seen().at(0);
  EXPECT_EQ(request.url, "https://s3.test/exports/a/b.csv");
  EXPECT_EQ(request.body, "hello");
  EXPECT_EQ(request.header("Host"), "s3.test");
  EXPECT_EQ(request.header("Content-Type"), "text/csv");
  EXPECT_EQ(request.header("Content-MD5"), "XUFAKrxLKna5cZ2REBfFkg==");
  EXPECT_EQ(request.header("x-amz-content-sha256"), sha256_hex("hello"));
  EXPECT_THAT(request.header("Authorization"),
              HasSubstr("SignedHeaders=content-md5;content-type;host;x-amz-content-sha256;x-amz-date,"));
}

TEST_F(ClientTest, PutsThePrefixBeforeEveryKeyAndTakesItAway) {
  S3Options options = ScriptedStore::usual_options();
  options.prefix = "team/x";
  ScriptedStore prefixed(options);
  const std::string page =
      "<ListBucketResult><IsTruncated>false</IsTruncated>"
      "<Contents><Key>team/x/a/1</Key><LastModified>2026-06-06T14:20:00Z</LastModified><Size>1</Size></Contents>"
      "<Contents><Key>team/x/a/not ours</Key><LastModified>2026-06-06T14:20:00Z</LastModified><Size>1</Size></Contents>"
      "</ListBucketResult>";
  prefixed.transport().then(204).then(200, page);
  EXPECT_TRUE(prefixed.store().remove("a/1"));
  const auto listed = prefixed.store().list("a/", "a/0", 10);
  ASSERT_THAT(listed.value(), SizeIs(1));
  EXPECT_EQ(listed->at(0).key, "a/1");
  EXPECT_THAT(prefixed.transport().lines(),
              ElementsAre("DELETE /exports/team/x/a/1",
                          "GET /exports?encoding-type=url&list-type=2&max-keys=10&prefix=team%2Fx%2Fa%2F"
                          "&start-after=team%2Fx%2Fa%2F0"));
}

TEST_F(ClientTest, AHashThatIsKnownIsNotComputedAgain) {
  transport().then(200, "", kEtag);
  const std::string known(64, 'a');
  ASSERT_TRUE(store().upload_hashed_part({"k", "u"}, 3, "bytes", known));
  EXPECT_EQ(transport().seen()[0].header("x-amz-content-sha256"), known);
  EXPECT_EQ(transport().lines()[0], "PUT /exports/k?partNumber=3&uploadId=u");
}

TEST_F(ClientTest, ContentMd5CanBeLeftOut) {
  S3Options options = ScriptedStore::usual_options();
  options.content_md5 = false;
  ScriptedStore plain(options);
  plain.transport().then(200, "", kEtag);
  ASSERT_TRUE(plain.store().put("k", "x", {}));
  EXPECT_EQ(plain.transport().seen()[0].header("Content-MD5"), "");
}

TEST_F(ClientTest, TriesAgainWhatPasses) {
  transport()
      .then(500, error("InternalError"))
      .then(503, error("SlowDown"))
      .then(400, error("RequestTimeout"))
      .then(429)
      .then_error("http_timeout")
      .then_error("http_broken")
      .then(502, "<html>Bad Gateway</html>")
      .then(200, "", kEtag);
  const auto put = store().put("k", "x", {});
  ASSERT_TRUE(put) << put.error().message;
  EXPECT_THAT(transport().seen(), SizeIs(8));
}

TEST_F(ClientTest, EachAttemptIsSignedWithItsOwnTime) {
  transport().then(503, "", {{"retry-after", "2"}}).then(200, "", kEtag);
  ASSERT_TRUE(store().put("k", "x", {}));
  const auto seen = transport().seen();
  EXPECT_NE(seen[0].header("x-amz-date"), seen[1].header("x-amz-date"));
  EXPECT_NE(seen[0].header("Authorization"), seen[1].header("Authorization"));
}

TEST_F(ClientTest, GivesUpAfterItsAttempts) {
  transport().otherwise([&](const HttpRequest&) -> Result<HttpResponse> {
    return HttpResponse{503, {}, error("SlowDown", "Reduce")};
  });
  const auto put = store().put("k", "x", {});
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, "store_unavailable");
  EXPECT_TRUE(put.error().retriable);
  EXPECT_THAT(put.error().message,
              HasSubstr("PutObject k: the store is busy or in trouble [HTTP 503 SlowDown: Reduce]"));
  EXPECT_THAT(transport().seen(), SizeIs(8));
}

TEST_F(ClientTest, GivesUpAtItsDeadline) {
  S3Options options = ScriptedStore::usual_options();
  options.retry.max_attempts = 100;
  ScriptedStore bounded(options);
  bounded.transport().otherwise([&](const HttpRequest&) -> Result<HttpResponse> {
    bounded.clock().advance(seconds{25});
    return fail(external_error("http_timeout", "nothing came"));
  });
  const auto begun = bounded.clock().now();
  ASSERT_FALSE(bounded.store().put("k", "x", {}));
  EXPECT_THAT(bounded.transport().seen(), SizeIs(3));
  EXPECT_LT(bounded.clock().now() - begun, seconds{90});
}

TEST_F(ClientTest, WaitsAsLongAsTheStoreAsks) {
  transport().then(503, error("SlowDown"), {{"retry-after", "7"}}).then(200, "", kEtag);
  const auto begun = clock().now();
  ASSERT_TRUE(store().put("k", "x", {}));
  EXPECT_GE(clock().now() - begun, seconds{7});
}

TEST_F(ClientTest, DoesNotWaitForAStoreThatAsksForMinutes) {
  transport().then(503, error("SlowDown"), {{"retry-after", "120"}});
  const auto begun = clock().now();
  EXPECT_FALSE(store().put("k", "x", {}));
  EXPECT_LT(clock().now() - begun, seconds{1});
}

TEST_F(ClientTest, AStoreInTroubleIsNotAskedEightTimesAsOften) {
  transport().otherwise([&](const HttpRequest&) -> Result<HttpResponse> { return HttpResponse{500, {}, ""}; });
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(store().put("k", "x", {}));
  EXPECT_THAT(transport().seen(), SizeIs(200)) << "100 calls, and what the budget has for retries";
}

TEST_F(ClientTest, DoesNotTryAgainWhatWillNotPass) {
  for (const auto& [status, code] : std::vector<std::pair<int, std::string>>{
           {403, "AccessDenied"}, {404, "NoSuchBucket"}, {400, "InvalidRequest"}, {501, "NotImplemented"}}) {
    ScriptedStore fresh;
    fresh.transport().then(status, error(code));
    const auto put = fresh.store().put("k", "x", {});
    ASSERT_FALSE(put);
    EXPECT_EQ(put.error().code, "store_denied") << code;
    EXPECT_FALSE(put.error().retriable);
    EXPECT_THAT(fresh.transport().seen(), SizeIs(1));
  }
}

TEST_F(ClientTest, CertificatesThatAreWrongAreNotTriedAgain) {
  transport().then_error("http_tls", false);
  const auto put = store().put("k", "x", {});
  EXPECT_EQ(put.error().code, "store_unavailable");
  EXPECT_TRUE(put.error().retriable) << "the job may find it mended";
  EXPECT_THAT(transport().seen(), SizeIs(1));
}

TEST_F(ClientTest, AProcessThatStopsDoesNotWait) {
  std::stop_source stop;
  stop.request_stop();
  ScriptedStore stopping(ScriptedStore::usual_options(), stop.get_token());
  stopping.transport().then(500);
  EXPECT_FALSE(stopping.store().put("k", "x", {}));
  EXPECT_THAT(stopping.transport().seen(), SizeIs(1));
}

TEST_F(ClientTest, ABrokenDownloadBeginsAnew) {
  transport()
      .then([](const HttpRequest& request) -> Result<HttpResponse> {
        request.sink->append("12");
        return fail(external_error("http_broken", "cut off"));
      })
      .then(206, "12345");
  ByteBuffer out("head:");
  ASSERT_TRUE(store().get("k", 10, 5, out));
  EXPECT_EQ(out.view(), "head:12345");
  EXPECT_EQ(transport().seen()[0].header("Range"), "bytes=10-14");
}

TEST_F(ClientTest, AStoreThatIgnoresRangesIsNotBelieved) {
  transport().then(200, "12345");
  ByteBuffer out("head:");
  const Status got = store().get("k", 10, 5, out);
  ASSERT_FALSE(got);
  EXPECT_THAT(got.error().message, HasSubstr("does not serve ranges"));
  EXPECT_EQ(out.view(), "head:");
}

TEST_F(ClientTest, ASessionThatEndedIsRenewedAndTheCallGoesOn) {
  S3Options options = ScriptedStore::usual_options();
  options.credentials = {};
  options.credentials.source = S3CredentialSource::instance;
  ScriptedStore rotating(options);
  for (const char* id : {"AKOLD", "AKNEW"}) {
    rotating.credential_transport()
        .then(200, "T")
        .then(200, "role")
        .then(200, std::string(R"({"AccessKeyId":")") + id +
                       R"(","SecretAccessKey":"SK","Token":"SESSION","Expiration":"2030-01-01T00:00:00Z"})");
  }
  rotating.transport().then(400, error("ExpiredToken")).then(200, "", kEtag);
  const auto put = rotating.store().put("k", "x", {});
  ASSERT_TRUE(put) << put.error().message;
  EXPECT_THAT(rotating.transport().seen()[0].header("Authorization"), HasSubstr("AKOLD"));
  EXPECT_THAT(rotating.transport().seen()[1].header("Authorization"), HasSubstr("AKNEW"));
  EXPECT_EQ(rotating.transport().seen()[1].header("x-amz-security-token"), "SESSION");
  EXPECT_THAT(rotating.transport().seen()[1].header("Authorization"), HasSubstr("x-amz-security-token"));
}

/// The error of a put that the store refuses with this.
Error refusal(int status, const std::string& body, const Headers& headers = {}) {
  S3Options options = ScriptedStore::usual_options();
  options.retry.max_attempts = 1;
  ScriptedStore scripted(options);
  scripted.transport().then(status, body, headers);
  auto put = scripted.store().put("k", "x", {});
  EXPECT_FALSE(put);
  return put.error();
}

TEST(Refusals, SayWhatToDo) {
  const auto denied = [](int status, const std::string& code, const std::string& words) {
    const Error said = refusal(status, ScriptedStore::error(code, "official words"), {{"x-amz-request-id", "R1"}});
    EXPECT_EQ(said.code, "store_denied");
    EXPECT_FALSE(said.retriable);
    EXPECT_EQ(said.source, ErrorSource::external);
    EXPECT_THAT(said.message, HasSubstr(words));
    EXPECT_THAT(said.message, HasSubstr(code + ": official words, request R1]"));
    EXPECT_THAT(said.message, Not(HasSubstr("very-secret")));
    EXPECT_THAT(said.message, Not(HasSubstr("AKIDEXAMPLE7")));
  };
  denied(404, "NoSuchBucket", "there is no bucket exports at https://s3.test; create it");
  denied(403, "SignatureDoesNotMatch",
         "the secret access key does not belong to the access key id …PLE7 (from the configuration)");
  denied(403, "InvalidAccessKeyId", "the store does not know the access key id …PLE7");
  denied(403, "AccessDenied",
         "have no permission for it on the bucket exports (it takes s3:PutObject); docs/operations.md lists what is "
         "needed");
  denied(400, "KMS.DisabledException", "the store may not use the KMS key");
  denied(400, "InvalidStorageClass", "the store does not accept the request");
}

TEST(Refusals, OfAFullStoreMayPass) {
  for (const char* code : {"QuotaExceeded", "XMinioStorageFull"}) {
    const Error full = refusal(403, ScriptedStore::error(code));
    EXPECT_EQ(full.code, "store_full");
    EXPECT_TRUE(full.retriable);
  }
  EXPECT_EQ(refusal(507, "").code, "store_full");
}

TEST(Refusals, OfAWrongClockSayByHowMuch) {
  const ManualClock clock;
  const auto skew = [&](Duration ahead) {
    const Error error =
        refusal(403, ScriptedStore::error("RequestTimeTooSkewed"), {{"date", format_http_date(clock.now() - ahead)}});
    EXPECT_EQ(error.code, "store_unavailable");
    EXPECT_TRUE(error.retriable) << "another worker's clock may be right";
    return error.message;
  };
  EXPECT_THAT(skew(minutes{20} + seconds{5}),
              HasSubstr("this machine's clock is 20 min 5 s ahead of the store's; set it"));
  EXPECT_THAT(skew(-hours{3}), HasSubstr("this machine's clock is 3 h 0 min behind the store's"));
}

TEST(Refusals, NameTheRightRegion) {
  const Error moved = refusal(301,
                              "<Error><Code>PermanentRedirect</Code><Endpoint>exports.s3-us-west-2.example</Endpoint>"
                              "<Message>m</Message></Error>",
                              {{"x-amz-bucket-region", "us-west-2"}, {"location", "https://elsewhere/"}});
  EXPECT_EQ(moved.code, "store_denied");
  EXPECT_THAT(moved.message, HasSubstr("set the region to us-west-2"));
  EXPECT_THAT(moved.message, HasSubstr("the store names the endpoint exports.s3-us-west-2.example"));
  const Error wrong = refusal(400,
                              "<Error><Code>AuthorizationHeaderMalformed</Code><Message>expecting 'eu-west-1'</Message>"
                              "<Region>eu-west-1</Region></Error>");
  EXPECT_THAT(wrong.message,
              HasSubstr("not served by https://s3.test for region eu-central-1; set the region to eu-west-1"));
  EXPECT_THAT(refusal(307, "").message, HasSubstr("check endpoint and region"));
}

TEST_F(ClientTest, AHeadThatIsRefusedFindsOutWhy) {
  transport().then(403).then(403, error("SignatureDoesNotMatch"));
  const auto head = store().head("k");
  ASSERT_FALSE(head);
  EXPECT_THAT(head.error().message, HasSubstr("HeadObject k: the secret access key does not belong"));
  EXPECT_THAT(transport().lines(), ElementsAre("HEAD /exports/k", "GET /exports/k"));
}

TEST_F(ClientTest, PingAsksForEveryPermissionThatCanBeAskedFor) {
  transport()
      .then(404, error("NoSuchUpload"))
      .then(200, "<ListBucketResult/>")
      .then(404, error("NoSuchKey"))
      .then(404, error("NoSuchUpload"));
  EXPECT_TRUE(store().ping());
  EXPECT_THAT(transport().lines(),
              ElementsAre("PUT /exports/longshore-probe?partNumber=1&uploadId=longshore-probe",
                          "GET /exports?list-type=2&max-keys=1&prefix=", "GET /exports/longshore-probe",
                          "DELETE /exports/longshore-probe?uploadId=longshore-probe"));
  const std::vector<std::string> denied{
      "UploadPart (a probe) longshore-probe: the credentials from the configuration (access key id …PLE7) have no "
      "permission for it on the bucket exports (it takes s3:PutObject);",
      "ListObjectsV2 (a probe): the credentials from the configuration (access key id …PLE7) have no permission for it "
      "on the bucket exports (it takes s3:ListBucket);",
      "GetObject (a probe) longshore-probe: the credentials from the configuration (access key id …PLE7) have no "
      "permission for it on the bucket exports (it takes s3:GetObject);",
      "AbortMultipartUpload (a probe) longshore-probe: the credentials from the configuration (access key id …PLE7) "
      "have "
      "no permission for it on the bucket exports (it takes s3:AbortMultipartUpload);"};
  for (std::size_t at = 0; at < denied.size(); ++at) {
    for (std::size_t before = 0; before < at; ++before)
      transport().then(before == 1 ? 200 : 404, before == 1 ? "" : error("NoSuchUpload"));
    transport().then(403, error("AccessDenied"));
    EXPECT_THAT(store().ping().error().message, HasSubstr(denied[at]));
  }
  const std::size_t asked = transport().seen().size();
  transport().then(503, error("SlowDown"));
  EXPECT_FALSE(store().ping());
  EXPECT_THAT(transport().seen(), SizeIs(asked + 1)) << "a probe does not try again";
  EXPECT_LE(transport().seen().back().timeouts.total, seconds{5});
}

TEST_F(ClientTest, AnUploadWithoutAnIdIsNeverSent) {
  EXPECT_TRUE(store().abort_upload({"k", ""}));
  EXPECT_EQ(store().upload_part({"k", ""}, 1, "x").error().code, "upload_not_found");
  EXPECT_EQ(store().complete_upload({"k", ""}, std::vector<PartReceipt>{{1, "e", 1}}).error().code, "upload_not_found");
  EXPECT_THAT(transport().seen(), testing::IsEmpty());
}

TEST_F(ClientTest, AListingThatDoesNotMoveOnEnds) {
  const std::string stuck =
      "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>"
      "</ListBucketResult>";
  transport().otherwise([&](const HttpRequest&) -> Result<HttpResponse> { return HttpResponse{200, {}, stuck}; });
  EXPECT_THAT(store().list("", "", 10).error().message, HasSubstr("again and again"));
}

TEST_F(ClientTest, TimeoutsGrowWithTheBody) {
  transport().then(200, "", kEtag).then(200, "", kEtag);
  ASSERT_TRUE(store().put("k", "", {}));
  ASSERT_TRUE(store().put("k", std::string(8 << 20, 'x'), {}));
  EXPECT_EQ(transport().seen()[0].timeouts.total, seconds{30});
  EXPECT_EQ(transport().seen()[1].timeouts.total, seconds{62});
}

TEST_F(ClientTest, NewObjectsCarryStorageClassTagsAndEncryption) {
  S3Options options = ScriptedStore::usual_options();
  options.storage_class = "STANDARD_IA";
  options.tags = {{"team", "data & more"}, {"app", "longshore"}};
  options.encryption.mode = S3Encryption::s3;
  ScriptedStore tagged(options);
  tagged.transport().then(200, "<InitiateMultipartUploadResult><UploadId>U</UploadId></InitiateMultipartUploadResult>");
  EXPECT_EQ(tagged.store().begin_upload("k", {"text/csv"}).value().id, "U");
  const auto request = tagged.transport().seen()[0];
  EXPECT_EQ(request.header("x-amz-storage-class"), "STANDARD_IA");
  EXPECT_EQ(request.header("x-amz-tagging"), "app=longshore&team=data%20%26%20more");
  EXPECT_EQ(request.header("x-amz-server-side-encryption"), "AES256");
  EXPECT_EQ(request.header("Content-Type"), "text/csv");
}

TEST(Backoff, IsRandomBelowADoublingBound) {
  S3RetryOptions options;
  options.first_wait = milliseconds{100};
  options.longest_wait = seconds{1};
  EXPECT_EQ(backoff_delay(options, 1, 0.0), Duration{0});
  EXPECT_EQ(backoff_delay(options, 1, 0.5), milliseconds{50});
  EXPECT_EQ(backoff_delay(options, 3, 0.5), milliseconds{200});
  EXPECT_EQ(backoff_delay(options, 5, 0.5), milliseconds{500});
  EXPECT_EQ(backoff_delay(options, 60, 0.5), milliseconds{500});
}

TEST(Backoff, TheBudgetRunsOutAndFillsAgain) {
  RetryBudget budget;
  int taken = 0;
  while (budget.take()) ++taken;
  EXPECT_EQ(taken, 100);
  for (int i = 0; i < 5; ++i) budget.succeeded(0);
  EXPECT_TRUE(budget.take());
  EXPECT_FALSE(budget.take());
  budget.succeeded(2);
  EXPECT_TRUE(budget.take());
  EXPECT_TRUE(budget.take());
  EXPECT_FALSE(budget.take());
}

TEST(Links, AreForThePublicEndpoint) {
  S3Options options = ScriptedStore::usual_options();
  options.endpoint = "http://s3.internal:7480";
  options.public_endpoint = "https://files.example.org";
  options.prefix = "p";
  ScriptedStore scripted(options);
  const auto signer = S3LinkSigner::make(scripted.client()).value();
  const auto url = signer->sign("a/x.csv", {minutes{5}, "Umsätze.csv", "text/csv; charset=utf-8"});
  ASSERT_TRUE(url) << url.error().message;
  EXPECT_THAT(*url, testing::StartsWith("https://files.example.org/exports/p/a/x.csv?X-Amz-Algorithm="));
  EXPECT_THAT(*url, HasSubstr("&X-Amz-Expires=300&"));
  EXPECT_THAT(*url, HasSubstr("&response-content-type=text%2Fcsv%3B%20charset%3Dutf-8"));
  EXPECT_THAT(*url, HasSubstr("response-content-disposition=attachment%3B%20filename%3D%22Ums_tze.csv%22"));
  EXPECT_THAT(*url, Not(HasSubstr("very-secret")));
  EXPECT_THAT(scripted.transport().seen(), testing::IsEmpty());
}

TEST(Links, LiveNoLongerThanAWeekOrTheirCredentials) {
  ScriptedStore scripted;
  const auto signer = S3LinkSigner::make(scripted.client()).value();
  EXPECT_EQ(signer->longest_lifetime().value(), hours{24 * 7});
  EXPECT_THAT(signer->sign("k", {hours{24 * 30}, "", ""}).value(), HasSubstr("X-Amz-Expires=604800&"));
  EXPECT_EQ(signer->sign("k", {seconds{0}, "", ""}).error().code, "bad_link_option");
  EXPECT_EQ(signer->sign("k", {seconds{1}, "", "a\r\nb: c"}).error().code, "bad_link_option");
  EXPECT_EQ(signer->sign("../k", {seconds{1}, "", ""}).error().code, "bad_object_key");

  S3Options options = ScriptedStore::usual_options();
  options.credentials = {};
  options.credentials.source = S3CredentialSource::instance;
  ScriptedStore session(options);
  session.credential_transport()
      .then(200, "T")
      .then(200, "role")
      .then(200, R"({"AccessKeyId":"AK","SecretAccessKey":"SK","Token":"SESSION","Expiration":")" +
                     to_rfc3339(session.clock().now() + hours{2}) + R"("})");
  const auto mortal = S3LinkSigner::make(session.client()).value();
  EXPECT_EQ(mortal->longest_lifetime().value(), hours{2});
  const std::string url = mortal->sign("k", {hours{24}, "", ""}).value();
  EXPECT_THAT(url, HasSubstr("X-Amz-Expires=7200&X-Amz-Security-Token=SESSION&"));
}

TEST(Links, AreImpossibleWithCustomerKeys) {
  S3Options options = ScriptedStore::usual_options();
  options.encryption.mode = S3Encryption::customer_key;
  options.encryption.customer_key = std::string(32, 'k');
  ScriptedStore scripted(options);
  const auto signer = S3LinkSigner::make(scripted.client());
  ASSERT_FALSE(signer);
  EXPECT_EQ(signer.error().code, "bad_s3_option");
  EXPECT_THAT(signer.error().message, HasSubstr("SSE-C"));
}

}  // namespace
}  // namespace longshore::s3
