#include "http/export_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_export_service.h"
#include "http/dataset_routes.h"

namespace longshore {
namespace {

using namespace std::chrono_literals;
using test::kCreated;
using test::kExport;
using test::kJob;
using test::queued_view;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kUrl[] = "https://exports.example.com";

TEST(ExportId, IsAPrefixedUuidAndNothingElse) {
  EXPECT_EQ(export_id(kJob), kExport);
  EXPECT_EQ(*parse_export_id(kExport), kJob);
  for (const std::string& bad : {std::string("exp_"), kJob.str(), "EXP_" + kJob.str(), kExport + "0",
                                 std::string("exp_../../x"), std::string("exp_0192F0C4-7A3B-7C1D-8E2F-1234567890AB"),
                                 std::string(5000, 'x'), kExport + std::string(1, '\0')}) {
    ASSERT_FALSE(parse_export_id(bad).has_value()) << bad;
    EXPECT_EQ(parse_export_id(bad).error().code, "export_not_found");
  }
}

TEST(ExportView, Created) {
  EXPECT_EQ(created_json(queued_view(), kUrl),
            R"({"exportId":"exp_0192f0c4-7a3b-7c1d-8e2f-1234567890ab","status":"QUEUED",)"
            R"("createdAt":"2026-05-28T20:26:40Z","links":{)"
            R"("status":"https://exports.example.com/v1/exports/exp_0192f0c4-7a3b-7c1d-8e2f-1234567890ab",)"
            R"("cancel":"https://exports.example.com/v1/exports/exp_0192f0c4-7a3b-7c1d-8e2f-1234567890ab/cancel"}})");
}

TEST(ExportView, Running) {
  JobView view = queued_view();
  view.queue_position.reset();
  view.job.state = JobState::running;
  view.job.started_at = kCreated + 1s;
  view.job.estimated_rows = 1'000'000;
  view.job.partition_count = 4;
  view.job.row_count = 654'321;
  view.job.byte_count = 163'500'000;
  view.job.source_pressure = "paused: replica lag is 8 s";
  view.progress_percent = 65.43;
  view.elapsed = 28'500ms;
  view.estimated_seconds_left = 15;
  EXPECT_EQ(export_json(view, ""),
            R"({"exportId":"exp_0192f0c4-7a3b-7c1d-8e2f-1234567890ab","status":"RUNNING","exportType":"audit_logs",)"
            R"("format":"csv","compression":"none","consistency":"best_effort","title":null,"requestedBy":"usr_1",)"
            R"("createdAt":"2026-05-28T20:26:40Z","startedAt":"2026-05-28T20:26:41Z","completedAt":null,)"
            R"("expiresAt":null,"progressPercent":65.4,)"
            R"("metrics":{"totalRowsProcessed":654321,"totalBytesWritten":163500000,"elapsedTimeMs":28500},)"
            R"("estimatedTotalRows":1000000,"estimatedSecondsLeft":15,"queuePosition":null,)"
            R"("sourcePressure":{"state":"paused","reason":"replica lag is 8 s"},"error":null,)"
            R"("links":{"status":"/v1/exports/exp_0192f0c4-7a3b-7c1d-8e2f-1234567890ab",)"
            R"("cancel":"/v1/exports/exp_0192f0c4-7a3b-7c1d-8e2f-1234567890ab/cancel",)"
            R"("partitions":"/v1/exports/exp_0192f0c4-7a3b-7c1d-8e2f-1234567890ab/partitions"}})");
}

TEST(ExportView, SucceededHasAnEndALifetimeAndItsFidelity) {
  JobView view = queued_view();
  view.job.state = JobState::succeeded;
  view.progress_percent = 100;
  view.job.completed_at = kCreated + 60s;
  view.fidelity.resize(3);
  view.fidelity[1].guarded = 7;
  const std::string text = export_json(view, kUrl);
  EXPECT_THAT(text, HasSubstr(R"("expiresAt":"2026-06-04T20:26:40Z")"));
  EXPECT_THAT(text, HasSubstr(R"({"column":"action","guarded":7,"stringified":0,"truncated":0,"replaced":0})"));
  EXPECT_THAT(text, HasSubstr("/download-url\""));
  EXPECT_THAT(text, HasSubstr("/manifest\""));
  EXPECT_THAT(text, Not(HasSubstr("/cancel")));
}

TEST(ExportView, FailedSaysWhy) {
  JobView view = queued_view();
  view.job.state = JobState::failed;
  view.job.error_code = "source_unavailable";
  view.job.error_message = "the source did not answer";
  EXPECT_THAT(export_json(view, ""),
              HasSubstr(R"("error":{"code":"source_unavailable","message":"the source did not answer"})"));
}

TEST(ExportView, ProgressIsNeverRoundedUpToDone) {
  JobView view = queued_view();
  view.progress_percent = 99.99;
  EXPECT_THAT(export_json(view, ""), HasSubstr(R"("progressPercent":99.9,)"));
  view.progress_percent = 0;
  EXPECT_THAT(export_json(view, ""), HasSubstr(R"("progressPercent":0,)"));
}

TEST(ExportView, Page) {
  EXPECT_EQ(page_json({}, ""), R"({"exports":[],"nextPageToken":null})");
  EXPECT_THAT(page_json({{queued_view()}, "tok"}, ""), HasSubstr(R"("nextPageToken":"tok")"));
}

TEST(ExportView, TheRest) {
  EXPECT_EQ(estimate_json({.rows = 5,
                           .exact = false,
                           .bytes = 100,
                           .seconds = 1,
                           .max_rows = std::nullopt,
                           .sheets = 3,
                           .limits_hit = {"a limit"}}),
            R"({"rows":5,"exact":false,"bytes":100,"seconds":1,"maxRows":null,"sheets":3,"limits":["a limit"]})");
  EXPECT_EQ(
      download_link_json(kJob, {"https://x/y", 300s}),
      R"({"exportId":"exp_0192f0c4-7a3b-7c1d-8e2f-1234567890ab","downloadUrl":"https://x/y","expiresInSeconds":300})");
  test::FakeExportService service;
  EXPECT_EQ(partitions_json(kJob, *service.partitions({}, kJob)),
            R"({"exportId":"exp_0192f0c4-7a3b-7c1d-8e2f-1234567890ab","partitions":[{"index":0,"state":"RUNNING",)"
            R"("rows":42,"bytes":4200,"worker":"w-1","attempts":1,"range":{"after":null,"upto":["100"]},)"
            R"("startedAt":"2026-05-28T20:26:40Z","completedAt":null}]})");
  EXPECT_EQ(downloads_json(kJob, *service.downloads({}, kJob)),
            R"({"exportId":"exp_0192f0c4-7a3b-7c1d-8e2f-1234567890ab","downloads":[{"id":"a1","actorId":"usr_1",)"
            R"("tenantId":"acme","clientIp":"10.0.0.1","userAgent":"curl/7.88",)"
            R"("downloadedAt":"2026-05-28T20:26:40Z"}]})");
}

TEST(DatasetView, ShowsColumnsFiltersFormatsAndLimits) {
  const std::vector<FormatView> formats{
      {.name = "csv", .content_type = "text/csv", .extension = "csv", .compressions = {"none", "gzip"}, .max_rows = 0}};
  EXPECT_EQ(
      dataset_json(test::audit_logs(), formats),
      R"({"name":"audit_logs","description":null,"columns":[)"
      R"({"name":"id","type":"int64","classification":null,"filterable":false},)"
      R"({"name":"action","type":"text","classification":null,"filterable":true},)"
      R"({"name":"details","type":"json","classification":"pii","filterable":true}],)"
      R"("timeFilter":["from","to","date_range"],"filters":[)"
      R"({"name":"action","type":"text","operators":["eq","in","is_null","gte","gt","lte","lt"]},)"
      R"({"name":"details","type":"json","operators":["eq","in","is_null"]}],)"
      R"("formats":[{"name":"csv","contentType":"text/csv","extension":"csv","compressions":["none","gzip"],)"
      R"("maxRows":null,"maxRowsPerSheet":null,"options":{"delimiter":{"values":[",",";","\t","|"],"default":","},)"
      R"("header":{"values":[true,false],"default":true},"bom":{"values":[true,false],"default":false},)"
      R"("profile":{"values":["spreadsheet","machine"],"default":"spreadsheet"},)"
      R"("lineEnding":{"values":["crlf","lf"],"default":"crlf"}}}],"options":{)"
      R"("title":{"values":null,"default":null,"maxLength":200},"timeZone":{"values":null,"default":"UTC"},)"
      R"("consistency":{"values":["snapshot","best_effort"],"default":"snapshot"}},)"
      R"("limits":{"maxBodyBytes":1048576,"retentionSeconds":604800}})");
}

TEST(DatasetView, ShowsTheOptionsAndLimitsOfEveryFormat) {
  std::vector<FormatView> formats(3);
  formats[0].name = "parquet";
  formats[1].name = "xlsx";
  formats[1].max_rows = 10'485'750;
  formats[1].sheet_rows = 1'048'575;
  formats[2].name = "pdf";
  const std::string text = dataset_json(test::audit_logs(), formats);
  EXPECT_THAT(text, HasSubstr(R"("options":{"profile":{"values":["standard","modern"],"default":"standard"},)"
                              R"("compression":{"values":["zstd","snappy","none"],"default":"zstd"},)"
                              R"("bloomFilters":{"values":null,"default":[]}})"));
  EXPECT_THAT(text, HasSubstr(R"("maxRows":10485750,"maxRowsPerSheet":1048575,"options":{)"
                              R"("sheetName":{"values":null,"default":null,"maxLength":31},)"
                              R"("tableStyle":{"values":["none","light","medium","dark"],"default":"none"}})"));
  EXPECT_THAT(text, HasSubstr(R"("options":{"orientation":{"values":["auto","portrait","landscape"],"default":"auto"},)"
                              R"("pageSize":{"values":["a4","a3","letter","legal"],"default":"a4"}})"));
}

}  // namespace
}  // namespace longshore
