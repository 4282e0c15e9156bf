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
/// A tenant's part of a large table, where nothing cheaper tells how its keys are spread.
constexpr std::int64_t kLongestPass = 5'000'000;
constexpr std::chrono::milliseconds kPassLimit = 2s;
/// For the ends of the key range; longer when an index cannot serve tenant and filters together.
constexpr std::chrono::milliseconds kProbeLimit = 3s;
constexpr std::chrono::milliseconds kLastProbeLimit = 60s;
/// For all estimates of a plan together. One takes a tenth of a millisecond, or many where there are many partitions.
constexpr std::chrono::milliseconds kEstimatesLimit = 2s;

/// Statistics whose own estimate of their cuts is worse than this are asked no further.
constexpr double kEven = 1.3;
/// Statistics over all tenants describe a tenant that has this share of the rows.
constexpr double kNearlyAll = 0.9;

/// Pages, not rows, are what a sample's accuracy hangs on: rows that were inserted together have neighbouring keys.
/// With n pages to a part, its size is off by about 1 / √n: 7 % at 200, 25 % at 16.
constexpr std::int64_t kPagesPerPart = 200;
/// With fewer a pass is better, where one is not too long…
constexpr std::int64_t kFairPagesPerPart = 50;
/// …and with fewer than these anything is.
constexpr std::int64_t kFewestPagesPerPart = 16;
constexpr std::int64_t kFirstPages = 256;
/// Of 8 kB. 160 MB at the very most, for the largest exports.
constexpr std::int64_t kMostPages = 20'000;
/// More keys than this make no better cuts; the database sorts them in memory.
constexpr double kMostKeys = 20'000;
/// Of a table that is hardly large enough to be sampled.
constexpr double kMostPercent = 30;
constexpr std::chrono::milliseconds kFirstSampleLimit = 500ms;
constexpr std::chrono::milliseconds kSampleLimit = 1500ms;

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

/// The columns in front that do not vary (a tenant, say) cut nothing. nullopt: there is a single key.
std::optional<std::size_t> first_varying(const KeyTuple& least, const KeyTuple& greatest) {
  const auto column = static_cast<std::size_t>(std::ranges::mismatch(least, greatest).in1 - least.begin());
  return column == least.size() ? std::nullopt : std::optional(column);
}

/// nullopt when an end is infinite or has no number for another reason.
std::optional<NumberRange> number_range(const KeyDomain& domain, const std::string& least,
                                        const std::string& greatest) {
  const auto low = domain.number(least);
  const auto high = domain.number(greatest);
  if (!low || !high || *low >= *high) return std::nullopt;
  return NumberRange{.low = *low, .high = *high};
}

std::vector<KeyTuple> boundaries_at(std::vector<std::string> values, std::size_t column, const KeyTuple& least) {
  std::vector<KeyTuple> boundaries;
  boundaries.reserve(values.size());
  for (std::string& value : values) {
    // Behind the cut any valid values do: both neighbours use the same tuple.
    KeyTuple& boundary = boundaries.emplace_back(least);
    boundary[column] = std::move(value);
  }
  return boundaries;
}

/// None when the first column that varies has no numbers.
std::vector<KeyTuple> even_boundaries(const Dataset& dataset, int partitions, const KeyTuple& least,
                                      const KeyTuple& greatest) {
  const std::optional<std::size_t> column = first_varying(least, greatest);
  const auto domain = column ? KeyDomain::of(dataset.key_types[*column]) : std::nullopt;
  const auto range = domain ? number_range(*domain, least[*column], greatest[*column]) : std::nullopt;
  if (!range) return {};
  return boundaries_at(even_cuts(partitions, *domain, *range), *column, least);
}

}  // namespace

