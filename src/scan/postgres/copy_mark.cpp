#include "scan/postgres/copy_mark.h"

#include <algorithm>

#include "scan/value_text.h"

namespace longshore {

namespace {

constexpr std::string_view kBegin = "Longshore copy: ";
constexpr std::string_view kForPeople = "(the rows of an export that runs; dropped at its end)";
constexpr std::size_t kDeploymentDigits = 8;

/// The value of `key=…` up to the next blank; empty when there is none.
std::string value_of(std::string_view words, std::string_view key) {
  const std::string wanted = " " + std::string(key) + "=";
  const std::size_t at = words.find(wanted);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = words.substr(at + wanted.size());
  return std::string(rest.substr(0, rest.find(' ')));
}

}  // namespace

std::string copy_table(const CopyName& name) {
  std::string job = name.job.str();
  std::erase(job, '-');
  return std::string(kCopyPrefix) + name.deployment.substr(0, kDeploymentDigits) + "_" + job + "_" +
         std::to_string(name.attempt);
}

std::string to_comment(const CopyMark& mark) {
  const auto micros = mark.moment.taken_at.time_since_epoch().count();
  return std::string(kBegin) + "deployment=" + mark.name.deployment + " export=" + mark.name.job.str() +
         " attempt=" + std::to_string(mark.name.attempt) + " lsn=" + mark.moment.lsn +
         " system=" + mark.moment.system_identifier + " taken=" + std::to_string(micros) + " " +
         std::string(kForPeople);
}

std::optional<CopyMark> parse_mark(std::string_view comment, std::string_view table) {
  if (!comment.starts_with(kBegin)) return std::nullopt;
  const std::string_view words = comment.substr(kBegin.size() - 1);
  const auto attempt = parse_int64(value_of(words, "attempt"));
  const auto taken = parse_int64(value_of(words, "taken"));
  if (!attempt || !taken) return std::nullopt;
  CopyMark mark;
  mark.name = {.deployment = value_of(words, "deployment"),
               .job = JobId(value_of(words, "export")),
               .attempt = static_cast<int>(*attempt)};
  mark.moment.lsn = value_of(words, "lsn");
  mark.moment.system_identifier = value_of(words, "system");
  mark.moment.taken_at = Timestamp{Duration{*taken}};
  if (copy_table(mark.name) != table) return std::nullopt;
  return mark;
}

}  // namespace longshore
