#include <CLI/CLI.hpp>
#include <cstdlib>

#include "app/server.h"
#include "cli/commands.h"
#include "cli/configured.h"
#include "cli/exit_code.h"
#include "cli/interrupts.h"

namespace longshore {
namespace {

Status serve(const ConfiguredOptions& options) {
  TRY(const Configuration configuration, load_configured(options));
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
  auto options = std::make_shared<ConfiguredOptions>();
  CLI::App* command = app.add_subcommand("serve", "Run the API, workers, or both");
  add_config_option(*command, options);
  const auto add = [&](const char* flag, const char* variable, const char* type, const std::string& description) {
    command->add_option(flag, options->overrides[variable], description + " [" + variable + "]")->type_name(type);
  };
  add("--role", "LONGSHORE_ROLE", "ROLE", "api, worker or all (both)");
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
