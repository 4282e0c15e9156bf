// What only a real store shows: that it accepts our signatures, encryption and links, and how it fails.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "base/digest.h"
#include "s3/curl_transport.h"
#include "s3/multipart.h"
#include "s3/recut.h"
#include "s3/s3_link_signer.h"
#include "s3/s3_store.h"
#include "s3/tests/ceph_rgw.h"
#include "storage/multipart_rules.h"

namespace longshore::s3 {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

CephRgw& rgw() {
  return CephRgw::instance();
}

std::string bytes(std::size_t size, unsigned seed) {
  std::string out(size, '\0');
  for (char& c : out) c = static_cast<char>((seed = seed * 1664525U + 1013904223U) >> 24);
  return out;
}

class RgwTest : public testing::Test {
 protected:
  /// A prefix of its own for each test.
  S3Options options() {
    S3Options out = rgw().options();
    out.prefix = testing::UnitTest::GetInstance()->current_test_info()->name();
    return out;
  }
  S3Options tls_options() {
    S3Options out = options();
    out.endpoint = rgw().value("S3_TLS_ENDPOINT");
    out.ca_file = rgw().value("S3_CA_FILE");
    return out;
  }
  std::unique_ptr<S3Store> open(const S3Options& with) {
    auto store = S3Store::make(with, clock_);
    if (!store) throw std::runtime_error(store.error().message);
    return *std::move(store);
  }
  static std::string read(ObjectStore& store, const std::string& key) {
    ByteBuffer out;
    const Status got = store.get(key, 0, 1 << 30, out);
    return got ? std::string(out.view()) : "error: " + got.error().message;
  }
  static std::string ping_message(ObjectStore& store) {
    const Status answer = store.ping();
    return answer ? "ok" : answer.error().code + ": " + answer.error().message;
  }
  static HttpResponse fetch(const std::string& url, Headers headers = {}, const std::string& ca_file = "") {
    CurlOptions options;
    options.ca_file = ca_file;
    HttpRequest request;
    request.method = "GET";
    request.url = url;
    request.headers = std::move(headers);
    const auto response = CurlTransport::make(options)->exchange(request);
    return response ? *response : HttpResponse{0, {}, response.error().message};
  }

  SystemClock clock_;
};

// --- what is wrong, said exactly

TEST_F(RgwTest, AWrongSecretIsSaid) {
  S3Options wrong = options();
  wrong.credentials.secret_access_key += "x";
  const auto store = open(wrong);
  EXPECT_THAT(ping_message(*store),
              StartsWith("store_denied: UploadPart (a probe) longshore-probe: the secret access key "
                         "does not belong to the access key id …0001 (from the configuration)"));
  EXPECT_THAT(store->head("k").error().message, HasSubstr("the secret access key does not belong"));
}

TEST_F(RgwTest, AnUnknownKeyIsSaid) {
  S3Options wrong = options();
  wrong.credentials.access_key_id = "NOBODYKNOWSTHIS";
  EXPECT_THAT(ping_message(*open(wrong)), HasSubstr("the store does not know the access key id …THIS"));
}

TEST_F(RgwTest, AMissingBucketIsSaid) {
  S3Options wrong = options();
  wrong.bucket = "no-such-bucket";
  const auto store = open(wrong);
  EXPECT_THAT(ping_message(*store),
              HasSubstr("there is no bucket no-such-bucket at " + rgw().value("S3_ENDPOINT") + "; create it"));
  const auto begun = store->begin_upload("k", {});
  ASSERT_FALSE(begun);
  EXPECT_EQ(begun.error().code, "store_denied");
  EXPECT_FALSE(begun.error().retriable);
}

TEST_F(RgwTest, AMissingPermissionIsSaid) {
  open(options())->put("k", "x", {}).value();
  rgw().command("user stranger STRANGERKEY1 strangersecret1");
  S3Options strangers = options();
  strangers.credentials.access_key_id = "STRANGERKEY1";
  strangers.credentials.secret_access_key = "strangersecret1";
  const auto store = open(strangers);
  EXPECT_THAT(ping_message(*store), HasSubstr("the credentials from the configuration (access key id …KEY1) have no "
                                              "permission for it on the bucket longshore-test"));
  EXPECT_EQ(store->put("k", "x", {}).error().code, "store_denied");
  ByteBuffer out;
  EXPECT_EQ(store->get("k", 0, 1, out).error().code, "store_denied");
}

/// A clock that is wrong by so much.
class SkewedClock final : public Clock {
 public:
  explicit SkewedClock(Duration by) : by_(by) {}
  Timestamp now() const override { return real_.now() + by_; }
  std::chrono::steady_clock::time_point steady_now() const override { return real_.steady_now(); }
  bool sleep_for(Duration duration, std::stop_token stop) override { return real_.sleep_for(duration, stop); }

