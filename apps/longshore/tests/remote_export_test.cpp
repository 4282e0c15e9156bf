#include "cli/remote_export.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "client/tests/stub_server.h"

namespace longshore {
namespace {

std::string export_json(const char* status, const char* more = "") {
  return std::string(
             R"({"exportId":"exp_0192f0c4-aaaa-7bbb-8ccc-dddddddddddd","exportType":"audit_logs","format":"csv",)") +
         R"("compression":"gzip","status":")" + status +
         R"(","metrics":{"totalRowsProcessed":3},"progressPercent":10)" + more + "}";
}

/// An API that makes an export, lets it run for two answers, and then ends it as the test says.
class RemoteExportTest : public testing::Test {
 protected:
  RemoteExportTest() : server_([this](const StubRequest& request) { return answer(request); }) {
    std::string pattern = (std::filesystem::temp_directory_path() / "longshore-remote-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    options_.output = directory_ / "out.csv";
    options_.verify = false;
    options_.quiet = true;
  }
  ~RemoteExportTest() override { std::filesystem::remove_all(directory_); }

  StubReply answer(const StubRequest& request) {
    if (request.method == "POST" && request.target == "/v1/exports") return {202, {}, export_json("QUEUED")};
    if (request.target.ends_with("/download-url")) {
      return {200, {}, R"({"downloadUrl":")" + server_.url() + R"(/file","expiresInSeconds":300})"};
    }
    if (request.target.ends_with("/manifest")) return {200, {}, "{\"not\":\"a manifest\"}"};
    if (request.target == "/file") return {200, {}, "id\r\n1\r\n"};
    return {200, {}, ++polls_ <= 2 || endless_ ? export_json("RUNNING") : last_};
  }

  std::unique_ptr<RemoteExport> remote() { return *RemoteExport::make({server_.url(), "token"}, options_); }
  Result<ExportView> create_and_wait(RemoteExport& remote) {
    auto view = remote.create("{}");
    return view ? remote.wait(*std::move(view)) : view;
  }

  std::filesystem::path directory_;
  RemoteExportOptions options_;
  std::atomic<int> polls_{0};
  std::atomic<bool> endless_{false};
  std::string last_ = export_json("SUCCEEDED");
  StubServer server_;
};

TEST_F(RemoteExportTest, FollowsAnExportToItsFile) {
  const auto run = remote();
  const auto view = create_and_wait(*run);
  ASSERT_TRUE(view) << view.error().message;
  const auto report = run->fetch(*view);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->path, options_.output);
  EXPECT_EQ(report->downloaded_bytes, 7);
  EXPECT_FALSE(report->verified);
  std::ifstream in(options_.output, std::ios::binary);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "id\r\n1\r\n");
  EXPECT_GT(server_.requests().at(0).headers.at("idempotency-key").size(), 30U);
}

TEST_F(RemoteExportTest, EveryCreateHasAKeyOfItsOwn) {
  ASSERT_TRUE(remote()->create("{}"));
  ASSERT_TRUE(remote()->create("{}"));
  EXPECT_NE(server_.requests().at(0).headers.at("idempotency-key"),
            server_.requests().at(1).headers.at("idempotency-key"));
}

TEST_F(RemoteExportTest, SaysHowAnExportEnded) {
  last_ = export_json("FAILED", R"(,"error":{"code":"source_unavailable","message":"the replica is away"})");
  const auto failed = create_and_wait(*remote());
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, "export_failed");
  EXPECT_EQ(failed.error().message,
            "the export exp_0192f0c4-aaaa-7bbb-8ccc-dddddddddddd failed: the replica is away (source_unavailable)");
  last_ = export_json("CANCELLED");
  EXPECT_EQ(create_and_wait(*remote()).error().code, "export_cancelled");
}

TEST_F(RemoteExportTest, WaitsNoLongerThanItMay) {
  endless_ = true;
  options_.timeout = std::chrono::seconds(0);
  EXPECT_EQ(create_and_wait(*remote()).error().code, "timed_out");
}

TEST_F(RemoteExportTest, AFileIsNotPublishedUnproven) {
  options_.verify = true;
  const auto run = remote();
  const auto view = create_and_wait(*run);
  ASSERT_TRUE(view);
  EXPECT_FALSE(run->fetch(*view));
  EXPECT_FALSE(std::filesystem::exists(options_.output));
}

TEST(DefaultFileName, IsSafeAndTellsTheFormat) {
  ExportView view;
  view.id = "exp_0192f0c4-aaaa-7bbb-8ccc-dddd1234abcd";
  view.export_type = "audit_logs";
  view.format = "csv";
  view.compression = "gzip";
  EXPECT_EQ(default_file_name(view), "audit_logs-1234abcd.csv.gz");
  view.export_type = "../../etc/x";
  EXPECT_EQ(default_file_name(view), "_._.._etc_x-1234abcd.csv.gz");
}

}  // namespace
}  // namespace longshore
