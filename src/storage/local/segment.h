#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/object_store.h"

namespace longshore {

/// A file that holds a run of an object's bytes, and nothing else: a part, from its upload on.
///
/// Its name says what is in it: `~part-` number `-` CRC-32C (`~part-00042-1a2b3c4d`). So its ETag needs neither a
/// trailer, which would stand between the parts, nor extended attributes; a part that is uploaded again with other
/// bytes lies beside the first instead of spoiling it; and moving a file by its name cannot move another content. Names
/// that begin with `~` can be part of no key.
struct Segment {
  int number = 0;
  std::uint32_t crc32c = 0;
  std::int64_t bytes = 0;

  friend bool operator==(const Segment&, const Segment&) = default;
};

std::string segment_name(int number, std::uint32_t crc32c);
/// The segment that a receipt of the local store speaks of; nullopt if its ETag is none of this store's.
std::optional<Segment> segment_of(const PartReceipt& receipt);
PartReceipt receipt_of(const Segment& segment);

/// The file in an object's directory that makes it one, and says what it consists of: a line
/// `longshore-object 1 BYTES SEGMENTS` (1 is the version of this form), then one for each segment in order: its file's
/// name, a space, its bytes.
inline constexpr const char* kIndexName = "~object";
/// What is needed of an index to read its first line.
inline constexpr std::int64_t kIndexHeadBytes = 64;

std::string format_index(std::span<const Segment> segments);
/// The size of the whole object, from the beginning of its index. nullopt: damaged, or of another version.
std::optional<std::int64_t> parse_index_size(std::string_view beginning);
/// nullopt: damaged, or of another version.
std::optional<std::vector<Segment>> parse_index(std::string_view index);

}  // namespace longshore
