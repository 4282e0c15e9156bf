#include "scan/postgres/staging.h"

#include <algorithm>
#include <utility>

#include "scan/postgres/copy_maker.h"
#include "scan/postgres/copy_mark.h"
#include "scan/postgres/estimate.h"
#include "scan/postgres/key_query.h"
#include "scan/postgres/keyset_reader.h"
#include "scan/postgres/partition_planner.h"
#include "scan/postgres/snapshot.h"
#include "scan/scan_errors.h"
#include "scan/sql_text.h"

namespace longshore {

namespace {

using namespace std::chrono_literals;

/// Whoever only tidies up leaves the connections to exports, and comes back later.
constexpr Duration kPatience = 10s;
/// Of sessions whose source does not say; see PostgresSession.
constexpr Duration kUnsaidTimeout = 30s;

class PostgresCopy final : public StagedCopy {
 public:
  PostgresCopy(std::shared_ptr<const PostgresServers> servers, PostgresLease lease, ExportSnapshot what)
      : servers_(std::move(servers)), lease_(std::move(lease)), what_(std::move(what)) {}

  const ExportSnapshot& what() const override { return what_; }

  Result<ScanEstimate> estimate(const ExportSpec& spec, std::stop_token stop) override {
    return estimate_export(*lease_.connection, ask_copy(spec, what_), std::move(stop));
  }

  Result<PartitionPlan> plan_partitions(const ExportSpec& spec, const PartitionRequest& request,
                                        std::stop_token stop) override {
    const ExportSpec asked = ask_copy(spec, what_);
    TRY(PostgresKeyQuery query, PostgresKeyQuery::make(*lease_.connection, asked, std::move(stop)));
    return PostgresPartitionPlanner(query).plan(request);
  }

 private:
  std::shared_ptr<const PostgresServers> servers_;  ///< outlives the lease
  PostgresLease lease_;
  const ExportSnapshot what_;
};

/// Reads a copy as any relation is read, and knows what it means if it is not there.
class CopyReader final : public RowSource {
 public:
  CopyReader(std::shared_ptr<const PostgresServers> servers, ScanRequest request, std::stop_token stop)
      : servers_(std::move(servers)), copy_(*request.copy), spec_(ask_copy(*request.spec, copy_)), stop_(stop) {
    request.spec = &spec_;
    reader_ = std::make_unique<PostgresKeysetReader>(servers_, std::move(request), std::move(stop));
  }

  Result<bool> next(RowBatch& batch) override {
    if (reader_ == nullptr) return fail(copy_gone("the copy " + copy_.id + " is not there any more"));
    auto more = reader_->next(batch);
    if (more || more.error().code != "source_schema_changed") return more;
    reader_.reset();  // there may be no second connection
    CHECK_OK(find());
    return more;
  }

 private:
  /// `copy_gone`, if it is.
  Status find() {
    TRY(const PostgresLease lease, PostgresLease::open(*servers_, "copy check", stop_));
    const std::size_t dot = copy_.id.find('.');
    TRY(const bool standby, in_recovery(*lease.connection, stop_));
    // It may come yet; nothing is lost.
    if (standby) return fail(source_unavailable("the staging server " + copy_.server + " is a standby now"));
    TRY(const auto mark, find_copy(*lease.connection, copy_.id.substr(0, dot), copy_.id.substr(dot + 1), stop_));
    if (mark) return {};
    return fail(copy_gone("the table " + copy_.id + " on " + copy_.server +
                          ", which the export is read from, is not there any more: somebody dropped it, or the server "
                          "was restored"));
  }

  std::shared_ptr<const PostgresServers> servers_;
  const ExportSnapshot copy_;
  const ExportSpec spec_;
  std::stop_token stop_;
  std::unique_ptr<PostgresKeysetReader> reader_;
};

/// What `catalog check` asks of the staging server, in one row.
constexpr const char* kRights = R"(
SELECT pg_catalog.pg_is_in_recovery(), n.oid IS NOT NULL, current_user,
       coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_schema_privilege(n.oid, 'CREATE'), false)
  FROM (SELECT 1) one LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = $1)";

}  // namespace

ExportSpec ask_copy(const ExportSpec& spec, const ExportSnapshot& copy) {
  ExportSpec asked = spec;
  asked.dataset.relation = copy.id;
  asked.dataset.tenant_column.clear();
  asked.filters.clear();
  return asked;
}

Result<std::unique_ptr<PostgresStaging>> PostgresStaging::make(const Source& source,
                                                               std::shared_ptr<ConnectionBudget> budget) {
  std::vector<std::string> elsewhere = source.replicas;
  if (!source.primary.empty()) elsewhere.push_back(source.primary);
  std::erase(elsewhere, source.staging->server);
  // A server like others, with a gate and a pacing of its own. How far its standbys are behind it tells itself: a
  // statement that was written for replicas may have no answer here.
  Source staging = source;
  staging.replicas.clear();
  staging.primary = source.staging->server;
  staging.primary_max_rows = kAnyRows;
  staging.lag_query.clear();
  if (staging.statement_timeout <= Duration::zero()) staging.statement_timeout = kUnsaidTimeout;
  CHECK_OK(check_connection_string(staging.primary));
  TRY(auto servers, PostgresServers::make(std::move(staging), std::move(budget), std::move(elsewhere)));
  return std::unique_ptr<PostgresStaging>(new PostgresStaging(std::move(servers)));
}

