#include "parquet/levels.h"

#include <algorithm>
#include <cstring>

#include "parquet/bit_packing.h"

namespace longshore::parquet {
namespace {

constexpr std::size_t kLengthBytes = 4;

}  // namespace

void ValidityLevels::fill_with_ones() {
  bits_.assign((rows_ + 7) / 8, 0xFF);
  if (rows_ % 8 != 0) bits_.back() = static_cast<std::uint8_t>((1U << (rows_ % 8)) - 1);
}

void ValidityLevels::append(const ColumnVector& column) {
  const std::size_t n = column.size();
  if (!column.has_nulls() && bits_.empty()) {
    rows_ += n;
    return;
  }
  if (bits_.empty()) fill_with_ones();
  const std::size_t shift = rows_ % 8;
  const std::size_t first = rows_ / 8;
  rows_ += n;
  nulls_ += column.null_count();
  // One byte of room for what the last source byte shifts out of its own.
  bits_.resize((rows_ + 7) / 8 + 1, 0);
  const std::uint8_t* validity = column.validity();
  for (std::size_t byte = 0; byte < (n + 7) / 8; ++byte) {
    unsigned source = validity == nullptr ? 0xFF : validity[byte];
    if (const std::size_t left = n - 8 * byte; left < 8) source &= (1U << left) - 1;
    bits_[first + byte] = static_cast<std::uint8_t>(bits_[first + byte] | source << shift);
    bits_[first + byte + 1] = static_cast<std::uint8_t>(source << shift >> 8);
  }
  bits_.resize((rows_ + 7) / 8);
}

void ValidityLevels::close_page(ByteBuffer& body) {
  if (bits_.empty() && rows_ > 0) {
    ByteBuffer run;
    append_run(rows_, 1, 1, run);
    const auto size = static_cast<std::uint32_t>(run.size());
    body.append(&size, kLengthBytes);
    body.append(run.view());
  } else {
    append_sized_hybrid_bits(bits_.data(), rows_, body);
  }
  bits_.clear();
  rows_ = nulls_ = 0;
}

void ListLevels::close_page(ByteBuffer& body) {
  append_sized_hybrid(repetition_.data(), repetition_.size(), 1, body);
  append_sized_hybrid(definition_.data(), definition_.size(), 2, body);
  repetition_.clear();
  definition_.clear();
  rows_ = nulls_ = 0;
}

}  // namespace longshore::parquet
