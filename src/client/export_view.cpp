#include "client/export_view.h"

#include <boost/json.hpp>

namespace longshore {
namespace {

namespace json = boost::json;

Error bad_answer(const std::string& what) {
  return external_error("bad_answer",
                        "the server's answer is not what Longshore's API says: " + what +
                            ". Check that --server names a Longshore server",
                        false);
}

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::optional<std::int64_t> integer_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  boost::system::error_code inexact;
  const auto number = value->to_number<std::int64_t>(inexact);
  return inexact ? std::nullopt : std::optional(number);
}

const json::object& object_of(const json::object& object, std::string_view name) {
  static const json::object kEmpty;
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_object() ? value->get_object() : kEmpty;
}

/// `sourcePressure` may be a word or an object of a word and its reason.
std::string pressure_of(const json::object& object) {
  const json::value* value = object.if_contains("sourcePressure");
  if (value == nullptr) return {};
  if (value->is_object()) {
    const std::string state = text_of(value->get_object(), "state");
    const std::string reason = text_of(value->get_object(), "reason");
    return reason.empty() ? state : state + ": " + reason;
  }
  return value->is_string() ? std::string(value->get_string()) : std::string();
}

Result<ExportView> read_export(const json::value& value) {
  if (!value.is_object()) return fail(bad_answer("no object"));
  const json::object& object = value.get_object();
  ExportView view;
  view.id = text_of(object, "exportId");
  if (view.id.empty()) return fail(bad_answer("no exportId"));
  const std::string status = text_of(object, "status");
  const auto state = parse_job_state(status);
  if (!state) return fail(bad_answer("unknown status \"" + status + "\""));
  view.state = *state;
  view.export_type = text_of(object, "exportType");
  view.format = text_of(object, "format");
  view.compression = text_of(object, "compression");
  view.requested_by = text_of(object, "requestedBy");
  if (const json::value* percent = object.if_contains("progressPercent"); percent != nullptr && percent->is_number()) {
    view.progress_percent = percent->to_number<double>();
  }
  const json::object& metrics = object_of(object, "metrics");
  view.rows = integer_of(metrics, "totalRowsProcessed").value_or(0);
  view.bytes = integer_of(metrics, "totalBytesWritten").value_or(0);
  view.elapsed = std::chrono::milliseconds(integer_of(metrics, "elapsedTimeMs").value_or(0));
  view.estimated_rows = integer_of(object, "estimatedTotalRows");
  view.seconds_left = integer_of(object, "estimatedSecondsLeft");
  if (const auto position = integer_of(object, "queuePosition")) view.queue_position = static_cast<int>(*position);
  view.source_pressure = pressure_of(object);
  view.error_code = text_of(object_of(object, "error"), "code");
  view.error_message = text_of(object_of(object, "error"), "message");
  view.created_at = text_of(object, "createdAt");
  view.expires_at = text_of(object, "expiresAt");
  view.json = json::serialize(value);
  return view;
}

Result<json::value> parse(std::string_view text) {
  boost::system::error_code broken;
  json::value value = json::parse(text, broken);
  if (broken) return fail(bad_answer("not JSON"));
  return value;
}

}  // namespace

Result<ExportView> parse_export(std::string_view text) {
  TRY(const json::value value, parse(text));
  return read_export(value);
}

Result<ExportPage> parse_export_page(std::string_view text) {
  TRY(const json::value value, parse(text));
  if (!value.is_object()) return fail(bad_answer("no object"));
  const json::object& object = value.get_object();
  const json::value* list = object.if_contains("exports");
  if (list == nullptr || !list->is_array()) return fail(bad_answer("no list of exports"));
  ExportPage page;
  for (const json::value& entry : list->get_array()) {
    TRY(ExportView view, read_export(entry));
    page.exports.push_back(std::move(view));
  }
  page.next_page_token = text_of(object, "nextPageToken");
  return page;
}

}  // namespace longshore
