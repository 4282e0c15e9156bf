#include "catalog/catalog.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "catalog/check.h"
#include "catalog/init.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/source_name.h"
#include "cli/terminal.h"
#include "cli/text_layout.h"
#include "scan/source_database.h"

namespace longshore {
namespace {

// --- check

/// Findings as a compiler prints them, so that editors can jump to them. `kind`: `error`, `warning`.
std::string findings_text(const std::string& file, std::string_view kind, const std::vector<ErrorDetail>& findings,
                          bool colour) {
  std::string out;
  const char* bright = !colour ? "" : kind == "error" ? "\x1b[1;31m" : "\x1b[1;35m";
  const char* reset = colour ? "\x1b[0m" : "";
  for (const ErrorDetail& finding : findings) {
    const std::string where = finding.where.empty() ? file : finding.where;
    out += fmt::format("{}: {}{}:{} {}\n", printable(where), bright, kind, reset, printable(finding.message));
  }
  return out + fmt::format("{} {}{} in {}\n", findings.size(), kind, findings.size() == 1 ? "" : "s", printable(file));
}

void print_findings(const std::string& file, std::string_view kind, const std::vector<ErrorDetail>& findings) {
  write_all(STDERR_FILENO, findings_text(file, kind, findings, inspect_terminal(STDERR_FILENO).colour));
}

int report_findings(const std::string& file, const std::vector<ErrorDetail>& findings) {
  print_findings(file, "error", findings);
  // A catalog that could not be proved because databases are away is not a wrong one.
  const bool away = std::ranges::all_of(findings, [](const auto& f) { return f.code == "source_unavailable"; });
  return away ? kExitUnavailable : kExitFailed;
}

int check(const std::string& file, bool offline) {
  if (::access(file.c_str(), F_OK) != 0) {
    return report_error(
        user_error("catalog_not_found", fmt::format("there is no file {}; `longshore catalog init` writes "
                                                    "a catalog from a database",
                                                    file)));
  }
  const auto catalog = Catalog::load(file);
  if (!catalog) {
    return catalog.error().details.empty() ? report_error(catalog.error())
                                           : report_findings(file, catalog.error().details);
  }
  if (!offline) {
    std::map<std::string, Result<std::unique_ptr<SourceDatabase>>> databases;
    const SchemaLookup lookup = [&](const Source& source) -> Result<SchemaInspector*> {
      auto [at, fresh] = databases.try_emplace(source.name, Result<std::unique_ptr<SourceDatabase>>{});
      if (fresh) {
        at->second = make_source(source);
        if (at->second) {
          if (auto alive = (*at->second)->ping(); !alive) at->second = fail(std::move(alive).error());
        }
      }
      if (!at->second) return fail(at->second.error());
      return at->second->get();
    };
    const auto findings = check_catalog(*catalog, lookup);
    if (!findings.empty()) return report_findings(file, findings);
    const auto advice = advise_catalog(*catalog, lookup);
    if (!advice.empty()) print_findings(file, "warning", advice);
  }
  const std::size_t datasets = catalog->datasets().size();
  write_all(STDERR_FILENO, fmt::format("{}: {} dataset{} ok{}\n", printable(file), datasets, datasets == 1 ? "" : "s",
                                       offline ? " (not compared with the databases)" : ""));
  return kExitOk;
}

// --- init

Status write_new_file(const std::string& path, const std::string& text, bool force) {
  struct stat present {};
  if (!force && ::stat(path.c_str(), &present) == 0) {
    return fail(user_error("file_exists", fmt::format("{} exists; --force writes over it", path)));
  }
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  if (!(out << text) || !out.flush()) {
    return fail(external_error("cannot_write_file", fmt::format("cannot write {}", path), false));
  }
  return {};
}

struct InitOptions {
  std::string dsn;
  std::string name = "app";
  std::string output;
  bool replica = false;
  bool force = false;
};

/// The source as the catalog should name it: a file's path counts from the catalog's folder.
Source as_seen_from(const std::string& catalog_path, Source source) {
  namespace fs = std::filesystem;
  if (source.path.empty() || fs::path(source.path).is_absolute()) return source;
  std::error_code error;
  const fs::path relative = fs::relative(source.path, fs::absolute(catalog_path, error).parent_path(), error);
  if (!error && !relative.empty()) source.path = relative.string();
  return source;
}

Status init(const InitOptions& options) {
  TRY(Source source, source_of_dsn(options.dsn, options.name));
  if (options.replica) {
    if (source.primary.empty()) {
      return fail(user_error("bad_arguments", "--replica is for database servers; a SQLite file has no replicas"));
    }
    source.replicas = {std::exchange(source.primary, {})};
  }
  TRY(const auto database, make_source(source));
  CHECK_OK(database->ping());
  const bool to_file = !options.output.empty() && options.output != "-";
  TRY(const std::string yaml, init_catalog(*database, to_file ? as_seen_from(options.output, source) : source));
  if (!to_file) {
    write_all(STDOUT_FILENO, yaml);
    return {};
  }
  CHECK_OK(write_new_file(options.output, yaml, options.force));
  write_all(STDERR_FILENO,
            fmt::format("Wrote {0}. Read it over, then: longshore catalog check {0}\n", printable(options.output)));
  return {};
}

}  // namespace

void add_catalog_command(CLI::App& app, Action& action) {
  CLI::App* catalog = app.add_subcommand("catalog", "Check a catalog, or write one from a database");
  catalog->require_subcommand(1);

  CLI::App* check_command = catalog->add_subcommand("check", "Prove a catalog against its live databases");
  auto file = std::make_shared<std::string>();
  auto offline = std::make_shared<bool>(false);
  check_command->add_option("file", *file, "The catalog (YAML)")->required();
  check_command->add_flag("--offline", *offline, "Only read the file, do not connect to the databases");
  check_command->callback([file, offline, &action] { action = [file, offline] { return check(*file, *offline); }; });

  CLI::App* init_command = catalog->add_subcommand("init", "Write a commented starter catalog from a live database");
  auto options = std::make_shared<InitOptions>();
  init_command
      ->add_option("--source", options->dsn,
                   "postgres://user@host/db, \"host=… dbname=…\", mysql://user@host/db, sqlite:PATH, or the path of a "
                   "SQLite file")
      ->required()
      ->type_name("DSN");
  init_command->add_option("--name", options->name, "What the catalog calls the source")->capture_default_str();
  init_command->add_option("-o,--output", options->output, "Where to write it; nothing or -: standard output")
      ->type_name("FILE");
  init_command->add_flag(
      "--replica", options->replica,
      "The server is a read replica, or no product depends on it: it may be read from without limit");
  init_command->add_flag("--force", options->force, "Write over an existing file");
  init_command->callback([options, &action] {
    action = [options] {
      const auto done = init(*options);
      return done ? static_cast<int>(kExitOk) : report_error(done.error());
    };
  });
}

}  // namespace longshore
