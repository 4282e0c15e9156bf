#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace longshore::parquet {

/// The longest text or binary bound that is written.
inline constexpr std::size_t kLongestBound = 64;

/// A lower and an upper bound of values, as Parquet's statistics and column index hold them: PLAIN bytes, without a
/// length. Absent when there is no value to bound, or none that has an order (NaN).
struct Bounds {
  bool present = false;
  bool min_exact = true;  ///< `min` is a value itself, not a shorter text below it
  bool max_exact = true;
  std::string min;
  std::string max;

  friend bool operator==(const Bounds&, const Bounds&) = default;
};

/// The longest prefix of at most `limit` bytes that does not cut a character of UTF-8 (with `utf8`).
std::string_view cut_below(std::string_view value, std::size_t limit, bool utf8);
/// A value of at most `limit` bytes that is not below `value`: itself, or its prefix with the last character (byte)
/// raised; nullopt when nothing in it can be raised.
std::optional<std::string> cut_above(std::string_view value, std::size_t limit, bool utf8);

/// Finds the least and the greatest of many byte strings, unsigned byte by byte, as Parquet orders text, JSON and
/// binary. Keeps views: what it was shown must stay where it is until the end.
class ByteBounds {
 public:
  /// REQUIRES: 8 readable bytes at `value.data()`, whatever its size (a std::string has them: shorter ones lie inside
  /// it).
  void include(std::string_view value) {
    const std::uint64_t key = leading_bytes(value);
    if (!any_) {
      min_ = max_ = value;
      min_key_ = max_key_ = key;
      any_ = true;
      return;
    }
    // The first eight bytes decide, mostly.
    if (key <= min_key_ && (key < min_key_ || value < min_)) {
      min_ = value;
      min_key_ = key;
    }
    if (key >= max_key_ && (key > max_key_ || value > max_)) {
      max_ = value;
      max_key_ = key;
    }
  }

  bool any() const { return any_; }
  std::string_view min() const { return min_; }
  std::string_view max() const { return max_; }
  /// Cut to `limit` bytes. Absent when there is no value, or none above the greatest that is short enough.
  Bounds bounds(std::size_t limit, bool utf8) const;

 private:
  /// As a number that compares like the bytes do; zeros stand for what is not there.
  static std::uint64_t leading_bytes(std::string_view value) {
    std::uint64_t word = 0;
    __builtin_memcpy(&word, value.data(), 8);
    word = __builtin_bswap64(word);
    return value.size() >= 8 ? word : value.empty() ? 0 : word & (~std::uint64_t{0} << (64 - 8 * value.size()));
  }

  bool any_ = false;
  std::uint64_t min_key_ = 0;
  std::uint64_t max_key_ = 0;
  std::string_view min_;
  std::string_view max_;
};

}  // namespace longshore::parquet
