#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/server_options.h"
#include "cli/terminal.h"
#include "cli/text_layout.h"

namespace longshore {
namespace {

namespace json = boost::json;

struct WorkersOptions {
  ServerOptions server;
  bool as_json = false;
};

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || value->is_null()) return {};
  return value->is_string() ? std::string(value->get_string()) : json::serialize(*value);
}

/// `2026-06-06T14:20:00.123456Z` as `2026-06-06 14:20:00`.
std::string short_time(std::string rfc3339) {
  if (rfc3339.size() < 19) return rfc3339;
  rfc3339.resize(19);
  rfc3339[10] = ' ';
  return rfc3339;
}

Result<int> list_workers(const WorkersOptions& options) {
  TRY(const auto connection, connect(options.server));
  TRY(const std::string body, connection->api->workers({}));
  if (options.as_json) {
    write_all(STDOUT_FILENO, body + "\n");
    return kExitOk;
  }
  boost::system::error_code broken;
  const json::value answer = json::parse(body, broken);
  const json::value* list = !broken && answer.is_object() ? answer.get_object().if_contains("workers") : nullptr;
  if (list == nullptr || !list->is_array()) {
    return fail(external_error("bad_answer", "the server's answer is no list of workers", false));
  }
  if (list->get_array().empty()) {
    write_all(STDERR_FILENO, "No workers: exports wait until one is started (longshore serve --role worker).\n");
    return kExitOk;
  }
  TextTable table;
  table.headings = {{"WORKER", false, 12, 0},
                    {"HOST", false, 8, 2},
                    {"PID", true, 0, 4},
                    {"STATE"},
                    {"CLAIMS", true, 0, 1},
                    {"STARTED (UTC)", false, 0, 5},
                    {"LAST HEARD OF (UTC)", false, 0, 3}};
  for (const json::value& entry : list->get_array()) {
    if (!entry.is_object()) continue;
    const json::object& worker = entry.get_object();
    table.rows.push_back({text_of(worker, "workerId"), text_of(worker, "host"), text_of(worker, "pid"),
                          text_of(worker, "alive") == "true" ? "alive" : "silent", text_of(worker, "claims"),
                          short_time(text_of(worker, "startedAt")), short_time(text_of(worker, "heartbeatAt"))});
  }
  write_all(STDOUT_FILENO, render_table(table, terminal_width(STDOUT_FILENO), inspect_terminal(STDOUT_FILENO).unicode));
  return kExitOk;
}

}  // namespace

void add_workers_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<WorkersOptions>();
  CLI::App* command = app.add_subcommand("workers", "List the workers of an installation and what they hold");
  command->add_flag("--json", options->as_json, "The server's answer as it is");
  add_server_options(*command, options->server);
  command->callback([options, &action] {
    action = [options] {
      const auto code = list_workers(*options);
      return code ? *code : report_error(code.error());
    };
  });
}

}  // namespace longshore
