#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <latch>
#include <map>
#include <thread>

#include "s3/credential_cache.h"
#include "s3/credential_source.h"
#include "s3/tests/scripted_transport.h"
#include "storage/tests/temporary_directory.h"

namespace longshore::s3 {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Environment environment(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const std::string& name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string() : found->second;
  };
}

std::string write_file(const TemporaryDirectory& directory, const std::string& name, const std::string& text) {
  const std::string path = (directory.path() / name).string();
  std::ofstream(path) << text;
  return path;
}

/// A source that a test steers, counting how often it is asked.
class FakeSource final : public CredentialSource {
 public:
  Result<Credentials> fetch() override {
    ++asked;
    if (on_fetch) on_fetch();
    return next;
  }
  std::string place() const override { return "the test"; }
  Duration recheck() const override { return again; }

  Result<Credentials> next = Credentials{"AK1", "SK1", "", std::nullopt};
  std::function<void()> on_fetch;
  Duration again{0};
  std::atomic<int> asked = 0;
};

struct CacheTest : testing::Test {
  CacheTest() {
    auto owned = std::make_unique<FakeSource>();
    source = owned.get();
    cache = std::make_unique<CredentialCache>(std::move(owned), clock);
  }
  Credentials until(Duration lifetime, const std::string& id = "AK1") {
    return {id, "secret", "token", clock.now() + lifetime};
  }
  std::string id() {
    const auto got = cache->get();
    return got ? got->access_key_id : "error: " + got.error().code;
  }

  ManualClock clock;
  FakeSource* source = nullptr;
  std::unique_ptr<CredentialCache> cache;
};

