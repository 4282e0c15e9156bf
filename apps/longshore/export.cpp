#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "app/formats.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/export_request.h"
#include "cli/local_export.h"
#include "cli/remote_export.h"
#include "cli/terminal.h"
#include "cli/text_layout.h"

namespace longshore {
namespace {

struct ExportOptions {
  ServerOptions server;
  ExportArguments request;
  RemoteExportOptions run;
  LocalExportOptions local;
  bool is_local = false;
  std::string resume;
  std::string timeout;
  bool no_download = false;
  bool no_wait = false;
  bool no_verify = false;
  bool json = false;
};

/// Resumes an export or makes a new one.
Result<ExportView> begin(const ExportOptions& options, RemoteExport& remote) {
  if (!options.resume.empty()) return remote.find(options.resume);
  ColumnTypes types;
  if (!options.request.filters.empty()) {
    TRY(types, remote.column_types(options.request.dataset));
  }
  TRY(const std::string body, request_body(options.request, types));
  TRY(ExportView view, remote.create(body));
  view.export_type = options.request.dataset;  // the answer to a create does not repeat it
  return view;
}

/// `1,000,000 rows, 303 MB in 8.1 s (123k rows/s)`.
std::string describe_work(const ExportView& view) {
  std::string text = fmt::format("{} rows, {}", format_count(view.rows), format_bytes(view.bytes));
  const double seconds = std::chrono::duration<double>(view.elapsed).count();
  if (seconds > 0) {
    text += fmt::format(" in {} ({} rows/s)", format_duration(seconds, true),
                        format_short_count(static_cast<double>(view.rows) / seconds));
  }
  return text;
}

void print_json(const RemoteExportReport& report) {
  boost::json::object out{{"exportId", report.view.id},
                          {"status", std::string(to_string(report.view.state))},
                          {"rowCount", report.view.rows},
                          {"byteCount", report.view.bytes},
                          {"elapsedMs", report.view.elapsed.count()},
                          {"verified", report.verified}};
  out["file"] = report.path.empty() ? boost::json::value() : boost::json::value(report.path);
  write_all(STDOUT_FILENO, boost::json::serialize(out) + "\n");
}

void print_summary(const RemoteExportReport& report, const ExportOptions& options, ProgressDisplay& display) {
  display.say(fmt::format("{}: {}", printable(report.view.export_type), describe_work(report.view)));
  if (options.no_download) {
    display.say(fmt::format("Download it with: longshore export --resume {}", report.view.id));
    return;
  }
  const char* proof = report.verified ? "complete and unaltered by its manifest" : "not verified";
  if (report.path.empty()) {
    display.say(fmt::format("Written to standard output ({}); {}", format_bytes(report.downloaded_bytes), proof));
  } else {
    display.say(
        fmt::format("Saved to {} ({}); {}", printable(report.path), format_bytes(report.downloaded_bytes), proof));
  }
}

Result<int> run_remote(ExportOptions& options) {
  TRY(const auto remote, RemoteExport::make(options.server, options.run));
  TRY(ExportView view, begin(options, *remote));
  if (options.no_wait) {
    write_all(STDOUT_FILENO, (options.json ? view.json : view.id) + "\n");
    return kExitOk;
  }
  TRY(view, remote->wait(std::move(view)));
  RemoteExportReport report;
  report.view = view;
  if (!options.no_download) {
    TRY(report, remote->fetch(view));
  }
  if (!options.run.quiet) print_summary(report, options, remote->display());
  if (options.json) print_json(report);
  return kExitOk;
}

Result<int> run_local(ExportOptions& options) {
  const bool remote_only = !options.resume.empty() || options.no_wait || options.no_download ||
                           !options.timeout.empty() || !options.run.manifest_path.empty();
  if (remote_only) {
    return fail(user_error("bad_arguments",
                           "--local makes the file at once, so --resume, --no-wait, --no-download, "
                           "--timeout and --manifest do not go with it"));
  }
  if (options.local.catalog.empty() || options.local.tenant.empty()) {
    return fail(user_error("bad_arguments", "--local needs --catalog FILE and --tenant TENANT"));
  }
  options.local.output = options.run.output;
  options.local.quiet = options.run.quiet;
  options.local.json = options.json;
  return export_locally(options.request, options.local);
}

/// The formats that this build writes itself; a server may know others.
std::vector<std::string> format_names() {
  std::vector<std::string> names;
  const FormatTable formats = make_format_table();
  for (const Format* format : formats.all()) names.push_back(format->traits().name);
  return names;
}

int run_export(ExportOptions& options) {
  if (options.request.dataset.empty() == options.resume.empty()) {
    return report_error(
        user_error("bad_arguments", "say which DATASET to export, or --resume ID of an export that exists"));
  }
  if (options.json && options.run.output == "-") {
    return report_error(user_error("bad_arguments", "--json and -o - would both write to standard output"));
  }
  guess_from_name(options.run.output, format_names(), options.request);
  if (options.is_local) {
    const auto code = run_local(options);
    return code ? *code : report_error(code.error());
  }
  options.run.verify = !options.no_verify && options.run.output != "-";
  options.run.keep_part = !options.resume.empty();
  if (!options.timeout.empty()) {
    const auto timeout = parse_duration(options.timeout);
    if (!timeout) return report_error(timeout.error());
    options.run.timeout = std::chrono::ceil<std::chrono::seconds>(*timeout);
  }
  const auto code = run_remote(options);
  return code ? *code : report_error(code.error());
}

/// `a|b`: shown in the help, and completed by shells.
template <class Enum>
std::string words_of_enum() {
  return fmt::format("{}", fmt::join(names_of<Enum>(), "|"));
}

void add_request_options(CLI::App& command, ExportArguments& request) {
  const char* group = "What to export";
  command.add_option("dataset", request.dataset, "Dataset of the catalog, e.g. audit_logs")->type_name("DATASET");
  command
      .add_option("--format", request.format, "Format of the file; by default what the name of --output says, else csv")
      ->type_name(fmt::format("{}", fmt::join(format_names(), "|")))
      ->group(group);
  command
      .add_option("--compression", request.compression, "Of csv, jsonl and json; by default by the name of --output")
      ->type_name(words_of_enum<Compression>())
      ->group(group);
  command.add_option("--columns", request.columns, "Only these columns, in this order: a,b,c")
      ->allow_extra_args(false)
      ->delimiter(',')
      ->group(group);
  command
      .add_option("--filter", request.filters,
                  "NAME=VALUE, NAME=A,B, NAME>=VALUE (also > <= <), 'NAME is null'; repeated: all must hold")
      ->allow_extra_args(false)
      ->group(group);
  command.add_option("--filters", request.filters_json, "Filters as in the API: '{\"status\":{\"gte\":400}}'")
      ->type_name("JSON")
      ->group(group);
  command.add_option("--from", request.from, "Rows from this time on: 2026-01-01 or RFC 3339")
      ->type_name("TIME")
      ->group(group);
  command.add_option("--to", request.to, "Rows before this time")->type_name("TIME")->group(group);
  command.add_option("--consistency", request.consistency, "How the rows belong together")
      ->type_name(words_of_enum<Consistency>())
      ->group(group);
}

void add_format_options(CLI::App& command, ExportArguments& request) {
  const char* group = "How the file looks";
  const auto add = [&](const char* flag, std::string& target, const std::string& type, const char* description) {
    command.add_option(flag, target, description)->type_name(type)->group(group);
  };
  add("--title", request.title, "TEXT", "Title: in the file's name, and on a PDF");
  add("--time-zone", request.time_zone, "ZONE", "Zone that times are shown in, e.g. Europe/Berlin (default UTC)");
  add("--csv-profile", request.csv_profile, words_of_enum<CsvProfile>(),
      "spreadsheet guards formulas, machine writes exact values");
  add("--csv-delimiter", request.csv_delimiter, "CHAR", "One character; \\t for a tab");
  add("--parquet-profile", request.parquet_profile, words_of_enum<ParquetProfile>(),
      "modern is smaller, standard is read by everything");
  add("--parquet-compression", request.parquet_compression, words_of_enum<ParquetCodec>(), "Of the pages");
  command.add_option("--parquet-bloom-filters", request.parquet_bloom_filters, "Columns to look values up by: a,b")
      ->allow_extra_args(false)
      ->delimiter(',')
      ->group(group);
  add("--xlsx-sheet-name", request.xlsx_sheet_name, "TEXT", "Name of the first sheet (default: the dataset's)");
  add("--xlsx-table-style", request.xlsx_table_style, words_of_enum<XlsxTableStyle>(), "Colours of the table");
  add("--pdf-orientation", request.pdf_orientation, words_of_enum<PdfOrientation>(), "Of the pages");
  add("--pdf-page-size", request.pdf_page_size, words_of_enum<PdfPageSize>(), "Of the pages");
}

void add_local_options(CLI::App& command, ExportOptions& options) {
  const char* group = "Without a server";
  command.add_flag("--local", options.is_local, "Read the source and write the file from here")->group(group);
  command.add_option("--catalog", options.local.catalog, "Catalog that names the source and the dataset")
      ->type_name("FILE")
      ->group(group);
  command.add_option("--tenant", options.local.tenant, "Tenant whose rows are exported")
      ->type_name("TENANT")
      ->group(group);
  command.add_option("--user", options.local.user, "User to say who asked")->type_name("USER")->group(group);
}

void add_run_options(CLI::App& command, ExportOptions& options) {
  const char* group = "The file";
  command.add_option("-o,--output", options.run.output, "Where to save it; - for standard output")
      ->type_name("FILE")
      ->group(group);
  command.add_option("--manifest", options.run.manifest_path, "Save the manifest too, for `longshore verify`")
      ->type_name("FILE")
      ->group(group);
  command.add_option("--trusted-key", options.run.trusted_key, "Public key that must have signed the manifest")
      ->type_name("KEY")
      ->group(group);
  command.add_flag("--no-verify", options.no_verify, "Do not compare the file with its manifest")->group(group);
  command.add_flag("--no-download", options.no_download, "Wait for the export but leave the file there")->group(group);
  command.add_flag("--no-wait", options.no_wait, "Print the export's id and leave at once")->group(group);
  command.add_option("--resume", options.resume, "Follow an export that was made before")
      ->type_name("ID")
      ->group(group);
  command.add_option("--timeout", options.timeout, "Wait no longer than this: 90s, 10m, 2h")
      ->type_name("DURATION")
      ->group(group);
  command.add_flag("-q,--quiet", options.run.quiet, "No progress, only errors");
  command.add_flag("--json", options.json, "Print the result as JSON on standard output");
}

}  // namespace

void add_export_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App* command = app.add_subcommand("export", "Export a dataset to a file");
  add_request_options(*command, options->request);
  add_format_options(*command, options->request);
  add_run_options(*command, *options);
  add_server_options(*command, options->server);
  add_local_options(*command, *options);
  command->footer(
      "Examples:\n"
      "  longshore export audit_logs -o logs.csv\n"
      "  longshore export audit_logs --filter 'status>=400' --filter 'action=login,logout' --from 2026-01-01\n"
      "  longshore export orders --title 'Orders of May' --time-zone Europe/Berlin -o orders.xlsx\n"
      "  longshore export users --local --catalog catalog.yaml --tenant acme -o users.csv\n"
      "  longshore export orders --format jsonl --compression gzip -o - | zcat | jq .total");
  command->callback([options, &action] { action = [options] { return run_export(*options); }; });
}

}  // namespace longshore
