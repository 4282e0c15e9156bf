#include "parquet/dictionary_choice.h"

#include <algorithm>

#include "parquet/bit_packing.h"

namespace longshore::parquet {
namespace {

/// The distinct values among `values`, when there were `distinct` among the first `seen`: the hyperbola through that
/// point which begins with slope 1. Real columns have few frequent and many rare values, so it fits them better than
/// the exponential of equal frequencies.
double expected_distinct(double distinct, double seen, double values) {
  if (distinct >= seen) return values;
  const double in_all = distinct * seen / (seen - distinct);
  return in_all * values / (in_all + values);
}

/// Few enough to pay whatever the values are.
bool is_small(const DictionaryTrial& trial) {
  return trial.values >= kDictionarySample && trial.distinct <= trial.values / 64;
}

}  // namespace

Result<bool> choose_dictionary(const DictionaryTrial& trial, PageCodec& codec) {
  if (is_small(trial)) return true;
  const double values = static_cast<double>(trial.values) * trial.growth;
  const double distinct =
      expected_distinct(static_cast<double>(trial.distinct), static_cast<double>(trial.values), values);
  const double entry_bytes = static_cast<double>(trial.plain_bytes) / static_cast<double>(trial.distinct);
  if (distinct > static_cast<double>(kMostDictionaryValues)) return false;
  if (distinct * entry_bytes > static_cast<double>(kMostDictionaryBytes)) return false;

  // What a value takes after compression is measured, on the distinct ones: they have to be written either way.
  ByteBuffer compressed;
  CHECK_OK(codec.compress(trial.content, trial.plain, compressed));
  const double value_bytes = static_cast<double>(compressed.size()) / static_cast<double>(trial.sampled);
  const double index_bytes = bits_for(static_cast<std::uint32_t>(std::max(distinct, 1.0)) - 1) / 8.0;
  constexpr double kPageOverhead = 40;  // of the dictionary's page and of its mention in the footer
  return distinct * value_bytes + values * index_bytes + kPageOverhead < values * value_bytes;
}

}  // namespace longshore::parquet
