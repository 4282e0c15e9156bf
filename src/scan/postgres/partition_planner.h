#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "scan/estimated_cuts.h"
#include "scan/postgres/key_query.h"
#include "scan/row_source.h"

namespace longshore {

/// Cuts a dataset's rows into ranges of about the same size. Whatever statistics and samples say, the ranges are
/// contiguous and ordered as the database orders the key, so every row is in exactly one.
///
/// Exact: the rows are counted and the keys at the cuts read, in one pass over the key's index. Small sets are always
/// cut so, it costs less than guessing; and what a format limits. Cheap, by the first of these that serves:
///
/// 1. Statistics, when they are current and the export is of nearly the whole relation: the planner's own estimates
///    (EXPLAIN) of the rows below a value of the first key column that varies. They know nothing of where one tenant's
///    rows lie in the key's range, nor of the columns behind that one.
/// 2. A sample of the table's pages (TABLESAMPLE SYSTEM): real keys of the selected rows, of any type, in order. Serves
///    when the rows lie on enough of the pages.
/// 3. The exact pass, of at most some million rows and two seconds: a tenant that is a small part of a large table.
/// 4. Statistics all the same; then cuts as if the keys were evenly spread; then a single range.
class PostgresPartitionPlanner {
 public:
  explicit PostgresPartitionPlanner(PostgresKeyQuery& query) : query_(query) {}

  Result<PartitionPlan> plan(const PartitionRequest& request);

 private:
  Result<std::optional<KeyTuple>> extreme_key(bool greatest);
  /// Asked for once, and only where it is needed: without an index for the tenant's keys it may cost a walk.
  Result<std::optional<KeyTuple>> least_key();
  /// What one pass over the keys finds out.
  struct ExactCut {
    std::int64_t rows = 0;
    std::vector<KeyTuple> boundaries;  ///< none when there are more rows than the request takes
  };
  /// nullopt when it takes longer than `limit`.
  Result<std::optional<ExactCut>> exact_cut(const PartitionRequest& request, std::chrono::milliseconds limit);
  Result<PartitionPlan> plan_of(ExactCut counted, const PartitionRequest& request, const KeyTuple& greatest);
  /// At keys that the database has not yet put in order.
  Result<PartitionPlan> cut_at(const std::vector<KeyTuple>& boundaries, const KeyTuple& greatest);

  /// Whether the statistics describe the rows that are selected, of which there are `rows` by the planner's estimate.
  Result<bool> statistics_serve(const RelationShape& shape, std::int64_t rows);
  struct Guess {
    std::vector<KeyTuple> boundaries;
    double spread = 1;  ///< see EstimatedCuts
  };
  /// nullopt when there are none, or too few to cut by.
  Result<std::optional<Guess>> by_statistics(int partitions, const KeyTuple& greatest);
  Result<std::optional<EstimatedCuts>> estimated_cuts(int partitions, std::size_t column, const KeyTuple& least,
                                                      const KeyTuple& greatest);
  /// nullopt when too few pages hold selected rows, of which there are `rows` by the planner's estimate.
  Result<std::optional<std::vector<KeyTuple>>> by_sample(int partitions, std::int64_t rows, const RelationShape& shape);

  PostgresKeyQuery& query_;
  std::optional<std::optional<KeyTuple>> least_;
};

}  // namespace longshore
