#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"
#include "parquet/page_codec.h"

namespace longshore::parquet {

/// A dictionary's limits: indexes fit 16 bits, and readers keep a dictionary in memory for every column.
inline constexpr std::size_t kMostDictionaryValues = std::size_t{1} << 16;
inline constexpr std::size_t kMostDictionaryBytes = std::size_t{1} << 20;
/// Values that are looked at before a dictionary is kept or dropped.
inline constexpr std::size_t kDictionarySample = 4096;
/// What a value takes in a dictionary besides its bytes: two slots of the hash table, an offset.
inline constexpr std::size_t kDictionaryEntryOverhead = 24;

/// What is known of a column when its dictionary is judged.
struct DictionaryTrial {
  std::size_t values = 0;       ///< seen so far
  std::size_t distinct = 0;     ///< of these
  std::string_view plain;       ///< some of the distinct values as a page holds them
  std::size_t sampled = 0;      ///< how many lie in `plain`
  std::size_t plain_bytes = 0;  ///< of all distinct values
  double growth = 1;            ///< values expected in the row group for each one seen
  PageContent content = PageContent::numbers;
};

/// Whether a dictionary and its indexes are expected to be smaller than the plain values, both compressed. Reckons with
/// additions, multiplications and divisions only, so every machine chooses alike.
Result<bool> choose_dictionary(const DictionaryTrial& trial, PageCodec& codec);

}  // namespace longshore::parquet
