#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/remote_export.h"
#include "cli/server_options.h"
#include "cli/terminal.h"
#include "cli/text_layout.h"

namespace longshore {
namespace {

namespace json = boost::json;

struct JobsOptions {
  ServerOptions server;
  ExportListQuery query;
  int limit = 20;
  std::vector<std::string> ids;
  bool as_json = false;
};

int table_width() {
  return terminal_width(STDOUT_FILENO);
}
bool table_unicode() {
  return inspect_terminal(STDOUT_FILENO).unicode;
}

/// `2026-06-06T14:20:00.123456Z` as `2026-06-06 14:20:00`.
std::string short_time(const std::string& rfc3339) {
  if (rfc3339.size() < 19) return rfc3339;
  std::string text = rfc3339.substr(0, 19);
  text[10] = ' ';
  return text;
}

std::string percent_of(const ExportView& view) {
  return view.state == JobState::succeeded || view.state == JobState::running
             ? fmt::format("{}%", static_cast<int>(view.progress_percent))
             : "";
}

// --- list

Result<std::vector<ExportView>> fetch_list(ApiClient& api, ExportListQuery query, int limit) {
  std::vector<ExportView> all;
  while (static_cast<int>(all.size()) < limit) {
    query.page_size = std::min(limit - static_cast<int>(all.size()), 200);
    TRY(ExportPage page, api.list_exports(query, {}));
    std::move(page.exports.begin(), page.exports.end(), std::back_inserter(all));
    if (page.next_page_token.empty() || page.exports.empty()) break;
    query.page_token = page.next_page_token;
  }
  return all;
}

Result<int> list_jobs(const JobsOptions& options) {
  TRY(const auto connection, connect(options.server));
  TRY(const auto exports, fetch_list(*connection->api, options.query, options.limit));
  if (options.as_json) {
    std::string out = "[";
    for (const ExportView& view : exports) out += (out.size() == 1 ? "\n" : ",\n") + view.json;
    write_all(STDOUT_FILENO, out + "\n]\n");
    return kExitOk;
  }
  if (exports.empty()) {
    write_all(STDERR_FILENO, "No exports.\n");
    return kExitOk;
  }
  TextTable table;
  table.headings = {{"EXPORT"},
                    {"STATE"},
                    {"DATASET", false, 10, 0},
                    {"FORMAT", false, 0, 4},
                    {"DONE", true, 0, 2},
                    {"ROWS", true, 0, 3},
                    {"SIZE", true, 0, 6},
                    {"CREATED (UTC)", false, 0, 7},
                    {"BY", false, 8, 5}};
  for (const ExportView& view : exports) {
    table.rows.push_back({view.id, std::string(to_string(view.state)), view.export_type, view.format, percent_of(view),
                          format_count(view.rows), format_bytes(view.bytes), short_time(view.created_at),
                          view.requested_by});
  }
  write_all(STDOUT_FILENO, render_table(table, table_width(), table_unicode()));
  return kExitOk;
}

// --- show

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || value->is_null()) return {};
  return value->is_string() ? std::string(value->get_string()) : json::serialize(*value);
}

/// The partitions as a table; empty when there are none yet.
std::string partition_table(const std::string& text) {
  boost::system::error_code broken;
  const json::value body = json::parse(text, broken);
  const json::value* list = !broken && body.is_object() ? body.get_object().if_contains("partitions") : nullptr;
  if (list == nullptr || !list->is_array() || list->get_array().empty()) return {};
  TextTable table;
  table.headings = {{"PARTITION", true},     {"STATE"}, {"ROWS", true}, {"BYTES", true}, {"ATTEMPTS", true, 0, 2},
                    {"WORKER", false, 12, 1}};
  for (const json::value& entry : list->get_array()) {
    if (!entry.is_object()) continue;
    const json::object& partition = entry.get_object();
    table.rows.push_back({text_of(partition, "index"), text_of(partition, "state"), text_of(partition, "rows"),
                          text_of(partition, "bytes"), text_of(partition, "attempts"), text_of(partition, "worker")});
  }
  return render_table(table, table_width(), table_unicode());
}

