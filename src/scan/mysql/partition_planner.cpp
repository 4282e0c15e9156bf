#include "scan/mysql/partition_planner.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "scan/cut_positions.h"
#include "scan/estimated_cuts.h"
#include "scan/mysql/literal.h"
#include "scan/sql_text.h"

namespace longshore {

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

/// Below this a pass over the keys takes a fraction of a second.
constexpr std::int64_t kSmallSet = 200'000;
constexpr milliseconds kSmallSetLimit = 3s;
/// For the ends of the key range; longer when an index cannot serve tenant and filters together.
constexpr milliseconds kProbeLimit = 3s;
constexpr milliseconds kLastProbeLimit = 60s;
/// Ranges that the whole is put together of at first.
constexpr int kGrid = 16;
/// For all the EXPLAINs of a plan.
constexpr milliseconds kEstimatesLimit = 3s;

PartitionPlan ranges_between(std::vector<KeyTuple> boundaries, const KeyTuple& greatest, bool exact) {
  PartitionPlan plan{.ranges = {}, .exact = exact, .rows = std::nullopt};
  std::optional<KeyTuple> after;
  if (boundaries.empty() || boundaries.back() != greatest) boundaries.push_back(greatest);
  for (KeyTuple& boundary : boundaries) {
    plan.ranges.push_back({.after = std::move(after), .upto = boundary});
    after = std::move(boundary);
  }
  return plan;
}

/// The numbers of a key column's text, see key_text(). Those of an enum are positions, too few to cut between.
std::optional<KeyDomain> domain_of(const MysqlColumn& column, const DataType& declared) {
  switch (column.kind) {
    case MysqlKind::integer:
      return KeyDomain::of({.logical = LogicalType::decimal, .precision = 20, .scale = 0});
    case MysqlKind::decimal:
      return KeyDomain::of({.logical = LogicalType::decimal, .precision = column.precision, .scale = column.scale});
    case MysqlKind::date:
      return KeyDomain::of({.logical = LogicalType::date});
    case MysqlKind::datetime:
    case MysqlKind::timestamp:
      return KeyDomain::of({.logical = LogicalType::timestamp});
    case MysqlKind::uuid:
      return KeyDomain::of({.logical = LogicalType::uuid});
    case MysqlKind::text:
    case MysqlKind::binary:
      if (declared.logical == LogicalType::uuid) return KeyDomain::of(declared);
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

/// The optimizer's estimates of the rows up to a value of a key column. InnoDB never estimates a range at more than
/// half of its table, so what lies below a value is put together from ranges between the values that were asked for
/// before.
class RangeEstimates {
 public:
  RangeEstimates(MysqlKeyQuery& query, const KeyDomain& domain, std::size_t column, Int128 low)
      : query_(query), domain_(domain), column_(column), known_{{low, 0.0}} {}

  /// The rows up to `high`, and at a grid on the way. REQUIRES: is called first.
  Status begin(Int128 high) {
    const Int128 low = known_.begin()->first;
    for (int i = 1; i <= kGrid; ++i) {
      const Int128 number = i == kGrid ? high : low + (high - low) / kGrid * i;
      CHECK_OK(rows_up_to(number));
    }
    return {};
  }

  Result<std::vector<double>> rows_up_to(const std::vector<std::string>& values) {
    std::vector<double> rows;
    for (const std::string& value : values) {
      if (std::chrono::steady_clock::now() > until_) break;
      const auto number = domain_.number(value);
      if (!number) break;
      TRY(const double estimate, rows_up_to(*number));
      rows.push_back(estimate);
    }
    return rows;
  }

 private:
  Result<double> rows_up_to(Int128 number) {
    const auto upper = known_.lower_bound(number);
    if (upper != known_.end() && upper->first == number) return upper->second;
    if (upper == known_.begin()) return 0.0;
    const auto lower = std::prev(upper);
    const std::string& name = query_.key().names()[column_];
    const MysqlColumn& column = query_.key().columns()[column_];
    TRY(const std::string begin, key_literal(domain_.text(lower->first), column));
    TRY(const std::string end, key_literal(domain_.text(number), column));
    std::string condition = query_.where();
    condition += " AND " + name + " > " + begin + " AND " + name + " <= " + end;
    TRY(const std::int64_t between, query_.estimated_rows(condition));
    double rows = lower->second + static_cast<double>(between);
    if (upper != known_.end()) rows = std::min(rows, upper->second);
    known_[number] = rows;
    return rows;
  }

  MysqlKeyQuery& query_;
  const KeyDomain& domain_;
  std::size_t column_;
  std::chrono::steady_clock::time_point until_ = std::chrono::steady_clock::now() + kEstimatesLimit;
  std::map<Int128, double> known_;
};

}  // namespace

Result<PartitionPlan> MysqlPartitionPlanner::plan(const PartitionRequest& request) {
  TRY(const std::optional<KeyTuple> greatest, extreme_key(true));
  if (!greatest) return PartitionPlan{.ranges = {}, .exact = true, .rows = 0};
  const bool limited = request.limited();
  if (request.partitions <= 1 && !limited) return ranges_between({}, *greatest, false);
  TRY(const std::optional<KeyTuple> least, extreme_key(false));
  if (!least) return ranges_between({}, *greatest, false);

  TRY(const std::int64_t rows, query_.estimated_rows(query_.where()));
  const bool patient = request.exact || limited;
  if (patient || rows < kSmallSet) {
    TRY(auto counted, exact_cut(request, patient ? request.time_limit : std::min(request.time_limit, kSmallSetLimit)));
    if (counted) return plan_of(*std::move(counted), request, *greatest);
  }
  PartitionRequest estimated = request;
  estimated.partitions = partition_count_for(cautious_rows(rows), request);
  if (estimated.partitions <= 1) return ranges_between({}, *greatest, false);
  TRY(const auto guesses, guessed_cuts(estimated.partitions, *least, *greatest));
  if (guesses) {
    TRY(auto boundaries, keys_behind(*guesses, *greatest));
    return ranges_between(std::move(boundaries), *greatest, false);
  }
  if (!patient) {
    TRY(auto counted, exact_cut(request, request.time_limit));
    if (counted) return plan_of(*std::move(counted), request, *greatest);
  }
  return ranges_between({}, *greatest, false);
}

PartitionPlan MysqlPartitionPlanner::plan_of(ExactCut counted, const PartitionRequest& request,
                                             const KeyTuple& greatest) const {
  if (request.max_total_rows > 0 && counted.rows > request.max_total_rows) {
    return {.ranges = {}, .exact = true, .rows = counted.rows};
  }
  PartitionPlan plan = ranges_between(std::move(counted.boundaries), greatest, true);
  plan.rows = counted.rows;
  return plan;
}

Result<std::optional<KeyTuple>> MysqlPartitionPlanner::extreme_key(bool greatest) {
  // A filter that matches few rows can make this walk far along the index. Without the filters, and then without the
  // tenant, the end is still an end: the ranges only reach further than they need to.
  TRY(auto key, query_.first_key(query_.where(), greatest, kProbeLimit));
  if (key) return *std::move(key);
  TRY(const std::string tenant, tenant_selection(query_.spec(), query_.columns()));
  TRY(key, query_.first_key(tenant, greatest, kProbeLimit));
  if (key) return *std::move(key);
  TRY(key, query_.first_key("TRUE", greatest, kLastProbeLimit));
  if (key) return *std::move(key);
  return fail(external_error("source_timeout", "finding the end of the key range of " + query_.spec().dataset.relation +
                                                   " takes too long; is there an index on the key?"));
}

Result<std::optional<MysqlPartitionPlanner::ExactCut>> MysqlPartitionPlanner::exact_cut(const PartitionRequest& request,
                                                                                        milliseconds limit) {
  // What is counted and what is cut are the same rows.
  CHECK_OK(query_.begin_snapshot());
  auto cut = count_and_cut(request, limit);
  if (cut) CHECK_OK(query_.end_snapshot());
  return cut;
}

Result<std::optional<MysqlPartitionPlanner::ExactCut>> MysqlPartitionPlanner::count_and_cut(
    const PartitionRequest& request, milliseconds limit) {
  const auto begin = std::chrono::steady_clock::now();
  const auto most = request.max_total_rows > 0 ? std::optional(request.max_total_rows + 1) : std::nullopt;
  TRY(const auto rows, query_.count(query_.where(), most, limit));
  const auto spent = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begin);
  if (!rows) return std::optional<ExactCut>();
  ExactCut cut{.rows = *rows, .boundaries = {}};
  if (most && *rows == *most) return std::optional(std::move(cut));
  const std::vector<std::int64_t> positions = cut_positions(*rows, request);
  if (positions.empty()) return std::optional(std::move(cut));
  if (spent >= limit) return std::optional<ExactCut>();
  TRY(auto keys, query_.keys_at(positions, limit - spent));
  if (!keys) return std::optional<ExactCut>();
  cut.boundaries = *std::move(keys);
  return std::optional(std::move(cut));
}

Result<std::optional<std::vector<KeyTuple>>> MysqlPartitionPlanner::guessed_cuts(int partitions, const KeyTuple& least,
                                                                                 const KeyTuple& greatest) {
  // The columns in front that do not vary (a tenant, say) cut nothing.
  const auto at = static_cast<std::size_t>(std::ranges::mismatch(least, greatest).in1 - least.begin());
  if (at == least.size()) return std::optional(std::vector<KeyTuple>());
  const MysqlColumn& column = query_.key().columns()[at];
  const auto domain = domain_of(column, query_.spec().dataset.key_types[at]);
  const auto low = domain ? domain->number(least[at]) : std::nullopt;
  const auto high = domain ? domain->number(greatest[at]) : std::nullopt;
  if (!low || !high || *low >= *high) return std::optional<std::vector<KeyTuple>>();
  // A column with hardly more values than partitions cannot be cut evenly if others follow it.
  if (at + 1 < least.size() && *high - *low < Int128{partitions} * 10) return std::optional<std::vector<KeyTuple>>();

  RangeEstimates estimates(query_, *domain, at, *low);
  CHECK_OK(estimates.begin(*high));
  const auto rows_up_to = [&](const std::vector<std::string>& values) { return estimates.rows_up_to(values); };
  TRY(const auto cuts, cut_numbers(partitions, *domain, {.low = *low, .high = *high}, {}, rows_up_to));
  std::vector<KeyTuple> guesses;
  for (const std::string& cut : cuts ? cuts->values : even_cuts(partitions, *domain, {.low = *low, .high = *high})) {
    KeyTuple guess = least;
    guess[at] = cut;
    guesses.push_back(std::move(guess));
  }
  return std::optional(std::move(guesses));
}

Result<std::vector<KeyTuple>> MysqlPartitionPlanner::keys_behind(const std::vector<KeyTuple>& guesses,
                                                                 const KeyTuple& greatest) {
  const MysqlKey& key = query_.key();
  TRY(const std::string below, key.before(greatest));
  std::vector<KeyTuple> keys;
  for (const KeyTuple& guess : guesses) {
    TRY(const std::string behind, key.behind(guess));
    std::vector<std::string> conditions{query_.where(), behind, below};
    if (!keys.empty()) {
      TRY(std::string rising, key.behind(keys.back()));
      conditions.push_back(std::move(rising));
    }
    TRY(auto found, query_.first_key(join(conditions, " AND "), false, kProbeLimit));
    // One cut less makes two ranges one, which is always right.
    if (found && *found) keys.push_back(**std::move(found));
  }
  return keys;
}

}  // namespace longshore
