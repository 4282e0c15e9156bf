#include "cli/demo_data.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "cli/demo_words.h"

namespace longshore {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kUsers = 1000;
constexpr std::int64_t kBeyondDoubles = 9'007'199'254'740'993;  // 2^53 + 1: the first integer that a double cannot hold
constexpr Timestamp kFirstDay{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};
constexpr Duration kSpan = std::chrono::days{181};

// Declared types are those that people write; SQLite keeps what it is given. Times are ISO 8601 text of one length, so
// that they sort as times.
constexpr const char* kSchema = R"sql(
CREATE TABLE tenants (
  id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, plan TEXT NOT NULL, country TEXT NOT NULL
);
CREATE TABLE users (
  id TEXT NOT NULL PRIMARY KEY, tenant_id TEXT NOT NULL, email TEXT NOT NULL, full_name TEXT NOT NULL,
  role TEXT NOT NULL, active BOOLEAN NOT NULL, created_at TIMESTAMPTZ NOT NULL, last_login_at TIMESTAMPTZ
);
CREATE TABLE customers (
  id INTEGER NOT NULL PRIMARY KEY, tenant_id TEXT NOT NULL, name TEXT NOT NULL, email TEXT, city TEXT, country TEXT,
  credit_limit NUMERIC(12,2), note TEXT, created_at TIMESTAMPTZ NOT NULL
);
CREATE TABLE orders (
  id INTEGER NOT NULL PRIMARY KEY, tenant_id TEXT NOT NULL, customer_id INTEGER NOT NULL, status TEXT NOT NULL,
  currency TEXT NOT NULL, total NUMERIC(12,2) NOT NULL, comment TEXT, placed_at TIMESTAMPTZ NOT NULL,
  shipped_at TIMESTAMPTZ
);
CREATE TABLE transactions (
  id INTEGER NOT NULL PRIMARY KEY, tenant_id TEXT NOT NULL, order_id INTEGER NOT NULL, kind TEXT NOT NULL,
  amount NUMERIC(12,2) NOT NULL, reference TEXT, booked_at TIMESTAMPTZ NOT NULL
);
CREATE TABLE audit_logs (
  id INTEGER NOT NULL PRIMARY KEY, tenant_id TEXT NOT NULL, user_id TEXT, action TEXT NOT NULL, resource TEXT,
  status INTEGER NOT NULL, ip_address TEXT, user_agent TEXT, amount NUMERIC(12,2), message TEXT, metadata JSON,
  created_at TIMESTAMPTZ NOT NULL
);
)sql";

// Made after the rows are in, which is faster. They serve the reads of an export: one tenant, in the order of the key.
constexpr const char* kIndexes = R"sql(
CREATE UNIQUE INDEX users_by_tenant ON users (tenant_id, id);
CREATE UNIQUE INDEX customers_by_tenant ON customers (tenant_id, id);
CREATE UNIQUE INDEX orders_by_tenant ON orders (tenant_id, id);
CREATE UNIQUE INDEX transactions_by_tenant ON transactions (tenant_id, id);
CREATE UNIQUE INDEX audit_logs_by_tenant ON audit_logs (tenant_id, id);
ANALYZE;
)sql";

/// A database file that is made in one go.
class Database {
 public:
  ~Database() { sqlite3_close(handle_); }
  Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  Status open(const std::string& path) {
    if (sqlite3_open_v2(path.c_str(), &handle_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr) != SQLITE_OK) {
      return fail(error());
    }
    // A crash leaves a temporary file that nobody uses, so there is nothing to protect.
    return run("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; BEGIN");
  }
  Status run(const char* sql) {
    if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return fail(error());
    return {};
  }
  sqlite3* handle() const { return handle_; }
  Error error() const {
    return external_error("cannot_write_file",
                          fmt::format("cannot write the sample database: {}", sqlite3_errmsg(handle_)), false);
  }

 private:
  sqlite3* handle_ = nullptr;
};

/// An INSERT whose values are bound one after the other.
class Insert {
 public:
  Insert(Database& database, const char* table, int columns) : database_(database) {
    std::string sql = fmt::format("INSERT INTO {} VALUES (?", table);
    for (int i = 1; i < columns; ++i) sql += ",?";
    sql += ")";
    good_ = sqlite3_prepare_v2(database.handle(), sql.c_str(), -1, &statement_, nullptr) == SQLITE_OK;
  }
  ~Insert() { sqlite3_finalize(statement_); }
  Insert(const Insert&) = delete;
  Insert& operator=(const Insert&) = delete;

