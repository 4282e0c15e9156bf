#include "base/version.h"

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/terminal.h"

namespace longshore {

void add_version_command(CLI::App& app, Action& action) {
  const std::string version = std::string("longshore ") + kVersion;
  app.set_version_flag("--version", version);
  app.add_subcommand("version", "Print the version")->callback([version, &action] {
    action = [version] {
      write_all(STDOUT_FILENO, version + "\n");
      return kExitOk;
    };
  });
}

}  // namespace longshore
