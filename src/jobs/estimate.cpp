#include "jobs/estimate.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace longshore {

namespace {

/// Of what gzip and zstd leave of export-like text, see docs/formats.md.
constexpr double kCompressed = 1.0 / 3;

/// `xlsx holds at most 10485750 rows (10 sheets of 1048575)`.
std::string describe_limit(const FormatTraits& format) {
  std::string text = format.name + " holds at most " + std::to_string(format.max_rows) + " rows";
  if (format.sheet_rows > 0) {
    text += " (" + std::to_string((format.max_rows + format.sheet_rows - 1) / format.sheet_rows) + " sheets of " +
            std::to_string(format.sheet_rows) + ")";
  }
  return text;
}

}  // namespace

Estimate make_estimate(const ScanEstimate& size, const ExportSpec& spec, const FormatTraits& format,
                       double rows_per_second) {
  const double kept = format.size_factor * (spec.compression == Compression::none ? 1.0 : kCompressed);
  Estimate estimate;
  estimate.rows = size.rows;
  estimate.exact = size.exact;
  estimate.bytes =
      static_cast<std::int64_t>(static_cast<double>(size.rows) * static_cast<double>(size.bytes_per_row) * kept);
  estimate.seconds = static_cast<std::int64_t>(std::ceil(static_cast<double>(size.rows) / rows_per_second));
  if (format.max_rows > 0) estimate.max_rows = format.max_rows;
  if (const std::int64_t sheet = format.sheet_rows; sheet > 0) {
    estimate.sheets = std::max<std::int64_t>((size.rows + sheet - 1) / sheet, 1);
  }
  if (format.max_rows > 0 && size.rows > format.max_rows) {
    estimate.limits_hit.push_back(describe_limit(format) + " and " + (size.exact ? "" : "about ") +
                                  std::to_string(size.rows) +
                                  " are selected; take fewer by a filter, e.g. a shorter time range, or another "
                                  "format, e.g. csv");
  }
  return estimate;
}

}  // namespace longshore
