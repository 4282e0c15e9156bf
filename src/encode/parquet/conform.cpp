#include "parquet/conform.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "base/utf8.h"

namespace longshore::parquet {
namespace {

constexpr std::int64_t kMicrosPerDay = 86'400'000'000;

bool is_utf8_text(const Leaf& leaf) {
  return leaf.meaning == Meaning::string || leaf.meaning == Meaning::json;
}

template <class Value, class Predicate>
bool all_fit(const ColumnVector& column, Predicate predicate) {
  const auto* values = column.values<Value>();
  bool fit = true;
  for (std::size_t i = 0; i < column.size(); ++i) fit = fit && predicate(values[i]);
  return fit;
}

/// 32 bytes at a time: it looks at every text that is exported.
bool is_all_ascii(std::string_view bytes) {
  std::uint64_t any = 0;
  while (bytes.size() >= 32) {
    std::array<std::uint64_t, 4> words{};
    std::memcpy(words.data(), bytes.data(), sizeof words);
    any |= words[0] | words[1] | words[2] | words[3];
    bytes.remove_prefix(32);
  }
  return (any & 0x8080'8080'8080'8080U) == 0 && is_ascii(bytes);
}

/// Whether each value is UTF-8: all bytes together are, and no value begins inside a character.
bool all_utf8(const ColumnVector& column) {
  const std::string_view all(column.bytes(), column.byte_size());
  if (is_all_ascii(all)) return true;
  if (!is_utf8(all)) return false;
  const std::int32_t* offsets = column.offsets();
  return std::none_of(offsets, offsets + column.size(), [&](std::int32_t begin) {
    return static_cast<std::size_t>(begin) < all.size() &&
           (static_cast<unsigned char>(all[static_cast<std::size_t>(begin)]) & 0xC0) == 0x80;
  });
}

}  // namespace

bool fits(const Leaf&, std::int32_t date) {
  return date != kDateInfinity && date != kDateMinusInfinity;
}

bool fits(const Leaf& leaf, std::int64_t micros) {
  if (leaf.meaning == Meaning::time) return micros >= 0 && micros < kMicrosPerDay;
  return micros != kTimestampInfinity && micros != kTimestampMinusInfinity;
}

Conformer::Conformer(const Leaf& leaf) : leaf_(leaf), repaired_(leaf.type) {
  if (leaf.meaning != Meaning::decimal) return;
  decimal_limit_ = 1;
  for (int digit = 0; digit < leaf.type.precision; ++digit) decimal_limit_ *= 10;
}

bool Conformer::is_clean(const ColumnVector& column) const {
  switch (leaf_.meaning) {
    case Meaning::string:
    case Meaning::json:
      return all_utf8(column);
    case Meaning::date:
      return all_fit<std::int32_t>(column, [&](std::int32_t value) { return fits(leaf_, value); });
    case Meaning::time:
    case Meaning::timestamp:
    case Meaning::timestamptz:
      return all_fit<std::int64_t>(column, [&](std::int64_t value) { return fits(leaf_, value); });
    case Meaning::decimal:
      return all_fit<Int128>(column, [&](Int128 value) { return value < decimal_limit_ && value > -decimal_limit_; });
    case Meaning::plain:
    case Meaning::uuid:
    case Meaning::int16:
      break;
  }
  return true;
}

void Conformer::repair(const ColumnVector& column, ColumnFidelity& fidelity) {
  repaired_.clear();
  const auto keep = [&](auto value, bool fit) {
    if (fit) {
      repaired_.append(value);
    } else {
      repaired_.append_null();
      ++fidelity.replaced;
    }
  };
  for (std::size_t i = 0; i < column.size(); ++i) {
    if (column.is_null(i)) {
      repaired_.append_null();
    } else if (is_utf8_text(leaf_)) {
      const std::string_view text = column.text(i);
      if (is_utf8(text)) {
        repaired_.append_text(text);
        continue;
      }
      ++fidelity.replaced;
      char* const out = repaired_.reserve_bytes(3 * text.size());
      repaired_.finish_bytes(static_cast<std::size_t>(copy_as_utf8(text, out) - out));
    } else if (leaf_.meaning == Meaning::date) {
      const auto date = column.values<std::int32_t>()[i];
      keep(date, fits(leaf_, date));
    } else if (leaf_.meaning == Meaning::decimal) {
      const auto decimal = column.values<Int128>()[i];
      keep(decimal, decimal < decimal_limit_ && decimal > -decimal_limit_);
    } else {
      const auto micros = column.values<std::int64_t>()[i];
      keep(micros, fits(leaf_, micros));
    }
  }
}

const ColumnVector& Conformer::conform(const ColumnVector& column, ColumnFidelity& fidelity) {
  if (is_clean(column)) return column;
  repair(column, fidelity);
  return repaired_;
}

}  // namespace longshore::parquet
