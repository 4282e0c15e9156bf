#pragma once

#ifndef ZSTD_STATIC_LINKING_ONLY
#define ZSTD_STATIC_LINKING_ONLY  // ZSTD_Sequence
#endif
#include <zstd.h>

#include <cstddef>
#include <string_view>
#include <vector>

namespace longshore::parquet {

/// Finds repetitions in a page of PLAIN byte arrays (lengths and bytes) by comparing each value with the one before it:
/// word by word, passing over those that differ. What machines write into a column (ids, paths, JSON of one shape)
/// differs in a few words, and only there. A search by hashes finds digits that are alike by chance,
/// too, and naming those costs more than writing them; here the distances repeat, which zstd writes in a fraction of a
/// bit.
///
/// `begin`: where the values begin in `page`; what is before them is left as it is.
/// REQUIRES: 8 readable bytes behind the page.
void find_value_matches(std::string_view page, std::size_t begin, std::vector<ZSTD_Sequence>& matches);

}  // namespace longshore::parquet
