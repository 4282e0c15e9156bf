#pragma once

#include <map>
#include <memory>
#include <string>

#include "app/configuration.h"

namespace CLI {
class App;
}

namespace longshore {

/// `--config` and flags that stand for single keys of the configuration.
struct ConfiguredOptions {
  std::string config;
  std::map<std::string, std::string> overrides;  ///< environment variable → the flag's value
};

void add_config_option(CLI::App& command, const std::shared_ptr<ConfiguredOptions>& options);

/// Flags speak to the configuration as if they were its environment variables, so that all three ways are read and
/// checked in one place; a flag wins. Errors: those of load_configuration().
Result<Configuration> load_configured(const ConfiguredOptions& options);

}  // namespace longshore
