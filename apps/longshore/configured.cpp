#include "cli/configured.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <optional>

namespace longshore {

void add_config_option(CLI::App& command, const std::shared_ptr<ConfiguredOptions>& options) {
  command.add_option("--config", options->config, "Configuration file (YAML)")
      ->envname("LONGSHORE_CONFIG")
      ->type_name("FILE");
}

Result<Configuration> load_configured(const ConfiguredOptions& options) {
  const EnvironmentLookup lookup = [&options](const std::string& name) -> std::optional<std::string> {
    if (const auto flag = options.overrides.find(name); flag != options.overrides.end() && !flag->second.empty()) {
      return flag->second;
    }
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
  return load_configuration(options.config.empty() ? std::nullopt : std::optional(options.config), lookup);
}

}  // namespace longshore
