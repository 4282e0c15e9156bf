#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "client/api_client.h"
#include "client/http_transport.h"

namespace longshore {

/// Where downloaded bytes go. Not thread-safe.
class DownloadTarget {
 public:
  virtual ~DownloadTarget() = default;
  /// Bytes that are already there; the download goes on after them.
  virtual std::int64_t size() const = 0;
  virtual Status append(std::string_view bytes) = 0;
  /// Throws away what is there. Errors: `cannot_restart` when it has gone out already.
  virtual Status restart() = 0;
};

/// `PATH.part`, which becomes PATH when it is published. What was not published stays, so that it can be continued.
/// Errors: `cannot_write_file` (external, final), with the path and the reason.
class PartFile final : public DownloadTarget {
 public:
  /// `keep`: continue an existing PATH.part instead of emptying it.
  static Result<std::unique_ptr<PartFile>> open(const std::string& path, bool keep);
  ~PartFile() override;
  std::int64_t size() const override { return size_; }
  Status append(std::string_view bytes) override;
  Status restart() override;
  /// Makes the bytes durable and renames the file over PATH.
  Status publish();
  const std::string& part_path() const { return part_path_; }

 private:
  PartFile(std::string path, int fd, std::int64_t size);
  std::string path_;
  std::string part_path_;
  int fd_;
  std::int64_t size_;
};

/// An open descriptor, e.g. standard output. It is not closed.
class StreamTarget final : public DownloadTarget {
 public:
  explicit StreamTarget(int fd) : fd_(fd) {}
  std::int64_t size() const override { return size_; }
  Status append(std::string_view bytes) override;
  Status restart() override;

 private:
  int fd_;
  std::int64_t size_ = 0;
};

struct DownloadProgress {
  std::int64_t bytes = 0;
  std::optional<std::int64_t> total_bytes;
};

struct DownloadReport {
  std::int64_t bytes = 0;
  int resumptions = 0;  ///< how often a broken transfer was continued
};

/// Fetches an export's file through signed links. A transfer that breaks is continued from the last byte; a link that
/// is no longer good is minted anew. Gives up after six failures in a row without a single new byte.
///
/// Errors: those of ApiClient (e.g. `export_expired`), of the target, `download_failed` (external, retriable).
class Downloader {
 public:
  using ProgressObserver = std::function<void(const DownloadProgress&)>;
  Downloader(ApiClient& api, HttpTransport& transport, Clock& clock)
      : api_(api), transport_(transport), clock_(clock) {}
  void observe(ProgressObserver observer) { observer_ = std::move(observer); }
  Result<DownloadReport> run(const std::string& export_id, DownloadTarget& target, std::stop_token stop);

 private:
  struct Transfer;
  /// One request for what is missing.
  Status fetch(Transfer& transfer, std::stop_token stop);

  ApiClient& api_;
  HttpTransport& transport_;
  Clock& clock_;
  ProgressObserver observer_;
};

}  // namespace longshore
