#include "encode/compress/compressor.h"

#include "encode/compress/gzip_compressor.h"
#include "encode/compress/zstd_compressor.h"

namespace longshore {

Result<std::unique_ptr<Compressor>> make_compressor(Compression compression) {
  switch (compression) {
    case Compression::gzip:
      return std::make_unique<GzipCompressor>();
    case Compression::zstd: {
      TRY(std::unique_ptr<Compressor> compressor, ZstdCompressor::make());
      return compressor;
    }
    case Compression::none:
      break;
  }
  return fail(internal_error("bad_compression", "no compressor is needed without compression"));
}

}  // namespace longshore
