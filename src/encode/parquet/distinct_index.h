#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "batch/column_vector.h"

namespace longshore::parquet {

/// Multiplies to 128 bits and folds the halves: every bit of both factors reaches the result.
inline std::uint64_t fold_multiply(std::uint64_t a, std::uint64_t b) {
  const UInt128 product = UInt128{a} * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

// Odd numbers with about as many ones as zeros (digits of pi and e).
inline constexpr std::uint64_t kHashSeed1 = 0x243F'6A88'85A3'08D3U;
inline constexpr std::uint64_t kHashSeed2 = 0xB7E1'5162'8AED'2A6BU;

inline std::uint64_t hash_word(std::uint64_t word) {
  return fold_multiply(word ^ kHashSeed1, kHashSeed2);
}

/// Hash of any bytes, 16 at a time; up to 16 bytes without a loop.
inline std::uint64_t hash_bytes(const char* bytes, std::size_t n) {
  const auto load = [](const char* at, std::size_t width) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, width);
    return word;
  };
  std::uint64_t state = kHashSeed1 ^ n;
  if (n < 8) {
    if (n >= 4) return fold_multiply(load(bytes, 4) ^ state, load(bytes + n - 4, 4) ^ kHashSeed2);
    if (n == 0) return fold_multiply(state, kHashSeed2);
    const auto at = [&](std::size_t i) { return std::uint64_t{static_cast<unsigned char>(bytes[i])}; };
    return fold_multiply((at(0) | at(n / 2) << 8 | at(n - 1) << 16) ^ state, kHashSeed2);
  }
  if (n > 16) {
    const char* const last = bytes + n - 16;
    for (const char* at = bytes; at < last; at += 16) {
      state = fold_multiply(load(at, 8) ^ state, load(at + 8, 8) ^ kHashSeed2);
    }
    return fold_multiply(load(last, 8) ^ state, load(last + 8, 8) ^ kHashSeed2);
  }
  return fold_multiply(load(bytes, 8) ^ state, load(bytes + n - 8, 8) ^ kHashSeed2);
}

/// A hash table from values to their numbers 0, 1, 2 … in order of appearance. It knows neither the values nor where
/// they are: callers compare. Open addressing with linear probing at half load, eight bytes a slot.
class DistinctIndex {
 public:
  struct Slot {
    std::uint32_t tag;     ///< the hash's upper half
    std::uint32_t number;  ///< + 1; 0: the slot is free
  };

  /// The slot of the value with `hash` that `equal(number)` accepts, or a free one; nullptr when too many values lie in
  /// the way, as only values made for the purpose do.
  template <class Equal>
  Slot* find(std::uint64_t hash, Equal equal) {
    constexpr std::size_t kMostSteps = 128;
    const auto tag = static_cast<std::uint32_t>(hash >> 32);
    std::size_t at = tag >> shift_;
    for (std::size_t step = 0; step < kMostSteps; ++step, at = (at + 1) & (slots_.size() - 1)) {
      Slot& slot = slots_[at];
      if (slot.number == 0 || (slot.tag == tag && equal(slot.number - 1))) return &slot;
    }
    return nullptr;
  }

  /// Gives the next number to a value. REQUIRES: `slot` is the free slot that find() returned last, for `hash`.
  void insert(Slot& slot, std::uint64_t hash) {
    slot = {static_cast<std::uint32_t>(hash >> 32), ++count_};
    if (count_ > slots_.size() / 2) grow();
  }

  std::size_t size() const { return count_; }

  /// Forgets everything and gives large tables back.
  void clear() {
    if (slots_.size() > kFirstSlots) {
      slots_ = std::vector<Slot>(kFirstSlots);
      shift_ = kFirstShift;
    } else if (count_ > 0) {
      slots_.assign(kFirstSlots, Slot{});
    }
    count_ = 0;
  }

 private:
  static constexpr std::size_t kFirstSlots = 256;
  static constexpr unsigned kFirstShift = 32 - 8;

  void grow() {
    std::vector<Slot> old(2 * slots_.size());
    old.swap(slots_);
    --shift_;
    for (const Slot& slot : old) {
      if (slot.number == 0) continue;
      std::size_t at = slot.tag >> shift_;
      while (slots_[at].number != 0) at = (at + 1) & (slots_.size() - 1);
      slots_[at] = slot;
    }
  }

  std::vector<Slot> slots_ = std::vector<Slot>(kFirstSlots);
  unsigned shift_ = kFirstShift;  ///< 32 - log2(slots)
  std::uint32_t count_ = 0;
};

}  // namespace longshore::parquet