Result<PartitionPlan> PostgresPartitionPlanner::plan(const PartitionRequest& request) {
  TRY(const std::optional<KeyTuple> greatest, extreme_key(true));
  if (!greatest) return PartitionPlan{.ranges = {}, .exact = true, .rows = 0};
  const bool limited = request.limited();
  if (request.partitions <= 1 && !limited) return ranges_between({}, *greatest, false);
  TRY(const std::int64_t rows, query_.estimated_rows(query_.where()));
  if (request.exact || limited || rows < kSmallSet) {
    const bool patient = request.exact || limited;
    TRY(auto counted, exact_cut(request, patient ? request.time_limit : std::min(request.time_limit, kSmallSetLimit)));
    if (counted) return plan_of(*std::move(counted), request, *greatest);
  }
  const int partitions = partition_count_for(limited ? cautious_rows(rows) : rows, request);
  if (partitions <= 1) return ranges_between({}, *greatest, false);

  TRY(const RelationShape shape, query_.shape());
  TRY(const bool described, statistics_serve(shape, rows));
  std::optional<Guess> guess;
  if (described) {
    TRY(guess, by_statistics(partitions, *greatest));
    if (guess && guess->spread <= kEven) return cut_at(guess->boundaries, *greatest);
  }
  TRY(const auto sampled, by_sample(partitions, rows, shape));
  if (sampled) return cut_at(*sampled, *greatest);
  if (!request.exact && !limited && rows >= kSmallSet && rows <= kLongestPass) {
    TRY(auto counted, exact_cut(request, std::min(request.time_limit, kPassLimit)));
    if (counted) return plan_of(*std::move(counted), request, *greatest);
  }
  if (!described) {
    TRY(guess, by_statistics(partitions, *greatest));
  }
  if (guess) return cut_at(guess->boundaries, *greatest);
  TRY(const std::optional<KeyTuple> least, least_key());
  if (!least) return ranges_between({}, *greatest, false);
  return cut_at(even_boundaries(query_.spec().dataset, partitions, *least, *greatest), *greatest);
}

Result<PartitionPlan> PostgresPartitionPlanner::cut_at(const std::vector<KeyTuple>& boundaries,
                                                       const KeyTuple& greatest) {
  TRY(auto ordered, query_.in_key_order(boundaries, nullptr, greatest));
  return ranges_between(std::move(ordered), greatest, false);
}

