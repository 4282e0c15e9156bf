#include "scan/scan_errors.h"

namespace longshore {

Error scan_stopped() {
  return external_error("scan_stopped", "reading was stopped", true);
}

Error source_unavailable(std::string message) {
  return external_error("source_unavailable", std::move(message), true);
}

Error source_timeout(std::string message) {
  return external_error("source_timeout", std::move(message), true);
}

Error source_schema_changed(std::string message) {
  return external_error("source_schema_changed", std::move(message), false);
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
