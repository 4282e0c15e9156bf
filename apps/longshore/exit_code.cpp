#include "cli/exit_code.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "cli/terminal.h"
#include "cli/text_layout.h"

namespace longshore {
namespace {

struct Advice {
  std::string_view code;
  std::string_view text;
};

/// What to do about errors whose message, made far from the command line, cannot know it.
constexpr std::array kAdvice{
    Advice{"server_unreachable", "Start it with `longshore serve`, or name it with --server or LONGSHORE_SERVER"},
    Advice{"unauthenticated", "Give a good token with --token or LONGSHORE_TOKEN"},
    Advice{"export_not_found", "`longshore jobs list` shows your tenant's exports"},
    Advice{"export_expired", "Make a new export"},
    Advice{"tls_failed", "Check the address and the server's certificate"},
    Advice{"transfer_stalled", "Try again, or look at the server's log"},
};

constexpr std::array<std::string_view, 5> kInvalid{"malformed_request", "invalid_request", "bad_url", "bad_arguments",
                                                   "invalid_parameter"};

/// Failures of the operation itself, whoever's fault they are.
constexpr std::array<std::string_view, 12> kFailed{
    "export_failed", "export_cancelled",  "export_expired",  "timed_out",     "verification_failed",   "bad_manifest",
    "bad_answer",    "cannot_write_file", "file_unreadable", "output_failed", "source_schema_changed", "too_many_rows"};

void add_sentence(std::string& text, std::string_view sentence) {
  if (sentence.empty()) return;
  if (!text.empty()) text += text.ends_with('.') || text.ends_with('?') || text.ends_with('!') ? " " : ". ";
  text += sentence;
}

}  // namespace

ExitCode exit_code_of(const Error& error) {
  const std::string& code = error.code;
  if (code == "stopped") return kExitInterrupted;
  if (code == "unauthenticated" || code == "permission_denied") return kExitUnauthorised;
  if (code.ends_with("_not_found")) return kExitNotFound;
  if (code == "too_many_requests") return kExitUnavailable;
  if (std::ranges::find(kFailed, code) != kFailed.end()) return kExitFailed;
  if (std::ranges::find(kInvalid, code) != kInvalid.end()) return kExitUsage;
  if (error.source == ErrorSource::external) return kExitUnavailable;
  return error.source == ErrorSource::user ? kExitUsage : kExitFailed;
}

std::string describe_error(const Error& error) {
  std::string text = printable(error.message);
  // Some messages quote their first detail, for logs. One that is all there is needs no list.
  const bool listed =
      !error.details.empty() && !(error.details.size() == 1 && error.message.ends_with(error.details.front().message));
  if (listed) text = text.substr(0, text.find("; the first: "));
  const auto advice = std::ranges::find(kAdvice, error.code, &Advice::code);
  if (advice != kAdvice.end()) add_sentence(text, advice->text);
  if (!text.ends_with('.') && !text.ends_with('?') && !text.ends_with('!')) text += listed ? ':' : '.';
  std::string out = "longshore: " + text + "\n";
  if (!listed) return out;
  for (const ErrorDetail& detail : error.details) {
    out += "  ";
    if (!detail.where.empty()) out += printable(detail.where) + ": ";
    out += printable(detail.message) + "\n";
  }
  return out;
}

int report_error(const Error& error) {
  if (error.code != "stopped") write_all(STDERR_FILENO, describe_error(error));
  return exit_code_of(error);
}

}  // namespace longshore
