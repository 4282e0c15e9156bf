#include <bit>
#include <cmath>
#include <compare>
#include <limits>
#include <type_traits>

#include "parquet/bloom_filter.h"
#include "parquet/delta_encoding.h"
#include "parquet/dictionary_values.h"

namespace longshore::parquet {
namespace {

/// 16 bytes in their order; compares as Parquet orders them, unsigned.
struct Uuid {
  std::uint64_t first = 0;  ///< as they lie in memory
  std::uint64_t second = 0;

  friend bool operator==(const Uuid&, const Uuid&) = default;
};

inline bool is_less(const Uuid& a, const Uuid& b) {
  if (a.first != b.first) return __builtin_bswap64(a.first) < __builtin_bswap64(b.first);
  return __builtin_bswap64(a.second) < __builtin_bswap64(b.second);
}
/// NaN is less than nothing and nothing is less than NaN.
template <class Number>
inline bool is_less(const Number& a, const Number& b) {
  return a < b;
}

inline std::uint64_t hash_of(std::int32_t value) {
  return hash_word(static_cast<std::uint32_t>(value));
}
inline std::uint64_t hash_of(std::int64_t value) {
  return hash_word(static_cast<std::uint64_t>(value));
}
inline std::uint64_t hash_of(float value) {
  return hash_word(std::bit_cast<std::uint32_t>(value));
}
inline std::uint64_t hash_of(double value) {
  return hash_word(std::bit_cast<std::uint64_t>(value));
}
inline std::uint64_t hash_of(const Uuid& value) {
  return fold_multiply(value.first ^ kHashSeed1, value.second ^ kHashSeed2);
}
inline std::uint64_t hash_of(Int128 value) {
  return fold_multiply(static_cast<std::uint64_t>(value) ^ kHashSeed1,
                       static_cast<std::uint64_t>(value >> 64) ^ kHashSeed2);
}

/// Bit for bit, so that 0 and -0 stay apart and NaN is found again.
template <class Value>
inline bool is_same(const Value& a, const Value& b) {
  if constexpr (std::is_same_v<Value, float>)
    return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
  else if constexpr (std::is_same_v<Value, double>)
    return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
  else
    return a == b;
}

/// PLAIN: little endian as in memory; decimals that no integer type holds are big endian.
template <class Value>
void append_plain(const Value* values, std::size_t n, int width, ByteBuffer& out) {
  if constexpr (std::is_same_v<Value, Int128>) {
    const auto bytes = static_cast<std::size_t>(width);
    char* end = out.reserve_back(n * bytes + 16);
    for (std::size_t i = 0; i < n; ++i, end += bytes) {
      const std::uint64_t high = __builtin_bswap64(static_cast<std::uint64_t>(values[i] >> 64));
      const std::uint64_t low = __builtin_bswap64(static_cast<std::uint64_t>(values[i]));
      std::array<char, 16> big{};
      std::memcpy(big.data(), &high, 8);
      std::memcpy(big.data() + 8, &low, 8);
      std::memcpy(end, big.data() + 16 - bytes, bytes);
    }
    out.grow(n * bytes);
  } else {
    out.append(values, n * sizeof(Value));
  }
}

/// BYTE_STREAM_SPLIT: the first bytes of all values, then their second ones, and so on.
void append_split(std::string_view plain, std::size_t width, ByteBuffer& out) {
  const std::size_t n = plain.size() / width;
  char* end = out.reserve_back(plain.size());
  for (std::size_t byte = 0; byte < width; ++byte) {
    for (std::size_t i = 0; i < n; ++i) *end++ = plain[i * width + byte];
  }
  out.grow(plain.size());
}

template <class Value>
struct Range {
  bool any = false;
  Value min{};
  Value max{};

