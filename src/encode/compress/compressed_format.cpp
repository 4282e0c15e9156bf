#include "encode/compress/compressed_format.h"

#include <utility>

#include "base/digest.h"

namespace longshore {
namespace {

/// A chunk's memory is kept for the next one unless it was far larger than chunks are.
constexpr std::size_t kKeptCapacity = std::size_t{4} << 20;

class CompressedEncoder final : public PartitionEncoder {
 public:
  CompressedEncoder(std::unique_ptr<PartitionEncoder> inner, std::unique_ptr<Compressor> compressor)
      : inner_(std::move(inner)), compressor_(std::move(compressor)) {}

  Result<std::optional<ChunkSummary>> encode(const RowBatch& batch, ByteBuffer& out) override {
    TRY(auto summary, inner_->encode(batch, raw_));
    return close_chunk(std::move(summary), out);
  }
  Result<std::optional<ChunkSummary>> finish(ByteBuffer& out) override {
    TRY(auto summary, inner_->finish(raw_));
    return close_chunk(std::move(summary), out);
  }

 private:
  Result<std::optional<ChunkSummary>> close_chunk(std::optional<ChunkSummary> summary, ByteBuffer& out) {
    if (!summary) return summary;
    if (compressor_->needs_crc32()) summary->raw_crc32 = crc32(raw_.view());
    CHECK_OK(compressor_->append_chunk(raw_.view(), out));
    if (raw_.capacity() > kKeptCapacity) raw_.release();
    raw_.clear();
    return summary;
  }

  std::unique_ptr<PartitionEncoder> inner_;
  std::unique_ptr<Compressor> compressor_;
  ByteBuffer raw_;  ///< the open chunk
};

class CompressedFrame final : public FileFrame {
 public:
  CompressedFrame(std::unique_ptr<FileFrame> inner, Compression compression)
      : inner_(std::move(inner)), compression_(compression) {}

  Status prologue(const std::vector<EncodedPartition>& partitions, ByteBuffer& out) const override {
    TRY(auto compressor, make_compressor(compression_));
    TRY(Layout layout, lay_out(partitions, compressor->needs_crc32()));
    layout.file.size_known = !partitions.empty();
    compressor->append_header(layout.file, out);
    return compressor->append_chunk(layout.prologue.view(), out);
  }

  Status glue(const std::vector<EncodedPartition>& partitions, std::size_t index, ByteBuffer& out) const override {
    TRY(auto compressor, make_compressor(compression_));
    ByteBuffer raw;
    CHECK_OK(inner_->glue(partitions, index, raw));
    return compressor->append_chunk(raw.view(), out);
  }

  /// `offsets` are those in the compressed file, of no use to the format inside: it gets its own.
  Status epilogue(const std::vector<EncodedPartition>& partitions, const std::vector<std::int64_t>&,
                  ByteBuffer& out) const override {
    TRY(auto compressor, make_compressor(compression_));
    TRY(const Layout layout, lay_out(partitions, compressor->needs_crc32()));
    CHECK_OK(compressor->append_chunk(layout.epilogue.view(), out));
    compressor->append_trailer(layout.file, out);
    return {};
  }

 private:
  struct Layout {
    ByteBuffer prologue;  ///< uncompressed
    ByteBuffer epilogue;  ///< uncompressed
    RawFile file;
  };

  /// The uncompressed file: its ends, its length and its checksum, from the summaries alone.
  Result<Layout> lay_out(const std::vector<EncodedPartition>& partitions, bool with_crc) const {
    Layout layout;
    const auto add = [&](std::uint64_t bytes, std::uint32_t crc) {
      if (with_crc) layout.file.crc32 = crc32_combine(layout.file.crc32, crc, bytes);
      layout.file.bytes += bytes;
    };
    const auto add_bytes = [&](const ByteBuffer& bytes) { add(bytes.size(), with_crc ? crc32(bytes.view()) : 0); };

    CHECK_OK(inner_->prologue(partitions, layout.prologue));
    add_bytes(layout.prologue);
    std::vector<std::int64_t> offsets;
    for (std::size_t i = 0; i < partitions.size(); ++i) {
      if (i > 0) {
        ByteBuffer glue;
        CHECK_OK(inner_->glue(partitions, i, glue));
        add_bytes(glue);
      }
      offsets.push_back(static_cast<std::int64_t>(layout.file.bytes));
      add(static_cast<std::uint64_t>(partitions[i].summary.raw_bytes), partitions[i].summary.raw_crc32);
    }
    CHECK_OK(inner_->epilogue(partitions, offsets, layout.epilogue));
    add_bytes(layout.epilogue);
    return layout;
  }

  std::unique_ptr<FileFrame> inner_;
  Compression compression_;
};

}  // namespace

std::unique_ptr<PartitionEncoder> make_compressed_encoder(std::unique_ptr<PartitionEncoder> inner,
                                                          std::unique_ptr<Compressor> compressor) {
  return std::make_unique<CompressedEncoder>(std::move(inner), std::move(compressor));
}

std::unique_ptr<FileFrame> make_compressed_frame(std::unique_ptr<FileFrame> inner, Compression compression) {
  return std::make_unique<CompressedFrame>(std::move(inner), compression);
}

}  // namespace longshore
