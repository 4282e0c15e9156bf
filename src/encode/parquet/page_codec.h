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

/// Compresses pages, each by itself. One for each encoder; keeps its tables from page to page. Not thread-safe.
class PageCodec {
 public:
  /// Errors: `parquet_codec_failed` (internal).
  static Result<PageCodec> make(ParquetCodec codec);
  PageCodec(PageCodec&&) noexcept;
  PageCodec& operator=(PageCodec&&) noexcept;
  ~PageCodec();

  ParquetCodec codec() const { return codec_; }
  /// Appends the compressed page to `out`. Errors: `parquet_codec_failed` (internal).
  Status compress(PageContent content, std::string_view page, ByteBuffer& out);

 private:
  struct Zstd;
  PageCodec(ParquetCodec codec, std::unique_ptr<Zstd> zstd);

  ParquetCodec codec_;
  std::unique_ptr<Zstd> zstd_;
};

}  // namespace longshore::parquet
