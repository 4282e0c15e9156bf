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

TEST(Metrics, ConnectionsToSourcesAreReadAtEveryScrape) {
  Metrics metrics;
  int held = 2;
  metrics.watch_source_connections([&] { return std::map<std::string, int>{{"app", held}}; });
  metrics.source_connection_waited("app", std::chrono::milliseconds{30});
  EXPECT_THAT(metrics.render(), HasSubstr("longshore_source_connections{source=\"app\"} 2\n"));
  held = 0;
  const std::string text = metrics.render();
  EXPECT_THAT(text, HasSubstr("longshore_source_connections{source=\"app\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("longshore_source_connection_wait_seconds_sum{source=\"app\"} 0.03\n"));
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

TEST(Metrics, SourcesAreAskedAtEveryScrape) {
  Metrics metrics;
  SourceReading reading{.source = "app", .servers = {}, .paused_scans = 2, .paused_seconds = 1.5};
  reading.servers.push_back({.name = "r1:5432/app", .up = true, .lag_seconds = 0.25});
  reading.servers.push_back({.name = "r2:5432/app", .up = false, .lag_seconds = std::nullopt});
  metrics.watch_sources([&] { return std::vector<SourceReading>{reading}; });
  std::string text = metrics.render();
  EXPECT_THAT(text, HasSubstr("longshore_source_lag_seconds{server=\"r1:5432/app\",source=\"app\"} 0.25\n"));
  EXPECT_THAT(text, Not(HasSubstr("longshore_source_lag_seconds{server=\"r2")));
  EXPECT_THAT(text, HasSubstr("longshore_source_server_up{server=\"r2:5432/app\",source=\"app\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("longshore_source_paused{source=\"app\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("longshore_source_paused_seconds_total{source=\"app\"} 1.5\n"));
  reading = {.source = "app", .servers = {}, .paused_scans = 0, .paused_seconds = 4};
  text = metrics.render();
  EXPECT_THAT(text, Not(HasSubstr("longshore_source_lag_seconds{")))
      << "a server no longer polled keeps no stale value";
  EXPECT_THAT(text, HasSubstr("longshore_source_paused_seconds_total{source=\"app\"} 4\n"));
  metrics.watch_sources(nullptr);
  EXPECT_THAT(metrics.render(), Not(HasSubstr("longshore_source_paused{")));
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
