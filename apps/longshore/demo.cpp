#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>

#include "cli/commands.h"
#include "cli/demo_data.h"
#include "cli/exit_code.h"
#include "cli/interrupts.h"
#include "cli/progress_display.h"
#include "cli/text_layout.h"

namespace longshore {
namespace {

Result<DemoDataReport> write_with_progress(const DemoDataOptions& options, ProgressDisplay& display) {
  std::stop_source stop;
  TRY(const auto interrupts, Interrupts::make([&stop](int, int) { stop.request_stop(); }));
  RateMeter rate;
  const auto show = [&](std::int64_t done, std::int64_t total) {
    rate.add(std::chrono::steady_clock::now(), done);
    ProgressView view;
    view.label = "sample data";
    view.percent = 100.0 * static_cast<double>(done) / static_cast<double>(total);
    view.rows = done;
    view.total_rows = total;
    view.rows_per_second = rate.per_second();
    if (view.rows_per_second && *view.rows_per_second > 0) {
      view.seconds_left = static_cast<double>(total - done) / *view.rows_per_second;
    }
    display.show(view);
  };
  return write_demo(options, show, stop.get_token());
}

int run_demo_data(const DemoDataOptions& options) {
  ProgressDisplay display(STDERR_FILENO, false);
  const auto begun = std::chrono::steady_clock::now();
  const auto report = write_with_progress(options, display);
  display.clear();
  if (!report) return report_error(report.error());
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begun;
  display.say(
      fmt::format("{} rows of five tenants in {} ({}).\nNext:\n  longshore serve --config {}\n"
                  "  LONGSHORE_TOKEN={} longshore export audit_logs",
                  format_count(report->rows), printable(report->database), format_duration(taken.count(), true),
                  printable(report->configuration), kDemoToken));
  return kExitOk;
}

}  // namespace

void add_demo_command(CLI::App& app, Action& action) {
  CLI::App* demo = app.add_subcommand("demo", "Sample data to try things with");
  demo->require_subcommand(1);
  auto options = std::make_shared<DemoDataOptions>();
  CLI::App* data = demo->add_subcommand("data", "Write a sample SaaS database (SQLite), a catalog and a configuration");
  data->add_option("directory", options->directory, "Where to write them")->required()->type_name("DIR");
  data->add_option("--rows", options->audit_rows, "Rows of audit_logs; the other tables have fewer")
      ->check(CLI::Range(std::int64_t{20}, std::int64_t{100'000'000}))
      ->capture_default_str();
  data->add_flag("--force", options->overwrite, "Write over what is there");
  data->callback([options, &action] { action = [options] { return run_demo_data(*options); }; });
}

}  // namespace longshore
