#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/byte_buffer.h"
#include "batch/column_vector.h"
#include "parquet/bounds.h"
#include "parquet/page_codec.h"
#include "parquet/schema.h"

namespace longshore::parquet {

/// With their numbers in Parquet's metadata.
enum class Encoding : std::uint8_t {
  plain = 0,
  rle = 3,
  delta_binary_packed = 5,
  delta_length_byte_array = 6,
  rle_dictionary = 8,
  byte_stream_split = 9,
};

/// How the pages' bounds follow each other, with Parquet's numbers.
enum class BoundaryOrder : std::uint8_t { unordered = 0, ascending = 1, descending = 2 };

/// What the columns of a row group share.
struct ValueContext {
  ParquetProfile profile = ParquetProfile::standard;
  PageCodec* codec = nullptr;
  std::size_t page_bound_bytes = 64;   ///< longest min and max of a page
  std::size_t chunk_bound_bytes = 64;  ///< longest min and max of a column
  /// Bytes that dictionaries of this row group may still take, their hash tables included.
  std::size_t dictionary_budget = 0;
  /// Rows expected in the row group for each row that is in it.
  double growth = 1;
};

/// What was written of one page's values.
struct PageValues {
  Encoding encoding = Encoding::plain;
  PageContent content = PageContent::numbers;
  TextMatching matching = TextMatching::anywhere;  ///< value_before only with PLAIN texts
  Bounds bounds;
};

/// The values of one leaf column of a row group: collects them, puts them into pages, and chooses between a dictionary
/// and the values themselves. Nulls are left out; levels are the caller's.
///
/// A dictionary is begun with every row group. When enough values are seen, it stays if it makes the column smaller
/// (see choose_dictionary()); it ends where it grows over its limits, and the pages after it hold plain values. All of
/// that follows from the values alone.
class ValueWriter {
 public:
  explicit ValueWriter(ValueContext& context) : context_(context) {}
  virtual ~ValueWriter() = default;
  ValueWriter(const ValueWriter&) = delete;
  ValueWriter& operator=(const ValueWriter&) = delete;

  /// Takes the values of `column` that are not null.
  virtual Status append(const ColumnVector& column) = 0;
  /// Bytes of the open page, roughly.
  virtual std::size_t page_bytes() const = 0;
  /// Everything that is kept for this row group.
  virtual std::size_t held_bytes() const = 0;
  /// Appends the open page's values to `body` and begins the next page. `last`: the row group ends with it.
  virtual Result<PageValues> close_page(bool last, ByteBuffer& body) = 0;
  /// Values in the dictionary of this row group; 0 when no page uses one.
  virtual std::size_t dictionary_values() const = 0;
  /// Appends the dictionary's values, PLAIN.
  virtual void append_dictionary(ByteBuffer& body) const = 0;
  /// Of all pages closed.
  virtual Bounds chunk_bounds() const = 0;
  virtual BoundaryOrder boundary_order() const = 0;
  /// Collects hashes for a bloom filter from now on.
  void collect_hashes() { collects_hashes_ = true; }
  /// The hashes of all values (repeated ones once or more often).
  virtual std::vector<std::uint64_t> take_hashes() = 0;
  /// Begins a new row group.
  virtual void reset() = 0;

 protected:
  ValueContext& context_;
  bool collects_hashes_ = false;
};

std::unique_ptr<ValueWriter> make_value_writer(const Leaf& leaf, ValueContext& context);
std::unique_ptr<ValueWriter> make_text_writer(const Leaf& leaf, ValueContext& context);
std::unique_ptr<ValueWriter> make_boolean_writer(ValueContext& context);

/// Follows the pages' bounds for boundary_order().
class OrderOfPages {
 public:
  template <class T, class Less>
  void follow(const T& min_before, const T& max_before, const T& min, const T& max, Less less) {
    ascending_ = ascending_ && !less(min, min_before) && !less(max, max_before);
    descending_ = descending_ && !less(min_before, min) && !less(max_before, max);
  }
  BoundaryOrder order() const {
    if (ascending_) return BoundaryOrder::ascending;
    return descending_ ? BoundaryOrder::descending : BoundaryOrder::unordered;
  }

 private:
  bool ascending_ = true;
  bool descending_ = true;
};

}  // namespace longshore::parquet
