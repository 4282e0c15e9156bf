// plan_bench DSN RELATION TENANT PARTITIONS cheap|exact
// Cuts the rows of a tenant (`-`: of all) of a table with the columns tenant and id into ranges, five times, and prints
// {"seconds":median,"exact":whether the rows were counted,"upto":[the last id of each range]}.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "scan/source_database.h"

namespace {

using namespace longshore;

ExportSpec spec_of(const std::string& relation, const std::string& tenant) {
  ExportSpec spec;
  spec.dataset.name = "events";
  spec.dataset.relation = relation;
  spec.dataset.key = {"id"};
  spec.dataset.key_types = {{.logical = LogicalType::int64}};
  Column& column = spec.columns.emplace_back();
  column.name = "id";
  column.source = "id";
  column.type = {.logical = LogicalType::int64};
  if (tenant == "-") return spec;
  spec.tenant = tenant;
  spec.dataset.tenant_column = "tenant";
  spec.dataset.tenant_type = {.logical = LogicalType::text};
  return spec;
}

}  // namespace

int main(int argc, char** argv) {
  int partitions = 0;
  const std::string_view wanted(argc == 6 ? argv[4] : "");
  if (std::from_chars(wanted.data(), wanted.data() + wanted.size(), partitions).ec != std::errc{} || partitions < 1) {
    std::fputs("usage: plan_bench DSN RELATION TENANT PARTITIONS cheap|exact\n", stderr);
    return 2;
  }
  Source settings;
  settings.name = "bench";
  settings.driver = SourceDriver::postgres;
  settings.replicas = {argv[1]};
  settings.primary_max_rows = kAnyRows;
  const auto source = make_source(settings).value();
  const ExportSpec spec = spec_of(argv[2], argv[3]);
  const bool exact = std::string_view(argv[5]) == "exact";

  std::array<double, 5> seconds{};
  PartitionPlan plan;
  for (double& run : seconds) {
    const auto begin = std::chrono::steady_clock::now();
    plan = source
               ->plan_partitions(spec,
                                 {.partitions = partitions, .exact = exact, .time_limit = std::chrono::minutes(1)}, {})
               .value();
    run = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
  std::ranges::sort(seconds);
  std::vector<std::string> upto;
  upto.reserve(plan.ranges.size());
  for (const KeyRange& range : plan.ranges) upto.push_back(range.upto->at(0));
  fmt::print(R"({{"seconds":{},"exact":{},"upto":[{}]}})"
             "\n",
             seconds[2], plan.exact, fmt::join(upto, ","));
  return 0;
}
