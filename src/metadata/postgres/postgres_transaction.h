#pragma once

#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "metadata/postgres/postgres_pool.h"

namespace longshore::sql {

class Dialect;

/// The store's statements in PostgreSQL's words, each expanded once for all connections. Thread-safe.
class StatementTexts {
 public:
  struct Text {
    std::string sql;
    std::size_t parameters = 0;  ///< the highest n of `$n`
  };
  explicit StatementTexts(const Dialect& dialect) : dialect_(dialect) {}
  /// Lives as long as this.
  const Text& get(std::string_view sql);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  const Dialect& dialect_;
  std::shared_mutex mutex_;
  std::unordered_map<std::string, Text, Hash, std::equal_to<>> texts_;
};

/// What travels before a transaction's first statement. All of it ends with the transaction, as pgbouncer demands.
struct Preambles {
  std::string lookup;  ///< empty: nothing is needed
  std::string read;
  std::string write;
  std::string migration;
};

/// A transaction on a session of a pool.
class PostgresTransaction final : public Transaction {
 public:
  /// What transactions of one database share.
  struct Shared {
    PostgresPool& pool;
    StatementTexts& texts;
    const Preambles& preambles;
    Duration patience;  ///< of writes, with a server that is away
  };
  static Result<std::unique_ptr<Transaction>> begin(const Shared& shared, Access access);
  ~PostgresTransaction() override;
  Status commit() override;

 private:
  PostgresTransaction(const Shared& shared, Access access, std::unique_ptr<PostgresConnection> connection);
  Result<Rows> run(std::string_view sql, std::span<const Param> params) override;
  Result<Rows> run_first(const Command& command, std::string_view doing);
  const std::string& preamble() const;
  Status settle(Error error);

  const Shared shared_;
  const Access access_;
  std::unique_ptr<PostgresConnection> connection_;  ///< nullptr once it was given back
  bool begun_ = false;
  bool ended_ = false;
  std::string id_;  ///< of a write: the transaction's in the server
};

}  // namespace longshore::sql
