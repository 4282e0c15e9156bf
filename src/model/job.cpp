#include "model/job.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <exception>

namespace longshore {

namespace {

constexpr std::array<std::string_view, 6> kJobStates{"QUEUED", "RUNNING",   "SUCCEEDED",
                                                     "FAILED", "CANCELLED", "EXPIRED"};
constexpr std::array<std::string_view, 4> kPartitionStates{"PENDING", "RUNNING", "COMPLETED", "FAILED"};

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; };
  return std::ranges::equal(a, b, {}, upper, upper);
}

template <class State, std::size_t N>
std::optional<State> parse_state(const std::array<std::string_view, N>& names, std::string_view text) {
  for (std::size_t i = 0; i < N; ++i) {
    if (equal_ignoring_case(names[i], text)) return static_cast<State>(i);
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(JobState state) {
  return kJobStates.at(static_cast<std::size_t>(state));
}

std::string_view to_string(PartitionState state) {
  return kPartitionStates.at(static_cast<std::size_t>(state));
}

std::optional<JobState> parse_job_state(std::string_view text) {
  return parse_state<JobState>(kJobStates, text);
}

std::optional<PartitionState> parse_partition_state(std::string_view text) {
  return parse_state<PartitionState>(kPartitionStates, text);
}

std::string to_json(const ExportSnapshot& snapshot) {
  return boost::json::serialize(boost::json::object{{"id", snapshot.id},
                                                    {"lsn", snapshot.lsn},
                                                    {"server", snapshot.server},
                                                    {"systemIdentifier", snapshot.system_identifier},
                                                    {"takenAtMicros", snapshot.taken_at.time_since_epoch().count()}});
}

Result<ExportSnapshot> snapshot_from_json(std::string_view text) {
  try {
    const boost::json::value value = boost::json::parse(text);
    const auto member = [&](std::string_view name) { return std::string(value.at(name).as_string()); };
    return ExportSnapshot{.id = member("id"),
                          .lsn = member("lsn"),
                          .server = member("server"),
                          .system_identifier = member("systemIdentifier"),
                          .taken_at = Timestamp{Duration{value.at("takenAtMicros").to_number<std::int64_t>()}}};
  } catch (const std::exception& error) {
    return fail(internal_error("bad_stored_job", "a stored snapshot is not what this build writes: " +
                                                     std::string(text) + " (" + error.what() + ")"));
  }
}

}  // namespace longshore
