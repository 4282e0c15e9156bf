#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "scan/key_domain.h"

/// Cutting a key column where a database estimates that equal shares of the rows lie below; the same for every source
/// that can estimate the rows of a range.
namespace longshore {

/// How many of the selected rows, from the column's least value on, a cut at each of these values would leave before
/// it, as the database estimates it; all of them at the greatest value. It may answer only for the first values, when
/// it has spent the time that it has: then it is not asked again.
using RowsUpTo = std::function<Result<std::vector<double>>(const std::vector<std::string>& values)>;

struct EstimatedCuts {
  std::vector<std::string> values;  ///< rising, no two alike; fewer than wanted where values repeat
  /// The largest part over the part that all would be if they were even, by the same estimates: 1 is even.
  double spread = 1;
};

/// The two ends of a column's values among the selected rows. REQUIRES: low < high.
struct NumberRange {
  Int128 low = 0;
  Int128 high = 0;
};

/// Between `range.low` and `range.high`, at any number: the estimates at `hints` (values that are known to lie among
/// many, e.g. a histogram's; any order) and at an even grid come first, then each cut is closed in on. Asks for at most
/// about 100 + 24 × partitions estimates, in few calls. nullopt: the estimates say nothing, as of a table without
/// statistics.
Result<std::optional<EstimatedCuts>> cut_numbers(int partitions, const KeyDomain& domain, NumberRange range,
                                                 std::vector<Int128> hints, const RowsUpTo& rows_up_to);

/// For columns whose values are no numbers: at some of `candidates`, which lie between `least` and `greatest`, in the
/// database's order. One call, for at most about 64 + 4 × partitions estimates. nullopt as above, and when there are
/// too few candidates to cut evenly at.
Result<std::optional<EstimatedCuts>> cut_candidates(int partitions, const std::string& least,
                                                    const std::string& greatest,
                                                    const std::vector<std::string>& candidates,
                                                    const RowsUpTo& rows_up_to);

/// As if the keys were evenly spread: for want of anything better.
std::vector<std::string> even_cuts(int partitions, const KeyDomain& domain, NumberRange range);

}  // namespace longshore
