#include <algorithm>
#include <memory>
#include <utility>

#include "scan/cut_positions.h"
#include "scan/key_domain.h"
#include "scan/row_width.h"
#include "scan/scan_errors.h"
#include "scan/source_database.h"
#include "scan/sql_text.h"
#include "scan/sqlite/keyset_query.h"
#include "scan/sqlite/keyset_reader.h"
#include "scan/sqlite/schema_reader.h"

namespace longshore {

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr milliseconds kCountLimit = 1s;
constexpr milliseconds kPingPatience = 500ms;
/// Cutting reads every key once, which takes a file's speed; the request's own limit may be shorter.
constexpr milliseconds kEndLimit = 30s;

Status bind_all(SqliteStatement& statement, const std::vector<SqliteCondition::Bind>& binds) {
  for (std::size_t i = 0; i < binds.size(); ++i) CHECK_OK(statement.bind(static_cast<int>(i) + 1, binds[i].view()));
  return {};
}

/// Asks one relation for counts and keys.
class SqlitePlanner {
 public:
  static Result<SqlitePlanner> make(SqliteConnection& connection, const ExportSpec& spec) {
    SqlitePlanner planner(connection, spec);
    TRY(planner.selection_, selection(connection, spec));
    TRY(planner.key_, SqliteKey::probe(connection, spec.dataset));
    return planner;
  }

  const SqliteCondition& selected() const { return selection_; }
  bool has_rows() const { return key_.has_value(); }

  /// The rows, no more than `most`. nullopt: it took longer than `limit`.
  Result<std::optional<std::int64_t>> count(std::optional<std::int64_t> most, milliseconds limit) {
    connection_.set_time_limit(limit);
    std::string rows = relation_ + " WHERE " + selection_.sql;
    if (most) rows = "(SELECT 1 FROM " + rows + " LIMIT " + std::to_string(*most) + ")";
    TRY(SqliteStatement statement, connection_.prepare("SELECT count(*) FROM " + rows));
    CHECK_OK(bind_all(statement, selection_.binds));
    const auto row = statement.step();
    connection_.set_time_limit(std::nullopt);
    if (!row && row.error().code == "source_timeout") return std::optional<std::int64_t>();
    if (!row) return fail(row.error());
    return std::optional(statement.column(0).integer);
  }

  /// The key of the row `offset` rows behind the first that lies behind `after`; nullopt when there is none.
  Result<std::optional<KeyTuple>> key_at(const std::optional<KeyTuple>& after, std::int64_t offset, bool descending) {
    SqliteCondition where = selection_;
    if (after) {
      TRY(const SqliteCondition behind, key_->condition(">", *after));
      where.add(behind);
    }
    const std::string columns = join(key_->columns(), ", ");
    const std::string order = descending ? join(key_->columns(), " DESC, ") + " DESC" : columns;
    TRY(SqliteStatement statement,
        connection_.prepare("SELECT " + columns + " FROM " + relation_ + " WHERE " + where.sql + " ORDER BY " + order +
                            " LIMIT 1 OFFSET " + std::to_string(offset)));
    CHECK_OK(bind_all(statement, where.binds));
    TRY(const bool row, statement.step());
    if (!row) return std::optional<KeyTuple>();
    TRY(KeyTuple key, key_->read(statement, 0));
    return std::optional(std::move(key));
  }

  struct ExactCut {
    std::int64_t rows = 0;
    std::vector<KeyTuple> boundaries;  ///< none when there are more rows than the request takes
  };
  /// Counts, and finds the keys that cut the rows into equal parts, by reading every key once. Errors: `source_timeout`
  /// after the request's limit.
  Result<ExactCut> exact_cut(const PartitionRequest& request) {
    const auto until = std::chrono::steady_clock::now() + request.time_limit;
    const auto most = request.max_total_rows > 0 ? std::optional(request.max_total_rows + 1) : std::nullopt;
    TRY(const auto rows, count(most, request.time_limit));
    if (!rows) return fail(source_timeout("counting takes too long"));
    ExactCut cut{.rows = *rows, .boundaries = {}};
    if (most && *rows == *most) return cut;
    connection_.set_time_limit(
        std::max(1ms, std::chrono::duration_cast<milliseconds>(until - std::chrono::steady_clock::now())));
    std::optional<KeyTuple> after;
    std::int64_t taken = 0;
    for (const std::int64_t wanted : cut_positions(*rows, request)) {
      TRY(after, key_at(after, wanted - taken - 1, false));
      if (!after) break;
      cut.boundaries.push_back(*after);
      taken = wanted;
    }
    return cut;
  }

