#include "encode/compress/zstd_compressor.h"

#define ZSTD_STATIC_LINKING_ONLY  // the buffer-less API: chunks are in memory, so nothing needs to be copied
#define ZSTD_DISABLE_DEPRECATE_WARNINGS
#include <zstd.h>

#include <string>
#include <utility>

// Not in zstd's public header, but in its static library: zstdmt_compress.c calls it for every job but the first.
// (zstd/lib/compress/zstd_compress_internal.h)
extern "C" void ZSTD_invalidateRepCodes(ZSTD_CCtx* cctx);

namespace longshore {
namespace {

constexpr int kLevel = 1;
/// 512 KiB: what level 1 uses, and what a decoder must set aside.
constexpr unsigned kWindowLog = 19;

Error zstd_error(std::size_t code) {
  return internal_error("zstd_failed", std::string("zstd: ") + ZSTD_getErrorName(code));
}

/// The same for every chunk, whatever its size: zstd would adapt them to a size it knew.
ZSTD_parameters chunk_parameters() {
  ZSTD_parameters parameters = ZSTD_getParams(kLevel, 0, 0);
  parameters.cParams.windowLog = kWindowLog;
  parameters.fParams.contentSizeFlag = 0;
  parameters.fParams.checksumFlag = 0;
  parameters.fParams.noDictIDFlag = 1;
  return parameters;
}

}  // namespace

struct ZstdCompressor::State {
  ZSTD_CCtx* context = nullptr;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { ZSTD_freeCCtx(context); }
};

ZstdCompressor::ZstdCompressor(std::unique_ptr<State> state) : state_(std::move(state)) {}
ZstdCompressor::~ZstdCompressor() = default;

Result<std::unique_ptr<Compressor>> ZstdCompressor::make() {
  auto state = std::make_unique<State>();
  state->context = ZSTD_createCCtx();
  if (state->context == nullptr) return fail(internal_error("zstd_failed", "zstd: no memory for a context"));
  return std::unique_ptr<Compressor>(new ZstdCompressor(std::move(state)));
}

void ZstdCompressor::append_header(const RawFile& file, ByteBuffer& out) const {
  // RFC 8878 section 3.1.1.1: magic number, descriptor (the upper two bits: an 8-byte content size, or none; a window
  // descriptor, no checksum, no dictionary), window descriptor (exponent in the upper 5 bits), content size.
  out.append(std::string_view("\x28\xB5\x2F\xFD", 4));
  out.push_back(static_cast<char>(file.size_known ? 0xC0 : 0x00));
  out.push_back(static_cast<char>((kWindowLog - 10) << 3));
  if (!file.size_known) return;
  for (int i = 0; i < 8; ++i) out.push_back(static_cast<char>(file.bytes >> (8 * i)));
}

Status ZstdCompressor::append_chunk(std::string_view raw, ByteBuffer& out) {
  if (raw.empty()) return {};
  ZSTD_CCtx* context = state_->context;
  if (const std::size_t code =
          ZSTD_compressBegin_advanced(context, nullptr, 0, chunk_parameters(), ZSTD_CONTENTSIZE_UNKNOWN);
      ZSTD_isError(code)) {
    return fail(zstd_error(code));
  }
  // Without input this writes the frame header and nothing else; it is overwritten, not kept.
  const std::size_t room = ZSTD_compressBound(raw.size()) + ZSTD_FRAMEHEADERSIZE_MAX;
  char* end = out.reserve_back(room);
  if (const std::size_t code = ZSTD_compressContinue(context, end, room, nullptr, 0); ZSTD_isError(code)) {
    return fail(zstd_error(code));
  }
  ZSTD_invalidateRepCodes(context);
  // Whole blocks without the last-block bit: compressContinue() keeps no input back.
  const std::size_t size = ZSTD_compressContinue(context, end, room, raw.data(), raw.size());
  if (ZSTD_isError(size)) return fail(zstd_error(size));
  out.grow(size);
  return {};
}

void ZstdCompressor::append_trailer(const RawFile&, ByteBuffer& out) const {
  out.append(std::string_view("\x01\x00\x00", 3));  // an empty raw block with the last-block bit
}

}  // namespace longshore
