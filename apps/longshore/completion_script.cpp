#include "cli/completion_script.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <sstream>

namespace longshore {
namespace {

/// The words of a type name like `csv|jsonl`; none when it is no list of words.
std::vector<std::string> words_in(const std::string& type_name) {
  std::vector<std::string> words;
  if (type_name.find('|') == std::string::npos) return words;
  std::istringstream list(type_name);
  for (std::string word; std::getline(list, word, '|');) words.push_back(word);
  return words;
}

CommandWords collect(const CLI::App& app, std::vector<std::string> path) {
  CommandWords words;
  words.path = std::move(path);
  words.description = app.get_description();
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) words.takes_files = true;
    for (const std::string& name : option->get_lnames()) {
      words.options.push_back(
          {"--" + name, option->get_description(), option->get_expected_max() > 0, words_in(option->get_type_name())});
    }
  }
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    std::vector<std::string> sub_path = words.path;
    sub_path.push_back(sub->get_name());
    words.subcommands.push_back(collect(*sub, std::move(sub_path)));
  }
  return words;
}

std::string joined(const CommandWords& words, bool with_options) {
  std::vector<std::string> all;
  all.reserve(words.subcommands.size() + words.options.size());
  for (const auto& sub : words.subcommands) all.push_back(sub.path.back());
  if (with_options) {
    for (const auto& option : words.options) all.push_back(option.name);
  }
  return fmt::format("{}", fmt::join(all, " "));
}

std::string joined_path(const CommandWords& words) {
  return fmt::format("{}", fmt::join(words.path, " "));
}

/// Single-quoted for a shell, on one line.
std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c == '\n' ? ' ' : c;
    }
  }
  return out + "'";
}

template <class Visit>
void walk(const CommandWords& words, const Visit& visit) {
  visit(words);
  for (const auto& sub : words.subcommands) walk(sub, visit);
}

}  // namespace

CommandWords words_of(const CLI::App& app) {
  return collect(app, {});
}

std::string bash_completion(const CommandWords& program) {
  std::string words_cases;
  std::string command_cases;
  std::string value_cases;
  walk(program, [&](const CommandWords& words) {
    const std::string path = shell_quoted(joined_path(words));
    words_cases += fmt::format("    {}) words={} ;;\n", path, shell_quoted(joined(words, true)));
    for (const auto& option : words.options) {
      if (option.values.empty()) continue;
      value_cases += fmt::format("    {}) words={} ;;\n", shell_quoted(joined_path(words) + " " + option.name),
                                 shell_quoted(fmt::format("{}", fmt::join(option.values, " "))));
    }
    if (!words.subcommands.empty()) {
      command_cases += fmt::format("    {}) echo {} ;;\n", path, shell_quoted(joined(words, false)));
    }
  });
  return fmt::format(R"(# bash completion for longshore: source <(longshore completion bash)
_longshore() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" path="" word words=""
  COMPREPLY=()
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case " $(_longshore_commands "$path") " in
      *" $word "*) path="${{path:+$path }}$word" ;;
    esac
  done
  case "$path" in
{}  esac
  case "$path ${{COMP_WORDS[COMP_CWORD-1]}}" in
{}  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [ ${{#COMPREPLY[@]}} -eq 0 ]; then COMPREPLY=($(compgen -f -- "$current")); fi
}}
_longshore_commands() {{
  case "$1" in
{}  esac
}}
complete -o filenames -F _longshore longshore
)",
                     words_cases, value_cases, command_cases);
}

namespace {

std::string zsh_function_name(const CommandWords& words) {
  return words.path.empty() ? "_longshore" : fmt::format("_longshore_{}", fmt::join(words.path, "_"));
}

/// Brackets would end a description.
std::string without_brackets(std::string text) {
  for (char& c : text) {
    if (c == '[') c = '(';
    if (c == ']') c = ')';
  }
  return text;
}

std::string zsh_value(const CommandWords::Option& option) {
  if (!option.takes_value) return {};
  if (option.values.empty()) return ":value:_files";
  return fmt::format(":value:({})", fmt::join(option.values, " "));
}

std::string zsh_function(const CommandWords& words) {
  std::string out = fmt::format("{}() {{\n", zsh_function_name(words));
  std::string specs;
  for (const auto& option : words.options) {
    specs += fmt::format(
        " \\\n    {}",
        shell_quoted(fmt::format("{}[{}]{}", option.name, without_brackets(option.description), zsh_value(option))));
  }
  if (words.subcommands.empty()) {
    return out + fmt::format("  _arguments{}{}\n}}\n", specs, words.takes_files ? " \\\n    '*:file:_files'" : "");
  }
  out += fmt::format("  local state line\n  _arguments -C{} \\\n    '1:command:->command' '*::argument:->argument'\n",
                     specs);
  out += "  case $state in\n    command) local -a commands; commands=(\n";
  for (const auto& sub : words.subcommands) {
    out += fmt::format("      {}\n", shell_quoted(sub.path.back() + ":" + sub.description));
  }
  out += "      ); _describe command commands ;;\n    argument) case $line[1] in\n";
  for (const auto& sub : words.subcommands) {
    out += fmt::format("      {}) {} ;;\n", sub.path.back(), zsh_function_name(sub));
  }
  return out + "    esac ;;\n  esac\n}\n";
}

}  // namespace

std::string zsh_completion(const CommandWords& program) {
  std::string out =
      "#compdef longshore\n# zsh completion for longshore: longshore completion zsh > \"${fpath[1]}/_longshore\"\n";
  walk(program, [&](const CommandWords& words) { out += zsh_function(words); });
  return out + "if [ \"$funcstack[1]\" = _longshore ]; then _longshore \"$@\"; else compdef _longshore longshore; fi\n";
}

namespace {

std::string fish_value(const CommandWords::Option& option) {
  if (!option.takes_value) return {};
  if (option.values.empty()) return " -rF";
  return " -x -a " + shell_quoted(fmt::format("{}", fmt::join(option.values, " ")));
}

}  // namespace

std::string fish_completion(const CommandWords& program) {
  std::string out =
      "# fish completion for longshore: longshore completion fish | source\n"
      "complete -c longshore -f\n";
  walk(program, [&](const CommandWords& words) {
    std::string condition = words.path.empty() ? "__fish_use_subcommand" : "";
    for (const auto& word : words.path) {
      condition += fmt::format("{}__fish_seen_subcommand_from {}", condition.empty() ? "" : "; and ", word);
    }
    if (!words.path.empty() && !words.subcommands.empty()) {
      condition += "; and not __fish_seen_subcommand_from " + joined(words, false);
    }
    for (const auto& sub : words.subcommands) {
      out += fmt::format("complete -c longshore -n {} -a {} -d {}\n", shell_quoted(condition), sub.path.back(),
                         shell_quoted(sub.description));
    }
    for (const auto& option : words.options) {
      out += fmt::format("complete -c longshore -n {} -l {}{} -d {}\n", shell_quoted(condition), option.name.substr(2),
                         fish_value(option), shell_quoted(option.description));
    }
    if (words.takes_files) out += fmt::format("complete -c longshore -n {} -F\n", shell_quoted(condition));
  });
  return out;
}

}  // namespace longshore
