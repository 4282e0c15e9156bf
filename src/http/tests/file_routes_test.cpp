#include "http/file_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <thread>

#include "http/server.h"
#include "raw_client.h"
#include "storage/local/segment.h"
#include "storage/multipart_rules.h"

namespace longshore {
namespace {

using namespace std::chrono_literals;
using test::get_request;
using test::RawClient;
using test::RawResponse;
using test::request_text;
using ::testing::AnyOf;
using ::testing::HasSubstr;

constexpr char kKey[] = "acme/exports/2026/06/a.csv";
constexpr char kBytes[] = "0123456789abcdefghij";

/// How many more bytes come before the connection ends.
std::int64_t read_all(RawClient& client) {
  std::int64_t got = 0;
  std::vector<char> piece(1 << 20);
  for (long n = 0; (n = client.read_some(piece.data(), piece.size())) > 0;) got += n;
  return got;
}

class FileRoutesTest : public ::testing::Test {
 protected:
  FileRoutesTest() {
    std::string name = (std::filesystem::temp_directory_path() / "longshore-http-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
    store_ = *LocalStore::make(root_.string());
    EXPECT_TRUE(store_->put(kKey, kBytes, {}).has_value());
    links_ = *SignedLinks::make({{.id = "k1", .secret = std::string(32, 's')}}, "http://localhost", clock_);
    append_file_routes(router_, *store_, *links_, clock_);
    start({});
  }
  ~FileRoutesTest() override {
    server_.reset();
    std::filesystem::remove_all(root_);
  }

  void start(ServerOptions options) {
    options.port = 0;
    server_ = *Server::make(
        options, [this](Request& request) { return router_.handle(request); },
        [this](const Exchange& exchange) {
          const std::lock_guard lock(mutex_);
          exchanges_.push_back(exchange);
        });
  }
  /// Path and query of a link to the object.
  std::string link(const std::string& key = kKey, std::chrono::seconds lifetime = 300s) {
    const LinkOptions options{.lifetime = lifetime, .file_name = "Umsätze 2026.csv", .content_type = "text/csv"};
    return links_->sign(key, options)->substr(std::string("http://localhost").size());
  }
  RawResponse get(const std::string& path, const std::string& headers = {}) {
    auto response = RawClient::ask(server_->port(), get_request(path, headers));
    EXPECT_TRUE(response.has_value());
    return response.value_or(RawResponse{});
  }
  /// An object of this many bytes that takes no room on the disk.
  void make_sparse(const std::string& key, std::int64_t size) {
    const std::filesystem::path path = root_ / "objects" / key;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path).close();
    std::filesystem::resize_file(path, static_cast<std::uintmax_t>(size));
  }

  /// The same as an object uploaded in parts of so many bytes.
  std::filesystem::path make_sparse_parts(const std::string& key, int count, std::int64_t part_bytes) {
    std::vector<Segment> segments;
    for (int number = 1; number <= count; ++number) {
      segments.push_back({.number = number, .crc32c = 0, .bytes = part_bytes});
      make_sparse(key + "/" + segment_name(number, 0), part_bytes);
    }
    std::ofstream(root_ / "objects" / key / kIndexName) << format_index(segments);
    return root_ / "objects" / key;
  }
  /// What the log was told, once a request is done.
  Exchange last_exchange() {
    while (server_->connections() > 0) std::this_thread::yield();  // the test's own time limit is the bound
    const std::lock_guard lock(mutex_);
    return exchanges_.back();
  }

