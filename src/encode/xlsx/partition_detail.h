#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace longshore {

/// What a partition's first chunk says of it in ChunkSummary::detail; its other chunks say nothing.
struct PartitionDetail {
  std::uint32_t first_row = 0;       ///< number of its first row in the sheet, 2 or more; 0: its rows have no numbers
  std::vector<std::uint8_t> widths;  ///< of each column, in characters, measured in the first batch; 255: that or more
};

/// Four bytes, little-endian, and one byte for each column.
std::string to_detail(const PartitionDetail& detail);
/// Of an empty text: no number, no widths.
PartitionDetail from_detail(std::string_view text);
/// from_detail(text).first_row
std::uint32_t first_row_of(std::string_view text);

}  // namespace longshore