  /// Cuts that divide the key's numbers evenly; none for keys that are no single integer.
  std::vector<KeyTuple> even_boundaries(int partitions, const KeyTuple& least, const KeyTuple& greatest) const {
    const auto domain = KeyDomain::of({.logical = LogicalType::int64});
    const auto low = key_->is_single_number() ? domain->number(least[0]) : std::nullopt;
    const auto high = key_->is_single_number() ? domain->number(greatest[0]) : std::nullopt;
    std::vector<KeyTuple> boundaries;
    if (!low || !high) return boundaries;
    for (int i = 1; i < partitions; ++i) {
      const Int128 cut = *low + (*high - *low) * i / partitions;
      if (cut >= *high || (!boundaries.empty() && boundaries.back()[0] == domain->text(cut))) continue;
      boundaries.push_back({domain->text(cut)});
    }
    return boundaries;
  }

 private:
  SqlitePlanner(SqliteConnection& connection, const ExportSpec& spec)
      : connection_(connection), relation_(quote_relation(spec.dataset.relation)) {}

  SqliteConnection& connection_;
  std::string relation_;
  SqliteCondition selection_;
  std::optional<SqliteKey> key_;
};

class SqliteSource final : public SourceDatabase {
 public:
  SqliteSource(Source source, PacingSchedule schedule)
      : source_(std::move(source)),
        slots_(std::make_shared<ConnectionSlots>(source_.max_connections)),
        pacer_(std::make_shared<Pacer>(std::move(schedule), system_clock())) {}

  Result<std::unique_ptr<RowSource>> open_scan(ScanRequest request, std::stop_token stop) override {
    return std::make_unique<SqliteKeysetReader>(source_, slots_, pacer_, std::move(request), std::move(stop));
  }

  Result<ScanEstimate> estimate(const ExportSpec& spec, std::stop_token stop) override {
    TRY(const Lease lease, open(stop));
    TRY(SqlitePlanner planner, SqlitePlanner::make(*lease.connection, spec));
    TRY(const auto rows, planner.count(std::nullopt, kCountLimit));
    ScanEstimate estimate;
    estimate.exact = rows.has_value();
    estimate.rows = rows ? *rows : rough_row_count(*lease.connection, spec.dataset.relation);
    TRY(const auto widths, sampled_widths(*lease.connection, spec));
    estimate.bytes_per_row = estimated_row_width(spec.columns, widths);
    return estimate;
  }

  Result<PartitionPlan> plan_partitions(const ExportSpec& spec, const PartitionRequest& request,
                                        std::stop_token stop) override {
    TRY(const Lease lease, open(stop));
    TRY(SqlitePlanner planner, SqlitePlanner::make(*lease.connection, spec));
    PartitionPlan plan{.ranges = {}, .exact = true, .rows = 0};
    if (!planner.has_rows()) return plan;
    // One read transaction for all questions: a row that is added meanwhile cannot become a boundary behind the end.
    TRY(SqliteStatement begin, lease.connection->prepare("BEGIN"));
    CHECK_OK(begin.step());
    lease.connection->set_time_limit(kEndLimit);
    TRY(const auto greatest, planner.key_at(std::nullopt, 0, true));
    if (!greatest) return plan;
    plan = PartitionPlan{};
    std::vector<KeyTuple> boundaries;
    if (request.partitions > 1 || request.limited()) {
      auto counted = planner.exact_cut(request);
      if (counted) {
        plan.exact = true;
        plan.rows = counted->rows;
        if (request.max_total_rows > 0 && counted->rows > request.max_total_rows) return plan;
        boundaries = std::move(counted->boundaries);
      } else if (counted.error().code == "source_timeout") {
        lease.connection->set_time_limit(kEndLimit);
        const int partitions =
            partition_count_for(cautious_rows(rough_row_count(*lease.connection, spec.dataset.relation)), request);
        TRY(const auto least, planner.key_at(std::nullopt, 0, false));
        if (least) boundaries = planner.even_boundaries(partitions, *least, *greatest);
      } else {
        return fail(std::move(counted).error());
      }
    }
    boundaries.push_back(*greatest);
    std::optional<KeyTuple> after;
    for (KeyTuple& boundary : boundaries) {
      if (after && *after == boundary) continue;
      plan.ranges.push_back({.after = std::move(after), .upto = boundary});
      after = std::move(boundary);
    }
    return plan;
  }