  /// REQUIRES: `text` lives until run(); a text without an address is NULL.
  Insert& text(std::string_view text) {
    sqlite3_bind_text(statement_, ++column_, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
    return *this;
  }
  Insert& text_or_null(const std::optional<std::string_view>& value) { return value ? text(*value) : null(); }
  Insert& integer(std::int64_t value) {
    sqlite3_bind_int64(statement_, ++column_, value);
    return *this;
  }
  Insert& null() {
    sqlite3_bind_null(statement_, ++column_);
    return *this;
  }
  Status run() {
    column_ = 0;
    const bool done = good_ && sqlite3_step(statement_) == SQLITE_DONE;
    sqlite3_reset(statement_);
    if (!done) return fail(database_.error());
    return {};
  }

 private:
  Database& database_;
  sqlite3_stmt* statement_ = nullptr;
  int column_ = 0;
  bool good_ = false;
};

/// `2026-01-05T12:34:56.789Z`.
std::string time_text(Timestamp time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const auto ms = std::chrono::floor<std::chrono::milliseconds>(time - day).count();
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), ms / 3'600'000,
                     ms / 60'000 % 60, ms / 1000 % 60, ms % 1000);
}

/// Cents as SQLite's NUMERIC is given them: text, which it turns into what holds it exactly enough (15 digits).
std::string decimal_text(std::int64_t cents) {
  return fmt::format("{}{}.{:02}", cents < 0 ? "-" : "", std::abs(cents) / 100, std::abs(cents) % 100);
}

/// Tenants in proportion to their shares, mixed: 20 consecutive rows hold each share exactly.
const DemoTenant& tenant_of(std::int64_t row) {
  static const std::vector<std::size_t> kOrder = [] {
    std::vector<std::size_t> order;
    const auto tenants = demo_tenants();
    for (std::size_t t = 0; t < tenants.size(); ++t)
      order.insert(order.end(), static_cast<std::size_t>(tenants[t].share), t);
    std::vector<std::size_t> mixed(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) mixed[i * 7 % order.size()] = order[i];  // 7 and 20 are coprime
    return mixed;
  }();
  return demo_tenants()[kOrder[static_cast<std::size_t>(row) % kOrder.size()]];
}

class DemoWriter {
 public:
  DemoWriter(Database& database, std::int64_t audit_rows, const DemoProgress& progress, std::stop_token stop)
      : database_(database), counts_(demo_row_counts(audit_rows)), progress_(progress), stop_(std::move(stop)) {}

  Status write() {
    CHECK_OK(database_.run(kSchema));
    CHECK_OK(write_tenants());
    CHECK_OK(write_users());
    CHECK_OK(write_customers());
    CHECK_OK(write_orders());
    CHECK_OK(write_transactions());
    CHECK_OK(write_audit_logs());
    CHECK_OK(database_.run(kIndexes));
    return database_.run("COMMIT");
  }

 private:
  /// Every 7th row an awkward text, each in turn.
  static std::optional<std::string_view> awkward(std::int64_t row) {
    if (row % 7 != 0) return std::nullopt;
    const auto texts = demo_awkward_texts();
    return texts[static_cast<std::size_t>(row / 7) % texts.size()];
  }

  /// When row `row` of `count` came about: spread evenly, with some disorder as in life.
  Timestamp moment(std::int64_t row, std::int64_t count) {
    const Duration step = kSpan / std::max<std::int64_t>(count, 1);
    return kFirstDay + step * row + Duration(random_.below(60'000'000));
  }

  Status count_row() {
    if (++done_ % 10'000 == 0) {
      if (stop_.stop_requested()) return fail(user_error("stopped", "interrupted"));
      if (progress_) progress_(done_, counts_.total());
    }
    return {};
  }

  Status write_tenants() {
    Insert insert(database_, "tenants", 4);
    for (const DemoTenant& tenant : demo_tenants()) {
      CHECK_OK(insert.text(tenant.id).text(tenant.name).text(tenant.plan).text(tenant.country).run());
    }
    return {};
  }

  static std::string user_id(std::int64_t row) { return fmt::format("usr_{:04}", row + 1); }

