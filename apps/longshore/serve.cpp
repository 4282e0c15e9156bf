#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "app/configuration.h"
#include "app/server.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/interrupts.h"

namespace longshore {
namespace {

struct ServeOptions {
  std::string config;
  std::map<std::string, std::string> overrides;  ///< environment variable → the flag's value
};

/// Flags speak to the configuration as if they were its environment variables, so that all three ways are read and
/// checked in one place; a flag wins.
EnvironmentLookup lookup_in(const std::map<std::string, std::string>& overrides) {
  return [overrides](const std::string& name) -> std::optional<std::string> {
    if (const auto flag = overrides.find(name); flag != overrides.end() && !flag->second.empty()) return flag->second;
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

Status serve(const ServeOptions& options) {
  const std::optional<std::string> path = options.config.empty() ? std::nullopt : std::optional(options.config);
  TRY(const Configuration configuration, load_configuration(path, lookup_in(options.overrides)));
  std::stop_source stop;
  // The first signal lets requests and parts finish; the second one does not wait for them.
  TRY(const auto interrupts, Interrupts::make([&stop](int, int count) {
        if (count > 1) std::_Exit(kExitInterrupted);
        stop.request_stop();
      }));
  return run_server(configuration, stop.get_token());
}

}  // namespace

void add_serve_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* command = app.add_subcommand("serve", "Run the API and its workers");
  command->add_option("--config", options->config, "Configuration file (YAML)")
      ->envname("LONGSHORE_CONFIG")
      ->type_name("FILE");
  const auto add = [&](const char* flag, const char* variable, const char* type, const std::string& description) {
    command->add_option(flag, options->overrides[variable], description + " [" + variable + "]")->type_name(type);
  };
  add("--listen", "LONGSHORE_SERVER_LISTEN", "ADDRESS:PORT", "Where to listen");
  add("--public-url", "LONGSHORE_SERVER_PUBLIC_URL", "URL", "Where clients reach the server");
  add("--catalog", "LONGSHORE_CATALOG_PATH", "FILE", "Catalog of what may be exported");
  add("--data-dir", "LONGSHORE_DATA_DIR", "DIR", "Where metadata and files are kept");
  add("--worker-slots", "LONGSHORE_WORKER_SLOTS", "N", "Partitions worked on at once; 0: API only");
  add("--log-level", "LONGSHORE_LOG_LEVEL", "LEVEL", "debug, info, warn or error");
  add("--log-format", "LONGSHORE_LOG_FORMAT", "FORMAT", "json or text");
  command->footer("Every key of the configuration file is also an environment variable; see docs/configuration.md.");
  command->callback([options, &action] {
    action = [options] {
      const auto served = serve(*options);
      return served ? static_cast<int>(kExitOk) : report_error(served.error());
    };
  });
}

}  // namespace longshore