  void include(const Value* values, std::size_t n) {
    std::size_t first = 0;
    if constexpr (std::is_floating_point_v<Value>) {
      while (first < n && std::isnan(values[first])) ++first;
    }
    if (first == n) return;
    if (!any) min = max = values[first];
    any = true;
    Value least = min;
    Value greatest = max;
    for (std::size_t i = first; i < n; ++i) {
      least = is_less(values[i], least) ? values[i] : least;
      greatest = is_less(greatest, values[i]) ? values[i] : greatest;
    }
    min = least;
    max = greatest;
  }
  void include(const Range& other) {
    if (!other.any) return;
    include(&other.min, 1);
    include(&other.max, 1);
  }
  Bounds bounds(int width) const {
    Bounds bounds;
    bounds.present = any;
    if (!any) return bounds;
    Value low = min;
    Value high = max;
    if constexpr (std::is_floating_point_v<Value>) {
      // -0 and 0 are equal, and readers differ on which sorts first: the bounds take in both (parquet.thrift).
      if (low == 0) low = -Value{0};
      if (high == 0) high = Value{0};
    }
    bounds.min = plain_text(low, width);
    bounds.max = plain_text(high, width);
    return bounds;
  }

 private:
  static std::string plain_text(const Value& value, int width) {
    ByteBuffer bytes;
    append_plain(&value, 1, width, bytes);
    return std::string(bytes.view());
  }
};

/// Values of a fixed width: `Source` in the batch, `Value` in the file.
template <class Source, class Value>
class FixedStore {
 public:
  static constexpr PageContent kContent = PageContent::numbers;

  explicit FixedStore(int width) : width_(width) {}

  void bind(const ColumnVector& column) {
    const auto* source = column.values<Source>();
    const std::size_t n = column.size();
    if (std::is_same_v<Source, Value> && !column.has_nulls()) {
      bound_ = reinterpret_cast<const Value*>(source);
      count_ = n;
      return;
    }
    dense_.resize(n);
    Value* const dense = dense_.data();
    const std::uint8_t* validity = column.validity();
    if (validity == nullptr) {
      for (std::size_t i = 0; i < n; ++i) dense[i] = static_cast<Value>(source[i]);
      count_ = n;
    } else {
      std::size_t count = 0;
      for (std::size_t i = 0; i < n; ++i) {
        dense[count] = static_cast<Value>(source[i]);
        count += (validity[i >> 3] >> (i & 7)) & 1;
      }
      count_ = count;
    }
    bound_ = dense;
  }

  std::size_t count() const { return count_; }
  std::uint64_t hash(std::size_t i) const { return hash_of(bound_[i]); }
  bool equals_entry(std::size_t i, std::uint32_t entry) const { return is_same(bound_[i], entries_[entry]); }
  std::size_t plain_size(std::size_t) const { return static_cast<std::size_t>(width_); }

  void append_entry(std::size_t i) { entries_.push_back(bound_[i]); }
  std::size_t entry_bytes() const { return entries_.size() * static_cast<std::size_t>(width_); }
  void append_entries(std::size_t first, std::size_t last, ByteBuffer& body) const {
    append_plain(entries_.data() + first, last - first, width_, body);
  }
  void clear_entries() { std::vector<Value>().swap(entries_); }

  void append_pending(std::size_t first) { pending_.append(bound_ + first, (count_ - first) * sizeof(Value)); }
  void append_pending_entry(std::uint16_t entry) { pending_.append(&entries_[entry], sizeof(Value)); }
  std::size_t pending_bytes() const { return pending_.size(); }

  Status write_pending(const ValueContext& context, PageValues& page, ByteBuffer& body) {
    const std::size_t n = pending_count();
    page.encoding = Encoding::plain;
    if (context.profile == ParquetProfile::modern && n > 0) page.encoding = kModernEncoding;
    if constexpr (kModernEncoding == Encoding::delta_binary_packed) {
      if (page.encoding == kModernEncoding) append_delta_packed(pending(), n, body);
    }
    if (page.encoding == Encoding::byte_stream_split) append_split(pending_.view(), sizeof(Value), body);
    if (page.encoding == Encoding::plain) append_plain(pending(), n, width_, body);
    pending_.clear();
    return {};
  }

