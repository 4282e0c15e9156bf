#include "cli/exit_code.h"

#include <gtest/gtest.h>

namespace longshore {
namespace {

TEST(ExitCode, IsMadeOfTheError) {
  EXPECT_EQ(exit_code_of(user_error("unauthenticated", "")), kExitUnauthorised);
  EXPECT_EQ(exit_code_of(user_error("permission_denied", "")), kExitUnauthorised);
  EXPECT_EQ(exit_code_of(user_error("export_not_found", "")), kExitNotFound);
  EXPECT_EQ(exit_code_of(user_error("catalog_not_found", "")), kExitNotFound);
  EXPECT_EQ(exit_code_of(user_error("configuration_not_found", "")), kExitNotFound);
  EXPECT_EQ(exit_code_of(user_error("invalid_request", "")), kExitUsage);
  EXPECT_EQ(exit_code_of(user_error("export_active", "")), kExitUsage);
  EXPECT_EQ(exit_code_of(external_error("server_unreachable", "")), kExitUnavailable);
  EXPECT_EQ(exit_code_of(external_error("source_unavailable", "")), kExitUnavailable);
  EXPECT_EQ(exit_code_of(external_error("too_many_requests", "")), kExitUnavailable);
  EXPECT_EQ(exit_code_of(external_error("export_failed", "")), kExitFailed);
  EXPECT_EQ(exit_code_of(user_error("timed_out", "")), kExitFailed);
  EXPECT_EQ(exit_code_of(user_error("too_many_rows", "")), kExitFailed);
  EXPECT_EQ(exit_code_of(external_error("verification_failed", "")), kExitFailed);
  EXPECT_EQ(exit_code_of(internal_error("anything", "")), kExitFailed);
  EXPECT_EQ(exit_code_of(user_error("stopped", "")), kExitInterrupted);
}

TEST(DescribeError, SaysWhatAndWhatToDo) {
  EXPECT_EQ(
      describe_error(external_error("server_unreachable", "cannot reach http://127.0.0.1:1: Connection refused")),
      "longshore: cannot reach http://127.0.0.1:1: Connection refused. Start it with `longshore serve`, or name it "
      "with --server or LONGSHORE_SERVER.\n");
  EXPECT_EQ(describe_error(user_error("x", "already a sentence?")), "longshore: already a sentence?\n");
}

TEST(DescribeError, ListsEveryFinding) {
  Error error = user_error("invalid_request", "2 fields are wrong");
  error.details = {{"/columns/1", "unknown_column", "no column \"x\x1b[31m\""}, {"", "c", "something else"}};
  EXPECT_EQ(describe_error(error),
            "longshore: 2 fields are wrong:\n"
            "  /columns/1: no column \"x?[31m\"\n"
            "  something else\n");
  Error single = user_error("bad_configuration", "a.yaml:1:2: bad");
  single.details = {{"a.yaml:1:2", "bad_value", "bad"}};
  EXPECT_EQ(describe_error(single), "longshore: a.yaml:1:2: bad.\n");
  Error configuration = user_error("bad_configuration", "the configuration has 2 errors; the first: a.yaml:1:2: bad");
  configuration.details = {{"a.yaml:1:2", "bad_value", "bad"}, {"a.yaml:3:4", "bad_value", "worse"}};
  EXPECT_EQ(describe_error(configuration),
            "longshore: the configuration has 2 errors:\n  a.yaml:1:2: bad\n  a.yaml:3:4: worse\n");
}

}  // namespace
}  // namespace longshore