Result<int> show_job(const JobsOptions& options) {
  TRY(const auto connection, connect(options.server));
  TRY(const ExportView view, connection->api->get_export(options.ids.front(), {}));
  TRY(const std::string partitions, connection->api->partitions(view.id, {}));
  if (options.as_json) {
    json::value all = json::parse(view.json);
    boost::system::error_code broken;
    const json::value parsed = json::parse(partitions, broken);
    if (!broken && parsed.is_object()) {
      if (const json::value* list = parsed.get_object().if_contains("partitions"))
        all.get_object()["partitions"] = *list;
    }
    write_all(STDOUT_FILENO, json::serialize(all) + "\n");
    return kExitOk;
  }
  std::string out;
  const auto line = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) out += fmt::format("{:<12}{}\n", name, printable(value));
  };
  line("export", view.id);
  line("state", std::string(to_string(view.state)));
  line("dataset", view.export_type);
  line("format",
       view.compression.empty() || view.compression == "none" ? view.format : view.format + ", " + view.compression);
  line("progress", percent_of(view));
  line("rows", format_count(view.rows));
  line("size", format_bytes(view.bytes));
  line("time taken", format_duration(std::chrono::duration<double>(view.elapsed).count(), true));
  if (view.queue_position) line("queue", fmt::format("position {}", *view.queue_position));
  if (view.source_pressure != "none") line("source", view.source_pressure);
  line("asked by", view.requested_by);
  line("created", view.created_at);
  line("expires", view.expires_at);
  if (!view.error_code.empty()) line("error", fmt::format("{} ({})", view.error_message, view.error_code));
  const std::string table = partition_table(partitions);
  write_all(STDOUT_FILENO, table.empty() ? out : out + "\n" + table);
  return kExitOk;
}

// --- cancel, delete, watch

/// Does `call` for every id, also after one failed; the first failure's code is the result.
Result<int> for_each_id(const JobsOptions& options, std::string_view done,
                        const std::function<Status(ApiClient&, const std::string&)>& call) {
  TRY(const auto connection, connect(options.server));
  int code = kExitOk;
  for (const std::string& id : options.ids) {
    if (auto status = call(*connection->api, id); !status) {
      const int failed = report_error(std::move(status.error()).with_context(id));
      if (code == kExitOk) code = failed;
    } else {
      write_all(STDERR_FILENO, fmt::format("{} {}\n", printable(canonical_export_id(id)), done));
    }
  }
  return code;
}

Result<int> watch_job(const JobsOptions& options) {
  TRY(const auto remote, RemoteExport::make(options.server, {}));
  TRY(ExportView view, remote->find(options.ids.front()));
  TRY(view, remote->wait(std::move(view)));
  remote->display().say(fmt::format("{} {}: {} rows, {}", view.id, to_string(view.state), format_count(view.rows),
                                    format_bytes(view.bytes)));
  return kExitOk;
}

using Runner = Result<int> (*)(const JobsOptions&);

/// A subcommand of `jobs`, with what all of them have.
CLI::App* add(CLI::App& jobs, Action& action, const char* name, const char* description, Runner run,
              const std::shared_ptr<JobsOptions>& options) {
  CLI::App* command = jobs.add_subcommand(name, description);
  add_server_options(*command, options->server);
  command->callback([options, run, &action] {
    action = [options, run] {
      const auto code = run(*options);
      return code ? *code : report_error(code.error());
    };
  });
  return command;
}

void add_ids(CLI::App* command, const std::shared_ptr<JobsOptions>& options, bool several) {
  auto* ids = command->add_option("id", options->ids, several ? "Exports (exp_…)" : "Export (exp_…)")->required();
  if (!several) ids->expected(1);
}

}  // namespace

void add_jobs_command(CLI::App& app, Action& action) {
  CLI::App* jobs = app.add_subcommand("jobs", "List, inspect, cancel and delete exports on a server");
  jobs->require_subcommand(1);
  auto options = std::make_shared<JobsOptions>();

  CLI::App* list = add(*jobs, action, "list", "Newest exports first", &list_jobs, options);
  list->add_option("--status", options->query.status, "queued, running, succeeded, failed, cancelled or expired");
  list->add_option("--dataset", options->query.export_type, "Only of this dataset");
  list->add_option("--by", options->query.requested_by, "Only of this user");
  list->add_option("--limit", options->limit, "At most so many")->check(CLI::Range(1, 100000))->capture_default_str();
  list->add_flag("--json", options->as_json, "Print JSON");

  CLI::App* show = add(*jobs, action, "show", "Everything about one export", &show_job, options);
  add_ids(show, options, false);
  show->add_flag("--json", options->as_json, "Print JSON");

  add_ids(add(*jobs, action, "watch", "Follow an export to its end", &watch_job, options), options, false);
  add_ids(add(
              *jobs, action, "cancel", "Stop queued or running exports",
              [](const JobsOptions& chosen) {
                return for_each_id(chosen, "is being cancelled",
                                   [](ApiClient& api, const std::string& id) { return api.cancel_export(id, {}); });
              },
              options),
          options, true);
  add_ids(add(
              *jobs, action, "delete", "Remove the files of finished exports now; the record stays",
              [](const JobsOptions& chosen) {
                return for_each_id(chosen, "is deleted",
                                   [](ApiClient& api, const std::string& id) { return api.delete_export(id, {}); });
              },
              options),
          options, true);
}

}  // namespace longshore
