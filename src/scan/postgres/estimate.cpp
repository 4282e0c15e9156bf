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
/// Pages to look at where statistics are known to be wrong.
constexpr double kSampledPages = 400;
constexpr std::chrono::milliseconds kSampleLimit = 500ms;

/// The selected rows by a sample of the relation's pages; 0 where none can be taken.
Result<std::int64_t> sampled_rows(PostgresKeyQuery& query) {
  TRY(const RelationShape shape, query.shape());
  if (!shape.can_be_sampled()) return 0;
  const double percent = std::min(100.0, 100.0 * kSampledPages / static_cast<double>(shape.pages));
  const auto sample = query.sample_pages(percent, kSampleLimit);
  // Who may read some columns only may not see on which page a row is.
  if (!sample && sample.error().code == "source_denied") return 0;
  TRY(const auto looked, sample);
  return looked ? static_cast<std::int64_t>(static_cast<double>(looked->rows) * 100.0 / percent) : 0;
}

/// Fills in the widths that matter and that no statistics tell: those of a view, or of a table that was never analysed.
Status add_sampled_widths(PostgresKeyQuery& query, const std::vector<Column>& columns,
                          std::vector<std::optional<std::int64_t>>& widths) {
  std::vector<Column> unknown;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (widths[i] || !goes_by_stored_width(columns[i].type.logical)) continue;
    unknown.push_back(columns[i]);
    places.push_back(i);
  }
  if (unknown.empty()) return {};
  TRY(const auto sampled, query.sampled_widths(unknown, kSampleLimit));
  for (std::size_t i = 0; sampled && i < places.size(); ++i) widths[places[i]] = (*sampled)[i];
  return {};
}

}  // namespace

Result<ScanEstimate> estimate_export(PostgresConnection& connection, const ExportSpec& spec, std::stop_token stop) {
  TRY(PostgresKeyQuery query, PostgresKeyQuery::make(connection, spec, std::move(stop)));
  ScanEstimate estimate;
  TRY(estimate.rows, query.estimated_rows(query.where()));
  if (estimate.rows < kCountUpTo) {
    TRY(const auto rows, query.count(query.where(), kCountUpTo + 1, kCountLimit));
    if (rows && *rows <= kCountUpTo) {
      estimate.exact = true;
      estimate.rows = *rows;
    } else {
      // There are more than statistics say: they are stale, or there are none.
      TRY(const std::int64_t sampled, sampled_rows(query));
      estimate.rows = std::max({estimate.rows, rows.value_or(0), sampled});
    }
  }
  std::vector<std::string> columns;
  columns.reserve(spec.columns.size());
  for (const Column& column : spec.columns) columns.push_back(column.source);
  TRY(auto widths, query.average_widths(columns));
  CHECK_OK(add_sampled_widths(query, spec.columns, widths));
  estimate.bytes_per_row = estimated_row_width(spec.columns, widths);
  return estimate;
}

}  // namespace longshore
