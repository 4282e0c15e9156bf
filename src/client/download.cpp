#include "client/download.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <system_error>

#include "client/problem.h"

namespace longshore {
namespace {

using namespace std::chrono_literals;

constexpr int kFruitlessAttempts = 6;

Error file_error(const std::string& path) {
  return external_error("cannot_write_file",
                        fmt::format("cannot write {}: {}", path, std::generic_category().message(errno)), false);
}

Status write_bytes(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail(file_error(path));
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

/// `bytes 5-9/10` or `bytes */10` (RFC 9110, 14.4).
struct ContentRange {
  std::optional<std::int64_t> first;
  std::optional<std::int64_t> total;
};

ContentRange parse_content_range(std::string_view text) {
  ContentRange range;
  if (!text.starts_with("bytes ")) return range;
  text.remove_prefix(6);
  const auto slash = text.find('/');
  if (slash == text.npos) return range;
  range.total = number(text.substr(slash + 1));
  range.first = number(text.substr(0, text.substr(0, slash).find('-')));
  return range;
}

}  // namespace

// --- targets

PartFile::PartFile(std::string path, int fd, std::int64_t size)
    : path_(std::move(path)), part_path_(path_ + ".part"), fd_(fd), size_(size) {}

PartFile::~PartFile() {
  if (fd_ >= 0) ::close(fd_);
}

Result<std::unique_ptr<PartFile>> PartFile::open(const std::string& path, bool keep) {
  const std::string part_path = path + ".part";
  const int fd = ::open(part_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (keep ? 0 : O_TRUNC), 0666);
  if (fd < 0) return fail(file_error(part_path));
  struct stat status {};
  if (::fstat(fd, &status) != 0) {
    Error error = file_error(part_path);
    ::close(fd);
    return fail(std::move(error));
  }
  return std::unique_ptr<PartFile>(new PartFile(path, fd, status.st_size));
}

Status PartFile::append(std::string_view bytes) {
  CHECK_OK(write_bytes(fd_, bytes, part_path_));
  size_ += static_cast<std::int64_t>(bytes.size());
  return {};
}

Status PartFile::restart() {
  if (::ftruncate(fd_, 0) != 0) return fail(file_error(part_path_));
  size_ = 0;
  return {};
}

Status PartFile::publish() {
  if (::fsync(fd_) != 0 && errno != EINVAL && errno != ENOTSUP) return fail(file_error(part_path_));
  if (std::rename(part_path_.c_str(), path_.c_str()) != 0) return fail(file_error(path_));
  ::close(fd_);
  fd_ = -1;
  return {};
}

Status StreamTarget::append(std::string_view bytes) {
  CHECK_OK(write_bytes(fd_, bytes, "standard output"));
  size_ += static_cast<std::int64_t>(bytes.size());
  return {};
}

Status StreamTarget::restart() {
  if (size_ == 0) return {};
  return fail(external_error("cannot_restart",
                             "the transfer broke and the server cannot continue it, and what went to standard output "
                             "cannot be taken back. Use -o FILE",
                             false));
}

// --- the transfer

/// What is known of the file across requests.
struct Downloader::Transfer {
  const std::string& export_id;
  DownloadTarget& target;
  std::string url;   ///< empty: a new link is needed
  std::string etag;  ///< of the file, once it is known
  std::optional<std::int64_t> total;
};

Status Downloader::fetch(Transfer& transfer, std::stop_token stop) {
  HttpRequest request{"GET", transfer.url, {}, {}};
  const std::int64_t offset = transfer.target.size();
  if (offset > 0) {
    request.headers.emplace_back("Range", fmt::format("bytes={}-", offset));
    if (!transfer.etag.empty()) request.headers.emplace_back("If-Range", transfer.etag);
  }

  bool begun = false;
  const auto begin_body = [&](const HttpResponse& head) -> Status {
    begun = true;
    if (head.status == 206) {
      const ContentRange range = parse_content_range(head.header("content-range"));
      if (range.first != offset) {
        return fail(external_error("download_failed", "the server sent another range than it was asked for", false));
      }
      transfer.total = range.total;
    } else {
      if (offset > 0) CHECK_OK(transfer.target.restart());  // no ranges there, or the file is another one now
      transfer.total = number(head.header("content-length"));
    }
    // A weak validator cannot say that bytes are the same (RFC 9110, 13.1.5).
    const std::string& etag = head.header("etag");
    transfer.etag = etag.starts_with("W/") ? std::string() : etag;
    return {};
  };
  const BodySink sink = [&](const HttpResponse& head, std::string_view bytes) -> Status {
    if (!begun) CHECK_OK(begin_body(head));
    CHECK_OK(transfer.target.append(bytes));
    if (observer_) observer_({transfer.target.size(), transfer.total});
    return {};
  };
  TRY(const HttpResponse response, transport_.exchange(request, &sink, stop));

  if (response.status / 100 == 2) {
    if (!begun) CHECK_OK(begin_body(response));  // an empty file
    if (!transfer.total || transfer.target.size() == *transfer.total) return {};
    return fail(external_error("transfer_broken", "the transfer ended early"));
  }
  if (response.status == 416) {  // nothing left after what is there: the file is whole, or what is there is not of it
    if (parse_content_range(response.header("content-range")).total == offset) return {};
    CHECK_OK(transfer.target.restart());
    transfer.etag.clear();
    return fail(external_error("transfer_broken", "what was there is longer than the file"));
  }
  Error error = error_of_response(response);
  if (response.status == 401 || response.status == 403 || response.status == 404 || response.status == 410) {
    transfer.url.clear();  // an expired or withdrawn link: the API says which when the next one is minted
    error = external_error("link_refused", fmt::format("the download link was refused: {}", error.message));
  }
  return fail(std::move(error));
}

Result<DownloadReport> Downloader::run(const std::string& export_id, DownloadTarget& target, std::stop_token stop) {
  Transfer transfer{export_id, target, {}, {}, {}};
  DownloadReport report;
  Duration wait = 250ms;
  for (int fruitless = 0;;) {
    if (transfer.url.empty()) {  // has retries of its own, so what it says is final
      TRY(SignedLink link, api_.mint_link(transfer.export_id, stop));
      transfer.url = std::move(link.url);
    }
    const std::int64_t before = target.size();
    auto fetched = fetch(transfer, stop);
    if (fetched) break;
    if (!fetched.error().retriable) return fail(std::move(fetched).error());
    if (target.size() > before) {
      fruitless = 0;
      wait = 250ms;
      ++report.resumptions;
    } else if (++fruitless >= kFruitlessAttempts) {
      return fail(
          external_error("download_failed", fmt::format("the file cannot be downloaded: {}", fetched.error().message)));
    }
    if (!clock_.sleep_for(wait, stop)) return fail(user_error("stopped", "interrupted"));
    wait = std::min<Duration>(wait * 2, 8s);
  }
  report.bytes = target.size();
  return report;
}

}  // namespace longshore