TEST_F(CacheTest, KeysThatDoNotExpireAreFetchedOnce) {
  EXPECT_EQ(id(), "AK1");
  clock.advance(hours{10'000});
  EXPECT_EQ(id(), "AK1");
  EXPECT_EQ(source->asked, 1);
}

TEST_F(CacheTest, SessionsAreRenewedAQuarterOfAnHourBeforeTheyEnd) {
  source->next = until(hours{6});
  EXPECT_EQ(id(), "AK1");
  clock.advance(hours{5} + minutes{44});
  EXPECT_EQ(id(), "AK1");
  EXPECT_EQ(source->asked, 1);
  clock.advance(minutes{2});
  source->next = until(hours{6}, "AK2");
  EXPECT_EQ(id(), "AK2");
  EXPECT_EQ(source->asked, 2);
}

TEST_F(CacheTest, TheSameSessionAgainIsNotAskedForAtOnce) {
  const auto same = until(hours{1});
  source->next = same;
  id();
  clock.advance(minutes{50});
  for (int i = 0; i < 10; ++i) id();
  EXPECT_EQ(source->asked, 2);
  clock.advance(minutes{5});
  for (int i = 0; i < 10; ++i) id();
  EXPECT_EQ(source->asked, 3) << "when half of what was left has gone";
}

TEST_F(CacheTest, TheOldOnesServeWhileRenewingFailsUntilTheyEnd) {
  source->next = until(hours{1});
  id();
  source->next = fail(external_error("store_unavailable", "away"));
  clock.advance(minutes{50});
  EXPECT_EQ(id(), "AK1");
  EXPECT_EQ(id(), "AK1");
  EXPECT_EQ(source->asked, 2) << "after a failure the next look waits";
  clock.advance(seconds{31});
  EXPECT_EQ(id(), "AK1");
  EXPECT_EQ(source->asked, 3);
  clock.advance(minutes{10});
  EXPECT_EQ(id(), "error: store_unavailable");
  const int asked = source->asked;
  EXPECT_EQ(id(), "error: store_unavailable");
  EXPECT_EQ(source->asked, asked) << "without any, a look a second at most";
  source->next = until(hours{1}, "AK3");
  clock.advance(seconds{2});
  EXPECT_EQ(id(), "AK3");
}

TEST_F(CacheTest, WhatHasEndedAlreadyIsRefusedWithTheTimes) {
  source->next = until(seconds{-60});
  const auto got = cache->get();
  ASSERT_FALSE(got);
  EXPECT_TRUE(got.error().retriable);
  EXPECT_THAT(got.error().message, HasSubstr("the credentials from the test ended at"));
  EXPECT_THAT(got.error().message, HasSubstr("is the clock right?"));
}

TEST_F(CacheTest, RejectedOnesAreFetchedAnewOnce) {
  const Credentials first = cache->get().value();
  source->next = Credentials{"AK2", "SK2", "", std::nullopt};
  cache->reject(first);
  EXPECT_EQ(id(), "AK2");
  cache->reject(first);
  EXPECT_EQ(id(), "AK2");
  EXPECT_EQ(source->asked, 2) << "those rejected are not those in use any more";
}

TEST_F(CacheTest, FilesAreLookedAtAgain) {
  source->again = minutes{1};
  id();
  source->next = Credentials{"AK2", "SK2", "", std::nullopt};
  clock.advance(seconds{61});
  EXPECT_EQ(id(), "AK2");
}

TEST_F(CacheTest, OneThreadRenewsWhileTheOthersGoOn) {
  source->next = until(hours{1});
  id();
  clock.advance(minutes{50});
  std::latch fetching(1);
  std::latch release(1);
  source->next = until(hours{1}, "AK2");
  source->on_fetch = [&] {
    fetching.count_down();
    release.wait();
  };
  std::string renewed;
  std::jthread first([&] { renewed = id(); });
  fetching.wait();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(id(), "AK1");
  release.count_down();
  first.join();
  EXPECT_EQ(renewed, "AK2");
  EXPECT_EQ(id(), "AK2");
  EXPECT_EQ(source->asked, 2);
}

TEST_F(CacheTest, WithoutAnyAllThreadsWaitForOne) {
  std::latch fetching(1);
  std::latch release(1);
  source->on_fetch = [&] {
    fetching.count_down();
    release.wait();
  };
  std::vector<std::string> got(4);
  {
    std::vector<std::jthread> threads;
    for (std::string& each : got) threads.emplace_back([&] { each = id(); });
    fetching.wait();
    release.count_down();
  }
  EXPECT_THAT(got, testing::Each("AK1"));
  EXPECT_EQ(source->asked, 1);
}

TEST(CredentialSources, TheEnvironmentNeedsBoth) {
  const auto got = environment_credentials(environment({{"AWS_ACCESS_KEY_ID", "AK"}}))->fetch();
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, "store_denied");
  EXPECT_THAT(got.error().message, HasSubstr("AWS_SECRET_ACCESS_KEY"));
  const auto all =
      environment_credentials(
          environment({{"AWS_ACCESS_KEY_ID", "AK"}, {"AWS_SECRET_ACCESS_KEY", "SK"}, {"AWS_SESSION_TOKEN", "T"}}))
          ->fetch();
  EXPECT_EQ(all.value(), (Credentials{"AK", "SK", "T", std::nullopt}));
}

TEST(CredentialSources, AProfileOfTheSharedFile) {
  const TemporaryDirectory directory;
  const std::string path = write_file(directory, "credentials",
                                      "# a comment\n[default]\naws_access_key_id = AKD\naws_secret_access_key=SKD\n\n"
                                      "[ other ]\r\naws_access_key_id=AKO\r\naws_secret_access_key = S/K=O+\r\n"
                                      "aws_session_token= T\r\n[role]\nrole_arn = arn:aws:iam::1:role/x\n"
                                      "[half]\naws_access_key_id = AKH\n");
  EXPECT_EQ(file_credentials(path, "default")->fetch().value(), (Credentials{"AKD", "SKD", "", std::nullopt}));
  EXPECT_EQ(file_credentials(path, "other")->fetch().value(), (Credentials{"AKO", "S/K=O+", "T", std::nullopt}));
  EXPECT_THAT(file_credentials(path, "none")->fetch().error().message, HasSubstr("has no profile [none]"));
  EXPECT_THAT(file_credentials(path, "role")->fetch().error().message, HasSubstr("role_arn in profile [role]"));
  EXPECT_THAT(file_credentials(path, "half")->fetch().error().message, HasSubstr("lacks"));
  EXPECT_THAT(file_credentials(path + "x", "default")->fetch().error().message, HasSubstr("cannot be read"));
}

TEST(CredentialSources, TheInstanceAsksForATokenFirst) {
  auto transport = std::make_shared<ScriptedTransport>();
  transport->then(200, "TOKEN")
      .then(200, "my role\n")
      .then(200, R"({"Code":"Success","AccessKeyId":"AK","SecretAccessKey":"SK","Token":"T",)"
                 R"("Expiration":"2026-06-06T14:20:00Z"})");
  const auto got = instance_credentials("http://169.254.169.254/", transport)->fetch();
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->session_token, "T");
  EXPECT_EQ(to_rfc3339(got->expires.value()), "2026-06-06T14:20:00Z");
  EXPECT_THAT(transport->lines(),
              ElementsAre("PUT /latest/api/token", "GET /latest/meta-data/iam/security-credentials/",
                          "GET /latest/meta-data/iam/security-credentials/my%20role"));
  EXPECT_EQ(transport->seen()[0].header("X-aws-ec2-metadata-token-ttl-seconds"), "300");
  EXPECT_EQ(transport->seen()[2].header("X-aws-ec2-metadata-token"), "TOKEN");
}

