#include "storage/discard/discard_store.h"

#include <fmt/format.h>

namespace longshore {

DiscardStore::Content DiscardStore::object_content(const std::string& key, std::string_view bytes) {
  received_ += std::ssize(bytes);
  if (bytes.size() <= kKeptBytes || key.starts_with("staging/")) return MemoryStore::object_content(key, bytes);
  return {std::ssize(bytes), false, {}, {}};
}

DiscardStore::Content DiscardStore::part_content(std::string_view bytes) {
  received_ += std::ssize(bytes);
  return {std::ssize(bytes), false, {}, fmt::format("{:x}", ++parts_)};
}

}  // namespace longshore
