#include "app/local_export.h"

#include <memory>
#include <utility>

#include "app/local_file.h"
#include "base/clock.h"
#include "catalog/catalog.h"
#include "catalog/request.h"
#include "jobs/format_choices.h"
#include "plan/export_plan.h"
#include "scan/source_database.h"
#include "worker/run_plan.h"

namespace longshore {

Result<LocalExportReport> run_local_export(const LocalExportRequest& request,
                                           const std::function<void(const LocalExportProgress&)>& progress,
                                           std::stop_token stop) {
  const auto begun = std::chrono::steady_clock::now();
  TRY(const Catalog catalog, Catalog::load(request.catalog_path));
  TRY(auto pdf_fonts, load_pdf_fonts(request.pdf_fonts));
  const FormatTable formats = make_format_table(request.limits, std::move(pdf_fonts));
  TRY(ExportSpec spec, validate_request(request.body, catalog, request.who, format_choices(formats)));
  if (spec.consistency != Consistency::best_effort) {
    return fail(user_error("snapshot_unsupported", "a local export reads best_effort; \"" +
                                                       std::string(to_string(spec.consistency)) +
                                                       "\" needs a server (say --consistency best_effort, or export "
                                                       "without --local)"));
  }
  spec.requested_at = time_to_state(SystemClock().now());
  const Source* const described = catalog.find_source(spec.dataset.source);
  if (described == nullptr) return fail(internal_error("source_unknown", "no source " + spec.dataset.source));
  TRY(const std::unique_ptr<SourceDatabase> source, make_source(*described));

  // One partition, unless the format cannot hold all rows in one: they are read one after the other anyway.
  PlanPolicy policy;
  policy.max_partitions = 1;
  const FormatTraits& traits = formats.find(spec.format)->traits();
  TRY(const ExportPlan plan, plan_export(*source, spec, plan_rules(traits, spec.columns.size()), policy, stop));
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
