#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#include <random>
#include <string>
#include <vector>

#include "base/digest.h"
#include "decompressed.h"
#include "encode/compress/chunk_deflater.h"
#include "encode/compress/compressor.h"
#include "sample_rows.h"

namespace longshore {
namespace {

/// The chunks as one file. With `fresh`, each by a compressor of its own, as if from many machines.
std::string compress(Compression compression, const std::vector<std::string>& chunks, bool fresh = false) {
  auto compressor = *make_compressor(compression);
  RawFile file;
  for (const std::string& chunk : chunks) {
    file.bytes += chunk.size();
    file.crc32 = crc32(chunk, file.crc32);
  }
  ByteBuffer out;
  compressor->append_header(file, out);
  for (const std::string& chunk : chunks) {
    if (fresh) compressor = *make_compressor(compression);
    const Status status = compressor->append_chunk(chunk, out);
    EXPECT_TRUE(status.has_value());
  }
  compressor->append_trailer(file, out);
  return std::string(out.view());
}

std::string joined(const std::vector<std::string>& chunks) {
  std::string all;
  for (const std::string& chunk : chunks) all += chunk;
  return all;
}

std::string random_bytes(std::mt19937& random, std::size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

/// Bytes that are mostly copies from a few fixed distances: the diet of repeat offsets.
std::string repeating_bytes(std::mt19937& random, std::size_t size) {
  constexpr std::size_t kDistances[] = {1, 4, 8, 2, 3, 17, 100, 1000};
  std::string bytes;
  while (bytes.size() < size) {
    const std::size_t distance = kDistances[random() % 8];
    if (distance > bytes.size() || random() % 4 == 0) {
      for (unsigned n = random() % 6; n > 0; --n) bytes.push_back(static_cast<char>('a' + random() % 4));
    } else {
      for (unsigned n = 4 + random() % 60; n > 0; --n) bytes.push_back(bytes[bytes.size() - distance]);
    }
  }
  bytes.resize(size);
  return bytes;
}

std::vector<std::vector<std::string>> chunk_rows() {
  std::mt19937 random(5);
  std::vector<std::vector<std::string>> cases;
  cases.push_back({});
  cases.push_back({"", "", ""});
  cases.push_back({"a"});
  cases.push_back({"", "a", "", "b", ""});
  // Chunks that begin with what a decoder's repeat offsets (1, 4, 8 at first, any later) would seem to offer.
  cases.push_back(std::vector<std::string>(50, std::string(300, 'a')));
  std::string by_four;
  std::string by_eight;
  for (int i = 0; i < 4000; ++i) {
    by_four += "abcd";
    by_eight += "12345678";
  }
  cases.push_back({by_four, by_eight, by_four, by_four, by_eight, by_eight});
  cases.push_back(std::vector<std::string>(3, std::string(2 << 20, 'z')));
  cases.push_back({random_bytes(random, 1 << 20), random_bytes(random, 1), random_bytes(random, 300'000)});
  std::vector<std::string> tiny;
  for (int i = 0; i < 5000; ++i) tiny.push_back(repeating_bytes(random, random() % 40));
  cases.push_back(tiny);
  std::vector<std::string> mixed;
  for (int i = 0; i < 400; ++i) {
    const std::size_t size = random() % 50 == 0 ? 400'000 : random() % 5000;
    mixed.push_back(random() % 5 == 0 ? random_bytes(random, size) : repeating_bytes(random, size));
  }
  cases.push_back(mixed);
  return cases;
}

TEST(Gzip, OneMemberFromManyChunks) {
  for (const auto& chunks : chunk_rows()) {
    const std::string file = compress(Compression::gzip, chunks);
    ASSERT_TRUE(gunzip(file) == joined(chunks));
    ASSERT_TRUE(file == compress(Compression::gzip, chunks, true)) << "tables kept from the chunk before must not show";
  }
}

TEST(Gzip, TheBytesDoNotDependOnWhereTheStateLies) {
  // Short chunks of few letters, over a few contexts at different addresses: what showed the flaw of ISA-L that
  // chunk_deflater.cpp works around.
  std::mt19937 random(1);
  std::vector<std::unique_ptr<Compressor>> compressors;
  for (int i = 0; i < 8; ++i) compressors.push_back(*make_compressor(Compression::gzip));
  for (int i = 0; i < 4000; ++i) {
    const std::string chunk = repeating_bytes(random, 1 + random() % 300);
    ByteBuffer first;
    ByteBuffer other;
    ASSERT_TRUE(compressors[0]->append_chunk(chunk, first));
    ASSERT_TRUE(compressors[1 + random() % 7]->append_chunk(chunk, other));
    ASSERT_EQ(to_hex(first.view()), to_hex(other.view())) << chunk;
  }
}

TEST(Gzip, AnEmptyFileIsTheseBytes) {
  EXPECT_EQ(to_hex(compress(Compression::gzip, {})), "1f8b08000000000004ff03000000000000000000");
}

TEST(Gzip, ChunksEndByteAlignedAfterAFullFlush) {
  ChunkDeflater deflater;
  ByteBuffer out;
  ASSERT_TRUE(deflater.append_chunk("some text, some text", out));
  EXPECT_TRUE(out.view().ends_with(std::string_view("\x00\x00\xFF\xFF", 4)));
}

TEST(Gzip, SpeaksOfCompressionThatIsWorthIt) {
  std::string text;
  for (int i = 0; i < 20'000; ++i)
    text += "2026-06-06T14:20:00Z,usr_" + std::to_string(i * 7919 % 100'000) + ",login\r\n";
  EXPECT_LT(compress(Compression::gzip, {text}).size(), text.size() / 3);
  EXPECT_LT(compress(Compression::zstd, {text}).size(), text.size() / 3);
}

TEST(Zstd, OneFrameFromManyChunks) {
  for (const auto& chunks : chunk_rows()) {
    const std::string file = compress(Compression::zstd, chunks);
    const std::string raw = joined(chunks);
    ASSERT_TRUE(unzstd(file) == raw);
    ASSERT_TRUE(file == compress(Compression::zstd, chunks, true)) << "tables kept from the chunk before must not show";
    EXPECT_EQ(ZSTD_findFrameCompressedSize(file.data(), file.size()), file.size()) << "more than one frame";
    EXPECT_EQ(ZSTD_getFrameContentSize(file.data(), file.size()), raw.size());
    std::string one_shot(raw.size(), '\0');
    ASSERT_EQ(ZSTD_decompress(one_shot.data(), one_shot.size(), file.data(), file.size()), raw.size());
    ASSERT_TRUE(one_shot == raw);
  }
}

TEST(Zstd, AnyOrderOfChunksIsAFile) {
  std::mt19937 random(17);
  std::vector<std::string> chunks;
  for (int i = 0; i < 40; ++i) chunks.push_back(repeating_bytes(random, 1 + random() % 3000));
  for (int round = 0; round < 200; ++round) {
    std::shuffle(chunks.begin(), chunks.end(), random);
    ASSERT_TRUE(unzstd(compress(Compression::zstd, chunks)) == joined(chunks)) << round;
  }
}

TEST(Zstd, AChunkReachesBackOverNoMoreThanTheWindow) {
  // A match just as far away as the window, and a little farther: decoders with exactly the window must cope.
  std::mt19937 random(23);
  const std::string block = random_bytes(random, 100'000);
  for (const std::size_t gap : {std::size_t{300'000}, (std::size_t{512} << 10) - 100'000, std::size_t{500'000}}) {
    const std::string chunk = block + random_bytes(random, gap) + block;
    EXPECT_TRUE(unzstd(compress(Compression::zstd, {chunk, chunk})) == chunk + chunk);
  }
}

TEST(Compressed, TheFrameKnowsChecksumAndSizeOfTheWholeFile) {
  std::vector<Row> rows;
  for (std::int64_t i = 0; i < 5000; ++i) rows.push_back({i, "value " + std::to_string(i % 17)});
  for (const char* format : {"csv", "jsonl", "json"}) {
    ExportSpec spec = make_spec(format, {"n:int64", "t:text"});
    for (const std::size_t partitions : {std::size_t{1}, std::size_t{2}, std::size_t{7}}) {
      spec.compression = Compression::none;
      const EncodedFile plain = encode_file(spec, rows, partitions, 300);
      spec.compression = Compression::gzip;
      const EncodedFile gzip = encode_file(spec, rows, partitions, 300);
      EXPECT_TRUE(gunzip(gzip.bytes) == plain.bytes);
      EXPECT_EQ(gzip.total.raw_bytes, plain.total.raw_bytes);
      EXPECT_EQ(gzip.total.rows, 5000);
      spec.compression = Compression::zstd;
      const EncodedFile zstd = encode_file(spec, rows, partitions, 300);
      EXPECT_TRUE(unzstd(zstd.bytes) == plain.bytes);
      EXPECT_EQ(zstd.total.raw_crc32, 0U) << "kept only where it is needed";
    }
  }
}

TEST(Compressed, AFileThatIsStreamedClaimsNoSize) {
  // A file written to a pipe: the prologue goes out before anything is known of what follows.
  ExportSpec spec = make_spec("csv", {"n:int64"});
  spec.compression = Compression::zstd;
  const FormatTable formats = make_formats();
  const auto frame = *formats.make_frame(spec);
  const auto encoder = *formats.make_encoder(spec, {});
  ByteBuffer file;
  ASSERT_TRUE(frame->prologue({}, file));
  const RowBatch batch = make_batch(spec, {{std::int64_t{1}}, {std::int64_t{2}}});
  const auto chunk = encoder->encode(batch, file);
  ASSERT_TRUE(chunk && *chunk);
  ASSERT_TRUE(frame->epilogue({{**chunk, 0}}, {0}, file));
  EXPECT_EQ(unzstd(std::string(file.view())), "n\r\n1\r\n2\r\n");
  EXPECT_EQ(ZSTD_getFrameContentSize(file.data(), file.size()), ZSTD_CONTENTSIZE_UNKNOWN);
}

TEST(Compressed, AFileWithoutRowsIsAFile) {
  ExportSpec spec = make_spec("csv", {"n:int64"});
  spec.compression = Compression::gzip;
  EXPECT_EQ(gunzip(encode_file(spec, {}, 3).bytes), "n\r\n");
  EXPECT_EQ(gunzip(encode_file(spec, {}, 0).bytes), "n\r\n");
  spec.compression = Compression::zstd;
  EXPECT_EQ(unzstd(encode_file(spec, {}, 3).bytes), "n\r\n");
  spec.format = "jsonl";
  EXPECT_EQ(unzstd(encode_file(spec, {}, 1).bytes), "");
  spec.format = "json";
  EXPECT_EQ(unzstd(encode_file(spec, {}, 1).bytes), "[]\n");
}

}  // namespace
}  // namespace longshore