 private:
  SystemClock real_;
  Duration by_;
};

TEST_F(RgwTest, AWrongClockIsSaidWithTheAmount) {
  for (const auto& [by, words] : std::vector<std::pair<Duration, std::string>>{
           {minutes{40} + milliseconds{500}, "this machine's clock is 40 min "},
           {-hours{5} - seconds{30}, "5 h 0 min behind the store's"}}) {
    SkewedClock clock(by);
    const auto store = S3Store::make(options(), clock).value();
    EXPECT_THAT(ping_message(*store), testing::AllOf(StartsWith("store_unavailable: "), HasSubstr(words)));
    const auto put = store->put("k", "x", {});
    ASSERT_FALSE(put);
    EXPECT_TRUE(put.error().retriable) << "another worker's clock may be right";
  }
}

TEST_F(RgwTest, AnAuthorityThatIsNotTrustedIsSaid) {
  S3Options untrusted = tls_options();
  untrusted.ca_file.clear();
  const auto store = open(untrusted);
  EXPECT_THAT(ping_message(*store), testing::AllOf(HasSubstr("no trusted TLS connection to 127.0.0.1:"),
                                                   HasSubstr("self-signed certificate")));
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_FALSE(store->put("k", "x", {}));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds{10}) << "not tried again";
  S3Options other_name = tls_options();
  other_name.endpoint.replace(other_name.endpoint.find("127.0.0.1"), 9, "localhost");
  EXPECT_THAT(ping_message(*open(other_name)), HasSubstr("no alternative certificate subject name matches"));
}

TEST_F(RgwTest, AQuotaThatIsUsedUpIsAFullStore) {
  rgw().command("user small SMALLKEY0001 smallsecret1");
  S3Options small = options();
  small.bucket = "small-bucket";
  small.credentials.access_key_id = "SMALLKEY0001";
  small.credentials.secret_access_key = "smallsecret1";
  make_bucket(small);
  rgw().command("admin quota set --quota-scope=user --uid=small --max-size=64K");
  rgw().command("admin quota enable --quota-scope=user --uid=small");
  // The gateway knows quotas from its start on, else after minutes.
  rgw().command("kill");
  rgw().command("start");
  const auto store = open(small);
  const auto put = store->put("k", bytes(1 << 20, 1), {});
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, "store_full");
  EXPECT_TRUE(put.error().retriable);
}

// --- encryption

