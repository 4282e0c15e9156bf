#pragma once

#include <memory>
#include <string_view>

#include "base/byte_buffer.h"
#include "base/result.h"
#include "model/export_spec.h"

namespace longshore::parquet {

/// What lies in a page, which decides how zstd looks for repetitions in it.
enum class PageContent {
  numbers,  ///< values of a fixed width
  text,     ///< lengths and bytes
  indexes,  ///< packed bits
};

/// How the texts of a column are compressed.
enum class TextMatching {
  anywhere,      ///< repetitions are searched in all the page, as zstd does it
  value_before,  ///< each value is compared with the one before it, see value_matches.h
};

/// Compresses pages, each by itself. One for each encoder; keeps its tables from page to page. Not thread-safe.
class PageCodec {
 public:
  /// Errors: `parquet_codec_failed` (internal).
  static Result<PageCodec> make(ParquetCodec codec);
  PageCodec(PageCodec&&) noexcept;
  PageCodec& operator=(PageCodec&&) noexcept;
  ~PageCodec();

  ParquetCodec codec() const { return codec_; }
  /// Appends the compressed bytes to `out`. Errors: `parquet_codec_failed` (internal).
  Status compress(PageContent content, std::string_view bytes, ByteBuffer& out);
  /// The same for a page of PLAIN texts, which begin at `begin`, comparing each with the one before it.
  /// REQUIRES: try_matching() advised it for the column; 8 readable bytes behind the page.
  Status compress_by_value(std::string_view page, std::size_t begin, ByteBuffer& out);
  /// Which of the two makes these PLAIN texts smaller: the first of them are compressed both ways.
  /// REQUIRES: 8 readable bytes behind them. Errors: `parquet_codec_failed` (internal).
  Result<TextMatching> try_matching(std::string_view texts);

 private:
  struct Zstd;
  PageCodec(ParquetCodec codec, std::unique_ptr<Zstd> zstd);

  ParquetCodec codec_;
  std::unique_ptr<Zstd> zstd_;
};

}  // namespace longshore::parquet
