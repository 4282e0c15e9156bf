#include "http/problem.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace longshore {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Request a_request() {
  Request request;
  request.path = "/v1/exports";
  request.request_id = "r-1";
  return request;
}

TEST(Problem, HasTheShapeOfRfc9457) {
  Error error = user_error("invalid_request", "2 fields are wrong.");
  error.details = {{"/columns/3", "unknown_column", "There is no column 'idd'; did you mean \"id\"?"},
                   {"", "missing_field", "exportType is missing."},
                   {"?pageSize", "out_of_range", "too large"}};
  const Response response = problem_response(error, a_request());
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(*response.header("Content-Type"), "application/problem+json");
  EXPECT_EQ(response.body,
            R"({"type":"/problems/invalid-request","title":"The request is not valid","status":422,)"
            R"("detail":"2 fields are wrong.","instance":"/v1/exports","code":"invalid_request","requestId":"r-1",)"
            R"("errors":[{"pointer":"/columns/3","code":"unknown_column",)"
            R"("detail":"There is no column 'idd'; did you mean \"id\"?"},)"
            R"({"pointer":"","code":"missing_field","detail":"exportType is missing."},)"
            R"({"parameter":"pageSize","code":"out_of_range","detail":"too large"}]})");
  EXPECT_EQ(response.note.error_code, "invalid_request");
}

TEST(Problem, AsksForCredentials) {
  const Response response = problem_response(user_error("unauthenticated", "There is no token."), a_request());
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(*response.header("WWW-Authenticate"), "Bearer");
}

TEST(Problem, HidesWhatIsNotTheClientsFault) {
  const Response bug =
      problem_response(internal_error("broken_invariant", "table export_jobs at 10.0.0.5"), a_request());
  EXPECT_EQ(bug.status, 500);
  EXPECT_EQ(bug.body,
            R"({"type":"/problems/internal-error","title":"Something went wrong inside","status":500,)"
            R"("detail":"This is not your fault. Tell the operator request id r-1; the log has the details.",)"
            R"("instance":"/v1/exports","code":"internal_error","requestId":"r-1"})");
  EXPECT_EQ(bug.note.error_code, "broken_invariant");
  EXPECT_EQ(bug.note.error_detail, "table export_jobs at 10.0.0.5");

  const Response away = problem_response(external_error("metadata_unavailable", "host=10.0.0.5 refused"), a_request());
  EXPECT_EQ(away.status, 503);
  EXPECT_NE(away.header("Retry-After"), nullptr);
  EXPECT_THAT(away.body, HasSubstr("metadata_unavailable"));
  EXPECT_THAT(away.body, Not(HasSubstr("10.0.0.5")));
}

TEST(Problem, GivesEveryCodeItsStatus) {
  const std::vector<std::pair<std::string, int>> user_codes{{"malformed_request", 400},
                                                            {"invalid_parameter", 400},
                                                            {"unauthenticated", 401},
                                                            {"permission_denied", 403},
                                                            {"link_invalid", 403},
                                                            {"export_not_found", 404},
                                                            {"dataset_not_found", 404},
                                                            {"export_active", 409},
                                                            {"export_finished", 409},
                                                            {"export_not_ready", 409},
                                                            {"idempotency_key_in_flight", 409},
                                                            {"export_expired", 410},
                                                            {"link_expired", 410},
                                                            {"unsupported_media_type", 415},
                                                            {"invalid_request", 422},
                                                            {"idempotency_key_reused", 422},
                                                            {"something_else", 400}};
  for (const auto& [code, status] : user_codes) EXPECT_EQ(status_of(user_error(code, "")), status) << code;
  EXPECT_EQ(status_of(external_error("store_unavailable", "")), 503);
  EXPECT_EQ(status_of(external_error("source_unavailable", "")), 503);
  EXPECT_EQ(status_of(external_error("something_else", "")), 503);
  EXPECT_EQ(status_of(external_error("store_denied", "", false)), 500);
  EXPECT_EQ(status_of(internal_error("something_else", "")), 500);
}

}  // namespace
}  // namespace longshore
