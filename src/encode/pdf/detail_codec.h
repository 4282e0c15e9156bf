#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace longshore {

/// Whole numbers and short texts in few bytes, for ChunkSummary::detail: 7 bits a byte, the lowest first, the eighth
/// set while more follow.
class DetailWriter {
 public:
  void number(std::uint64_t value) {
    while (value >= 0x80) {
      bytes_.push_back(static_cast<char>(value | 0x80));
      value >>= 7;
    }
    bytes_.push_back(static_cast<char>(value));
  }
  void text(std::string_view text) {
    number(text.size());
    bytes_.append(text);
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// Reads what DetailWriter wrote. After a read beyond the end, or of something malformed, failed() is true and all
/// values are 0.
class DetailReader {
 public:
  explicit DetailReader(std::string_view bytes) : bytes_(bytes) {}

  std::uint64_t number() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (bytes_.empty()) break;
      const auto byte = static_cast<unsigned char>(bytes_.front());
      bytes_.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return failed_ ? 0 : value;
    }
    failed_ = true;
    return 0;
  }
  /// A number that must not be above `limit`.
  std::uint64_t number(std::uint64_t limit) {
    const std::uint64_t value = number();
    if (value <= limit) return value;
    failed_ = true;
    return 0;
  }
  /// Below the number of bytes left: how many items of at least one byte follow.
  std::uint64_t count() { return number(bytes_.size()); }
  std::string_view text() {
    const std::uint64_t size = count();
    const std::string_view text = bytes_.substr(0, failed_ ? 0 : size);
    bytes_.remove_prefix(text.size());
    return text;
  }
  bool at_end() const { return bytes_.empty(); }
  bool failed() const { return failed_; }

 private:
  std::string_view bytes_;
  bool failed_ = false;
};

}  // namespace longshore
