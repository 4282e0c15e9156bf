#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace longshore {

/// What the chosen subcommand does once all arguments are read. Returns an ExitCode.
using Action = std::function<int()>;

// Each adds a subcommand to `app` and, when it is chosen, sets `action`. `app` and `action` outlive the parsing.
void add_serve_command(CLI::App& app, Action& action);
void add_export_command(CLI::App& app, Action& action);
void add_jobs_command(CLI::App& app, Action& action);
void add_catalog_command(CLI::App& app, Action& action);
void add_verify_command(CLI::App& app, Action& action);
void add_demo_command(CLI::App& app, Action& action);
void add_workers_command(CLI::App& app, Action& action);
void add_migrate_command(CLI::App& app, Action& action);
void add_version_command(CLI::App& app, Action& action);
void add_completion_command(CLI::App& app, Action& action);

}  // namespace longshore
