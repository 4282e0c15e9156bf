#include "http/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "http/target.h"

namespace longshore {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Response ask(const Router& router, const std::string& method, const std::string& path) {
  Request request;
  request.method = method;
  const auto target = parse_target(path);
  request.path = target->path;
  request.segments = target->segments;
  return router.handle(request);
}

RouteHandler says(std::string text) {
  return [text](const Request& request) {
    Response response;
    response.body = text;
    for (const Field& field : request.parameters) response.body += ' ' + field.name + '=' + field.value;
    return response;
  };
}

class RouterTest : public ::testing::Test {
 protected:
  RouterTest() {
    router_.add("GET", "/v1/exports/{id}", says("one"));
    router_.add("DELETE", "/v1/exports/{id}", says("gone"));
    router_.add("POST", "/v1/exports/estimate", says("estimate"));
    router_.add("GET", "/v1/exports/{id}/manifest", says("manifest"));
    router_.add("GET", "/v1/files/{key*}", says("file"));
    router_.add("GET", "/throws", [](const Request&) -> Response { throw std::runtime_error("secret"); });
  }
  Router router_;
};

TEST_F(RouterTest, FindsTheHandlerAndItsParameters) {
  const Response one = ask(router_, "GET", "/v1/exports/x%20y");
  EXPECT_EQ(one.body, "one id=x y");
  EXPECT_EQ(one.note.route, "/v1/exports/{id}");
  EXPECT_EQ(ask(router_, "DELETE", "/v1/exports/x").body, "gone id=x");
  EXPECT_EQ(ask(router_, "GET", "/v1/exports/x/manifest").body, "manifest id=x");
  EXPECT_EQ(ask(router_, "GET", "/v1/files/a/b/c.csv").body, "file key=a/b/c.csv");
  EXPECT_EQ(ask(router_, "HEAD", "/v1/exports/x").body, "one id=x");
}

TEST_F(RouterTest, ALiteralWinsOverAName) {
  EXPECT_EQ(ask(router_, "POST", "/v1/exports/estimate").body, "estimate");
  EXPECT_EQ(ask(router_, "GET", "/v1/exports/estimate").status, 405);
}

TEST_F(RouterTest, SaysWhatAPathAnswersTo) {
  const Response wrong = ask(router_, "PUT", "/v1/exports/x");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(*wrong.header("Allow"), "DELETE, GET, HEAD, OPTIONS");
  EXPECT_THAT(wrong.body, HasSubstr("method_not_allowed"));
  EXPECT_EQ(wrong.note.route, "/v1/exports/{id}");
  const Response options = ask(router_, "OPTIONS", "/v1/exports/estimate");
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(*options.header("Allow"), "OPTIONS, POST");
  EXPECT_EQ(ask(router_, "OPTIONS", "*").status, 204);
}

TEST_F(RouterTest, UnknownPathsAreAProblemThatSaysWhereTheApiIs) {
  for (const char* path : {"/", "/v1", "/v1/exports/", "/v1/exports//manifest", "/v1/files", "/V1/exports/x",
                           "/v1/exports/x/manifest/more"}) {
    const Response response = ask(router_, "GET", path);
    EXPECT_EQ(response.status, 404) << path;
    EXPECT_THAT(response.body, HasSubstr("/v1/exports")) << path;
    EXPECT_EQ(response.note.route, "") << path;
  }
}

TEST_F(RouterTest, AnExceptionIsA500WithItsCauseInTheNoteOnly) {
  const Response response = ask(router_, "GET", "/throws");
  EXPECT_EQ(response.status, 500);
  EXPECT_THAT(response.body, Not(HasSubstr("secret")));
  EXPECT_THAT(response.note.error_detail, HasSubstr("secret"));
  EXPECT_EQ(response.note.route, "/throws");
}

}  // namespace
}  // namespace longshore