  ManualClock clock_;
  std::mutex mutex_;
  std::vector<Exchange> exchanges_;
  std::filesystem::path root_;
  std::unique_ptr<LocalStore> store_;
  std::unique_ptr<SignedLinks> links_;
  Router router_;
  std::unique_ptr<Server> server_;
};

TEST_F(FileRoutesTest, ServesAFileByItsLink) {
  const RawResponse response = get(link());
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, kBytes);
  EXPECT_EQ(response.header("content-type"), "text/csv");
  EXPECT_EQ(response.header("accept-ranges"), "bytes");
  EXPECT_EQ(response.header("cache-control"), "no-store");
  EXPECT_EQ(response.header("etag"), '"' + store_->head(kKey)->etag + '"');
  EXPECT_THAT(response.header("last-modified"), HasSubstr(" GMT"));
  EXPECT_THAT(response.header("content-disposition"), HasSubstr("filename*=UTF-8''Ums%C3%A4tze%202026.csv"));
}

TEST_F(FileRoutesTest, HeadSaysTheSameWithoutTheBytes) {
  RawClient client(server_->port());
  client.send(request_text("HEAD", link()) + get_request(link()));
  const auto head = client.read(true);
  EXPECT_EQ(head->status, 200);
  EXPECT_EQ(head->header("content-length"), "20");
  EXPECT_EQ(client.read()->body, kBytes);
}

TEST_F(FileRoutesTest, ServesByteRanges) {
  const std::vector<std::tuple<std::string, int, std::string, std::string>> cases{
      {"bytes=0-4", 206, "01234", "bytes 0-4/20"}, {"bytes=15-", 206, "fghij", "bytes 15-19/20"},
      {"bytes=-3", 206, "hij", "bytes 17-19/20"},  {"bytes=5-999", 206, "56789abcdefghij", "bytes 5-19/20"},
      {"bytes=0-0,5-6", 200, kBytes, ""},          {"lines=0-1", 200, kBytes, ""}};
  for (const auto& [range, status, body, content_range] : cases) {
    const RawResponse response = get(link(), "Range: " + range + "\r\n");
    EXPECT_EQ(response.status, status) << range;
    EXPECT_EQ(response.body, body) << range;
    EXPECT_EQ(response.header("content-range"), content_range) << range;
  }
  const RawResponse beyond = get(link(), "Range: bytes=20-\r\n");
  EXPECT_EQ(beyond.status, 416);
  EXPECT_EQ(beyond.header("content-range"), "bytes */20");
  EXPECT_EQ(beyond.header("content-type"), "application/problem+json");
}

TEST_F(FileRoutesTest, ServesRangesAcrossThePartsOfAnObject) {
  std::string whole;
  std::vector<PartReceipt> parts;
  const auto upload = store_->begin_upload("acme/parts.csv", {}).value();
  for (const std::int64_t size : {kMinPartBytes + 1, kMinPartBytes, std::int64_t{7}}) {
    std::string part(static_cast<std::size_t>(size), static_cast<char>('a' + parts.size()));
    part.front() = '<';
    part.back() = '>';
    whole += part;
    parts.push_back(store_->upload_part(upload, static_cast<int>(parts.size()) + 1, part).value());
  }
  const auto object = store_->complete_upload(upload, parts).value();
  const std::string path = link("acme/parts.csv");
  const RawResponse all = get(path);
  EXPECT_EQ(all.status, 200);
  EXPECT_TRUE(all.body == whole);
  EXPECT_EQ(all.header("etag"), '"' + object.etag + '"');
  const std::int64_t first = parts[0].bytes;
  const std::int64_t second = first + parts[1].bytes;
  const std::int64_t end = object.size - 1;
  const std::vector<std::pair<std::int64_t, std::int64_t>> ranges{
      {0, first - 1}, {first - 1, first}, {first, second - 1}, {first - 1, second},
      {5, end},       {second, end},      {end, end}};
  for (const auto& [from, to] : ranges) {
    const std::string range = std::to_string(from) + "-" + std::to_string(to);
    const RawResponse response = get(path, "Range: bytes=" + range + "\r\n");
    EXPECT_EQ(response.status, 206) << range;
    EXPECT_TRUE(response.body == whole.substr(static_cast<std::size_t>(from), static_cast<std::size_t>(to - from) + 1))
        << range;
    EXPECT_EQ(response.header("content-range"), "bytes " + range + "/" + std::to_string(object.size));
  }
}

TEST_F(FileRoutesTest, MeetsConditions) {
  const std::string etag = get(link()).header("etag");
  const RawResponse fresh = get(link(), "If-None-Match: " + etag + "\r\n");
  EXPECT_EQ(fresh.status, 304);
  EXPECT_EQ(fresh.header("etag"), etag);
  EXPECT_EQ(fresh.header("content-length"), "");
  EXPECT_EQ(get(link(), "If-Match: \"other\"\r\n").status, 412);
  EXPECT_EQ(get(link(), "If-Match: \"other\"\r\nIf-Match: " + etag + "\r\n").status, 200) << "two lines are one list";
  EXPECT_EQ(get(link(), "Range: bytes=0-1\r\nIf-Range: " + etag + "\r\n").status, 206);
  EXPECT_EQ(get(link(), "Range: bytes=0-1\r\nIf-Range: \"other\"\r\n").status, 200) << "a changed file is sent whole";
  EXPECT_EQ(get(link(), "If-Modified-Since: " + get(link()).header("last-modified") + "\r\n").status, 304);
}

TEST_F(FileRoutesTest, RefusesLinksThatWereTamperedWith) {
  const std::string good = link();
  const auto changed = [&](std::string from, std::string to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  for (const std::string& bad :
       {changed("a.csv?", "b.csv?"), changed("expires=1", "expires=2"), changed("kid=k1", "kid=k2"),
        changed("type=text", "type=evil"), changed("sig=", "sig=A"), good.substr(0, good.find("&sig=")),
        good.substr(0, good.find('?')), good + "&sig=x", changed("/acme/", "/other/")}) {
    const RawResponse response = get(bad);
    EXPECT_EQ(response.status, 403) << bad;
    EXPECT_THAT(response.body, HasSubstr("link_invalid")) << bad;
    EXPECT_THAT(response.body, ::testing::Not(HasSubstr("sig="))) << "the answer repeats the signature";
  }
  EXPECT_EQ(get(changed("/acme/", "/acme/../acme/")).status, 400);
  EXPECT_EQ(get(changed("/acme/", "/%2e%2e/")).status, 400);
  EXPECT_EQ(RawClient::ask(server_->port(), request_text("DELETE", good))->status, 405);
}

TEST_F(FileRoutesTest, LinksExpireAndFilesGo) {
  const std::string short_lived = link(kKey, 10s);
  EXPECT_EQ(get(short_lived).status, 200);
  clock_.advance(11s);
  const RawResponse expired = get(short_lived);
  EXPECT_EQ(expired.status, 410);
  EXPECT_THAT(expired.body, HasSubstr("link_expired"));
  const std::string still_good = link();
  ASSERT_TRUE(store_->remove(kKey).has_value());
  const RawResponse gone = get(still_good);
  EXPECT_EQ(gone.status, 404);
  EXPECT_THAT(gone.body, HasSubstr("file_not_found"));
}

TEST_F(FileRoutesTest, AFileRemovedDuringADownloadArrivesWhole) {
  constexpr std::int64_t kSize = 64 << 20;
  make_sparse("acme/big.bin", kSize);
  make_sparse_parts("acme/parts.bin", 16, kSize / 16);
  for (const char* key : {"acme/big.bin", "acme/parts.bin"}) {
    RawClient client(server_->port(), 4096);
    client.send(get_request(link(key), "Connection: close\r\n"));
    const auto head = client.read(true);
    ASSERT_TRUE(head.has_value());
    ASSERT_TRUE(store_->remove(key).has_value());
    ASSERT_TRUE(store_->remove_abandoned_writes().has_value());
    EXPECT_EQ(get(link(key)).status, 404);
    EXPECT_EQ(read_all(client), kSize) << key;
  }
  while (server_->connections() > 0) std::this_thread::yield();  // the test's own time limit is the bound
  ASSERT_TRUE(store_->remove_abandoned_writes().has_value());
  EXPECT_TRUE(std::filesystem::is_empty(root_ / "tmp"));
}

TEST_F(FileRoutesTest, AFileThatLosesAPartIsCutOffAndTheLogSaysSo) {
  const auto path = make_sparse_parts("acme/parts.bin", 4, 8 << 20);
  std::filesystem::remove(path / segment_name(3, 0));
  RawClient client(server_->port());
  client.send(get_request(link("acme/parts.bin")));
  ASSERT_EQ(client.read(true)->header("content-length"), std::to_string(32 << 20));
  EXPECT_EQ(read_all(client), 16 << 20);
  const Exchange exchange = last_exchange();
  EXPECT_FALSE(exchange.complete);
  EXPECT_EQ(exchange.note.error_code, "object_not_found");
  EXPECT_THAT(exchange.note.error_detail, HasSubstr(segment_name(3, 0) + " of the object acme/parts.bin has gone"));
}

std::int64_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return std::distance(begin(all), end(all));
}

/// Resident memory of this process in bytes.
std::int64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t pages = 0;
  std::int64_t resident = 0;
  statm >> pages >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

TEST_F(FileRoutesTest, MemoryStaysFlatWhateverIsDownloaded) {
  constexpr std::int64_t kSize = std::int64_t{8} << 30;
  make_sparse("acme/huge.bin", kSize);
  make_sparse_parts("acme/parts.bin", 512, kSize / 512);
  for (const char* key : {"acme/huge.bin", "acme/parts.bin"}) {
    const std::string path = link(key);
    const std::int64_t descriptors = open_descriptors();
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 50; ++i) {
      // Small windows and nobody reading: what the server held for each would have to stay in its memory.
      clients.push_back(std::make_unique<RawClient>(server_->port(), 4096));
      clients.back()->send(get_request(path, "Range: bytes=" + std::to_string(i * (kSize / 512) + 1) + "-\r\n"));
      ASSERT_EQ(clients.back()->read(true)->status, 206);
    }
    const std::int64_t before = resident_bytes();
    std::vector<char> piece(1 << 20);
    for (int round = 0; round < 4; ++round) {
      for (const auto& client : clients) {
        std::int64_t got = 0;
        while (got < (1 << 20)) {
          const long n = client->read_some(piece.data(), piece.size());
          ASSERT_GT(n, 0);
          got += n;
        }
      }
    }
    EXPECT_LT(resident_bytes() - before, 8 << 20) << key;
    // Two sockets a client, and a file or a directory and one of its files.
    EXPECT_LE(open_descriptors() - descriptors, 50 * 4) << key;
    clients.clear();
    EXPECT_EQ(get(link()).status, 200);
    while (server_->connections() > 0) std::this_thread::yield();  // the test's own time limit is the bound
  }
}

