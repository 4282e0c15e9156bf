#include "scan/estimated_cuts.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <set>
#include <utility>

namespace longshore {

namespace {

/// Halving a range of 64 bits down to a cluster of a few thousand keys takes about fifty steps.
constexpr int kMaxRounds = 56;
constexpr std::size_t kGrid = 16;
/// A cut that is off by less than this share of a part is good enough: the estimates are not better.
constexpr double kNear = 0.05;

/// `values`, or as many of them as `most`, evenly chosen.
template <class T>
std::vector<T> thinned(const std::vector<T>& values, std::size_t most) {
  if (values.size() <= most) return values;
  std::vector<T> chosen;
  chosen.reserve(most);
  for (std::size_t i = 0; i < most; ++i) chosen.push_back(values[i * values.size() / most]);
  return chosen;
}

std::size_t first_estimates(int partitions) {
  return 64 + static_cast<std::size_t>(partitions) * 4;
}

/// Without statistics every inequality is estimated alike, so that nothing seems to lie between the ends.
bool informed(double at_least, double total) {
  return total > 0 && total - at_least > 0.5 * total;
}

/// The largest of the parts that cuts with these many rows below them make, over an even part.
double spread_of(const std::vector<double>& rows_at_cuts, double total, int partitions) {
  double largest = 0;
  double before = 0;
  for (const double rows : rows_at_cuts) {
    largest = std::max(largest, rows - before);
    before = rows;
  }
  largest = std::max(largest, total - before);
  return largest / (total / partitions);
}

/// Estimates that were asked for, by number; never falling.
class NumberEstimates {
 public:
  NumberEstimates(const KeyDomain& domain, const RowsUpTo& rows_up_to) : domain_(domain), rows_up_to_(rows_up_to) {}

  bool exhausted() const { return exhausted_; }
  std::size_t count() const { return known_.size(); }

  Status ask(const std::set<Int128>& numbers) {
    std::vector<std::string> values;
    values.reserve(numbers.size());
    for (const Int128 number : numbers) values.push_back(domain_.text(number));
    TRY(const std::vector<double> rows, rows_up_to_(values));
    exhausted_ = exhausted_ || rows.size() < values.size();
    auto number = numbers.begin();
    for (const double estimate : rows) add(*number++, estimate);
    return {};
  }

  /// The neighbours between which `wanted` rows are reached. REQUIRES: both ends are known.
  std::pair<std::pair<Int128, double>, std::pair<Int128, double>> bracket(double wanted) const {
    auto upper = std::next(known_.begin());
    while (std::next(upper) != known_.end() && upper->second < wanted) ++upper;
    return {*std::prev(upper), *upper};
  }

 private:
  /// An estimate must not fall below that of a smaller key, or brackets would cross.
  void add(Int128 number, double rows) {
    const auto above = known_.lower_bound(number);
    if (above != known_.end()) rows = std::min(rows, above->second);
    if (above != known_.begin()) rows = std::max(rows, std::prev(above)->second);
    known_.emplace(number, rows);
  }

