#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "base/result.h"

namespace longshore {

struct DemoDataOptions {
  std::string directory;  ///< made when it does not exist
  std::int64_t audit_rows = 1'000'000;
  bool overwrite = false;
};

struct DemoDataReport {
  std::string database;       ///< `DIR/app.db`
  std::string catalog;        ///< `DIR/catalog.yaml`
  std::string configuration;  ///< `DIR/longshore.yaml`
  std::int64_t rows = 0;      ///< in all tables
};

/// How many rows each table has.
struct DemoRowCounts {
  std::int64_t users = 0;
  std::int64_t customers = 0;
  std::int64_t orders = 0;
  std::int64_t transactions = 0;
  std::int64_t audit_logs = 0;

  std::int64_t total() const { return users + customers + orders + transactions + audit_logs; }
};
DemoRowCounts demo_row_counts(std::int64_t audit_rows);

/// Rows written so far, and how many there will be.
using DemoProgress = std::function<void(std::int64_t done, std::int64_t total)>;

/// Writes the SQLite database of a made-up SaaS product with five tenants at `path`, the same bytes of data every time:
/// Unicode of many scripts, quotes, line breaks, NULLs, formulas, integers beyond 2^53, decimals. The file appears when
/// it is whole. Errors: `cannot_write_file` (external), `stopped`.
Status write_demo_database(const std::string& path, std::int64_t audit_rows, const DemoProgress& progress,
                           std::stop_token stop);

/// The token of the sample configuration that may do everything for the tenant `acme`.
inline constexpr const char* kDemoToken = "demo-acme-admin-token";

/// The database, a catalog for it and a server configuration with two tenants' tokens. Errors: also `demo_exists`
/// (user).
Result<DemoDataReport> write_demo(const DemoDataOptions& options, const DemoProgress& progress, std::stop_token stop);

}  // namespace longshore
