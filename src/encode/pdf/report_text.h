#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/export_spec.h"

namespace longshore {

/// What a report says of itself, as text.
struct ReportText {
  std::string title;                 ///< the request's, or the dataset's name made readable
  std::string dataset;               ///< its name
  std::string description;           ///< of the dataset; may be empty
  std::string generated;             ///< when it was asked for, in the report's time zone, which it names
  std::string time_zone;             ///< of the times in it
  std::vector<std::string> filters;  ///< one condition each, by API names; empty: all rows
};

/// Errors: those of TimeZone::find().
Result<ReportText> make_report_text(const ExportSpec& spec);

/// `audit_logs` as `Audit logs`.
std::string readable_name(std::string_view name);
/// `1234567` as `1,234,567`.
std::string grouped_digits(std::int64_t value);
/// Well-formed UTF-8 without control characters: what is not, is replaced by U+FFFD or a blank.
std::string clean_text(std::string_view text);

}  // namespace longshore
