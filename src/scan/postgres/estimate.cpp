#include "scan/postgres/estimate.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "scan/postgres/key_query.h"
#include "scan/row_width.h"

namespace longshore {

namespace {

using namespace std::chrono_literals;

/// Up to here an estimate is replaced by a count.
constexpr std::int64_t kCountUpTo = 50'000;
constexpr std::chrono::milliseconds kCountLimit = 2s;

}  // namespace

Result<ScanEstimate> estimate_export(PostgresConnection& connection, const ExportSpec& spec, std::stop_token stop) {
  TRY(PostgresKeyQuery query, PostgresKeyQuery::make(connection, spec, std::move(stop)));
  ScanEstimate estimate;
  TRY(estimate.rows, query.estimated_rows(query.where()));
  if (estimate.rows < kCountUpTo) {
    TRY(const auto rows, query.count(query.where(), kCountUpTo + 1, kCountLimit));
    // More than were counted: the statistics are stale, and only a lower bound is known.
    if (rows) {
      estimate.exact = *rows <= kCountUpTo;
      estimate.rows = std::max(estimate.exact ? 0 : estimate.rows, *rows);
    }
  }
  std::vector<std::string> columns;
  columns.reserve(spec.columns.size());
  for (const Column& column : spec.columns) columns.push_back(column.source);
  TRY(const auto widths, query.average_widths(columns));
  estimate.bytes_per_row = estimated_row_width(spec.columns, widths);
  return estimate;
}

}  // namespace longshore
