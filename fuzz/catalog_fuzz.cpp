// Any bytes are a catalog or a list of findings.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "catalog/catalog.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto catalog = longshore::Catalog::parse(text, "fuzz.yaml");
  if (!catalog && catalog.error().details.empty()) std::abort();  // an error says where
  return 0;
}