std::string PostgresStaging::relation_of(const CopyName& name) const {
  return settings().schema + "." + copy_table(name);
}

Result<std::unique_ptr<StagedCopy>> PostgresStaging::make_copy(const ExportSpec& spec, const CopyName& name,
                                                               PressureNote* pressure, std::stop_token stop) {
  TRY(PostgresLease lease, PostgresLease::open_guarded(*servers_, maker_label(name.job), nullptr,
                                                       servers_->source().max_pause, stop, pressure));
  TRY(const bool standby, in_recovery(*lease.connection, stop));
  if (standby) {
    return fail(source_unavailable("source " + servers_->source().name + ": the staging server " + servers_->name(0) +
                                   " is a standby, which cannot be written to; run `longshore catalog check`"));
  }
  TRY(CopyMark mark, CopyMaker(*lease.connection, spec, servers_->source(), name).make(stop));
  mark.moment.id = relation_of(name);
  mark.moment.server = servers_->name(0);
  return std::make_unique<PostgresCopy>(servers_, std::move(lease), std::move(mark.moment));
}

Result<std::vector<CopyName>> PostgresStaging::copies(const std::string& deployment, std::stop_token stop) {
  TRY(const PostgresLease lease, PostgresLease::open(*servers_, "copies", stop, kPatience));
  TRY(const PostgresRows rows, lease.connection->query(R"(
    SELECT c.relname, pg_catalog.obj_description(c.oid, 'pg_class')
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relkind = 'r' AND pg_catalog.starts_with(c.relname, $2))",
                                                       {settings().schema, std::string(kCopyPrefix)}, stop));
  std::vector<CopyName> names;
  for (const auto& row : rows.rows) {
    const auto mark = row[1] ? parse_mark(*row[1], *row[0]) : std::nullopt;
    if (mark && mark->name.deployment == deployment) names.push_back(mark->name);
  }
  return names;
}

Status PostgresStaging::drop_copy(const CopyName& name, std::stop_token stop) {
  TRY(const PostgresLease lease, PostgresLease::open(*servers_, "copies", stop, kPatience));
  TRY(const auto mark, find_copy(*lease.connection, settings().schema, copy_table(name), stop));
  if (!mark || mark->name != name) return {};
  CHECK_OK(lease.connection->query_each(
      "BEGIN READ WRITE; DROP TABLE IF EXISTS " + quote_relation(relation_of(name)) + "; COMMIT;", stop));
  return {};
}

Result<std::unique_ptr<RowSource>> PostgresStaging::open_scan(ScanRequest request, std::stop_token stop) {
  if (request.copy->server != servers_->name(0) || !request.copy->id.starts_with(settings().schema + ".")) {
    return fail(copy_gone("the copy " + request.copy->id + " is on " + request.copy->server + ", and source " +
                          servers_->source().name + " has its staging elsewhere now"));
  }
  return std::make_unique<CopyReader>(servers_, std::move(request), std::move(stop));
}

Result<std::vector<ReadingHint>> PostgresStaging::faults(const Dataset& dataset) {
  const std::string place = "sources." + servers_->source().name + ".staging";
  const std::string& schema = settings().schema;
  std::vector<ReadingHint> found;
  const auto lease = PostgresLease::open(*servers_, "catalog", {});
  if (!lease) {
    found.push_back({place, "staging_unavailable", "the staging server cannot be asked: " + lease.error().message});
    return found;
  }
  TRY(const PostgresRows rows, lease->connection->query(kRights, {schema}, {}));
  const std::string& user = rows.at(0, 2);
  if (rows.at(0, 0) == "t") {
    found.push_back({place, "staging_read_only",
                     "the staging server " + servers_->name(0) +
                         " is a standby; under \"server\", name one that can be written to"});
  } else if (rows.at(0, 1) != "t") {
    found.push_back({place + ".schema", "staging_denied",
                     "there is no schema \"" + schema + "\" on " + servers_->name(0) + "; CREATE SCHEMA " +
                         quote_identifier(schema) + " AUTHORIZATION " + quote_identifier(user)});
  } else if (rows.at(0, 3) != "t") {
    found.push_back({place + ".schema", "staging_denied",
                     "the user \"" + user + "\" may not create tables in the schema \"" + schema + "\" on " +
                         servers_->name(0) + "; GRANT USAGE, CREATE ON SCHEMA " + quote_identifier(schema) + " TO " +
                         quote_identifier(user)});
  }
  // Reads no row, and is refused like one that does.
  std::vector<std::string> columns{quote_identifier(dataset.tenant_column)};
  for (const std::string& column : dataset.key) columns.push_back(quote_identifier(column));
  for (const Column& column : dataset.columns) columns.push_back(quote_identifier(column.source));
  const auto readable = lease->connection->query(
      "SELECT " + join(columns, ", ") + " FROM " + quote_relation(dataset.relation) + " LIMIT 0", {}, {});
  if (!readable) {
    const bool denied = readable.error().code == "source_denied";
    found.push_back(
        {"datasets." + dataset.name + ".relation", "staging_relation",
         "the user \"" + user + "\" cannot read \"" + dataset.relation + "\" on the staging server " +
             servers_->name(0) + ", to copy it: " + readable.error().message +
             (denied ? "; GRANT SELECT ON " + quote_relation(dataset.relation) + " TO " + quote_identifier(user)
                     : std::string())});
  }
  return found;
}

}  // namespace longshore