  Status write_users() {
    constexpr std::array<std::string_view, 4> kRoles{"admin", "member", "member", "viewer"};
    Insert insert(database_, "users", 8);
    for (std::int64_t row = 0; row < counts_.users; ++row) {
      const std::string id = user_id(row);
      const std::string_view given = random_.pick(demo_given_names());
      const std::string name = fmt::format("{} {}", given, random_.pick(demo_family_names()));
      const std::string email = fmt::format("user{}@{}.example", row + 1, tenant_of(row).id);
      const std::string created = time_text(moment(row, counts_.users));
      const std::string login = time_text(kFirstDay + kSpan - Duration(random_.below(86'400'000'000)));
      insert.text(id).text(tenant_of(row).id).text(email).text(name).text(random_.pick(kRoles));
      insert.integer(random_.one_in(12) ? 0 : 1).text(created);
      CHECK_OK((random_.one_in(6) ? insert.null() : insert.text(login)).run());
      CHECK_OK(count_row());
    }
    return {};
  }

  Status write_customers() {
    Insert insert(database_, "customers", 9);
    for (std::int64_t row = 0; row < counts_.customers; ++row) {
      const std::string email = fmt::format("office{}@customer.example", row + 1);
      const std::string limit = decimal_text(static_cast<std::int64_t>(random_.below(500)) * 100'000);
      const std::string created = time_text(moment(row, counts_.customers));
      insert.integer(row + 1).text(tenant_of(row).id).text(random_.pick(demo_companies()));
      insert.text_or_null(random_.one_in(9) ? std::nullopt : std::optional<std::string_view>(email));
      insert.text(random_.pick(demo_cities())).text(random_.pick(demo_countries()));
      insert.text_or_null(random_.one_in(5) ? std::nullopt : std::optional<std::string_view>(limit));
      CHECK_OK(insert.text_or_null(awkward(row)).text(created).run());
      CHECK_OK(count_row());
    }
    return {};
  }

  /// A customer of the same tenant as row `row` of another table: tenants repeat every 20 rows in all of them.
  std::int64_t same_tenant(std::int64_t row, std::int64_t count) {
    const std::int64_t blocks = std::max<std::int64_t>(count / 20, 1);
    return static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(blocks))) * 20 + row % 20;
  }

  Status write_orders() {
    constexpr std::array<std::string_view, 5> kStates{"placed", "paid", "shipped", "delivered", "returned"};
    constexpr std::array<std::string_view, 4> kCurrencies{"EUR", "USD", "JPY", "BRL"};
    Insert insert(database_, "orders", 9);
    for (std::int64_t row = 0; row < counts_.orders; ++row) {
      const std::string total = decimal_text(static_cast<std::int64_t>(random_.below(2'000'000)));
      const Timestamp placed = moment(row, counts_.orders);
      const std::string placed_text = time_text(placed);
      const std::string shipped_text = time_text(placed + Duration(random_.below(259'200'000'000)));
      insert.integer(row + 1).text(tenant_of(row).id).integer(same_tenant(row, counts_.customers) + 1);
      insert.text(random_.pick(kStates)).text(random_.pick(kCurrencies)).text(total).text_or_null(awkward(row));
      insert.text(placed_text);
      CHECK_OK((random_.one_in(3) ? insert.null() : insert.text(shipped_text)).run());
      CHECK_OK(count_row());
    }
    return {};
  }

  Status write_transactions() {
    constexpr std::array<std::string_view, 4> kKinds{"payment", "payment", "refund", "fee"};
    Insert insert(database_, "transactions", 7);
    for (std::int64_t row = 0; row < counts_.transactions; ++row) {
      const std::string_view kind = random_.pick(kKinds);
      const auto cents = static_cast<std::int64_t>(random_.below(2'000'000)) + 1;
      // One in a thousand is as large as numeric(12,2) can be.
      const std::string amount = decimal_text(row % 1000 == 999 ? 999'999'999'999 : kind == "payment" ? cents : -cents);
      const std::string reference = fmt::format("{:016X}", random_.next());
      const std::string booked = time_text(moment(row, counts_.transactions));
      insert.integer(kBeyondDoubles + row).text(tenant_of(row).id).integer(same_tenant(row, counts_.orders) + 1);
      insert.text(kind).text(amount);
      CHECK_OK((random_.one_in(20) ? insert.null() : insert.text(reference)).text(booked).run());
      CHECK_OK(count_row());
    }
    return {};
  }

  // Addresses and hosts below are of the ranges set aside for documentation (RFC 5737, RFC 3849, RFC 2606).
  std::string address() {
    if (random_.one_in(4)) {
      const std::uint64_t network = random_.below(0x10000);
      return fmt::format("2001:db8:{:x}::{:x}", network, random_.below(0xFFFF) + 1);
    }
    const char* network = random_.one_in(2) ? "203.0.113" : "198.51.100";
    return fmt::format("{}.{}", network, random_.below(254) + 1);
  }

  std::string metadata(std::int64_t row) {
    // One at a time: the order in which a call's arguments are evaluated differs between compilers.
    const std::uint64_t request = random_.next();
    const std::uint64_t duration = random_.below(20'000);
    const char* tag = random_.one_in(2) ? "eu" : "ü\\\"ber";
    const char* note = random_.one_in(3) ? "null" : R"("naïve 🚢")";
    return fmt::format(R"({{"requestId":"{:016x}","sequence":{},"durationMs":{}.{},"tags":["web","{}"],"note":{}}})",
                       request, kBeyondDoubles + row, duration / 10, duration % 10, tag, note);
  }

  Status write_audit_logs() {
    constexpr std::array<int, 12> kStatuses{200, 200, 200, 200, 200, 201, 204, 302, 400, 403, 404, 500};
    Insert insert(database_, "audit_logs", 12);
    for (std::int64_t row = 0; row < counts_.audit_logs; ++row) {
      const std::string user = user_id(same_tenant(row, counts_.users));
      const std::string ip = address();
      const std::string amount = decimal_text(static_cast<std::int64_t>(random_.below(10'000'000)) - 5'000'000);
      const std::string details = metadata(row);
      const std::string created = time_text(moment(row, counts_.audit_logs));
      const std::string ordinary = fmt::format("request {} served", row);
      insert.integer(row + 1).text(tenant_of(row).id);
      insert.text_or_null(random_.one_in(15) ? std::nullopt : std::optional<std::string_view>(user));
      insert.text(random_.pick(demo_actions())).text(random_.pick(demo_resources()));
      insert.integer(kStatuses[random_.below(kStatuses.size())]);
      insert.text_or_null(random_.one_in(40) ? std::nullopt : std::optional<std::string_view>(ip));
      insert.text_or_null(random_.one_in(25) ? std::nullopt : std::optional(random_.pick(demo_user_agents())));
      insert.text_or_null(random_.one_in(3) ? std::optional<std::string_view>(amount) : std::nullopt);
      if (const auto text = awkward(row)) {
        insert.text(*text);
      } else {
        insert.text_or_null(random_.one_in(10) ? std::nullopt : std::optional<std::string_view>(ordinary));
      }
      insert.text_or_null(random_.one_in(8) ? std::nullopt : std::optional<std::string_view>(details)).text(created);
      CHECK_OK(insert.run());
      CHECK_OK(count_row());
    }
    return {};
  }

  Database& database_;
  DemoRowCounts counts_;
  const DemoProgress& progress_;
  std::stop_token stop_;
  DemoRandom random_{20260101};
  std::int64_t done_ = 0;
};

}  // namespace

DemoRowCounts demo_row_counts(std::int64_t audit_rows) {
  return {kUsers, std::max<std::int64_t>(audit_rows / 50, 200), std::max<std::int64_t>(audit_rows / 10, 500),
          std::max<std::int64_t>(audit_rows / 5, 1000), audit_rows};
}

Status write_demo_database(const std::string& path, std::int64_t audit_rows, const DemoProgress& progress,
                           std::stop_token stop) {
  const std::string unfinished = path + ".part";
  std::error_code ignored;
  std::filesystem::remove(unfinished, ignored);
  Status written;
  {
    Database database;
    written = database.open(unfinished);
    if (written) written = DemoWriter(database, audit_rows, progress, std::move(stop)).write();
  }
  if (!written) {
    std::filesystem::remove(unfinished, ignored);
    return written;
  }
  if (std::rename(unfinished.c_str(), path.c_str()) != 0) {
    return fail(external_error("cannot_write_file", fmt::format("cannot rename {} to {}", unfinished, path), false));
  }
  return {};
}

}  // namespace longshore
