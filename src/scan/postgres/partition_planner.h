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
/// own estimate (EXPLAIN) says that a share of the rows lies below. Exact: one pass over the keys. Small sets are
/// always cut exactly, it costs less than guessing.
class PostgresPartitionPlanner {
 public:
  explicit PostgresPartitionPlanner(PostgresKeyQuery& query) : query_(query) {}

  Result<PartitionPlan> plan(const PartitionRequest& request);

 private:
  Result<std::optional<KeyTuple>> extreme_key(bool greatest);
  /// nullopt when it takes longer than `limit`.
  Result<std::optional<std::vector<KeyTuple>>> exact_boundaries(int partitions, std::chrono::milliseconds limit);
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
