#include "client/download.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "client/tests/stub_server.h"

namespace longshore {
namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A file server with ranges, whose faults each test sets.
class DownloadTest : public testing::Test {
 protected:
  DownloadTest()
      : content_(make_content()),
        server_([this](const StubRequest& request) { return serve(request); }),
        transport_(*CurlTransport::make({})),
        api_(*ApiClient::make({server_.url(), "tok"}, *transport_, clock_)) {
    std::string pattern = (std::filesystem::temp_directory_path() / "longshore-download-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~DownloadTest() override { std::filesystem::remove_all(directory_); }

  static std::string make_content() {
    std::string content;
    for (int i = 0; i < 20000; ++i) content += fmt::format("row {}\n", i);
    return content;
  }

  StubReply serve(const StubRequest& request) {
    if (request.target.ends_with("/download-url")) {
      ++links_;
      return {200,
              {},
              fmt::format(R"({{"exportId":"exp_1","downloadUrl":"{}/file?n={}","expiresInSeconds":300}})",
                          server_.url(), links_)};
    }
    if (request.headers.contains("authorization")) return {400, {}, "the token leaked"};
    ++fetches_;
    if (expire_first_link_ && request.target == "/file?n=1" && fetches_ > 1) return {403, {}, "link expired"};
    StubReply reply{200, {{"ETag", etag_}}, content_};
    const auto range = request.headers.find("range");
    const auto if_range = request.headers.find("if-range");
    if (ranges_ && range != request.headers.end() && (if_range == request.headers.end() || if_range->second == etag_)) {
      const std::size_t first = std::stoul(range->second.substr(6));
      if (first >= content_.size()) return {416, {{"Content-Range", fmt::format("bytes */{}", content_.size())}}, ""};
      reply.status = 206;
      reply.body = content_.substr(first);
      reply.headers.emplace_back("Content-Range",
                                 fmt::format("bytes {}-{}/{}", first, content_.size() - 1, content_.size()));
    }
    if (fetches_ <= breaks_) reply.break_after = break_after_;
    return reply;
  }

  Result<DownloadReport> download(DownloadTarget& target) {
    return Downloader(api_, *transport_, clock_).run("exp_1", target, {});
  }
  std::string path() const { return directory_ / "out.csv"; }

  std::string content_;
  std::string etag_ = "\"v1\"";
  bool ranges_ = true;
  bool expire_first_link_ = false;
  int breaks_ = 0;
  std::size_t break_after_ = 50'000;
  std::atomic<int> links_{0};
  std::atomic<int> fetches_{0};
  std::filesystem::path directory_;
  StubServer server_;
  ManualClock clock_;
  std::unique_ptr<CurlTransport> transport_;
  ApiClient api_;
};

TEST_F(DownloadTest, AppearsOnlyWhenPublished) {
  auto file = *PartFile::open(path(), false);
  const auto report = download(*file);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->bytes, static_cast<std::int64_t>(content_.size()));
  EXPECT_FALSE(std::filesystem::exists(path()));
  ASSERT_TRUE(file->publish());
  EXPECT_EQ(read_file(path()), content_);
  EXPECT_FALSE(std::filesystem::exists(path() + ".part"));
}

TEST_F(DownloadTest, GoesOnWhereItBroke) {
  breaks_ = 2;
  auto file = *PartFile::open(path(), false);
  const auto report = download(*file);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->resumptions, 2);
  EXPECT_EQ(links_, 1);
  EXPECT_EQ(server_.requests().back().headers.at("range"), "bytes=100000-");
  EXPECT_EQ(server_.requests().back().headers.at("if-range"), "\"v1\"");
  EXPECT_EQ(read_file(file->part_path()), content_);
}

TEST_F(DownloadTest, MintsANewLinkWhenTheOldOneExpired) {
  breaks_ = 1;
  expire_first_link_ = true;
  auto file = *PartFile::open(path(), false);
  ASSERT_TRUE(download(*file));
  EXPECT_EQ(links_, 2);
  EXPECT_EQ(read_file(file->part_path()), content_);
}

TEST_F(DownloadTest, StartsOverWhenTheServerHasNoRanges) {
  breaks_ = 1;
  ranges_ = false;
  auto file = *PartFile::open(path(), false);
  ASSERT_TRUE(download(*file));
  EXPECT_EQ(read_file(file->part_path()), content_);
}

TEST_F(DownloadTest, ContinuesWhatAnEarlierRunLeft) {
  std::ofstream(path() + ".part", std::ios::binary) << content_.substr(0, 1000);
  auto file = *PartFile::open(path(), true);
  ASSERT_TRUE(download(*file));
  EXPECT_EQ(server_.requests().back().headers.at("range"), "bytes=1000-");
  EXPECT_EQ(read_file(file->part_path()), content_);
}

TEST_F(DownloadTest, AWholePartIsDoneAndATooLongOneStartsOver) {
  std::ofstream(path() + ".part", std::ios::binary) << content_;
  auto whole = *PartFile::open(path(), true);
  ASSERT_TRUE(download(*whole));
  std::ofstream(path() + ".part", std::ios::binary | std::ios::app) << "more";
  auto longer = *PartFile::open(path(), true);
  ASSERT_TRUE(download(*longer));
  EXPECT_EQ(read_file(longer->part_path()), content_);
}

TEST_F(DownloadTest, GivesUpWhenNothingComes) {
  breaks_ = 1000;
  break_after_ = 0;
  auto file = *PartFile::open(path(), false);
  const auto report = download(*file);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, "download_failed");
  EXPECT_EQ(fetches_, 6);
}

TEST_F(DownloadTest, StreamsAndCannotTakeBack) {
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  content_ = "short\n";
  StreamTarget stream(pipe_ends[1]);
  ASSERT_TRUE(download(stream));
  char buffer[16];
  EXPECT_EQ(std::string(buffer, static_cast<std::size_t>(::read(pipe_ends[0], buffer, sizeof buffer))), "short\n");
  EXPECT_EQ(stream.restart().error().code, "cannot_restart");
  ::close(pipe_ends[0]);
  ::close(pipe_ends[1]);
}

TEST_F(DownloadTest, SaysWhereItCannotWrite) {
  const auto file = PartFile::open((directory_ / "missing" / "out.csv").string(), false);
  ASSERT_FALSE(file);
  EXPECT_NE(file.error().message.find("missing/out.csv.part: No such file or directory"), std::string::npos);
}

}  // namespace
}  // namespace longshore
