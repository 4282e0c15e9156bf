#include <algorithm>
#include <memory>
#include <utility>

#include "scan/postgres/key_query.h"
#include "scan/postgres/keyset_reader.h"
#include "scan/postgres/partition_planner.h"
#include "scan/postgres/schema_reader.h"
#include "scan/postgres/servers.h"
#include "scan/row_width.h"
#include "scan/source_database.h"

namespace longshore {

namespace {

using namespace std::chrono_literals;

/// Up to here an estimate is replaced by a count.
constexpr std::int64_t kCountUpTo = 50'000;
constexpr std::chrono::milliseconds kCountLimit = 2s;

class PostgresSource final : public SourceDatabase {
 public:
  explicit PostgresSource(std::shared_ptr<const PostgresServers> servers) : servers_(std::move(servers)) {}

  Result<std::unique_ptr<RowSource>> open_scan(ScanRequest request, std::stop_token stop) override {
    return std::make_unique<PostgresKeysetReader>(servers_, std::move(request), std::move(stop));
  }

  Result<ScanEstimate> estimate(const ExportSpec& spec, std::stop_token stop) override {
    TRY(const PostgresLease lease, PostgresLease::open(*servers_, "estimate", stop));
    TRY(PostgresKeyQuery query, PostgresKeyQuery::make(*lease.connection, spec, stop));
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

  Result<PartitionPlan> plan_partitions(const ExportSpec& spec, const PartitionRequest& request,
                                        std::stop_token stop) override {
    TRY(const PostgresLease lease, PostgresLease::open(*servers_, "plan", stop));
    TRY(PostgresKeyQuery query, PostgresKeyQuery::make(*lease.connection, spec, stop));
    return PostgresPartitionPlanner(query).plan(request);
  }

  Status ping() override {
    TRY(const PostgresLease lease, PostgresLease::open(*servers_, "ping", {}));
    CHECK_OK(lease.connection->query("SELECT 1", {}, {}));
    return {};
  }

  Result<RelationInfo> describe(const std::string& relation) override {
    TRY(const PostgresLease lease, PostgresLease::open(*servers_, "catalog", {}));
    return describe_relation(*lease.connection, relation, {});
  }

  Result<std::vector<std::string>> list_relations() override {
    TRY(const PostgresLease lease, PostgresLease::open(*servers_, "catalog", {}));
    return longshore::list_relations(*lease.connection, {});
  }

 private:
  std::shared_ptr<const PostgresServers> servers_;
};

}  // namespace

Result<std::unique_ptr<SourceDatabase>> make_postgres_source(const Source& source) {
  auto servers = std::make_shared<const PostgresServers>(source);
  if (servers->count() == 0) {
    return fail(user_error("bad_source", "source " + source.name + " names neither replicas nor a primary"));
  }
  for (std::size_t i = 0; i < servers->count(); ++i) {
    if (Status checked = check_connection_string(servers->connection_string(i)); !checked) {
      return fail(std::move(checked).error().with_context("source " + source.name));
    }
  }
  return std::make_unique<PostgresSource>(std::move(servers));
}

}  // namespace longshore