TEST_F(RgwTest, CustomerKeysEncryptPartsAndObjects) {
  S3Options secret = tls_options();
  secret.encryption.mode = S3Encryption::customer_key;
  secret.encryption.customer_key = bytes(32, 9);
  const auto store = open(secret);
  const auto put = store->put("put", "hidden", {});
  ASSERT_TRUE(put) << put.error().message;
  EXPECT_EQ(read(*store, "put"), "hidden");
  const auto upload = store->begin_upload("parts", {}).value();
  const std::string first = bytes(kMinPartBytes, 1);
  const std::vector parts{store->upload_part(upload, 1, first).value(), store->upload_part(upload, 2, "end").value()};
  const auto object = store->complete_upload(upload, parts);
  ASSERT_TRUE(object) << object.error().message;
  EXPECT_EQ(object->size, std::ssize(first) + 3);
  EXPECT_TRUE(read(*store, "parts") == first + "end");
  EXPECT_TRUE(store->complete_upload(upload, parts));

  // Without the key, or with another, there is nothing to be had.
  ByteBuffer out;
  EXPECT_FALSE(open(tls_options())->get("put", 0, 6, out));
  S3Options other = secret;
  other.encryption.customer_key = bytes(32, 10);
  EXPECT_FALSE(open(other)->get("put", 0, 6, out));
  EXPECT_EQ(out.size(), 0U);
}

