#include "app/local_export.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "app/local_file.h"
#include "base/clock.h"
#include "catalog/catalog.h"
#include "catalog/request.h"
#include "jobs/format_choices.h"
#include "plan/export_plan.h"
#include "scan/source_database.h"

namespace longshore {

namespace {

/// A format's rules where one reader goes through all partitions in turn: those of a workbook are whole sheets then, so
/// that the number of every row is known when it is written. Many columns make smaller ones, because a sheet's XML (50
/// bytes around each value, about) must stay below 4 GiB.
FormatRules rules_of(const FormatTraits& format, std::size_t columns) {
  FormatRules rules{format.name, format.parallel, format.max_rows, format.max_partition_rows, 0};
  if (format.sheet_rows == 0) return rules;
  const auto row_bytes = static_cast<std::int64_t>(512 + 64 * columns);
  rules.max_partition_rows = std::min(format.sheet_rows, (std::int64_t{7} << 29) / row_bytes);
  return rules;
}

}  // namespace

Result<LocalExportReport> run_local_export(const LocalExportRequest& request,
                                           const std::function<void(const LocalExportProgress&)>& progress,
                                           std::stop_token stop) {
  const auto begun = std::chrono::steady_clock::now();
  TRY(const Catalog catalog, Catalog::load(request.catalog_path));
  const FormatTable formats = make_format_table(request.limits);
  TRY(ExportSpec spec, validate_request(request.body, catalog, request.who, format_choices(formats)));
  spec.requested_at = time_to_state(SystemClock().now());
  const Source* const described = catalog.find_source(spec.dataset.source);
  if (described == nullptr) return fail(internal_error("source_unknown", "no source " + spec.dataset.source));
  TRY(const std::unique_ptr<SourceDatabase> source, make_source(*described));

  // One partition, unless the format cannot hold all rows in one: they are read one after the other anyway.
  PlanPolicy policy;
  policy.max_partitions = 1;
  const FormatTraits& traits = formats.find(spec.format)->traits();
  TRY(const ExportPlan plan, plan_export(*source, spec, rules_of(traits, spec.columns.size()), policy, stop));
  TRY(LocalFile file, write_local_file(
                          {spec, formats, *source, plan, request.output_path},
                          [&](std::int64_t rows, std::int64_t bytes) {
                            progress({rows, bytes, plan.estimated_rows});
                          },
                          stop));

  LocalExportReport report;
  report.rows = file.total.rows;
  report.bytes = file.bytes;
  report.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
  report.columns.reserve(spec.columns.size());
  for (const Column& column : spec.columns) report.columns.push_back(column.name);
  report.fidelity = std::move(file.total.fidelity);
  return report;
}

}  // namespace longshore
