#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/export_spec.h"
#include "scan/mysql/connection.h"
#include "scan/mysql/keyset_query.h"

namespace longshore {

/// Questions about the keys and the number of a dataset's rows, for estimates and plans. Uses a session of the caller.
/// Errors as RowSource::next. Not thread-safe.
class MysqlKeyQuery {
 public:
  /// Reads the relation's columns. REQUIRES: `connection` and `spec` outlive the object.
  static Result<MysqlKeyQuery> make(MysqlConnection& connection, const ExportSpec& spec, std::stop_token stop);

  const ExportSpec& spec() const { return *spec_; }
  const std::string& where() const { return where_; }
  const std::vector<MysqlColumn>& columns() const { return columns_; }
  const MysqlKey& key() const { return key_; }

  /// The optimizer's estimate (EXPLAIN) of the rows for which `condition` holds; costs the server a few index dives.
  Result<std::int64_t> estimated_rows(const std::string& condition);
  /// The number of rows, no more than `most`. nullopt: it took longer than `limit`.
  Result<std::optional<std::int64_t>> count(const std::string& condition, std::optional<std::int64_t> most,
                                            std::chrono::milliseconds limit);
  /// The first key in key order (`descending`: the last one) for which `condition` holds; the inner optional is empty
  /// when there is none, the outer when it took longer than `limit`.
  Result<std::optional<std::optional<KeyTuple>>> first_key(const std::string& condition, bool descending,
                                                           std::chrono::milliseconds limit);
  /// The keys at these positions (from 1, rising) in key order, by one pass over the keys, which are read here and
  /// dropped: any statement that numbers rows keeps them all on the server first. nullopt: it took longer than `limit`.
  Result<std::optional<std::vector<KeyTuple>>> keys_at(const std::vector<std::int64_t>& positions,
                                                       std::chrono::milliseconds limit);
  /// All questions between these two see the same rows.
  Status begin_snapshot();
  Status end_snapshot();
  /// Average bytes of the columns in the first rows of the relation; empty for those that have no length.
  Result<std::vector<std::optional<std::int64_t>>> sampled_widths(const std::vector<Column>& columns);

 private:
  MysqlKeyQuery(MysqlConnection& connection, const ExportSpec& spec, std::stop_token stop)
      : connection_(&connection), spec_(&spec), stop_(std::move(stop)) {}

  /// Calls `ask` under a statement timeout of `limit`; a timeout becomes nullopt.
  template <class T, class Ask>
  Result<std::optional<T>> within(std::chrono::milliseconds limit, Ask ask);
  /// The key of the row that the connection just delivered.
  Result<KeyTuple> current_key();

  MysqlConnection* connection_;
  const ExportSpec* spec_;
  std::stop_token stop_;
  std::string relation_;
  std::string where_;
  std::vector<MysqlColumn> columns_;
  MysqlKey key_;
};

}  // namespace longshore