TEST_F(RgwTest, KmsKeysEncryptPartsAndObjects) {
  S3Options kms = options();
  kms.encryption.mode = S3Encryption::kms;
  kms.encryption.kms_key_id = rgw().value("S3_KMS_KEY_ID");
  const auto store = open(kms);
  ASSERT_TRUE(store->put("put", "hidden", {}));
  EXPECT_EQ(read(*store, "put"), "hidden");
  const auto upload = store->begin_upload("parts", {}).value();
  const std::vector parts{store->upload_part(upload, 1, bytes(kMinPartBytes, 1)).value(),
                          store->upload_part(upload, 2, "end").value()};
  ASSERT_TRUE(store->complete_upload(upload, parts));
  EXPECT_TRUE(read(*store, "parts") == bytes(kMinPartBytes, 1) + "end");
  const auto signer = S3LinkSigner::make(store->client()).value();
  const HttpResponse got = fetch(signer->sign("put", {minutes{1}, "x", ""}).value());
  EXPECT_EQ(got.body, "hidden");
  EXPECT_EQ(got.header("x-amz-server-side-encryption"), "aws:kms");

  kms.encryption.kms_key_id = "no-such-key";
  const auto refused = open(kms)->put("put", "x", {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "store_denied");
}

// --- integrity

TEST_F(RgwTest, AWrongHashIsRefused) {
  S3Options impatient = options();
  impatient.retry.max_attempts = 2;
  impatient.retry.first_wait = milliseconds{1};
  const auto store = open(impatient);
  const auto upload = store->begin_upload("k", {}).value();
  const auto part = store->upload_hashed_part(upload, 1, "these bytes", sha256_hex("other bytes"));
  ASSERT_FALSE(part);
  EXPECT_THAT(part.error().message, HasSubstr("SHA256"));
  EXPECT_TRUE(store->upload_hashed_part(upload, 1, "these bytes", sha256_hex("these bytes")));
}

// --- links

TEST_F(RgwTest, LinksServeNameTypeAndRanges) {
  const auto store = open(options());
  store->put("a/file.csv", "0123456789", {"text/csv"}).value();
  const auto signer = S3LinkSigner::make(store->client()).value();
  const std::string url =
      signer->sign("a/file.csv", {minutes{5}, "Umsätze \"2026\".csv", "text/plain; charset=utf-8"}).value();
  const HttpResponse whole = fetch(url);
  EXPECT_EQ(whole.status, 200);
  EXPECT_EQ(whole.body, "0123456789");
  EXPECT_EQ(whole.header("content-type"), "text/plain; charset=utf-8");
  EXPECT_EQ(whole.header("content-disposition"),
            "attachment; filename=\"Ums_tze _2026_.csv\"; filename*=UTF-8''Ums%C3%A4tze%20%222026%22.csv");
  const HttpResponse part = fetch(url, {{"Range", "bytes=2-4"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "234");
  EXPECT_EQ(part.header("content-range"), "bytes 2-4/10");
}

TEST_F(RgwTest, LinksWorkOverTlsAndVirtualHosts) {
  S3Options named = tls_options();
  named.endpoint.replace(named.endpoint.find("127.0.0.1"), 9, "s3.localhost");
  named.addressing = S3Addressing::virtual_host;
  const auto store = open(named);
  store->put("k", "content", {}).value();
  const std::string url = S3LinkSigner::make(store->client()).value()->sign("k", {minutes{5}, "k", ""}).value();
  EXPECT_THAT(url, StartsWith("https://longshore-test.s3.localhost:"));
  EXPECT_EQ(fetch(url, {}, named.ca_file).body, "content");
}

TEST_F(RgwTest, LinksThatWereChangedAreRefused) {
  const auto store = open(options());
  store->put("k", "content", {}).value();
  store->put("other", "content", {}).value();
  const std::string url = S3LinkSigner::make(store->client()).value()->sign("k", {minutes{5}, "k", ""}).value();
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string out = url;
    out.replace(out.find(from), from.size(), to);
    return out;
  };
  EXPECT_EQ(fetch(url).status, 200);
  EXPECT_EQ(fetch(replaced("/k?", "/other?")).status, 403);
  EXPECT_EQ(fetch(replaced("X-Amz-Expires=300", "X-Amz-Expires=301")).status, 403);
  EXPECT_EQ(fetch(replaced("filename%3D%22k", "filename%3D%22x")).status, 403);
  EXPECT_EQ(fetch(url.substr(0, url.size() - 1) + (url.back() == '0' ? "1" : "0")).status, 403);
}

TEST_F(RgwTest, LinksExpire) {
  open(options())->put("k", "content", {}).value();
  SkewedClock clock(-minutes{10});
  const auto store = S3Store::make(options(), clock).value();
  const auto signer = S3LinkSigner::make(store->client()).value();
  EXPECT_EQ(fetch(signer->sign("k", {minutes{9}, "k", ""}).value()).status, 403);
  EXPECT_EQ(fetch(signer->sign("k", {minutes{20}, "k", ""}).value()).status, 200);
}

// --- a store in trouble

TEST_F(RgwTest, ThrottlingIsSatOut) {
  rgw().command("set rgw_max_concurrent_requests 1");
  S3Options patient = options();
  patient.retry.max_attempts = 30;
  patient.retry.longest_wait = milliseconds{300};
  const auto store = open(patient);
  const auto upload = store->begin_upload("k", {}).value();
  std::vector<std::future<Result<PartReceipt>>> uploads;
  for (int number = 1; number <= 4; ++number) {
    uploads.push_back(std::async(std::launch::async, [&, number] {
      return store->upload_part(upload, number, bytes(kMinPartBytes, static_cast<unsigned>(number)));
    }));
  }
  std::vector<PartReceipt> parts;
  for (auto& uploading : uploads) {
    auto part = uploading.get();
    EXPECT_TRUE(part) << part.error().message;
    if (part) parts.push_back(*part);
  }
  rgw().command("set rgw_max_concurrent_requests 1024");
  EXPECT_EQ(store->complete_upload(upload, parts).value().size, 4 * kMinPartBytes);
}

TEST_F(RgwTest, AnUploadOutlivesAGatewayThatIsKilled) {
  const auto store = open(options());
  const auto upload = store->begin_upload("k", {}).value();
  std::vector<PartReceipt> parts{store->upload_part(upload, 1, bytes(kMinPartBytes, 1)).value()};
  rgw().command("kill");
  EXPECT_THAT(ping_message(*store), HasSubstr("no connection to 127.0.0.1:"));
  auto second = std::async(std::launch::async, [&] { return store->upload_part(upload, 2, bytes(kMinPartBytes, 2)); });
  rgw().command("start");
  const auto part = second.get();
  ASSERT_TRUE(part) << part.error().message;
  parts.push_back(*part);
  ASSERT_TRUE(store->complete_upload(upload, parts));
  EXPECT_TRUE(read(*store, "k") == bytes(kMinPartBytes, 1) + bytes(kMinPartBytes, 2));
}

TEST_F(RgwTest, AnUploadOutlivesAGatewayThatHangs) {
  S3Options impatient = options();
  // Enough for a part on a busy machine that checks every access.
  impatient.timeouts.request = impatient.timeouts.connect = seconds{4};
  impatient.timeouts.slowest = 1 << 30;
  const auto store = open(impatient);
  const auto upload = store->begin_upload("k", {}).value();
  rgw().command("pause");
  auto uploading =
      std::async(std::launch::async, [&] { return store->upload_part(upload, 1, bytes(kMinPartBytes, 1)); });
  // Longer than one attempt may take, so that at least the first one fails.
  EXPECT_EQ(uploading.wait_for(milliseconds{4500}), std::future_status::timeout);
  rgw().command("resume");
  const auto part = uploading.get();
  ASSERT_TRUE(part) << part.error().message;
  EXPECT_EQ(store->complete_upload(upload, std::vector{*part}).value().size, kMinPartBytes);
}

TEST_F(RgwTest, AProcessThatStopsLeavesAGatewayThatHangs) {
  std::stop_source stop;
  const auto store = S3Store::make(options(), clock_, stop.get_token()).value();
  store->put("k", "x", {}).value();
  rgw().command("pause");
  auto putting = std::async(std::launch::async, [&] { return store->put("k", "y", {}); });
  stop.request_stop();
  const auto put = putting.get();
  rgw().command("resume");
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, "store_unavailable");
}

// --- completing on a store that wants every part named

TEST_F(RgwTest, PartsOfEveryKindOfNumberAreCutOut) {
  const auto store = open(options());
  struct Given {
    int number;
    std::size_t size;
    bool wanted;
  };
  const auto full = static_cast<std::size_t>(kMinPartBytes);
  int number = 0;
  for (const std::vector<Given>& given : std::vector<std::vector<Given>>{
           {{1, full, false}, {2, full + 1, true}, {3, 5, true}},             // before all
           {{1, full, true}, {9, 3, false}, {10, 4, false}, {700, 5, true}},  // several, and small
           {{1, full, true}, {2, full + 2, true}, {3, 7, false}},             // after all
           {{5, 3, false}, {6, full, true}, {7, full, false}, {8, full, true}, {9, full, false}}}) {
    const std::string key = "case-" + std::to_string(++number);
    SCOPED_TRACE(key);
    const auto upload = store->begin_upload(key, {"text/csv"}).value();
    std::string expected;
    std::vector<PartReceipt> wanted;
    for (const Given& part : given) {
      const std::string content = bytes(part.size, static_cast<unsigned>(part.number));
      const auto receipt = store->upload_part(upload, part.number, content).value();
      if (!part.wanted) continue;
      expected += content;
      wanted.push_back(receipt);
    }
    for (int again = 0; again < 2; ++again) {
      const auto object = store->complete_upload(upload, wanted);
      ASSERT_TRUE(object) << object.error().message;
      EXPECT_EQ(object->size, std::ssize(expected));
    }
    EXPECT_TRUE(read(*store, key) == expected);
    EXPECT_THAT(store->list_uploads(key).value(), testing::IsEmpty());
    EXPECT_EQ(head_object(*store->client(), key).value()->content_type, "text/csv");
  }
}

TEST_F(RgwTest, ASmallLastPartBeforeAnUnwantedOneCannotBeCompleted) {
  const auto store = open(options());
  const auto upload = store->begin_upload("k", {}).value();
  const std::vector wanted{store->upload_part(upload, 1, "small").value()};
  store->upload_part(upload, 2, "unwanted").value();
  const auto object = store->complete_upload(upload, wanted);
  ASSERT_FALSE(object);
  EXPECT_EQ(object.error().code, "part_mismatch");
  EXPECT_THAT(object.error().message, HasSubstr("also holds part 2"));
  EXPECT_THAT(object.error().message, HasSubstr("must begin anew"));
}

/// A transport that dies at the n-th request of a kind, and stays dead: what a crash of the process is to the store.
class DyingTransport final : public HttpTransport {
 public:
  DyingTransport(std::string query, int survives) : query_(std::move(query)), survives_(survives) {}
  Result<HttpResponse> exchange(const HttpRequest& request) override {
    if (dead_ || (is_meant(request) && survives_-- == 0)) {
      dead_ = true;
      return fail(external_error("http_cancelled", "died", false));
    }
    return real_->exchange(request);
  }

 private:
  bool is_meant(const HttpRequest& request) const {
    for (const auto& [name, value] : request.headers) {
      if (name == query_) return true;
    }
    return request.method + " " + request.url == query_ || request.url.find(query_) != std::string::npos;
  }
  std::unique_ptr<CurlTransport> real_ = CurlTransport::make({});
  std::string query_;
  int survives_;
  bool dead_ = false;
};

TEST_F(RgwTest, ACrashWhilePartsAreCutOutIsMended) {
  const auto store = open(options());
  int number = 0;
  // Before the second upload is begun, between copies, before it is completed.
  for (const auto& [at, survives] : std::vector<std::pair<std::string, int>>{
           {"?uploads=", 0}, {"x-amz-copy-source", 0}, {"x-amz-copy-source", 1}, {"?uploadId=", 1}}) {
    const std::string key = "crash-" + std::to_string(++number);
    SCOPED_TRACE(key + " " + at);
    const auto upload = store->begin_upload(key, {}).value();
    const std::string first = bytes(kMinPartBytes, 1);
    const std::vector wanted{store->upload_part(upload, 1, first).value(),
                             store->upload_part(upload, 3, "end").value()};
    store->upload_part(upload, 2, "unwanted").value();
    {
      Surroundings surroundings;
      // Of the requests with nothing but an upload's id, the first is the completion that is refused.
      surroundings.transport = std::make_shared<DyingTransport>(at, at == "?uploadId=" ? survives + 1 : survives);
      S3Store dying(Client::make(options(), clock_, surroundings).value());
      EXPECT_FALSE(dying.complete_upload(upload, wanted));
    }
    const auto object = store->complete_upload(upload, wanted);
    ASSERT_TRUE(object) << object.error().message;
    EXPECT_TRUE(read(*store, key) == first + "end");
  }
}

TEST_F(RgwTest, ManyPartsAreListedPageByPage) {
  S3Options paged = options();
  paged.page = 2;
  const auto store = open(paged);
  const auto upload = store->begin_upload("k", {}).value();
  for (const int number : {1, 5, 7, 900, 10'000}) store->upload_part(upload, number, "x").value();
  const auto parts = list_parts(*store->client(), upload).value();
  ASSERT_THAT(parts, SizeIs(5));
  EXPECT_EQ(parts.back().number, 10'000);
  EXPECT_EQ(parts.back().etag, "9dd4e461268c8034f5c8564e155c67a6");
}

TEST_F(RgwTest, TagsAndContentTypesAreKept) {
  S3Options tagged = options();
  tagged.tags = {{"team", "data & more"}};
  const auto store = open(tagged);
  store->put("k", "x", {"text/csv; charset=utf-8"}).value();
  EXPECT_EQ(head_object(*store->client(), "k").value()->content_type, "text/csv; charset=utf-8");
  const auto tags = store->client()->expect(
      {.operation = "GetObjectTagging", .method = "GET", .key = "k", .query = {{"tagging", ""}}});
  ASSERT_TRUE(tags) << tags.error().message;
  EXPECT_THAT(tags->body, HasSubstr("<Key>team</Key><Value>data &amp; more</Value>"));
}

}  // namespace
}  // namespace longshore::s3
