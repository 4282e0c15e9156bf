#include "cli/local_export.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <cstdlib>
#include <optional>

#include "app/configuration.h"
#include "app/local_export.h"
#include "catalog/catalog.h"
#include "cli/exit_code.h"
#include "cli/interrupts.h"
#include "cli/progress_display.h"
#include "cli/terminal.h"
#include "cli/text_layout.h"

namespace longshore {
namespace {

using SteadyClock = std::chrono::steady_clock;

Result<std::map<std::string, DataType>> column_types(const std::string& catalog_path, const std::string& dataset_name) {
  TRY(const Catalog catalog, Catalog::load(catalog_path));
  std::map<std::string, DataType> types;
  if (const Dataset* dataset = catalog.find_dataset(dataset_name)) {
    for (const Column& column : dataset->columns) types.emplace(column.name, column.type);
  }
  return types;
}

/// Formats are as a server makes them that is started here without further arguments.
Status use_configuration(LocalExportRequest& request) {
  const auto lookup = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
  const auto path = lookup("LONGSHORE_CONFIG");
  TRY(const Configuration configuration, load_configuration(path && !path->empty() ? path : std::nullopt, lookup));
  request.limits = configuration.limits;
  request.pdf_fonts = configuration.pdf_fonts;
  return {};
}

std::string output_of(const ExportArguments& request, const LocalExportOptions& options) {
  if (!options.output.empty()) return options.output;
  std::string name = request.dataset + "." + request.format;
  if (request.compression == "gzip") name += ".gz";
  if (request.compression == "zstd") name += ".zst";
  return name;
}

ProgressView view_of(const std::string& dataset, const LocalExportProgress& progress, const RateMeter& rate) {
  ProgressView view;
  view.label = dataset;
  view.rows = progress.rows;
  view.bytes = progress.bytes;
  view.rows_per_second = rate.per_second();
  if (progress.estimated_rows <= 0) return view;
  // An estimate may be too small; then the total grows along and the bar waits short of its end.
  const std::int64_t total = std::max(progress.estimated_rows, progress.rows + 1);
  view.total_rows = total;
  view.total_is_estimate = true;
  view.percent = 100.0 * static_cast<double>(progress.rows) / static_cast<double>(total);
  if (view.rows_per_second && *view.rows_per_second > 0) {
    view.seconds_left = static_cast<double>(total - progress.rows) / *view.rows_per_second;
  }
  return view;
}

/// `message: 1,204 values guarded against formula injection`: what did not go into the file as it was.
void say_fidelity(const LocalExportReport& report, ProgressDisplay& display) {
  for (std::size_t i = 0; i < report.fidelity.size() && i < report.columns.size(); ++i) {
    const ColumnFidelity& counts = report.fidelity[i];
    if (counts.clean()) continue;
    std::string facts;
    const auto add = [&](std::int64_t n, const char* what) {
      if (n == 0) return;
      facts += fmt::format("{}{} {}", facts.empty() ? "" : ", ", format_count(n), what);
    };
    add(counts.guarded, "guarded against formula injection");
    add(counts.stringified, "written as text");
    add(counts.truncated, "cut to the format's limit");
    add(counts.replaced, "with characters the format cannot hold replaced");
    display.say(fmt::format("  {}: {}", printable(report.columns[i]), facts));
  }
}

}  // namespace

Result<int> export_locally(const ExportArguments& request, const LocalExportOptions& options) {
  TRY(const auto types, column_types(options.catalog, request.dataset));
  LocalExportRequest local;
  local.catalog_path = options.catalog;
  local.who.tenant = TenantId(options.tenant);
  local.who.user = UserId(options.user.empty() ? "local" : options.user);
  local.who.permissions = {"*"};  // who can read the database's files or password may see it all
  TRY(local.body, request_body(request, types));
  local.output_path = output_of(request, options);
  CHECK_OK(use_configuration(local));

  std::stop_source stop;
  TRY(const auto interrupts, Interrupts::make([&stop](int, int) { stop.request_stop(); }));
  ProgressDisplay display(STDERR_FILENO, options.quiet);
  RateMeter rate;
  const auto show = [&](const LocalExportProgress& progress) {
    rate.add(SteadyClock::now(), progress.rows);
    display.show(view_of(request.dataset, progress, rate));
  };
  auto report = run_local_export(local, show, stop.get_token());
  display.clear();
  if (!report && stop.stop_requested()) return fail(user_error("stopped", "interrupted"));
  if (!report) return fail(std::move(report).error());

  const double seconds = std::chrono::duration<double>(report->elapsed).count();
  if (!options.quiet) {
    display.say(fmt::format("{}: {} rows, {} in {} ({} rows/s)", printable(request.dataset), format_count(report->rows),
                            format_bytes(report->bytes), format_duration(seconds, true),
                            format_short_count(seconds > 0 ? static_cast<double>(report->rows) / seconds : 0)));
    say_fidelity(*report, display);
    if (local.output_path != "-") display.say("Saved to " + printable(local.output_path));
  }
  if (options.json) {
    write_all(STDOUT_FILENO, boost::json::serialize(boost::json::object{{"file", local.output_path},
                                                                        {"rowCount", report->rows},
                                                                        {"byteCount", report->bytes},
                                                                        {"elapsedMs", report->elapsed.count()}}) +
                                 "\n");
  }
  return kExitOk;
}

}  // namespace longshore