  void include_entry(std::uint32_t entry) { page_.include(&entries_[entry], 1); }
  void include_pending() { page_.include(pending(), pending_count()); }
  Bounds close_page_bounds(std::size_t) {
    const auto less = [](const Value& a, const Value& b) { return is_less(a, b); };
    if (page_.any) {
      if (before_.any) order_.follow(before_.min, before_.max, page_.min, page_.max, less);
      before_ = page_;
    }
    chunk_.include(page_);
    return std::exchange(page_, {}).bounds(width_);
  }
  Bounds chunk_bounds(std::size_t) const { return chunk_.bounds(width_); }
  BoundaryOrder order() const { return order_.order(); }

  void hash_entries(std::vector<std::uint64_t>& hashes) const { hash_all(entries_.data(), entries_.size(), hashes); }
  void hash_pending(std::vector<std::uint64_t>& hashes) const { hash_all(pending(), pending_count(), hashes); }

  void reset() {
    pending_.clear();
    page_ = chunk_ = before_ = {};
    order_ = {};
  }

 private:
  // Decimals of fixed length would gain by splitting, too, but DuckDB 1.5 splits nothing but floats.
  static constexpr Encoding kModernEncoding = std::is_same_v<Value, std::int32_t> || std::is_same_v<Value, std::int64_t>
                                                  ? Encoding::delta_binary_packed
                                              : std::is_floating_point_v<Value> ? Encoding::byte_stream_split
                                                                                : Encoding::plain;

  const Value* pending() const { return reinterpret_cast<const Value*>(pending_.data()); }
  std::size_t pending_count() const { return pending_.size() / sizeof(Value); }

  void hash_all(const Value* values, std::size_t n, std::vector<std::uint64_t>& hashes) const {
    ByteBuffer plain;
    append_plain(values, n, width_, plain);
    const auto width = static_cast<std::size_t>(width_);
    for (std::size_t i = 0; i < n; ++i) hashes.push_back(bloom_hash(plain.data() + i * width, width));
  }

  int width_;
  const Value* bound_ = nullptr;
  std::size_t count_ = 0;
  std::vector<Value> dense_;
  std::vector<Value> entries_;
  ByteBuffer pending_;  ///< Values
  Range<Value> page_;
  Range<Value> before_;  ///< the last page with values
  Range<Value> chunk_;
  OrderOfPages order_;
};

template <class Source, class Value>
std::unique_ptr<ValueWriter> make_fixed(ValueContext& context, int width = sizeof(Value)) {
  return std::make_unique<DictionaryValueWriter<FixedStore<Source, Value>>>(context, width);
}

}  // namespace

std::unique_ptr<ValueWriter> make_value_writer(const Leaf& leaf, ValueContext& context) {
  switch (physical_type(leaf.type)) {
    case PhysicalType::boolean:
      return make_boolean_writer(context);
    case PhysicalType::int32:
      return make_fixed<std::int32_t, std::int32_t>(context);
    case PhysicalType::int64:
      return make_fixed<std::int64_t, std::int64_t>(context);
    case PhysicalType::float32:
      return make_fixed<float, float>(context);
    case PhysicalType::float64:
      return make_fixed<double, double>(context);
    case PhysicalType::decimal128:
      if (leaf.stored == Type::int32) return make_fixed<Int128, std::int32_t>(context);
      if (leaf.stored == Type::int64) return make_fixed<Int128, std::int64_t>(context);
      return make_fixed<Int128, Int128>(context, leaf.fixed_length);
    case PhysicalType::fixed16:
      return make_fixed<Uuid, Uuid>(context);
    case PhysicalType::bytes:
      break;
  }
  return make_text_writer(leaf, context);
}

}  // namespace longshore::parquet
