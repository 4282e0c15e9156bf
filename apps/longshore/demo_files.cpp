#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <string_view>

#include "cli/demo_data.h"

namespace longshore {
namespace {

constexpr std::string_view kCatalog =
    R"yaml(# What may be exported from the sample database. docs/catalog.md explains every key.
sources:
  app:
    driver: sqlite
    path: app.db   # beside this file

datasets:
  audit_logs:
    source: app
    relation: audit_logs
    description: Who did what, when, from where
    tenant_column: tenant_id     # every query is bound to the caller's tenant
    subject_column: user_id
    key: [id]                    # unique, not null, indexed: rows are read in its order
    time_column: created_at      # what filters.from and filters.to are about
    permission: exports.audit_logs
    retention: 7d
    columns:
      id:        { column: id, type: int64 }
      createdAt: { column: created_at, type: timestamptz }
      userId:    { column: user_id, type: text }
      action:    { column: action, type: text }
      resource:  { column: resource, type: text }
      status:    { column: status, type: int32 }
      amount:    { column: amount, type: "numeric(12,2)" }
      ipAddress: { column: ip_address, type: text, classification: pii, permission: pii.read }
      userAgent: { column: user_agent, type: text, classification: pii, permission: pii.read }
      message:   { column: message, type: text }
      metadata:  { column: metadata, type: json }
    types: { tenant_id: text }
    filters: [id, userId, action, resource, status]

  users:
    source: app
    relation: users
    tenant_column: tenant_id
    subject_column: id
    key: [id]
    time_column: created_at
    permission: exports.users
    columns:
      id:          { column: id, type: text }
      email:       { column: email, type: text, classification: pii, permission: pii.read }
      fullName:    { column: full_name, type: text, classification: pii, permission: pii.read }
      role:        { column: role, type: text }
      active:      { column: active, type: bool }
      createdAt:   { column: created_at, type: timestamptz }
      lastLoginAt: { column: last_login_at, type: timestamptz }
    types: { tenant_id: text }
    filters: [role, active]

  customers:
    source: app
    relation: customers
    tenant_column: tenant_id
    key: [id]
    time_column: created_at
    permission: exports.customers
    columns:
      id:          { column: id, type: int64 }
      name:        { column: name, type: text }
      email:       { column: email, type: text, classification: pii, permission: pii.read }
      city:        { column: city, type: text }
      country:     { column: country, type: text }
      creditLimit: { column: credit_limit, type: "numeric(12,2)" }
      note:        { column: note, type: text }
      createdAt:   { column: created_at, type: timestamptz }
    types: { tenant_id: text }
    filters: [country, city]

  orders:
    source: app
    relation: orders
    tenant_column: tenant_id
    key: [id]
    time_column: placed_at
    permission: exports.orders
    columns:
      id:         { column: id, type: int64 }
      customerId: { column: customer_id, type: int64 }
      status:     { column: status, type: text }
      currency:   { column: currency, type: text }
      total:      { column: total, type: "numeric(12,2)" }
      comment:    { column: comment, type: text }
      placedAt:   { column: placed_at, type: timestamptz }
      shippedAt:  { column: shipped_at, type: timestamptz }
    types: { tenant_id: text }
    filters: [status, currency, customerId]

  transactions:
    source: app
    relation: transactions
    tenant_column: tenant_id
    key: [id]                    # numbers beyond 2^53, which spreadsheets cannot hold
    time_column: booked_at
    permission: exports.transactions
    retention: 30d
    columns:
      id:        { column: id, type: int64 }
      orderId:   { column: order_id, type: int64 }
      kind:      { column: kind, type: text }
      amount:    { column: amount, type: "numeric(12,2)" }
      reference: { column: reference, type: text }
      bookedAt:  { column: booked_at, type: timestamptz }
    types: { tenant_id: text }
    filters: [kind, orderId]
)yaml";

constexpr std::string_view kConfiguration =
    R"yaml(# A server for the sample data. docs/configuration.md explains every key.
# The tokens are for trying things only: write your own before you serve real data.
data_dir: {directory}/data
catalog:
  path: {directory}/catalog.yaml

auth:
  roles:
    admin:   ["*"]
    analyst: [exports.audit_logs, exports.orders, exports.transactions]   # without pii.read: no addresses, no names
  tokens:
    - {{ token: {admin}, tenant: acme, user: usr_0001, roles: [admin] }}
    - {{ token: demo-acme-analyst-token, tenant: acme, user: usr_0002, roles: [analyst] }}
    - {{ token: demo-globex-admin-token, tenant: globex, user: usr_0003, roles: [admin] }}
)yaml";

Status write_file(const std::string& path, std::string_view text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  if (!(out << text) || !out.flush()) {
    return fail(external_error("cannot_write_file", fmt::format("cannot write {}", path), false));
  }
  return {};
}

}  // namespace

Result<DemoDataReport> write_demo(const DemoDataOptions& options, const DemoProgress& progress, std::stop_token stop) {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::create_directories(options.directory, error);
  if (error) {
    return fail(external_error("cannot_write_file",
                               fmt::format("cannot make the directory {}: {}", options.directory, error.message()),
                               false));
  }
  const fs::path directory = fs::absolute(options.directory).lexically_normal();
  DemoDataReport report{directory / "app.db", directory / "catalog.yaml", directory / "longshore.yaml", 0};
  for (const std::string& path : {report.database, report.catalog, report.configuration}) {
    if (!options.overwrite && fs::exists(path, error)) {
      return fail(user_error("demo_exists", fmt::format("{} exists. --force writes over it", path)));
    }
  }
  CHECK_OK(write_demo_database(report.database, options.audit_rows, progress, std::move(stop)));
  CHECK_OK(write_file(report.catalog, kCatalog));
  CHECK_OK(write_file(report.configuration,
                      fmt::format(fmt::runtime(kConfiguration), fmt::arg("directory", directory.string()),
                                  fmt::arg("admin", kDemoToken))));
  report.rows = demo_row_counts(options.audit_rows).total();
  return report;
}

}  // namespace longshore
