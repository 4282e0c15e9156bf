#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace longshore {

/// A command with what can follow it, as completion scripts need it.
struct CommandWords {
  struct Option {
    std::string name;  ///< `--format`
    std::string description;
    bool takes_value = false;
    std::vector<std::string> values{};  ///< the words it takes; none: anything, e.g. a file
  };
  std::vector<std::string> path;  ///< `jobs`, `list`; empty for the program itself
  std::string description;
  std::vector<CommandWords> subcommands;
  std::vector<Option> options;
  bool takes_files = false;  ///< has positional arguments
};

/// Read from the parser itself, so that completion never lags behind.
CommandWords words_of(const CLI::App& app);

std::string bash_completion(const CommandWords& program);
std::string zsh_completion(const CommandWords& program);
std::string fish_completion(const CommandWords& program);

}  // namespace longshore
