#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/byte_buffer.h"
#include "model/data_type.h"

namespace longshore {

/// How a column's values lie in memory.
enum class PhysicalType : std::uint8_t {
  boolean,     ///< std::uint8_t, 0 or 1
  int32,       ///< std::int32_t: int16, int32; date as days since 1970-01-01
  int64,       ///< std::int64_t: int64; time, timestamp, timestamptz as microseconds (since midnight or 1970-01-01 UTC)
  float32,     ///< float
  float64,     ///< double
  decimal128,  ///< Int128, scaled by the column's scale: numeric(p,s) with 1 <= p <= 38 and 0 <= s <= p
  fixed16,     ///< 16 bytes: uuid
  bytes,       ///< 32-bit offsets + bytes: text, interval, json, bytea (raw), array, numeric of any other shape
};

__extension__ using Int128 = __int128;
__extension__ using UInt128 = unsigned __int128;

/// Infinite dates and timestamps (PostgreSQL has them): the extremes of the physical type.
inline constexpr std::int32_t kDateInfinity = INT32_MAX;
inline constexpr std::int32_t kDateMinusInfinity = INT32_MIN;
inline constexpr std::int64_t kTimestampInfinity = INT64_MAX;
inline constexpr std::int64_t kTimestampMinusInfinity = INT64_MIN;

PhysicalType physical_type(const DataType& type);
/// Bytes a value takes; 0 for `bytes`.
std::size_t value_width(PhysicalType type);

/// One column of a RowBatch in Arrow's layout: values next to each other, an optional validity bitmap (bit set: not
/// null; least significant bit first), and for `bytes` 32-bit offsets into one run of bytes.
///
/// A null takes a zeroed slot (or an empty run), so kernels may read every slot. Built by appending; clear() keeps the
/// memory. Not thread-safe.
class ColumnVector {
 public:
  explicit ColumnVector(DataType type);

  const DataType& type() const { return type_; }
  PhysicalType physical() const { return physical_; }
  std::size_t size() const { return size_; }

  // --- reading
  bool has_nulls() const { return null_count_ != 0; }
  std::size_t null_count() const { return null_count_; }
  bool is_null(std::size_t row) const { return null_count_ != 0 && ((validity_[row >> 3] >> (row & 7)) & 1) == 0; }
  /// The validity bitmap, or nullptr when there are no nulls.
  const std::uint8_t* validity() const { return null_count_ == 0 ? nullptr : validity_.data(); }
  /// The values. REQUIRES: T has the width of the physical type, which is not `bytes`. Shape: size().
  template <class T>
  const T* values() const {
    return reinterpret_cast<const T*>(values_.data());
  }
  /// Shape: size() + 1. REQUIRES: physical() == bytes.
  const std::int32_t* offsets() const { return offsets_.data(); }
  const char* bytes() const { return values_.data(); }
  std::string_view text(std::size_t row) const {
    return {values_.data() + offsets_[row], static_cast<std::size_t>(offsets_[row + 1] - offsets_[row])};
  }

  // --- building
  void append_null();
  template <class T>
  void append(T value) {
    values_.append(&value, sizeof(T));
    finish_value();
  }
  void append_bytes(const void* data, std::size_t n) {
    values_.append(data, n);
    offsets_.push_back(static_cast<std::int32_t>(values_.size()));
    finish_value();
  }
  void append_text(std::string_view text) { append_bytes(text.data(), text.size()); }
  /// For decoders that produce text of unknown length in place: write up to `n` bytes at the returned address, then
  /// call finish_bytes(written). REQUIRES: physical() == bytes.
  char* reserve_bytes(std::size_t n) { return values_.reserve_back(n); }
  void finish_bytes(std::size_t written) {
    values_.grow(written);
    offsets_.push_back(static_cast<std::int32_t>(values_.size()));
    finish_value();
  }
  void clear();

  /// Bytes of the values (without bitmap and offsets).
  std::size_t byte_size() const { return values_.size(); }

 private:
  void finish_value() {
    if (null_count_ != 0) append_valid_bit();
    ++size_;
  }
  void append_valid_bit();

  DataType type_;
  PhysicalType physical_;
  std::size_t size_ = 0;
  std::size_t null_count_ = 0;
  std::vector<std::uint8_t> validity_;  ///< empty until the first null
  std::vector<std::int32_t> offsets_;
  ByteBuffer values_;
};

}  // namespace longshore
