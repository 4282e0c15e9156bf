#include <unistd.h>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/completion_script.h"
#include "cli/exit_code.h"
#include "cli/terminal.h"

namespace longshore {

void add_completion_command(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("completion", "Print a script that completes this program's arguments");
  auto shell = std::make_shared<std::string>();
  command->add_option("shell", *shell, "bash, zsh or fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->footer(
      "bash:  source <(longshore completion bash)\n"
      "zsh:   longshore completion zsh > \"${fpath[1]}/_longshore\"\n"
      "fish:  longshore completion fish | source");
  command->callback([shell, &app, &action] {
    action = [shell, &app] {
      const CommandWords words = words_of(app);
      write_all(STDOUT_FILENO, *shell == "bash"  ? bash_completion(words)
                               : *shell == "zsh" ? zsh_completion(words)
                                                 : fish_completion(words));
      return kExitOk;
    };
  });
}

}  // namespace longshore
