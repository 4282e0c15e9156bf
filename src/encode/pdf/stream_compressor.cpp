#include "pdf/stream_compressor.h"

#include <libdeflate.h>

#include <new>

namespace longshore {

StreamCompressor::StreamCompressor(int level) : handle_(libdeflate_alloc_compressor(level)) {
  if (handle_ == nullptr) throw std::bad_alloc();
}

StreamCompressor::~StreamCompressor() {
  libdeflate_free_compressor(handle_);
}

std::string_view StreamCompressor::compress(std::string_view data) {
  out_.clear();
  const std::size_t room = libdeflate_zlib_compress_bound(handle_, data.size());
  char* const begin = out_.reserve_back(room);
  out_.grow(libdeflate_zlib_compress(handle_, data.data(), data.size(), begin, room));
  return out_.view();
}

}  // namespace longshore
