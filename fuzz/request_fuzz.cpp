// Any bytes are a valid request, which survives being stored, or an error that says what is wrong.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "catalog/catalog.h"
#include "catalog/request.h"

namespace {

constexpr const char* kCatalog = R"yaml(
sources: { app: { driver: sqlite, path: app.db } }
datasets:
  items:
    source: app
    relation: items
    tenant_column: tenant_id
    key: [id]
    time_column: created_at
    columns:
      id: { type: int64 }
      createdAt: { column: created_at, type: timestamptz }
      name: { type: text }
      price: { type: "numeric(12,2)" }
      day: { type: date }
      ref: { type: uuid }
      ok: { type: bool }
    filters: [id, createdAt, name, price, day, ref, ok]
)yaml";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace longshore;  // NOLINT: a program of one function
  static const Catalog catalog = *Catalog::parse(kCatalog, "catalog.yaml");
  static const Principal who{TenantId("acme"), UserId("ann"), {}, {"*"}};
  static const std::vector<FormatChoice> formats{{"csv", true},      {"jsonl", true}, {"json", true},
                                                 {"parquet", false}, {"xlsx", false}, {"pdf", false}};
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const auto spec = validate_request(body, catalog, who, formats);
  if (!spec) {
    if (spec.error().source != ErrorSource::user || spec.error().message.empty()) std::abort();
    return 0;
  }
  const auto stored = spec_from_json(to_json(*spec));
  if (!stored || to_json(*stored) != to_json(*spec)) std::abort();
  return 0;
}
