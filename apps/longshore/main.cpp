#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <exception>
#include <string>
#include <vector>

#include "base/closest_name.h"
#include "base/process_memory.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/terminal.h"

namespace longshore {
namespace {

constexpr const char* kAbout =
    "Longshore exports rows from PostgreSQL and SQLite to files: as a service with an API, or straight from here.";

constexpr const char* kFooter =
    "Exit codes:\n"
    "  0    ok\n"
    "  1    the operation failed (export failed, file does not match its manifest, catalog has errors)\n"
    "  2    wrong arguments or an invalid request\n"
    "  3    not authorised\n"
    "  4    not found\n"
    "  5    server, source database or store not available\n"
    "  130  interrupted\n"
    "Standard output carries only data; everything said to people goes to standard error.";

/// `; there is no "exprot", did you mean "export"?` when a word is no subcommand of the last one that is.
std::string describe_unknown_word(const CLI::App& app) {
  const std::vector<std::string> rest = app.remaining();
  std::vector<std::string> names;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(sub->get_name());
  if (rest.empty() || names.empty()) return {};
  return "there is no subcommand \"" + rest.front() + "\"" + did_you_mean(rest.front(), names);
}

/// The arguments' errors in the words of all other errors.
int report_parse_error(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) return app.exit(error);  // --help and its like print and succeed
  // The deepest subcommand that was named is the one whose help is wanted.
  std::string command = "longshore";
  const CLI::App* deepest = &app;
  while (!deepest->get_subcommands().empty()) {
    deepest = deepest->get_subcommands().front();
    command += " " + deepest->get_name();
  }
  std::string what = describe_unknown_word(*deepest);
  if (what.empty()) what = error.what();
  if (!what.ends_with('?')) what += '.';
  write_all(STDERR_FILENO, "longshore: " + what + " `" + command + " --help` shows what there is.\n");
  return kExitUsage;
}

int run(int argc, char** argv) {
  return_freed_memory();
  ::signal(SIGPIPE, SIG_IGN);  // a reader that went away is a write error, which says what was being written
  CLI::App app{kAbout, "longshore"};
  app.require_subcommand(1);
  app.footer(kFooter);
  app.get_formatter()->column_width(34);
  Action action;
  add_serve_command(app, action);
  add_export_command(app, action);
  add_jobs_command(app, action);
  add_catalog_command(app, action);
  add_verify_command(app, action);
  add_workers_command(app, action);
  add_migrate_command(app, action);
  add_demo_command(app, action);
  add_version_command(app, action);
  add_completion_command(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return report_parse_error(app, error);
  }
  return action();
}

}  // namespace
}  // namespace longshore

int main(int argc, char** argv) {
  try {
    return longshore::run(argc, argv);
  } catch (const std::exception& error) {
    longshore::write_all(STDERR_FILENO, std::string("longshore: a bug or no memory: ") + error.what() + "\n");
    return longshore::kExitFailed;
  }
}
