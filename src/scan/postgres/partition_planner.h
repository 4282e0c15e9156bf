#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "scan/key_domain.h"
#include "scan/postgres/key_query.h"
#include "scan/row_source.h"

namespace longshore {

/// Cuts a dataset's rows into ranges of about the same size. Whatever the statistics say, the ranges are contiguous and
/// ordered as the database orders the key, so every row is in exactly one.
///
/// Cheap: the ends are read from the index; between them the first key column that varies is cut where the planner's
/// own estimate (EXPLAIN) says that a share of the rows lies below. Exact: the rows are counted and the keys
/// at the cuts read in one pass. Small sets are always cut exactly, it costs less than guessing; and so is what a
/// format limits.
class PostgresPartitionPlanner {
 public:
  explicit PostgresPartitionPlanner(PostgresKeyQuery& query) : query_(query) {}

  Result<PartitionPlan> plan(const PartitionRequest& request);

 private:
  Result<std::optional<KeyTuple>> extreme_key(bool greatest);
  /// What one pass over the keys finds out.
  struct ExactCut {
    std::int64_t rows = 0;
    std::vector<KeyTuple> boundaries;  ///< none when there are more rows than the request takes
  };
  /// nullopt when it takes longer than `limit`.
  Result<std::optional<ExactCut>> exact_cut(const PartitionRequest& request, std::chrono::milliseconds limit);
  Result<PartitionPlan> plan_of(ExactCut counted, const PartitionRequest& request, const KeyTuple& least,
                                const KeyTuple& greatest);
  /// nullopt when there is nothing to cut by.
  Result<std::optional<std::vector<KeyTuple>>> cheap_boundaries(int partitions, const KeyTuple& least,
                                                                const KeyTuple& greatest);
  Result<std::vector<std::string>> interpolated_cuts(int partitions, const KeyDomain& domain, std::size_t column,
                                                     Int128 low, Int128 high);
  Result<std::vector<std::string>> histogram_cuts(int partitions, std::size_t column, const KeyTuple& least,
                                                  const KeyTuple& greatest);
  /// Estimated rows up to a value of a key column.
  Result<std::int64_t> rows_up_to(std::size_t column, const std::string& value);

  PostgresKeyQuery& query_;
};

}  // namespace longshore