TEST(CredentialSources, TheInstanceSaysWhatIsWrong) {
  const auto message = [](auto script) {
    auto transport = std::make_shared<ScriptedTransport>();
    script(*transport);
    const auto got = instance_credentials("http://169.254.169.254", transport)->fetch();
    EXPECT_FALSE(got);
    EXPECT_TRUE(got.error().retriable);
    return got.error().message;
  };
  EXPECT_THAT(message([](ScriptedTransport& t) { t.then_error("http_unreachable"); }), HasSubstr("cannot be asked"));
  EXPECT_THAT(message([](ScriptedTransport& t) { t.then(403); }), HasSubstr("hop limit"));
  EXPECT_THAT(message([](ScriptedTransport& t) { t.then(200, "T").then(404); }), HasSubstr("knows no role"));
  EXPECT_THAT(message([](ScriptedTransport& t) { t.then(200, "T").then(200, "r").then(200, "<html>"); }),
              HasSubstr("not JSON"));
  EXPECT_THAT(message([](ScriptedTransport& t) { t.then(200, "T").then(200, "r").then(200, R"({"Code":"Failed"})"); }),
              HasSubstr("answers Failed"));
}

TEST(CredentialSources, TheContainerGetsItsTokenFromAFile) {
  const TemporaryDirectory directory;
  auto transport = std::make_shared<ScriptedTransport>();
  transport->then(200,
                  R"({"AccessKeyId":"AK","SecretAccessKey":"SK","Token":"T","Expiration":"2026-06-06T14:20:00Z"})");
  const auto got = container_credentials(
                       environment({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials"},
                                    {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", write_file(directory, "t", "abc\n")},
                                    {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "not this"}}),
                       transport)
                       ->fetch();
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(transport->seen()[0].url, "http://169.254.170.23/v1/credentials");
  EXPECT_EQ(transport->seen()[0].header("Authorization"), "abc");
}

TEST(CredentialSources, TheContainersRelativeAddressIsThatOfEcs) {
  auto transport = std::make_shared<ScriptedTransport>();
  transport->then(500);
  const auto got =
      container_credentials(environment({{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/x"}}), transport)
          ->fetch();
  EXPECT_EQ(transport->seen()[0].url, "http://169.254.170.2/v2/credentials/x");
  EXPECT_THAT(got.error().message, HasSubstr("HTTP 500"));
}

TEST(CredentialSources, TheContainersTokenDoesNotGoOverTheNetworkInTheClear) {
  for (const char* url : {"http://example.org/", "http://127.0.0.1.example.org/", "ftp://127.0.0.1/", "nonsense"}) {
    auto transport = std::make_shared<ScriptedTransport>();
    const auto got =
        container_credentials(environment({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", url}}), transport)->fetch();
    ASSERT_FALSE(got) << url;
    EXPECT_EQ(got.error().code, "store_denied");
    EXPECT_THAT(transport->seen(), testing::IsEmpty());
  }
}

TEST(CredentialSources, AWebIdentityIsExchangedForASession) {
  const TemporaryDirectory directory;
  const std::string token = write_file(directory, "token", "ey.J+/=\n");
  auto transport = std::make_shared<ScriptedTransport>();
  transport->then(200,
                  "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
                  "<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>AK</AccessKeyId>"
                  "<SecretAccessKey>SK</SecretAccessKey><SessionToken>T</SessionToken>"
                  "<Expiration>2026-06-06T14:20:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult>"
                  "</AssumeRoleWithWebIdentityResponse>");
  const auto variables =
      environment({{"AWS_WEB_IDENTITY_TOKEN_FILE", token}, {"AWS_ROLE_ARN", "arn:aws:iam::1:role/r"}});
  const auto got = web_identity_credentials(variables, "https://sts.example.org", transport)->fetch();
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->access_key_id, "AK");
  EXPECT_TRUE(got->expires);
  const auto request = transport->seen()[0];
  EXPECT_EQ(request.url, "https://sts.example.org/");
  EXPECT_EQ(request.body,
            "Action=AssumeRoleWithWebIdentity&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&RoleSessionName=longshore"
            "&Version=2011-06-15&WebIdentityToken=ey.J%2B%2F%3D");
}

TEST(CredentialSources, ARefusedWebIdentitySaysWhyWithoutTheToken) {
  const TemporaryDirectory directory;
  auto transport = std::make_shared<ScriptedTransport>();
  transport->then(403,
                  "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>Not authorized</Message>"
                  "</Error></ErrorResponse>");
  const auto got =
      web_identity_credentials(environment({{"AWS_WEB_IDENTITY_TOKEN_FILE", write_file(directory, "t", "verysecret")},
                                            {"AWS_ROLE_ARN", "arn:role"}}),
                               "https://sts.example.org", transport)
          ->fetch();
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, "store_denied");
  EXPECT_THAT(got.error().message, HasSubstr("does not give the role arn:role: AccessDenied: Not authorized"));
  EXPECT_THAT(got.error().message, Not(HasSubstr("verysecret")));
}

std::string chosen(const S3CredentialOptions& options, std::map<std::string, std::string> variables) {
  const auto source = choose_credential_source(options, "eu-central-1", environment(std::move(variables)),
                                               std::make_shared<ScriptedTransport>());
  return source ? (*source)->place() : "error: " + source.error().message;
}

TEST(CredentialChoice, GoesByWhatTheEnvironmentSpeaksOf) {
  const TemporaryDirectory directory;
  const std::string file = write_file(directory, "c", "[default]\n");
  S3CredentialOptions given;
  given.access_key_id = "AK";
  given.secret_access_key = "SK";
  std::map<std::string, std::string> variables{{"AWS_ACCESS_KEY_ID", "x"},
                                               {"AWS_WEB_IDENTITY_TOKEN_FILE", "x"},
                                               {"AWS_SHARED_CREDENTIALS_FILE", file},
                                               {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "x"}};
  EXPECT_EQ(chosen(given, variables), "the configuration");
  EXPECT_EQ(chosen({}, variables), "the environment");
  variables.erase("AWS_ACCESS_KEY_ID");
  EXPECT_EQ(chosen({}, variables), "the security token service at https://sts.eu-central-1.amazonaws.com");
  variables.erase("AWS_WEB_IDENTITY_TOKEN_FILE");
  EXPECT_EQ(chosen({}, variables), "profile default of " + file);
  variables["AWS_SHARED_CREDENTIALS_FILE"] = file + "x";
  EXPECT_EQ(chosen({}, variables), "the container credentials endpoint");
  EXPECT_EQ(chosen({}, {}), "the instance metadata service at http://169.254.169.254");
  EXPECT_THAT(chosen({}, {{"AWS_EC2_METADATA_DISABLED", "true"}}), HasSubstr("no credentials for the S3 store"));
}

TEST(CredentialChoice, CanBeForced) {
  S3CredentialOptions options;
  options.source = S3CredentialSource::instance;
  options.instance_endpoint = "http://127.0.0.1:1";
  EXPECT_EQ(chosen(options, {{"AWS_ACCESS_KEY_ID", "x"}}), "the instance metadata service at http://127.0.0.1:1");
  options.source = S3CredentialSource::file;
  options.profile = "p";
  EXPECT_EQ(chosen(options, {{"HOME", "/home/x"}}), "profile p of /home/x/.aws/credentials");
}

}  // namespace
}  // namespace longshore::s3
