#include "scan/scan_errors.h"

namespace longshore {

Error scan_stopped() {
  return external_error("scan_stopped", "reading was stopped", true);
}

Error source_unavailable(std::string message) {
  return external_error("source_unavailable", std::move(message), true);
}

Error source_busy() {
  return external_error("source_busy", "all connections that the source's max_connections allows are in use", true);
}

Error source_busy(const std::string& heard) {
  Error busy = source_busy();
  busy.message += ", and " + heard;
  return busy;
}

Error source_conflict(std::string message) {
  return external_error("source_conflict", std::move(message), true);
}

Error source_paused(const std::string& why, Duration limit) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit).count();
  return external_error("source_paused",
                        "reading was paused for " + std::to_string(seconds) + " s, longer than it may be: " + why +
                            "; mend the replication, or raise max_pause or max_lag of the source",
                        true);
}

Error primary_refused(const std::string& source, std::int64_t rows, std::int64_t max_rows, bool has_replicas) {
  return external_error(
      "primary_refused",
      "source " + source + ": the primary serves only exports of fewer than " + std::to_string(max_rows) +
          " estimated rows, this one has about " + std::to_string(rows) +
          (has_replicas ? ", and no replica is healthy; mend one of them" : "; name a replica under replicas") +
          ", or raise primary_max_rows of the source in the catalog (unlimited, for a database that "
          "no product depends on)",
      has_replicas);
}

Error source_timeout(std::string message) {
  return external_error("source_timeout", std::move(message), true);
}

Error snapshot_gone(std::string message) {
  return external_error("snapshot_gone", std::move(message), true);
}

Error copy_gone(std::string message) {
  return external_error("copy_gone", std::move(message), true);
}

Error copy_refused(const std::string& source, std::int64_t rows, std::int64_t max_rows) {
  return external_error("copy_refused",
                        "source " + source + " copies only exports of fewer than " + std::to_string(max_rows) +
                            " estimated rows, this one has about " + std::to_string(rows) +
                            "; ask for fewer rows or another consistency, or raise max_rows under the source's staging",
                        false);
}

Error copy_timeout(const std::string& source, Duration limit) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit).count();
  return external_error(
      "copy_timeout",
      "source " + source + ": copying the rows took longer than " + std::to_string(seconds) +
          " s; ask for fewer rows or another consistency, or raise timeout under the source's staging",
      false);
}

Error snapshot_unsupported() {
  return user_error("snapshot_unsupported",
                    "only PostgreSQL sources can be read as one snapshot by several connections; use best_effort");
}

Error moment_unsupported(std::string message) {
  return user_error("snapshot_unsupported", std::move(message));
}

Error source_schema_changed(std::string message) {
  return external_error("source_schema_changed", std::move(message), false);
}

Error relation_gone(Error error, const std::string& relation) {
  if (error.code != "relation_not_found") return error;
  return source_schema_changed("relation " + relation + " is not in the database any more, or may not be seen");
}

Error source_denied(std::string message) {
  return external_error("source_denied", std::move(message), false);
}

Error source_query_failed(std::string message) {
  return external_error("source_query_failed", std::move(message), false);
}

Error bad_filter_value(std::string message) {
  return user_error("bad_filter_value", std::move(message));
}

Error source_value_mismatch(std::string_view column, const DataType& type, std::string_view shown,
                            const KeyTuple& key) {
  constexpr std::size_t kShown = 60;
  std::string value(shown.substr(0, kShown));
  if (shown.size() > kShown) value += "…";
  return external_error("source_value_mismatch",
                        "column \"" + std::string(column) + "\", row with key " + to_json(key) + ": the value '" +
                            value + "' does not fit " + to_string(type) +
                            "; declare a wider type (or text) in the catalog, or correct the row",
                        false);
}

}  // namespace longshore
