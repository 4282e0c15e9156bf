#pragma once

#include <optional>
#include <vector>

#include "scan/key_domain.h"
#include "scan/mysql/key_query.h"
#include "scan/row_source.h"

namespace longshore {

/// Cuts a dataset's rows into ranges of about the same size. Whatever the statistics say, the ranges are contiguous and
/// ordered as the database orders the key, so every row is in exactly one: a cut that was guessed is moved to the first
/// key behind it and behind the cut before it, as the database compares keys.
///
/// Cheap: the ends are read from the index; between them the first key column that varies is cut where EXPLAIN says
/// that a share of the rows lies below. Exact: the rows are counted and the keys at the cuts read in one pass. Small
/// sets are always cut exactly, and so is what a format limits, and keys that are no numbers.
class MysqlPartitionPlanner {
 public:
  explicit MysqlPartitionPlanner(MysqlKeyQuery& query) : query_(query) {}

  Result<PartitionPlan> plan(const PartitionRequest& request);

 private:
  /// What one pass over the keys finds out.
  struct ExactCut {
    std::int64_t rows = 0;
    std::vector<KeyTuple> boundaries;  ///< none when there are more rows than the request takes
  };

  Result<std::optional<KeyTuple>> extreme_key(bool greatest);
  /// nullopt when it takes longer than `limit`.
  Result<std::optional<ExactCut>> exact_cut(const PartitionRequest& request, std::chrono::milliseconds limit);
  Result<std::optional<ExactCut>> count_and_cut(const PartitionRequest& request, std::chrono::milliseconds limit);
  PartitionPlan plan_of(ExactCut counted, const PartitionRequest& request, const KeyTuple& greatest) const;
  /// nullopt when there is nothing to cut by.
  Result<std::optional<std::vector<KeyTuple>>> guessed_cuts(int partitions, const KeyTuple& least,
                                                            const KeyTuple& greatest);
  /// The guesses as keys of rows, rising, all below `greatest`.
  Result<std::vector<KeyTuple>> keys_behind(const std::vector<KeyTuple>& guesses, const KeyTuple& greatest);

  MysqlKeyQuery& query_;
};

}  // namespace longshore
