#include "decompressed.h"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <vector>

namespace longshore {

std::string gunzip(const std::string& file) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(file.data()));
  stream.avail_in = static_cast<uInt>(file.size());
  std::string raw;
  std::vector<char> piece(1 << 16);
  int status = Z_OK;
  while (status == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    status = inflate(&stream, Z_NO_FLUSH);
    raw.append(piece.data(), piece.size() - stream.avail_out);
  }
  EXPECT_EQ(status, Z_STREAM_END) << (stream.msg != nullptr ? stream.msg : "");
  EXPECT_EQ(stream.avail_in, 0U) << "more than one member";
  inflateEnd(&stream);
  return raw;
}

std::string unzstd(const std::string& file) {
  ZSTD_DCtx* context = ZSTD_createDCtx();
  ZSTD_inBuffer in{file.data(), file.size(), 0};
  std::string raw;
  std::vector<char> piece(70'000);
  std::size_t left = 1;
  while (left != 0) {
    ZSTD_outBuffer out{piece.data(), piece.size(), 0};
    left = ZSTD_decompressStream(context, &out, &in);
    if (ZSTD_isError(left)) {
      ADD_FAILURE() << ZSTD_getErrorName(left);
      break;
    }
    raw.append(piece.data(), out.pos);
    if (in.pos == in.size && out.pos < out.size && left != 0) {
      ADD_FAILURE() << "the frame is not finished";
      break;
    }
  }
  EXPECT_EQ(in.pos, in.size) << "more than one frame";
  ZSTD_freeDCtx(context);
  return raw;
}

std::string uncompressed(const std::string& file, Compression compression) {
  switch (compression) {
    case Compression::gzip:
      return gunzip(file);
    case Compression::zstd:
      return unzstd(file);
    case Compression::none:
      break;
  }
  return file;
}

}  // namespace longshore
