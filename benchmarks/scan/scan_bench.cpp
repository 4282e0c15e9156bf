// scan_bench DSN PARTITIONS   Reads the table audit_logs of benchmarks/audit_table.py into RowBatches and drops them,
// one thread a partition. Prints {"rows":…,"seconds":…,"cpu_seconds":…}.

#include <fmt/format.h>
#include <sys/resource.h>

#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <string_view>
#include <thread>
#include <vector>

#include "scan/source_database.h"

namespace {

using namespace longshore;

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + time.tv_usec / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

ExportSpec audit_logs(SourceDatabase& source) {
  ExportSpec spec;
  spec.dataset.name = "audit_logs";
  spec.dataset.relation = "public.audit_logs";
  spec.dataset.tenant_column = "tenant_id";
  spec.dataset.key = {"id"};
  spec.dataset.key_types = {{.logical = LogicalType::int64}};
  spec.tenant = "acme";
  const RelationInfo relation = source.describe(spec.dataset.relation).value();
  for (const ColumnInfo& info : relation.columns) {
    Column& column = spec.columns.emplace_back();
    column.name = info.name;
    column.source = info.name;
    column.type = info.type;
  }
  return spec;
}

std::int64_t read(SourceDatabase& source, const ExportSpec& spec, const KeyRange& range) {
  std::vector<DataType> types;
  types.reserve(spec.columns.size());
  for (const Column& column : spec.columns) types.push_back(column.type);
  RowBatch batch(types);
  auto scan = source.open_scan({.spec = &spec, .range = range, .batch = {}, .label = "scan_bench"}, {}).value();
  std::int64_t rows = 0;
  while (scan->next(batch).value()) rows += static_cast<std::int64_t>(batch.row_count());
  return rows;
}

}  // namespace

int main(int argc, char** argv) {
  int partitions = 0;
  const std::string_view wanted(argc == 3 ? argv[2] : "");
  if (std::from_chars(wanted.data(), wanted.data() + wanted.size(), partitions).ec != std::errc{} || partitions < 1) {
    std::fputs("usage: scan_bench DSN PARTITIONS\n", stderr);
    return 2;
  }
  Source settings;
  settings.name = "bench";
  settings.driver = SourceDriver::postgres;
  settings.replicas = {argv[1]};
  settings.max_connections = partitions;
  const auto source = make_source(settings).value();
  const ExportSpec spec = audit_logs(*source);

  const double cpu_before = cpu_seconds();
  const auto begin = std::chrono::steady_clock::now();
  const PartitionPlan plan = source->plan_partitions(spec, {.partitions = partitions}, {}).value();
  std::atomic<std::int64_t> rows = 0;
  {
    std::vector<std::jthread> threads;
    threads.reserve(plan.ranges.size());
    for (const KeyRange& range : plan.ranges) {
      threads.emplace_back([&source, &spec, &range, &rows] { rows += read(*source, spec, range); });
    }
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  fmt::print("{{\"rows\":{},\"seconds\":{:.3f},\"cpu_seconds\":{:.3f}}}\n", rows.load(), seconds.count(),
             cpu_seconds() - cpu_before);
}
