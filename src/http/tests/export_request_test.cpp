#include "http/export_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace longshore {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

Result<std::string> key_of(const std::string& value) {
  Request request;
  request.headers.push_back({"idempotency-key", value});
  return idempotency_key_of(request);
}

TEST(IdempotencyKey, IsTheSameBareAndQuoted) {
  EXPECT_EQ(*key_of("8e03978e-40d5-43dd-bc93-6894a57f9324"), "8e03978e-40d5-43dd-bc93-6894a57f9324");
  EXPECT_EQ(*key_of("\"8e03978e-40d5-43dd-bc93-6894a57f9324\""), "8e03978e-40d5-43dd-bc93-6894a57f9324");
  EXPECT_EQ(*key_of(R"("a\"b\\c")"), R"(a"b\c)");
  EXPECT_EQ(*key_of(std::string(256, 'k')), std::string(256, 'k'));
  EXPECT_EQ(*idempotency_key_of(Request{}), "");
}

TEST(IdempotencyKey, RejectsWhatIsNotAKey) {
  for (const std::string& bad : {std::string(), std::string("\"\""), std::string("\""), std::string("\"abc"),
                                 std::string(R"("a"b")"), std::string(R"("a\n")"), std::string(R"("a\")"),
                                 std::string("a b"), std::string("clé"), std::string(257, 'k')}) {
    const auto key = key_of(bad);
    ASSERT_FALSE(key.has_value()) << bad;
    EXPECT_EQ(key.error().code, "malformed_request");
  }
  Request twice;
  twice.headers = {{"Idempotency-Key", "a"}, {"Idempotency-Key", "b"}};
  EXPECT_FALSE(idempotency_key_of(twice).has_value());
}

Request with_query(std::vector<Field> query) {
  Request request;
  request.query = std::move(query);
  return request;
}

TEST(ListQuery, ReadsEveryParameter) {
  const auto query = job_query_of(with_query({{"status", "running"},
                                              {"exportType", "audit_logs"},
                                              {"requestedBy", "usr_1"},
                                              {"pageSize", "200"},
                                              {"pageToken", "abc"}}));
  ASSERT_TRUE(query.has_value());
  EXPECT_EQ(query->state, JobState::running);
  EXPECT_EQ(query->export_type, "audit_logs");
  EXPECT_EQ(query->requested_by, "usr_1");
  EXPECT_EQ(query->page_size, 200);
  EXPECT_EQ(query->page_token, "abc");
  const auto blank = job_query_of(with_query({{"status", ""}, {"pageSize", ""}}));
  ASSERT_TRUE(blank.has_value()) << "a form sends fields that were left blank";
  EXPECT_EQ(blank->page_size, 50);
}

TEST(ListQuery, ReportsAllFindingsAtOnce) {
  const auto query =
      job_query_of(with_query({{"pageZize", "x"}, {"status", "BUSY"}, {"pageSize", "201"}, {"pageSize", "1"}}));
  ASSERT_FALSE(query.has_value());
  EXPECT_EQ(query.error().code, "invalid_parameter");
  ASSERT_EQ(query.error().details.size(), 4u);
  EXPECT_EQ(query.error().details[0].where, "?pageZize");
  EXPECT_THAT(query.error().details[0].message, HasSubstr("did you mean \"pageSize\"?"));
  EXPECT_EQ(query.error().details[1].code, "repeated_parameter");
  EXPECT_EQ(query.error().details[2].code, "unknown_status");
  EXPECT_EQ(query.error().details[3].code, "out_of_range");
  for (const char* size : {"0", "-1", "1e2", "5x", " 5", "99999999999"}) {
    EXPECT_FALSE(job_query_of(with_query({{"pageSize", size}})).has_value()) << size;
  }
}

Result<std::optional<std::chrono::seconds>> lifetime(std::string body, std::string type = "application/json") {
  Request request;
  request.body = std::move(body);
  request.headers.push_back({"Content-Type", std::move(type)});
  return link_lifetime_of(request);
}

TEST(LinkLifetime, IsOptional) {
  EXPECT_EQ(*link_lifetime_of(Request{}), std::nullopt);
  EXPECT_EQ(*lifetime("{}"), std::nullopt);
  EXPECT_EQ(*lifetime(R"({"expiresInSeconds":86400})", "application/json; charset=utf-8"), 86400s);
}

TEST(LinkLifetime, RejectsWhatIsNotOne) {
  EXPECT_EQ(lifetime("{", "application/json").error().code, "malformed_request");
  EXPECT_EQ(lifetime("[]").error().code, "malformed_request");
  EXPECT_EQ(lifetime("{}", "text/plain").error().code, "unsupported_media_type");
  for (const char* body : {R"({"expiresInSeconds":0})", R"({"expiresInSeconds":-1})", R"({"expiresInSeconds":"5"})",
                           R"({"expiresInSeconds":1.5})", R"({"expiresInSeconds":null})",
                           R"({"expiresInSeconds":99999999999999999999})"}) {
    const auto bad = lifetime(body);
    ASSERT_FALSE(bad.has_value()) << body;
    EXPECT_EQ(bad.error().code, "invalid_request") << body;
    EXPECT_EQ(bad.error().details.at(0).where, "/expiresInSeconds") << body;
  }
  EXPECT_EQ(lifetime(R"({"a/b~c":1})").error().details.at(0).where, "/a~1b~0c");
}

}  // namespace
}  // namespace longshore
