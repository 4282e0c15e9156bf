#include "assemble/verify.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fstream>
#include <iterator>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/terminal.h"
#include "cli/text_layout.h"

namespace longshore {
namespace {

struct VerifyOptions {
  std::string file;
  std::string manifest;
  std::string trusted_key;
  bool as_json = false;
};

Result<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(user_error("manifest_not_found", fmt::format("cannot read the manifest {}", path)));
  return std::string(std::istreambuf_iterator<char>(in), {});
}

void print_json(const VerifyReport& report) {
  boost::json::object out{{"whole", report.whole()},        {"exportId", report.export_id},  {"rowCount", report.rows},
                          {"byteCount", report.bytes},      {"parts", report.parts},         {"keyId", report.key_id},
                          {"publicKey", report.public_key}, {"keyPinned", report.key_pinned}};
  out["problems"] = boost::json::array(report.problems.begin(), report.problems.end());
  write_all(STDOUT_FILENO, boost::json::serialize(out) + "\n");
}

void print_text(const VerifyOptions& options, const VerifyReport& report) {
  std::string out;
  if (report.whole()) {
    out = fmt::format("{}: complete and unaltered: {} rows, {}, {} checksums compared\n", printable(options.file),
                      format_count(report.rows), format_bytes(report.bytes), format_count(report.parts));
    out += report.key_pinned
               ? fmt::format("Signed by the trusted key {}.\n", printable(report.key_id))
               : fmt::format(
                     "Signed by key {} (public key {}), which is the manifest's own: --trusted-key checks who "
                     "made it.\n",
                     printable(report.key_id), printable(report.public_key));
  } else {
    for (const std::string& problem : report.problems) {
      out += fmt::format("{}: error: {}\n", printable(options.file), printable(problem));
    }
    out += fmt::format("longshore: {} does not match {}. Download it again.\n", printable(options.file),
                       printable(options.manifest));
  }
  write_all(STDERR_FILENO, out);
}

int run_verify(const VerifyOptions& options) {
  if (::access(options.file.c_str(), F_OK) != 0) {
    return report_error(user_error("file_not_found", fmt::format("there is no file {}", options.file)));
  }
  const auto manifest = read_file(options.manifest);
  if (!manifest) return report_error(manifest.error());
  const auto report = verify_file(options.file, *manifest, options.trusted_key);
  if (!report) return report_error(report.error());
  if (options.as_json) {
    print_json(*report);
  } else {
    print_text(options, *report);
  }
  return report->whole() ? kExitOk : kExitFailed;
}

}  // namespace

void add_verify_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<VerifyOptions>();
  CLI::App* command = app.add_subcommand("verify", "Prove a file against its manifest, without any server");
  command->add_option("file", options->file, "The exported file")->required();
  command->add_option("manifest", options->manifest, "Its manifest (export --manifest, or GET …/manifest)")->required();
  command
      ->add_option("--trusted-key", options->trusted_key, "Public key (base64url) that must have signed the manifest")
      ->type_name("KEY");
  command->add_flag("--json", options->as_json, "Print the result as JSON");
  command->callback([options, &action] { action = [options] { return run_verify(*options); }; });
}

}  // namespace longshore
