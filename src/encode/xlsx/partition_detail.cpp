#include "xlsx/partition_detail.h"

namespace longshore {
namespace {

constexpr std::size_t kNumberBytes = 4;

}  // namespace

std::string to_detail(const PartitionDetail& detail) {
  std::string text;
  for (int shift = 0; shift < 32; shift += 8) text += static_cast<char>(detail.first_row >> shift);
  text.append(detail.widths.begin(), detail.widths.end());
  return text;
}

std::uint32_t first_row_of(std::string_view text) {
  std::uint32_t row = 0;
  if (text.size() < kNumberBytes) return row;
  for (std::size_t i = 0; i < kNumberBytes; ++i) {
    row |= static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])) << (8 * i);
  }
  return row;
}

PartitionDetail from_detail(std::string_view text) {
  PartitionDetail detail;
  detail.first_row = first_row_of(text);
  if (text.size() > kNumberBytes) detail.widths.assign(text.begin() + kNumberBytes, text.end());
  return detail;
}

}  // namespace longshore
