#include "telemetry/metrics.h"

#include <algorithm>
#include <regex>
#include <sstream>
#include <thread>

namespace longshore {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Metrics, CountsExportsByFormatAndOutcome) {
  Metrics metrics;
  metrics.export_created("csv");
  metrics.export_created("csv");
  metrics.export_created("jsonl");
  metrics.export_finished("csv", "succeeded");
  metrics.exported("csv", 5000, 1 << 20);
  metrics.exported("csv", 1000, 24);
  const std::string text = metrics.render();
  EXPECT_THAT(text, HasSubstr("# TYPE longshore_exports_created_total counter\n"));
  EXPECT_THAT(text, HasSubstr("longshore_exports_created_total{format=\"csv\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("longshore_exports_created_total{format=\"jsonl\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("longshore_exports_finished_total{format=\"csv\",outcome=\"succeeded\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("longshore_exported_rows_total{format=\"csv\"} 6000\n"));
  EXPECT_THAT(text, HasSubstr("longshore_exported_bytes_total{format=\"csv\"} 1048600\n"));
}

TEST(Metrics, CountsWorkAndPartsAndTimesThemInSeconds) {
  Metrics metrics;
  metrics.part_uploaded(8 << 20);
  metrics.checkpoint_took(std::chrono::milliseconds{4});
  metrics.source_batch_took("app", std::chrono::milliseconds{300});
  metrics.source_batch_took("app", std::chrono::seconds{90});
  metrics.work_claimed("partition");
  metrics.claim_lost("partition");
  metrics.work_retried("assemble");
  const std::string text = metrics.render();
  EXPECT_THAT(text, HasSubstr("longshore_parts_uploaded_total 1\n"));
  EXPECT_THAT(text, HasSubstr("longshore_part_bytes_total 8388608\n"));
  EXPECT_THAT(text, HasSubstr("longshore_checkpoint_seconds_count 1\n"));
  EXPECT_THAT(text, HasSubstr("longshore_checkpoint_seconds_bucket{le=\"0.0025\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("longshore_checkpoint_seconds_bucket{le=\"0.005\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("longshore_source_batch_seconds_sum{source=\"app\"} 90.3"));
  EXPECT_THAT(text, HasSubstr("longshore_source_batch_seconds_bucket{source=\"app\",le=\"30\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("longshore_source_batch_seconds_bucket{source=\"app\",le=\"+Inf\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("longshore_claims_total{work=\"partition\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("longshore_claims_lost_total{work=\"partition\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("longshore_work_retries_total{work=\"assemble\"} 1\n"));
}

TEST(Metrics, HttpRequestsAreGroupedByRouteAndUnknownMethodsShareOneSeries) {
  Metrics metrics;
  metrics.http_request("/v1/exports/{id}", "GET", 200, std::chrono::milliseconds{12});
  metrics.http_request("/v1/exports/{id}", "GET", 404, std::chrono::milliseconds{1});
  metrics.http_request("/v1/exports", "BREW", 405, Duration{1});
  metrics.http_request("/v1/exports", "x'\"\n", 405, Duration{1});
  const std::string text = metrics.render();
  const auto labels = [](const std::string& name, std::vector<std::string> pairs) {
    // The order of labels carries no meaning; this is prometheus-cpp's (by name).
    std::ranges::sort(pairs);
    std::string joined = name + "{";
    for (const std::string& pair : pairs) joined += (joined.back() == '{' ? "" : ",") + pair;
    return joined + "}";
  };
  EXPECT_THAT(text, HasSubstr(labels("longshore_http_requests_total",
                                     {"route=\"/v1/exports/{id}\"", "method=\"GET\"", "status=\"200\""}) +
                              " 1\n"));
  EXPECT_THAT(text, HasSubstr(labels("longshore_http_requests_total",
                                     {"route=\"/v1/exports\"", "method=\"other\"", "status=\"405\""}) +
                              " 2\n"));
  EXPECT_THAT(
      text, HasSubstr(labels("longshore_http_request_seconds_count", {"route=\"/v1/exports/{id}\"", "method=\"GET\""}) +
                      " 2\n"));
}

TEST(Metrics, ActiveExportsAreAskedForAtEveryScrape) {
  Metrics metrics;
  EXPECT_THAT(metrics.render(), Not(HasSubstr("longshore_exports_active{")));

  std::vector<ActiveExports> now{{"queued", 3}, {"running", 1}};
  bool broken = false;
  metrics.watch_active_exports([&]() -> Result<std::vector<ActiveExports>> {
    if (broken) return fail(external_error("store_away", "the metadata store is away"));
    return now;
  });
  EXPECT_THAT(metrics.render(), HasSubstr("longshore_exports_active{state=\"queued\"} 3\n"));
  now = {{"running", 4}};
  const std::string later = metrics.render();
  EXPECT_THAT(later, HasSubstr("longshore_exports_active{state=\"running\"} 4\n"));
  EXPECT_THAT(later, Not(HasSubstr("state=\"queued\""))) << "a state no longer told keeps no stale value";

  broken = true;
  EXPECT_THAT(metrics.render(), Not(HasSubstr("longshore_exports_active{")));
  broken = false;
  EXPECT_THAT(metrics.render(), HasSubstr("longshore_exports_active{state=\"running\"} 4\n"));
  metrics.watch_active_exports(nullptr);
  EXPECT_THAT(metrics.render(), Not(HasSubstr("longshore_exports_active{")));
}

TEST(Metrics, ResidentMemoryIsMeasuredInBytes) {
  Metrics metrics;
  std::smatch match;
  const std::string text = metrics.render();
  ASSERT_TRUE(std::regex_search(text, match, std::regex("\nlongshore_resident_memory_bytes ([0-9.e+]+)\n"))) << text;
  EXPECT_GT(std::stod(match[1]), 1e6);
}

TEST(Metrics, EveryNameIsOursAndHasHelp) {
  Metrics metrics;
  metrics.http_request("/healthz", "GET", 200, Duration{5});
  std::istringstream lines(metrics.render());
  for (std::string line; std::getline(lines, line);) {
    EXPECT_THAT(line, testing::AnyOf(testing::StartsWith("# HELP longshore_"), testing::StartsWith("# TYPE longshore_"),
                                     testing::StartsWith("longshore_")));
  }
}

TEST(Metrics, ManyThreadsMayMeasureWhileItIsScraped) {
  Metrics metrics;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 500; ++i) {
          metrics.exported("csv", 1, 10);
          metrics.http_request("/v1/exports", "GET", 200, Duration{100});
        }
      });
    }
    for (int i = 0; i < 20; ++i) EXPECT_FALSE(metrics.render().empty());
  }
  EXPECT_THAT(metrics.render(), HasSubstr("longshore_exported_rows_total{format=\"csv\"} 1500\n"));
}

}  // namespace
}  // namespace longshore