  const KeyDomain& domain_;
  const RowsUpTo& rows_up_to_;
  std::map<Int128, double> known_;
  bool exhausted_ = false;
};

}  // namespace

std::vector<std::string> even_cuts(int partitions, const KeyDomain& domain, NumberRange range) {
  std::vector<std::string> cuts;
  const Int128 width = range.high - range.low;
  Int128 before = range.low;
  for (int i = 1; i < partitions; ++i) {
    const Int128 cut = range.low + width / partitions * i + width % partitions * i / partitions;
    if (cut == before) continue;
    cuts.push_back(domain.text(cut));
    before = cut;
  }
  return cuts;
}

Result<std::optional<EstimatedCuts>> cut_numbers(int partitions, const KeyDomain& domain, NumberRange range,
                                                 std::vector<Int128> hints, const RowsUpTo& rows_up_to) {
  NumberEstimates estimates(domain, rows_up_to);
  // The ends first, by themselves: everything is measured against them.
  CHECK_OK(estimates.ask({range.low, range.high}));
  if (estimates.count() < 2) return std::optional<EstimatedCuts>();
  const auto ends = estimates.bracket(0);
  const double total = ends.second.second;
  if (!informed(ends.first.second, total)) return std::optional<EstimatedCuts>();

  std::ranges::sort(hints);
  std::erase_if(hints, [&](Int128 hint) { return hint <= range.low || hint >= range.high; });
  const std::vector<Int128> near = thinned(hints, first_estimates(partitions));
  std::set<Int128> asked(near.begin(), near.end());
  const Int128 width = range.high - range.low;
  for (std::size_t i = 1; i < kGrid; ++i) {
    asked.insert(range.low + width / static_cast<Int128>(kGrid) * static_cast<Int128>(i));
  }
  asked.erase(range.low);
  CHECK_OK(estimates.ask(asked));

  const double share = total / partitions;
  const std::size_t most = 100 + static_cast<std::size_t>(partitions) * 24;
  for (int round = 0; round < kMaxRounds && !estimates.exhausted() && estimates.count() < most; ++round) {
    asked.clear();
    for (int i = 1; i < partitions; ++i) {
      const double wanted = share * i;
      const auto [lower, upper] = estimates.bracket(wanted);
      const double off = std::min(std::abs(wanted - lower.second), std::abs(upper.second - wanted));
      if (off < share * kNear || upper.first - lower.first <= 1) continue;
      // Guesses along a straight line are quick on even data, halving is safe on any: taken in turns.
      Int128 next = lower.first + (upper.first - lower.first) / 2;
      if (round % 2 == 0 && upper.second > lower.second) {
        const double part = (wanted - lower.second) / (upper.second - lower.second);
        next = lower.first + static_cast<Int128>(static_cast<double>(upper.first - lower.first) * part);
      }
      asked.insert(std::clamp(next, lower.first + 1, upper.first - 1));
    }
    if (asked.empty()) break;
    CHECK_OK(estimates.ask(asked));
  }

  EstimatedCuts cuts;
  std::vector<double> rows_at_cuts;
  Int128 before = range.low;
  double rows_before = 0;
  for (int i = 1; i < partitions; ++i) {
    const double wanted = share * i;
    const auto [lower, upper] = estimates.bracket(wanted);
    const auto& best = wanted - lower.second < upper.second - wanted ? lower : upper;
    // Where no rows lie between two cuts there would be an empty part.
    if (best.first <= before || best.first >= range.high || best.second <= rows_before) continue;
    cuts.values.push_back(domain.text(best.first));
    rows_at_cuts.push_back(best.second);
    before = best.first;
    rows_before = best.second;
  }
  cuts.spread = spread_of(rows_at_cuts, total, partitions);
  return std::optional(std::move(cuts));
}

Result<std::optional<EstimatedCuts>> cut_candidates(int partitions, const std::string& least,
                                                    const std::string& greatest,
                                                    const std::vector<std::string>& candidates,
                                                    const RowsUpTo& rows_up_to) {
  // With fewer than this the parts would be too uneven to be called cut.
  if (candidates.size() < static_cast<std::size_t>(partitions) * 2) return std::optional<EstimatedCuts>();
  const std::vector<std::string> chosen = thinned(candidates, first_estimates(partitions));
  std::vector<std::string> values{least, greatest};
  values.insert(values.end(), chosen.begin(), chosen.end());
  TRY(std::vector<double> rows, rows_up_to(values));
  if (rows.size() < values.size() || !informed(rows[0], rows[1])) return std::optional<EstimatedCuts>();
  const double total = rows[1];
  rows.erase(rows.begin(), rows.begin() + 2);
  for (std::size_t i = 1; i < rows.size(); ++i) rows[i] = std::max(rows[i], rows[i - 1]);

  EstimatedCuts cuts;
  std::vector<double> rows_at_cuts;
  std::size_t from = 0;
  for (int i = 1; i < partitions && from < rows.size(); ++i) {
    const double wanted = total * i / partitions;
    const auto nearest = std::ranges::min_element(rows.begin() + static_cast<std::ptrdiff_t>(from), rows.end(), {},
                                                  [wanted](double estimate) { return std::abs(estimate - wanted); });
    const auto at = static_cast<std::size_t>(nearest - rows.begin());
    cuts.values.push_back(chosen[at]);
    rows_at_cuts.push_back(*nearest);
    from = at + 1;
  }
  cuts.spread = spread_of(rows_at_cuts, total, partitions);
  return std::optional(std::move(cuts));
}

}  // namespace longshore
