#include "scan/postgres/partition_planner.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "scan/cut_positions.h"
#include "scan/postgres/keyset_query.h"
#include "scan/postgres/literal.h"
#include "scan/sql_text.h"

namespace longshore {

namespace {

using namespace std::chrono_literals;

/// Below this a pass over the keys takes a fraction of a second.
constexpr std::int64_t kSmallSet = 200'000;
constexpr std::chrono::milliseconds kSmallSetLimit = 3s;
/// For the ends of the key range; longer when an index cannot serve tenant and filters together.
constexpr std::chrono::milliseconds kProbeLimit = 3s;
constexpr std::chrono::milliseconds kLastProbeLimit = 60s;
constexpr int kMaxSteps = 32;

PartitionPlan ranges_between(std::vector<KeyTuple> boundaries, const KeyTuple& greatest, bool exact) {
  PartitionPlan plan{.ranges = {}, .exact = exact, .rows = std::nullopt};
  std::optional<KeyTuple> after;
  boundaries.push_back(greatest);
  for (KeyTuple& boundary : boundaries) {
    plan.ranges.push_back({.after = std::move(after), .upto = boundary});
    after = std::move(boundary);
  }
  return plan;
}

}  // namespace

Result<PartitionPlan> PostgresPartitionPlanner::plan(const PartitionRequest& request) {
  TRY(const std::optional<KeyTuple> greatest, extreme_key(true));
  if (!greatest) return PartitionPlan{.ranges = {}, .exact = true, .rows = 0};
  const bool limited = request.limited();
  if (request.partitions <= 1 && !limited) return ranges_between({}, *greatest, false);
  TRY(const std::optional<KeyTuple> least, extreme_key(false));
  if (!least) return ranges_between({}, *greatest, false);

  TRY(const std::int64_t rows, query_.estimated_rows(query_.where()));
  if (request.exact || limited || rows < kSmallSet) {
    const bool patient = request.exact || limited;
    TRY(auto counted, exact_cut(request, patient ? request.time_limit : std::min(request.time_limit, kSmallSetLimit)));
    if (counted) return plan_of(*std::move(counted), request, *least, *greatest);
  }
  PartitionRequest estimated = request;
  estimated.partitions = partition_count_for(cautious_rows(rows), request);
  if (estimated.partitions <= 1) return ranges_between({}, *greatest, false);
  TRY(auto cheap, cheap_boundaries(estimated.partitions, *least, *greatest));
  if (cheap) {
    TRY(auto ordered, query_.in_key_order(*cheap, *least, *greatest));
    return ranges_between(std::move(ordered), *greatest, false);
  }
  if (!request.exact && !limited) {
    TRY(auto counted, exact_cut(request, std::min(request.time_limit, kSmallSetLimit)));
    if (counted) return plan_of(*std::move(counted), request, *least, *greatest);
  }
  return ranges_between({}, *greatest, false);
}

Result<PartitionPlan> PostgresPartitionPlanner::plan_of(ExactCut counted, const PartitionRequest& request,
                                                        const KeyTuple& least, const KeyTuple& greatest) {
  if (request.max_total_rows > 0 && counted.rows > request.max_total_rows) {
    return PartitionPlan{.ranges = {}, .exact = true, .rows = counted.rows};
  }
  TRY(auto ordered, query_.in_key_order(counted.boundaries, least, greatest));
  PartitionPlan plan = ranges_between(std::move(ordered), greatest, true);
  plan.rows = counted.rows;
  return plan;
}

Result<std::optional<KeyTuple>> PostgresPartitionPlanner::extreme_key(bool greatest) {
  // A filter that matches few rows can make this walk far along the index. Without the filters, and then without the
  // tenant, the end is still an end: the ranges only reach further than they need to.
  TRY(auto key, query_.first_key(query_.where(), greatest, kProbeLimit));
  if (key) return *std::move(key);
  TRY(const std::string tenant, tenant_selection(query_.spec()));
  TRY(key, query_.first_key(tenant, greatest, kProbeLimit));
  if (key) return *std::move(key);
  TRY(key, query_.first_key("TRUE", greatest, kLastProbeLimit));
  if (key) return *std::move(key);
  return fail(external_error("source_timeout", "finding the end of the key range of " + query_.spec().dataset.relation +
                                                   " takes too long; is there an index on the key?"));
}

Result<std::optional<PostgresPartitionPlanner::ExactCut>> PostgresPartitionPlanner::exact_cut(
    const PartitionRequest& request, std::chrono::milliseconds limit) {
  const auto begin = std::chrono::steady_clock::now();
  const auto most = request.max_total_rows > 0 ? std::optional(request.max_total_rows + 1) : std::nullopt;
  TRY(const auto rows, query_.count(query_.where(), most, limit));
  const auto spent = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
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

Result<std::optional<std::vector<KeyTuple>>> PostgresPartitionPlanner::cheap_boundaries(int partitions,
                                                                                        const KeyTuple& least,
                                                                                        const KeyTuple& greatest) {
  // The columns in front that do not vary (a tenant, say) cut nothing.
  const auto column = static_cast<std::size_t>(std::ranges::mismatch(least, greatest).in1 - least.begin());
  if (column == least.size()) return std::optional(std::vector<KeyTuple>());

  std::vector<std::string> cuts;
  const auto domain = KeyDomain::of(query_.spec().dataset.key_types[column]);
  const auto low = domain ? domain->number(least[column]) : std::nullopt;
  const auto high = domain ? domain->number(greatest[column]) : std::nullopt;
  if (low && high && *low < *high) {
    // A column with hardly more values than partitions cannot be cut evenly if others follow it.
    if (column + 1 < least.size() && *high - *low < Int128{partitions} * 10)
      return std::optional<std::vector<KeyTuple>>();
    TRY(cuts, interpolated_cuts(partitions, *domain, column, *low, *high));
  } else {
    TRY(cuts, histogram_cuts(partitions, column, least, greatest));
    if (cuts.size() + 1 < static_cast<std::size_t>(partitions)) return std::optional<std::vector<KeyTuple>>();
  }
  std::vector<KeyTuple> boundaries;
  for (std::string& cut : cuts) {
    // Behind the cut any valid values do: both neighbours use the same tuple.
    KeyTuple boundary = least;
    boundary[column] = std::move(cut);
    boundaries.push_back(std::move(boundary));
  }
  return std::optional(std::move(boundaries));
}

Result<std::int64_t> PostgresPartitionPlanner::rows_up_to(std::size_t column, const std::string& value) {
  const Dataset& dataset = query_.spec().dataset;
  TRY(const std::string literal, postgres_literal({.type = dataset.key_types[column], .text = value}));
  return query_.estimated_rows(query_.where() + " AND " + quote_identifier(dataset.key[column]) + " <= " + literal);
}

Result<std::vector<std::string>> PostgresPartitionPlanner::interpolated_cuts(int partitions, const KeyDomain& domain,
                                                                             std::size_t column, Int128 low,
                                                                             Int128 high) {
  TRY(const std::int64_t below, rows_up_to(column, domain.text(low)));
  TRY(const std::int64_t total, rows_up_to(column, domain.text(high)));
  // Every estimate tightens the brackets of the cuts that follow.
  std::map<Int128, double> known{{low, static_cast<double>(std::min(below, total))},
                                 {high, static_cast<double>(total)}};
  const double first = known.at(low);
  const double share = (static_cast<double>(total) - first) / partitions;
  // Without statistics every inequality is estimated alike: then the keys are taken as evenly spread.
  const bool informed = share * partitions > 0.5 * static_cast<double>(total) && total > 0;

  std::vector<std::string> cuts;
  for (int i = 1; i < partitions; ++i) {
    if (!informed) {
      cuts.push_back(domain.text(low + (high - low) / partitions * i + (high - low) % partitions * i / partitions));
      continue;
    }
    const double wanted = first + share * i;
    Int128 best = low;
    for (int step = 0; step < kMaxSteps; ++step) {
      auto upper = known.upper_bound(low);
      while (upper != known.end() && upper->second < wanted) ++upper;
      if (upper == known.end()) upper = std::prev(known.end());
      const auto lower = std::prev(upper);
      best = wanted - lower->second < upper->second - wanted && lower->first != low ? lower->first : upper->first;
      if (std::abs(known.at(best) - wanted) < share * 0.02 || upper->first - lower->first <= 1) break;
      // Guesses along a straight line are quick on even data, halving is safe on any: taken in turns.
      Int128 next = lower->first + (upper->first - lower->first) / 2;
      if (step % 2 == 0 && upper->second > lower->second) {
        const double part = (wanted - lower->second) / (upper->second - lower->second);
        next = lower->first + static_cast<Int128>(static_cast<double>(upper->first - lower->first) * part);
      }
      next = std::clamp(next, lower->first + 1, upper->first - 1);
      TRY(const std::int64_t rows, rows_up_to(column, domain.text(next)));
      // An estimate must not fall below that of a smaller key, or the brackets would cross.
      known[next] = std::clamp(static_cast<double>(rows), lower->second, upper->second);
    }
    cuts.push_back(domain.text(best));
  }
  return cuts;
}

Result<std::vector<std::string>> PostgresPartitionPlanner::histogram_cuts(int partitions, std::size_t column,
                                                                          const KeyTuple& least,
                                                                          const KeyTuple& greatest) {
  TRY(const std::vector<std::string> bounds, query_.histogram_bounds(query_.spec().dataset.key[column]));
  std::vector<KeyTuple> candidates;
  for (const std::string& bound : bounds) {
    KeyTuple candidate = least;
    candidate[column] = bound;
    candidates.push_back(std::move(candidate));
  }
  TRY(const std::vector<KeyTuple> inside, query_.in_key_order(candidates, least, greatest));
  // With fewer bounds than this among the selected rows the parts would be too uneven.
  if (inside.size() < static_cast<std::size_t>(partitions) * 4) return std::vector<std::string>();
  std::vector<double> rows;
  for (const KeyTuple& key : inside) {
    TRY(const std::int64_t estimate, rows_up_to(column, key[column]));
    rows.push_back(static_cast<double>(estimate));
  }
  TRY(const std::int64_t below, rows_up_to(column, least[column]));
  TRY(const std::int64_t total, rows_up_to(column, greatest[column]));
  std::vector<std::string> cuts;
  for (int i = 1; i < partitions; ++i) {
    const double wanted =
        static_cast<double>(below) + static_cast<double>(total - below) * i / static_cast<double>(partitions);
    const auto nearest =
        std::ranges::min_element(rows, {}, [wanted](double estimate) { return std::abs(estimate - wanted); });
    cuts.push_back(inside[static_cast<std::size_t>(nearest - rows.begin())][column]);
  }
  return cuts;
}

}  // namespace longshore
