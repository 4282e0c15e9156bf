#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "cli/interrupts.h"
#include "cli/progress_display.h"
#include "cli/server_options.h"
#include "client/download.h"
#include "client/export_view.h"

namespace longshore {

struct RemoteExportOptions {
  std::string output;         ///< file; empty: named after dataset and export; `-`: standard output
  std::string manifest_path;  ///< also save the manifest there; may be empty
  std::string trusted_key;    ///< public key that the manifest must be signed with; may be empty
  bool verify = true;
  bool quiet = false;                           ///< no progress
  bool keep_part = false;                       ///< continue OUTPUT.part, left by an earlier run of the same export
  std::optional<std::chrono::seconds> timeout;  ///< for the export to finish; none: as long as it takes
};

/// What became of an export that was followed to its end.
struct RemoteExportReport {
  ExportView view;
  std::string path;  ///< empty when nothing was downloaded or it went to standard output
  bool verified = false;
  bool key_pinned = false;
  std::int64_t downloaded_bytes = 0;
};

/// Follows one export on a server: waits for it with a progress display, fetches the file, proves it.
///
/// Ctrl-C before the export exists leaves at once. After that the first one says that the export goes on and how to
/// come back to it or cancel it; the second leaves. Leaving is the error `stopped`.
class RemoteExport {
 public:
  static Result<std::unique_ptr<RemoteExport>> make(const ServerOptions& server, RemoteExportOptions options);

  /// Makes an export; `body` is the request's JSON. Safe to repeat on the wire: it carries an Idempotency-Key.
  Result<ExportView> create(const std::string& body);
  Result<ColumnTypes> column_types(const std::string& dataset);
  Result<ExportView> find(const std::string& id);
  /// Until it has SUCCEEDED. Errors: `export_failed`, `export_cancelled`, `export_expired`, `timed_out` (all: exit 1),
  /// and those of ApiClient.
  Result<ExportView> wait(ExportView view);
  /// Errors: those of Downloader; `verification_failed`, then what was fetched stays as OUTPUT.part.
  Result<RemoteExportReport> fetch(const ExportView& view);

  ProgressDisplay& display() { return display_; }

 private:
  explicit RemoteExport(RemoteExportOptions options);
  void on_signal(int signal, int count);
  void remember(const ExportView& view);
  std::string how_to_come_back() const;
  void note_answer(const ExportView& view);
  void show_waiting(const ExportView& view);
  Status download(const ExportView& view, DownloadTarget& target, RemoteExportReport& report);
  /// What is wrong with the file at `path`, in sentences; empty: nothing.
  Result<std::string> check(const std::string& path, const std::string& manifest, RemoteExportReport& report);

  RemoteExportOptions options_;
  ProgressDisplay display_;
  std::stop_source stop_;
  std::unique_ptr<ServerConnection> connection_;
  mutable std::mutex id_mutex_;
  std::string export_id_;              ///< guarded by id_mutex_: signals read it on their own thread
  std::atomic<bool> told_{false};      ///< how to come back
  std::atomic<bool> finished_{false};  ///< the export is, if not its download
  RateMeter row_rate_;
  std::chrono::steady_clock::time_point polled_at_;
  std::chrono::steady_clock::time_point counted_at_;  ///< when a count of rows went into row_rate_ last
  std::int64_t counted_rows_ = -1;
  ProgressView shown_;                      ///< what was shown last
  std::unique_ptr<Interrupts> interrupts_;  ///< last: its thread uses the rest
};

/// `audit_logs-1a2b3c4d.csv.gz`: what a file is called when nobody said.
std::string default_file_name(const ExportView& view);

}  // namespace longshore
