#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "model/export_spec.h"
#include "scan/postgres/copy_decoder.h"
#include "scan/postgres/relation_shape.h"
#include "scan/postgres/schema_reader.h"

namespace longshore {

/// What a sample of the relation's pages holds.
struct PageSample {
  std::int64_t rows = 0;   ///< that are selected
  std::int64_t pages = 0;  ///< with at least one of them
};

/// Questions about the keys and the number of a dataset's rows, for estimates and plans. Uses a session of the caller.
/// Errors as RowSource::next. Not thread-safe.
class PostgresKeyQuery {
 public:
  /// Reads the key columns' types. REQUIRES: `connection` and `spec` outlive the object.
  static Result<PostgresKeyQuery> make(PostgresConnection& connection, const ExportSpec& spec, std::stop_token stop);

  const ExportSpec& spec() const { return *spec_; }
  const std::string& where() const { return where_; }
  const std::vector<PostgresColumn>& key() const { return key_; }
  const std::vector<PostgresColumn>& columns() const { return columns_; }

  /// The planner's estimate of the rows for which `condition` holds; costs the server next to nothing.
  Result<std::int64_t> estimated_rows(const std::string& condition);
  /// The same for each of the conditions, in order, in one round trip for some of them at a time. Stops when `until`
  /// has come: then there are fewer estimates than conditions.
  Result<std::vector<double>> estimated_rows(const std::vector<std::string>& conditions,
                                             std::chrono::steady_clock::time_point until);
  /// The number of rows, no more than `most`. nullopt: it took longer than `limit`.
  Result<std::optional<std::int64_t>> count(const std::string& condition, std::optional<std::int64_t> most,
                                            std::chrono::milliseconds limit);
  /// The first key in key order (`descending`: the last one) for which `condition` holds; the inner optional is empty
  /// when there is none, the outer when it took longer than `limit`.
  Result<std::optional<std::optional<KeyTuple>>> first_key(const std::string& condition, bool descending,
                                                           std::chrono::milliseconds limit);
  /// The keys at these positions (from 1, rising) in key order, by one pass. nullopt: it took longer than `limit`.
  Result<std::optional<std::vector<KeyTuple>>> keys_at(const std::vector<std::int64_t>& positions,
                                                       std::chrono::milliseconds limit);
  /// Those of `candidates` that lie from `least` (if it is given) to below `greatest`, without repetitions, in the
  /// order in which the database itself sorts the key. Ranges cut at them share no row.
  Result<std::vector<KeyTuple>> in_key_order(const std::vector<KeyTuple>& candidates, const KeyTuple* least,
                                             const KeyTuple& greatest);
  /// Looks at about `percent` of the relation's pages, always the same ones; those of a smaller percentage are among
  /// those of a larger. nullopt: it took longer than `limit`. REQUIRES: RelationShape::can_be_sampled.
  Result<std::optional<PageSample>> sample_pages(double percent, std::chrono::milliseconds limit);
  /// The selected keys on these pages, in key order; each one only with probability `share`. nullopt as above.
  Result<std::optional<std::vector<KeyTuple>>> sample_keys(double percent, double share,
                                                           std::chrono::milliseconds limit);
  Result<RelationShape> shape() { return read_relation_shape(*connection_, spec_->dataset.relation, stop_); }
  /// Guesses at values of a key column that lie among many rows, in no order; often none. See known_values().
  Result<std::vector<std::string>> likely_values(std::size_t column) {
    return known_values(*connection_, spec_->dataset.relation, spec_->dataset.key[column], stop_);
  }
  /// The column's average width in bytes by the statistics; empty for columns without.
  Result<std::vector<std::optional<std::int64_t>>> average_widths(const std::vector<std::string>& columns);
  /// The same of columns that have no statistics, as those of a view, by the first selected rows that the database
  /// comes upon. Empty, too, for columns that are null there. nullopt: it took longer than `limit`.
  Result<std::optional<std::vector<std::optional<std::int64_t>>>> sampled_widths(const std::vector<Column>& columns,
                                                                                 std::chrono::milliseconds limit);

 private:
  PostgresKeyQuery(PostgresConnection& connection, const ExportSpec& spec, std::stop_token stop)
      : connection_(&connection), spec_(&spec), stop_(std::move(stop)) {}

  Result<std::vector<KeyTuple>> read_keys(const std::string& from);
  std::string sampled_relation(double percent) const;
  /// Calls `ask` under a statement timeout of `limit`; a timeout becomes nullopt.
  template <class T, class Ask>
  Result<std::optional<T>> within(std::chrono::milliseconds limit, Ask ask);

  PostgresConnection* connection_;
  const ExportSpec* spec_;
  std::stop_token stop_;
  std::string relation_;  ///< quoted, with its alias
  std::string where_;
  std::vector<PostgresColumn> columns_;
  std::vector<PostgresColumn> key_;
  std::vector<WireColumn> wire_;
};

}  // namespace longshore