TEST_F(FileRoutesTest, AReaderThatStallsIsCutOffAndASlowOneIsNot) {
  ServerOptions options;
  options.write_timeout = 500ms;
  start(options);
  make_sparse("acme/big.bin", std::int64_t{1} << 30);
  RawClient stalled(server_->port(), 4096);
  stalled.send(get_request(link("acme/big.bin")));
  ASSERT_EQ(stalled.read(true)->status, 200);
  while (server_->connections() > 0) std::this_thread::yield();  // the test's own time limit is the bound

  make_sparse("acme/steady.bin", 8 << 20);
  RawClient steady(server_->port());
  steady.send(get_request(link("acme/steady.bin")));
  ASSERT_EQ(steady.read(true)->status, 200);
  std::int64_t got = 0;
  std::vector<char> piece(256 << 10);
  while (got < 8 << 20) {
    const long n = steady.read_some(piece.data(), piece.size());
    ASSERT_GT(n, 0);
    got += n;
  }
}

TEST_F(FileRoutesTest, StopCutsADownloadThatWouldTakeForever) {
  make_sparse("acme/big.bin", std::int64_t{1} << 30);
  RawClient client(server_->port(), 4096);
  client.send(get_request(link("acme/big.bin")));
  ASSERT_EQ(client.read(true)->status, 200);
  EXPECT_EQ(server_->stop(20ms), 1);
  std::vector<char> piece(1 << 20);
  long n = 0;
  while ((n = client.read_some(piece.data(), piece.size())) > 0) {
  }
  EXPECT_THAT(n, AnyOf(0, -1));
}

}  // namespace
}  // namespace longshore
