#include "telemetry/log.h"

#include <algorithm>
#include <limits>
#include <sstream>
#include <thread>

#include "telemetry/log_line.h"

namespace longshore {
namespace {

using testing::HasSubstr;
using testing::Not;

const Timestamp kTime = Timestamp{std::chrono::seconds{1'780'000'000}} + Duration{250'000};

std::string json(std::string_view message, LogFields fields = {}) {
  return log_line(LogFormat::json, kTime, LogLevel::info, message, fields);
}

std::string text(std::string_view message, LogFields fields = {}) {
  return log_line(LogFormat::text, kTime, LogLevel::warn, message, fields);
}

TEST(LogLine, JsonHasTimeLevelMessageAndTypedFields) {
  const StrongId<struct JobTag> job("0192f0c4");
  const std::string owned = "owned";
  EXPECT_EQ(json("part stored", {{"job", job},
                                 {"rows", 5},
                                 {"bytes", std::uint64_t{8'388'608}},
                                 {"seconds", 0.25},
                                 {"last", true},
                                 {"worker", owned},
                                 {"store", "local"}}),
            R"({"time":"2026-05-28T20:26:40.250000Z","level":"info","message":"part stored","job":"0192f0c4","rows":5,)"
            R"("bytes":8388608,"seconds":0.25,"last":true,"worker":"owned","store":"local"})");
  EXPECT_EQ(json("plain"), R"({"time":"2026-05-28T20:26:40.250000Z","level":"info","message":"plain"})");
}

TEST(LogLine, JsonEscapesWhatWouldBreakIt) {
  EXPECT_THAT(json("say \"hi\" \\ \n\t\r\x01\x7f"), HasSubstr(R"("message":"say \"hi\" \\ \n\t\r\u0001\u007f")"));
  EXPECT_THAT(json("x", {{"emoji", "zażółć 🚢"}}), HasSubstr(R"("emoji":"zażółć 🚢")"));
  EXPECT_THAT(json("x", {{"nul", std::string_view("a\0b", 3)}}), HasSubstr(R"("nul":"a\u0000b")"));
}

TEST(LogLine, BytesThatAreNotUtf8AreReplacedOneByOne) {
  EXPECT_THAT(json("x", {{"v", "a\xffz"}}), HasSubstr("\"v\":\"a\uFFFDz\""));
  EXPECT_THAT(json("x", {{"v", "cut \xC3"}}), HasSubstr("\"v\":\"cut \uFFFD\""));
  EXPECT_THAT(json("x", {{"v", "\xED\xA0\x80"}}), HasSubstr("\"v\":\"\uFFFD\uFFFD\uFFFD\"")) << "a surrogate";
  EXPECT_THAT(json("x", {{"v", "\xC0\xAF"}}), HasSubstr("\"v\":\"\uFFFD\uFFFD\"")) << "an overlong slash";
}

TEST(LogLine, NumbersThatJsonLacksAreNull) {
  EXPECT_THAT(json("x", {{"v", std::numeric_limits<double>::quiet_NaN()}}), HasSubstr(R"("v":null)"));
  EXPECT_THAT(json("x", {{"v", std::numeric_limits<double>::infinity()}}), HasSubstr(R"("v":null)"));
  EXPECT_THAT(json("x", {{"v", std::numeric_limits<std::uint64_t>::max()}}), HasSubstr(R"("v":9223372036854775807)"));
  EXPECT_THAT(json("x", {{"v", std::numeric_limits<std::int64_t>::min()}}), HasSubstr(R"("v":-9223372036854775808)"));
}

TEST(LogLine, TextIsForPeople) {
  EXPECT_EQ(text("lease lost", {{"job", "0192"}, {"rows", 5}, {"why", "no heartbeat"}, {"empty", ""}, {"eq", "a=b"}}),
            R"(2026-05-28T20:26:40.250000Z WARN  lease lost job=0192 rows=5 why="no heartbeat" empty="" eq="a=b")");
}

TEST(LogLine, AValueCannotForgeALine) {
  for (const std::string& line : {text("a\nb", {{"v", "x\ny\x1b[31m"}}), json("a\nb", {{"v", "x\ny\x1b[31m"}})}) {
    EXPECT_EQ(line.find('\n'), std::string::npos);
    EXPECT_EQ(line.find('\x1b'), std::string::npos);
    EXPECT_THAT(line, HasSubstr("x\\ny\\u001b[31m"));
  }
}

TEST(LogLine, SecretsAreRedactedByTheFieldsName) {
  for (const char* key : {"token", "Authorization", "db_password", "link_secret", "dsn", "api_key", "set-cookie"}) {
    EXPECT_THAT(json("x", {{key, "hunter2"}}), Not(HasSubstr("hunter2"))) << key;
    EXPECT_THAT(text("x", {{key, "hunter2"}}), HasSubstr("=[redacted]")) << key;
  }
}

TEST(Log, TheLevelDecidesWhatIsWritten) {
  configure_logs(LogLevel::warn, LogFormat::json);
  EXPECT_FALSE(log_enabled(LogLevel::info));
  EXPECT_TRUE(log_enabled(LogLevel::error));
  testing::internal::CaptureStderr();
  log_info("quiet");
  log_error("loud", {{"code", "disk_full"}});
  const std::string written = testing::internal::GetCapturedStderr();
  EXPECT_THAT(written, testing::StartsWith("{\"time\":\"20"));
  EXPECT_THAT(written, testing::EndsWith("Z\",\"level\":\"error\",\"message\":\"loud\",\"code\":\"disk_full\"}\n"));
  EXPECT_EQ(std::ranges::count(written, '\n'), 1);
}

TEST(Log, LinesOfManyThreadsDoNotMix) {
  configure_logs(LogLevel::info, LogFormat::text);
  constexpr int kThreads = 4;
  constexpr int kLines = 200;
  testing::internal::CaptureStderr();
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([t] {
        for (int i = 0; i < kLines; ++i) log_info("line", {{"thread", t}, {"end", "of_line"}});
      });
    }
  }
  std::istringstream lines(testing::internal::GetCapturedStderr());
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_THAT(line, testing::MatchesRegex("20.*Z INFO  line thread=. end=of_line"));
  }
  EXPECT_EQ(count, kThreads * kLines);
}

TEST(Log, LevelsAndFormatsHaveNames) {
  EXPECT_EQ(parse_log_level("debug"), LogLevel::debug);
  EXPECT_EQ(parse_log_level("error"), LogLevel::error);
  EXPECT_EQ(parse_log_level("loud"), std::nullopt);
  EXPECT_EQ(parse_log_format("json"), LogFormat::json);
  EXPECT_EQ(parse_log_format("text"), LogFormat::text);
  EXPECT_EQ(parse_log_format("xml"), std::nullopt);
}

}  // namespace
}  // namespace longshore