  bool reads_one_moment() const override { return true; }

  Status ping() override {
    // Exports may have all connections for hours: nobody who asks for readiness should wait for that.
    TRY(const Lease lease, open({}, kPingPatience));
    TRY(SqliteStatement statement, lease.connection->prepare("SELECT count(*) FROM sqlite_schema"));
    CHECK_OK(statement.step());
    return {};
  }

  Result<RelationInfo> describe(const std::string& relation) override {
    TRY(const Lease lease, open({}));
    return describe_relation(*lease.connection, relation);
  }

  Result<std::vector<std::string>> list_relations() override {
    TRY(const Lease lease, open({}));
    return longshore::list_relations(*lease.connection);
  }

 private:
  struct Lease {
    ConnectionSlots::Slot slot;
    std::unique_ptr<SqliteConnection> connection;
  };

  /// `patience`: how long it may wait for a place (`source_busy`).
  Result<Lease> open(const std::stop_token& stop, std::optional<Duration> patience = std::nullopt) {
    if (stop.stop_requested()) return fail(scan_stopped());
    Lease lease;
    TRY(lease.slot, slots_->acquire(stop, patience));
    auto connection = SqliteConnection::open(source_.path, stop);
    if (!connection) return fail(std::move(connection).error().with_context("source " + source_.name));
    lease.connection = *std::move(connection);
    return lease;
  }

  /// Average lengths in the first thousand rows.
  static Result<std::vector<std::optional<std::int64_t>>> sampled_widths(SqliteConnection& connection,
                                                                         const ExportSpec& spec) {
    std::vector<std::string> averages;
    averages.reserve(spec.columns.size());
    for (const Column& column : spec.columns) {
      averages.push_back("CAST(avg(length(" + quote_identifier(column.source) + ")) AS INTEGER)");
    }
    TRY(SqliteStatement statement, connection.prepare("SELECT " + join(averages, ", ") + " FROM (SELECT * FROM " +
                                                      quote_relation(spec.dataset.relation) + " LIMIT 1000)"));
    CHECK_OK(statement.step());
    std::vector<std::optional<std::int64_t>> widths;
    for (std::size_t i = 0; i < spec.columns.size(); ++i) {
      const SqliteValue value = statement.column(static_cast<int>(i));
      widths.emplace_back(value.storage == SqliteValue::Storage::null ? std::nullopt : std::optional(value.integer));
    }
    return widths;
  }

  static const Clock& system_clock() {
    static const SystemClock clock;
    return clock;
  }

  Source source_;
  std::shared_ptr<ConnectionSlots> slots_;
  std::shared_ptr<Pacer> pacer_;
};

}  // namespace

Result<std::unique_ptr<SourceDatabase>> make_sqlite_source(const Source& source) {
  if (source.path.empty()) {
    return fail(user_error("bad_source", "source " + source.name + " names no path to a SQLite file"));
  }
  TRY(PacingSchedule schedule, PacingSchedule::make(source.pacing));
  return std::make_unique<SqliteSource>(source, std::move(schedule));
}

}  // namespace longshore
