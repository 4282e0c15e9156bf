#include <unistd.h>

#include <CLI/CLI.hpp>

#include "app/metadata.h"
#include "cli/commands.h"
#include "cli/configured.h"
#include "cli/exit_code.h"
#include "cli/terminal.h"

namespace longshore {
namespace {

Status migrate(const ConfiguredOptions& options) {
  TRY(const Configuration configuration, load_configured(options));
  CHECK_OK(migrate_metadata(configuration));
  write_all(STDERR_FILENO, "The metadata schema is up to date.\n");
  return {};
}

}  // namespace

void add_migrate_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<ConfiguredOptions>();
  CLI::App* command = app.add_subcommand("migrate", "Bring the metadata schema up to date");
  add_config_option(*command, options);
  command->footer(
      "Safe to run again, and by several at once. `serve` does it by itself unless metadata.auto_migrate is off: for a "
      "database whose tables only somebody else may change.");
  command->callback([options, &action] {
    action = [options] {
      const auto migrated = migrate(*options);
      return migrated ? static_cast<int>(kExitOk) : report_error(migrated.error());
    };
  });
}

}  // namespace longshore