Result<PartitionPlan> PostgresPartitionPlanner::plan_of(ExactCut counted, const PartitionRequest& request,
                                                        const KeyTuple& greatest) {
  if (request.max_total_rows > 0 && counted.rows > request.max_total_rows) {
    return PartitionPlan{.ranges = {}, .exact = true, .rows = counted.rows};
  }
  TRY(auto ordered, query_.in_key_order(counted.boundaries, nullptr, greatest));
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

Result<std::optional<KeyTuple>> PostgresPartitionPlanner::least_key() {
  if (!least_) {
    TRY(least_, extreme_key(false));
  }
  return *least_;
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

Result<bool> PostgresPartitionPlanner::statistics_serve(const RelationShape& shape, std::int64_t rows) {
  if (!shape.statistics_current()) return false;
  if (query_.where() == "TRUE") return true;
  TRY(const std::int64_t all, query_.estimated_rows("TRUE"));
  return static_cast<double>(rows) >= kNearlyAll * static_cast<double>(all);
}

Result<std::optional<PostgresPartitionPlanner::Guess>> PostgresPartitionPlanner::by_statistics(
    int partitions, const KeyTuple& greatest) {
  TRY(const std::optional<KeyTuple> first, least_key());
  if (!first) return std::optional<Guess>();
  const KeyTuple& least = *first;
  const std::optional<std::size_t> column = first_varying(least, greatest);
  if (!column) return std::optional<Guess>();
  TRY(auto cuts, estimated_cuts(partitions, *column, least, greatest));
  if (!cuts) return std::optional<Guess>();
  return std::optional(
      Guess{.boundaries = boundaries_at(std::move(cuts->values), *column, least), .spread = cuts->spread});
}

Result<std::optional<EstimatedCuts>> PostgresPartitionPlanner::estimated_cuts(int partitions, std::size_t column,
                                                                              const KeyTuple& least,
                                                                              const KeyTuple& greatest) {
  const Dataset& dataset = query_.spec().dataset;
  const std::string name = quote_identifier(dataset.key[column]);
  TRY(const std::string lowest, postgres_literal({.type = dataset.key_types[column], .text = least[column]}));
  const std::string from_least = query_.where() + " AND " + name + " >= " + lowest + " AND " + name;
  // A boundary has the least values in the columns behind this one, so that the value's own rows come behind it.
  const bool last = column + 1 == dataset.key.size();
  const auto until = std::chrono::steady_clock::now() + kEstimatesLimit;
  const RowsUpTo rows_up_to = [&](const std::vector<std::string>& values) -> Result<std::vector<double>> {
    std::vector<std::string> conditions;
    conditions.reserve(values.size());
    for (const std::string& value : values) {
      TRY(const std::string literal, postgres_literal({.type = dataset.key_types[column], .text = value}));
      std::string condition = from_least;
      condition += last || value == greatest[column] ? " <= " : " < ";
      conditions.push_back(condition + literal);
    }
    return query_.estimated_rows(conditions, until);
  };

  TRY(const std::vector<std::string> likely, query_.likely_values(column));
  const auto domain = KeyDomain::of(dataset.key_types[column]);
  if (const auto range = domain ? number_range(*domain, least[column], greatest[column]) : std::nullopt) {
    std::vector<Int128> hints;
    for (const std::string& value : likely) {
      if (const auto number = domain->number(value)) hints.push_back(*number);
    }
    return cut_numbers(partitions, *domain, *range, std::move(hints), rows_up_to);
  }
  TRY(const std::vector<KeyTuple> inside, query_.in_key_order(boundaries_at(likely, column, least), &least, greatest));
  std::vector<std::string> candidates;
  candidates.reserve(inside.size());
  for (const KeyTuple& key : inside) candidates.push_back(key[column]);
  return cut_candidates(partitions, least[column], greatest[column], candidates, rows_up_to);
}

Result<std::optional<std::vector<KeyTuple>>> PostgresPartitionPlanner::by_sample(int partitions, std::int64_t rows,
                                                                                 const RelationShape& shape) {
  const std::optional<std::vector<KeyTuple>> none;
  if (!shape.can_be_sampled()) return none;
  const auto percent_of = [&](std::int64_t pages) {
    return std::min(kMostPercent, 100.0 * static_cast<double>(pages) / static_cast<double>(shape.pages));
  };
  const std::int64_t enough = partitions * kPagesPerPart;
  const std::int64_t fewest = partitions * (rows > kLongestPass ? kFewestPagesPerPart : kFairPagesPerPart);
  const double first_percent = percent_of(kFirstPages);
  const auto looked = query_.sample_pages(first_percent, kFirstSampleLimit);
  // Who may read some columns only may not see on which page a row is: then there is no sample.
  if (!looked && looked.error().code == "source_denied") return none;
  TRY(const auto first, looked);
  if (!first || first->pages == 0) return none;

  // The same share of other pages is taken to hold selected rows.
  const double most_percent = percent_of(std::min(kMostPages, enough * 4));
  const double percent =
      std::clamp(first_percent * static_cast<double>(enough) / static_cast<double>(first->pages), 1e-6, most_percent);
  const double growth = percent / first_percent;
  if (static_cast<double>(first->pages) * growth < static_cast<double>(fewest)) return none;
  const double expected = static_cast<double>(first->rows) * growth;
  TRY(const auto keys, query_.sample_keys(percent, std::min(1.0, kMostKeys / expected), kSampleLimit));
  if (!keys || keys->size() < static_cast<std::size_t>(fewest)) return none;

  std::vector<KeyTuple> boundaries;
  for (std::size_t i = 1; i < static_cast<std::size_t>(partitions); ++i) {
    boundaries.push_back((*keys)[keys->size() * i / static_cast<std::size_t>(partitions)]);
  }
  return std::optional(std::move(boundaries));
}

}  // namespace longshore
