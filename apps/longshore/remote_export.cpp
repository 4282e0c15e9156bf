#include "cli/remote_export.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>

#include "assemble/verify.h"
#include "base/random.h"
#include "cli/terminal.h"
#include "cli/text_layout.h"

namespace longshore {
namespace {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

// Before there is an export, somebody waits to hear that the address is wrong. Once there is one it is not given up for
// a minute: a server that is restarted for a deploy is back by then.
constexpr RetryPolicy kBrisk{4, 250ms, 10s};
constexpr RetryPolicy kPatient{12, 250ms, 10s};
constexpr auto kFirstPoll = 100ms;
constexpr auto kSlowestPoll = 1s;
constexpr auto kFrame = 100ms;
constexpr auto kSilence = 3s;

std::string ordinal(int n) {
  const int tail = n % 100 >= 11 && n % 100 <= 13 ? 0 : n % 10;
  return fmt::format("{}{}", n, tail == 1 ? "st" : tail == 2 ? "nd" : tail == 3 ? "rd" : "th");
}

Error ended_badly(const ExportView& view) {
  const std::string id = view.id;
  switch (view.state) {
    case JobState::cancelled:
      return user_error("export_cancelled", fmt::format("the export {} was cancelled", id));
    case JobState::expired:
      return user_error("export_expired", fmt::format("the file of export {} has expired", id));
    default:
      return external_error("export_failed",
                            fmt::format("the export {} failed: {} ({})", id, view.error_message, view.error_code),
                            false);
  }
}

std::string extension_of(const ExportView& view) {
  std::string extension = view.format.empty() ? "data" : view.format;
  if (view.compression == "gzip") extension += ".gz";
  if (view.compression == "zstd") extension += ".zst";
  return extension;
}

/// Letters, digits and `._-` only: names come from a server and become a file name.
std::string safe_name(std::string text) {
  for (char& c : text) {
    const bool safe =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    if (!safe) c = '_';
  }
  if (text.starts_with('.') || text.starts_with('-')) text.front() = '_';
  return text;
}

}  // namespace

std::string default_file_name(const ExportView& view) {
  // The end of a UUIDv7 is random, its beginning a time.
  const std::string tail = view.id.size() > 8 ? view.id.substr(view.id.size() - 8) : view.id;
  return safe_name(
      fmt::format("{}-{}.{}", view.export_type.empty() ? "export" : view.export_type, tail, extension_of(view)));
}

RemoteExport::RemoteExport(RemoteExportOptions options)
    : options_(std::move(options)), display_(STDERR_FILENO, options_.quiet) {}

Result<std::unique_ptr<RemoteExport>> RemoteExport::make(const ServerOptions& server, RemoteExportOptions options) {
  std::unique_ptr<RemoteExport> made(new RemoteExport(std::move(options)));
  RemoteExport& self = *made;
  TRY(self.interrupts_, Interrupts::make([&self](int signal, int count) { self.on_signal(signal, count); }));
  TRY(self.connection_, connect(server, kBrisk));
  self.connection_->api->observe_waits([&self](const Error& why, Duration wait) {
    ProgressView view = self.shown_;
    if (view.label.empty()) view.label = "server";
    const std::chrono::duration<double> seconds = wait;
    view.note = fmt::format("{}; trying again in {}", why.message, format_duration(seconds.count(), true));
    self.display_.show(view);
  });
  return made;
}

// --- signals

void RemoteExport::on_signal(int signal, int count) {
  const std::string how = how_to_come_back();
  if (how.empty()) {  // nothing has been made yet
    stop_.request_stop();
    return;
  }
  const bool leaves = signal != SIGINT || count > 1;
  if (!told_.exchange(true)) {
    const char* what = finished_ ? "The file stays at the server." : "The export goes on at the server.";
    display_.say(fmt::format("{}{}\n{}", what, leaves ? "" : " Press Ctrl-C again to leave.", how));
  }
  if (leaves) stop_.request_stop();
}

std::string RemoteExport::how_to_come_back() const {
  const std::lock_guard lock(id_mutex_);
  if (export_id_.empty()) return {};
  const std::string output = options_.output.empty() ? "" : fmt::format(" -o {}", options_.output);
  std::string how = fmt::format("  come back:  longshore export --resume {}{}", export_id_, output);
  if (!finished_) how += fmt::format("\n  cancel it:  longshore jobs cancel {}", export_id_);
  return how;
}

void RemoteExport::remember(const ExportView& view) {
  connection_->api->set_retries(kPatient);
  finished_ = is_terminal(view.state);
  const std::lock_guard lock(id_mutex_);
  export_id_ = view.id;
}

// --- calls

Result<ColumnTypes> RemoteExport::column_types(const std::string& dataset) {
  return connection_->api->column_types(dataset, stop_.get_token());
}

Result<ExportView> RemoteExport::create(const std::string& body) {
  const std::string key = uuid_v7(connection_->clock.now());
  auto view = connection_->api->create_export(body, key, stop_.get_token());
  if (view) {
    remember(*view);
  } else if (view.error().code == "stopped") {
    display_.say("Left before the server answered: `longshore jobs list` shows whether the export was made.");
  }
  return view;
}

Result<ExportView> RemoteExport::find(const std::string& id) {
  TRY(ExportView view, connection_->api->get_export(id, stop_.get_token()));
  remember(view);
  return view;
}

// --- waiting

void RemoteExport::note_answer(const ExportView& view) {
  polled_at_ = SteadyClock::now();
  if (view.state != JobState::running) return;
  // The server counts rows now and then: only a new count says something of the speed, and so does a long silence.
  const bool changed = view.rows != counted_rows_;
  if (!changed && polled_at_ - counted_at_ < kSilence) return;
  row_rate_.add(polled_at_, view.rows);
  counted_rows_ = view.rows;
  counted_at_ = polled_at_;
}

void RemoteExport::show_waiting(const ExportView& view) {
  ProgressView shown;
  shown.label = view.export_type.empty() ? "export" : view.export_type;
  if (view.state == JobState::queued) {
    shown.note = view.queue_position ? fmt::format("queued, {} in line", ordinal(*view.queue_position)) : "queued";
    shown_ = shown;
    display_.show(shown);
    return;
  }
  shown.rows = view.rows;
  shown.bytes = view.bytes;
  if (view.estimated_rows && *view.estimated_rows > 0) {
    shown.percent = view.progress_percent;
    shown.total_rows = std::max(*view.estimated_rows, view.rows);
    shown.total_is_estimate = true;
  } else if (view.progress_percent > 0) {
    shown.percent = view.progress_percent;
  }
  shown.rows_per_second = row_rate_.per_second();
  if (view.seconds_left) {  // counts down between the answers
    const std::chrono::duration<double> since = SteadyClock::now() - polled_at_;
    shown.seconds_left = std::max(0.0, static_cast<double>(*view.seconds_left) - since.count());
  }
  const bool calm = view.source_pressure.empty() || view.source_pressure == "none";
  if (!calm) shown.note = view.source_pressure;
  shown_ = shown;
  display_.show(shown);
}

Result<ExportView> RemoteExport::wait(ExportView view) {
  const auto begun = SteadyClock::now();
  Duration interval = kFirstPoll;
  while (!is_terminal(view.state)) {
    if (options_.timeout && SteadyClock::now() - begun >= *options_.timeout) {
      display_.say(how_to_come_back());
      return fail(user_error("timed_out",
                             fmt::format("the export {} is not finished after {}; it goes on at the server", view.id,
                                         format_duration(static_cast<double>(options_.timeout->count())))));
    }
    // Frames between the answers keep the bar alive and follow a resized window.
    for (Duration slept{}; slept < interval; slept += kFrame) {
      show_waiting(view);
      if (!connection_->clock.sleep_for(std::min<Duration>(kFrame, interval - slept), stop_.get_token())) {
        return fail(user_error("stopped", "interrupted"));
      }
    }
    interval = std::min<Duration>(interval * 3 / 2, kSlowestPoll);
    auto next = connection_->api->get_export(view.id, stop_.get_token());
    if (!next) {
      if (!told_ && next.error().code != "stopped")
        display_.say("The export may go on at the server.\n" + how_to_come_back());
      return next;
    }
    view = *std::move(next);
    note_answer(view);
  }
  finished_ = true;
  display_.clear();
  if (view.state != JobState::succeeded) return fail(ended_badly(view));
  return view;
}

// --- the file

Status RemoteExport::download(const ExportView& view, DownloadTarget& target, RemoteExportReport& report) {
  Downloader downloader(*connection_->api, *connection_->transport, connection_->clock);
  RateMeter rate;
  downloader.observe([&](const DownloadProgress& progress) {
    rate.add(SteadyClock::now(), progress.bytes);
    ProgressView shown;
    shown.label = "download";
    shown.bytes = progress.bytes;
    shown.total_bytes = progress.total_bytes;
    shown.bytes_per_second = rate.per_second();
    if (progress.total_bytes && *progress.total_bytes > 0) {
      shown.percent = 100.0 * static_cast<double>(progress.bytes) / static_cast<double>(*progress.total_bytes);
      if (shown.bytes_per_second && *shown.bytes_per_second > 0) {
        shown.seconds_left = static_cast<double>(*progress.total_bytes - progress.bytes) / *shown.bytes_per_second;
      }
    }
    shown_ = shown;
    display_.show(shown);
  });
  TRY(const DownloadReport downloaded, downloader.run(view.id, target, stop_.get_token()));
  report.downloaded_bytes = downloaded.bytes;
  display_.clear();
  return {};
}

Result<std::string> RemoteExport::check(const std::string& path, const std::string& manifest,
                                        RemoteExportReport& report) {
  ProgressView shown;
  shown.label = "verify";
  shown.note = "comparing checksums";
  display_.show(shown);
  TRY(const VerifyReport verified, verify_file(path, manifest, options_.trusted_key));
  display_.clear();
  report.verified = verified.whole();
  report.key_pinned = verified.key_pinned;
  return fmt::format("{}", fmt::join(verified.problems, "; "));
}

Result<RemoteExportReport> RemoteExport::fetch(const ExportView& view) {
  RemoteExportReport report;
  report.view = view;
  std::string manifest;
  if (options_.verify || !options_.manifest_path.empty()) {
    TRY(manifest, connection_->api->manifest(view.id, stop_.get_token()));
  }
  if (!options_.manifest_path.empty()) {
    std::ofstream out(options_.manifest_path, std::ios::binary);
    if (!(out << manifest) || !out.flush()) {
      return fail(external_error("cannot_write_file", fmt::format("cannot write {}", options_.manifest_path), false));
    }
  }
  if (options_.output == "-") {
    StreamTarget target(STDOUT_FILENO);
    CHECK_OK(download(view, target, report));
    return report;
  }

  const std::string path = options_.output.empty() ? default_file_name(view) : options_.output;
  // A part of an earlier run is only worth keeping when the manifest can prove what comes of it.
  TRY(const auto file, PartFile::open(path, options_.keep_part && options_.verify));
  bool continued = file->size() > 0;
  for (;;) {
    CHECK_OK(download(view, *file, report));
    if (!options_.verify) break;
    TRY(const std::string problems, check(file->part_path(), manifest, report));
    if (problems.empty()) break;
    if (!continued) {
      return fail(external_error(
          "verification_failed",
          fmt::format("the file does not match its manifest: {}. It is kept as {}", problems, file->part_path()),
          false));
    }
    continued = false;  // the part was of another file: once more from the beginning
    CHECK_OK(file->restart());
  }
  CHECK_OK(file->publish());
  report.path = path;
  return report;
}

}  // namespace longshore
