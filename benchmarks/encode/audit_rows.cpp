#include "audit_rows.h"

#include <array>
#include <random>
#include <string>

namespace longshore {
namespace {

constexpr std::array kActions{"login",          "logout",         "invoice.created", "invoice.updated",
                              "user.invited",   "report.viewed",  "export.created",  "settings.changed",
                              "password.reset", "api_key.created"};
constexpr std::array kAgents{
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 "
    "Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0",
    "curl/7.88.1",
    "okhttp/4.12.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"};

Column column(std::string name, LogicalType logical, int precision = 0, int scale = 0) {
  Column result;
  result.name = std::move(name);
  result.type.logical = logical;
  result.type.precision = precision;
  result.type.scale = scale;
  return result;
}

}  // namespace

std::vector<Column> audit_columns() {
  return {column("id", LogicalType::int64),
          column("tenantId", LogicalType::text),
          column("userId", LogicalType::text),
          column("action", LogicalType::text),
          column("createdAt", LogicalType::timestamptz),
          column("ipAddress", LogicalType::text),
          column("userAgent", LogicalType::text),
          column("details", LogicalType::json),
          column("amount", LogicalType::decimal, 12, 2),
          column("success", LogicalType::boolean),
          column("durationMs", LogicalType::int32)};
}

std::vector<RowBatch> make_audit_batches(std::size_t rows, int null_percent) {
  std::vector<DataType> types;
  for (const Column& each : audit_columns()) types.push_back(each.type);
  std::mt19937_64 random(42);
  std::vector<RowBatch> batches;
  batches.emplace_back(types);
  std::int64_t micros = 1'767'225'600'000'000;  // 2026-01-01
  for (std::size_t row = 0; row < rows; ++row) {
    if (batches.back().full(BatchLimits{})) batches.emplace_back(types);
    RowBatch& batch = batches.back();
    const auto pick = [&](std::uint64_t n) { return random() % n; };
    const auto null = [&](std::size_t index) {
      if (pick(100) >= static_cast<std::uint64_t>(null_percent)) return false;
      batch.column(index).append_null();
      return true;
    };
    micros += static_cast<std::int64_t>(pick(3'000'000));
    batch.column(0).append(static_cast<std::int64_t>(1'000'000'000 + row));
    batch.column(1).append_text("tenant_" + std::to_string(pick(40)));
    batch.column(2).append_text("usr_" + std::to_string(pick(100'000)));
    batch.column(3).append_text(kActions[pick(kActions.size())]);
    if (!null(4)) batch.column(4).append(micros);
    if (!null(5)) {
      batch.column(5).append_text("10." + std::to_string(pick(256)) + "." + std::to_string(pick(256)) + "." +
                                  std::to_string(pick(256)));
    }
    if (!null(6)) batch.column(6).append_text(kAgents[pick(kAgents.size())]);
    if (!null(7)) {
      batch.column(7).append_text("{\"path\": \"/v1/items/" + std::to_string(pick(1'000'000)) +
                                  "\", \"status\": 200, \"retries\": " + std::to_string(pick(3)) + "}");
    }
    if (!null(8)) batch.column(8).append(static_cast<Int128>(pick(100'000'000)) - 50'000);
    if (!null(9)) batch.column(9).append<std::uint8_t>(pick(10) != 0 ? 1 : 0);
    if (!null(10)) batch.column(10).append(static_cast<std::int32_t>(pick(30'000)));
    batch.finish_row();
  }
  return batches;
}

}  // namespace longshore
