#pragma once

#include <chrono>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "scan/source_database.h"
#include "scan/tests/reading.h"

/// What every SourceDatabase promises (row_source.h), tried on each of them: `ScanContract`, `PlanContract` and
/// `KeyContract` on all, `ServerContract` on those that are servers. The tests' statements are SQL that all of the
/// databases understand; what they cannot have in common is asked of the ContractDatabase.
namespace longshore {

/// A database of one test's own, empty at first; gone when the object is.
class ContractDatabase {
 public:
  virtual ~ContractDatabase() = default;

  /// Runs one statement; unqualified names are in this database. Fails the test on an error.
  virtual void run(const std::string& sql) = 0;
  /// Rows as the database's own text: an independent reading of what the scan delivers.
  virtual std::vector<TextRow> ask(const std::string& sql) = 0;
  virtual void analyze(const std::string& table) { run("ANALYZE " + table); }
  /// A table expression with the numbers from 1 as column `i`.
  virtual std::string series(int count) const = 0;
  /// As a catalog names a table.
  virtual std::string relation(const std::string& table) const { return table; }

  /// Makes the database fit for reading one moment of it, where that is up to its owner.
  virtual void allow_moments() {}

  virtual Source settings() const = 0;
  /// The same where nobody answers; with the password `hush-hush` if there are passwords.
  virtual Source nowhere() const = 0;
};

/// The same on a server.
class ContractServer : public ContractDatabase {
 public:
  /// As a replica or primary of the catalog, and where nobody answers.
  virtual std::string address() const = 0;
  virtual std::string nowhere_address() const = 0;
  /// That of a user who may log in, with the password `hush-hush`, but not read table `t`; then of one who may not, and
  /// of a `…no_such_database`.
  virtual std::string stranger_address() = 0;
  virtual std::string refused_address() = 0;
  virtual std::string unknown_database_address() const = 0;

  /// A view `slow(id, label)` of table `t`, each row of which takes so long when it is read.
  virtual void make_slow_view(std::chrono::milliseconds each_row) = 0;
  /// What a scan's label must begin with for the following two.
  virtual std::string label() const = 0;
  /// Whether a scan's statement runs on the server.
  virtual bool is_running() = 0;
  /// Ends the scans' sessions as an administrator or a failover would, and waits until they are gone.
  virtual void end_sessions() = 0;
};

/// How to make one, by the name of the driver.
template <class Database>
struct ContractDriver {
  const char* name;
  std::unique_ptr<Database> (*make)();
  friend void PrintTo(const ContractDriver& driver, std::ostream* out) { *out << driver.name; }
};

template <class Database>
std::string driver_name(const testing::TestParamInfo<ContractDriver<Database>>& info) {
  return info.param.name;
}

/// What the tests of both kinds use.
template <class Database>
class ContractTest : public testing::Test {
 protected:
  void run(const std::string& sql) { database_->run(sql); }
  std::vector<TextRow> ask(const std::string& sql) { return database_->ask(sql); }

  static std::unique_ptr<SourceDatabase> open(const Source& settings) {
    auto source = make_source(settings);
    if (!source) {
      ADD_FAILURE() << source.error().message;
      return nullptr;
    }
    return *std::move(source);
  }
  std::unique_ptr<SourceDatabase> open() { return open(database_->settings()); }
  /// All columns of a table.
  ExportSpec spec(SourceDatabase& source, const std::string& table, const std::vector<std::string>& key) {
    const auto described = source.describe(database_->relation(table));
    if (!described) {
      ADD_FAILURE() << described.error().message;
      return {};
    }
    return spec_of(*described, key);
  }

  /// Table `t(id, label)` with the ids from 1; returns its rows.
  std::vector<TextRow> make_rows(int count) {
    run("CREATE TABLE t (id int PRIMARY KEY, label varchar(500))");
    return add_rows(1, count);
  }
  std::vector<TextRow> add_rows(int first, int count) {
    std::vector<TextRow> rows;
    for (int id = first; id < first + count; ++id) {
      rows.push_back(
          {std::to_string(id), std::to_string(id) + std::string(static_cast<std::size_t>(id * 37 % 400), 'x')});
    }
    std::string values;
    // Not in the order of the key.
    for (std::size_t left = rows.size(); left > 0; --left) {
      values.append(values.empty() ? "(" : ", (").append(*rows[left - 1][0]).append(", '");
      values.append(*rows[left - 1][1]).append("')");
      if (left % 500 != 1) continue;
      run("INSERT INTO t VALUES " + values);
      values.clear();
    }
    return rows;
  }

  std::unique_ptr<Database> database_;
};

class DatabaseContract : public ContractTest<ContractDatabase>,
                         public testing::WithParamInterface<ContractDriver<ContractDatabase>> {
 protected:
  void SetUp() override { database_ = GetParam().make(); }
};

class ScanContract : public DatabaseContract {};
class PlanContract : public DatabaseContract {
 protected:
  /// The rows of each range; sees that the ranges follow each other without a gap and hold what a scan of all reads.
  std::vector<std::size_t> sizes(SourceDatabase& source, const ExportSpec& spec, const PartitionPlan& plan);
};

/// A kind of key, and the driver that it is of.
struct KeyCase {
  std::string name;
  std::string columns;  ///< of the table, in key order
  std::string values;   ///< SELECT list over `i`, from 1 to 1000
  std::vector<std::string> key{};
  friend void PrintTo(const KeyCase& test, std::ostream* out) { *out << test.name; }
};

class KeyContract : public ContractTest<ContractDatabase>,
                    public testing::WithParamInterface<std::tuple<ContractDriver<ContractDatabase>, KeyCase>> {
 protected:
  void SetUp() override { database_ = std::get<0>(GetParam()).make(); }
};

inline std::string key_name(const testing::TestParamInfo<KeyContract::ParamType>& info) {
  return std::get<1>(info.param).name;
}

class ServerContract : public ContractTest<ContractServer>,
                       public testing::WithParamInterface<ContractDriver<ContractServer>> {
 protected:
  void SetUp() override { database_ = GetParam().make(); }

  Result<std::unique_ptr<RowSource>> open_scan(SourceDatabase& source, const ExportSpec& spec, BatchLimits limits = {},
                                               std::stop_token stop = {}) {
    return source.open_scan({.spec = &spec, .range = {}, .batch = limits, .label = database_->label()},
                            std::move(stop));
  }
};

}  // namespace longshore
