#include "xlsx/zip_container.h"

#include <zlib.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/digest.h"

namespace longshore {
namespace {

constexpr std::uint32_t kLocalHeader = 0x04034B50;
constexpr std::uint32_t kDirectoryHeader = 0x02014B50;
constexpr std::uint32_t kEnd = 0x06054B50;
constexpr std::uint32_t kZip64End = 0x06064B50;
constexpr std::uint32_t kZip64Locator = 0x07064B50;
constexpr std::size_t kLocalHeaderSize = 30;
constexpr std::uint16_t kVersionDeflate = 20;
constexpr std::uint16_t kVersionZip64 = 45;
constexpr std::uint16_t kMethodDeflate = 8;
constexpr std::uint16_t kZip64Extra = 1;
constexpr std::uint32_t kSeeZip64 = 0xFFFFFFFF;
constexpr int kLevel = 6;

template <class T>
void append_number(T value, ByteBuffer& out) {
  for (std::size_t i = 0; i < sizeof(T); ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

/// Date in the upper, time in the lower half (APPNOTE section 4.4.6).
std::uint32_t dos_time(Timestamp time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date(day);
  if (date.year() < year(1980) || date.year() > year(2107)) return 0x00210000;  // 1980-01-01 00:00
  const auto of_day = static_cast<std::uint32_t>(duration_cast<seconds>(time - day).count());
  const auto years = static_cast<std::uint32_t>(static_cast<int>(date.year()) - 1980);
  const std::uint32_t date_bits =
      years << 9 | static_cast<unsigned>(date.month()) << 5 | static_cast<unsigned>(date.day());
  return date_bits << 16 | (of_day / 3600) << 11 | (of_day / 60 % 60) << 5 | (of_day % 60) / 2;
}

/// What local header and directory have in common, from the general purpose flags to the length of the name.
void append_description(const ZipEntry& entry, Timestamp modified, ByteBuffer& out) {
  append_number<std::uint16_t>(0, out);  // no flags: neither encrypted nor with a data descriptor
  append_number(kMethodDeflate, out);
  append_number(dos_time(modified), out);
  append_number(entry.crc32, out);
  append_number(entry.packed, out);
  append_number(entry.size, out);
  append_number(static_cast<std::uint16_t>(entry.name.size()), out);
}

void append_directory_entry(const ZipEntry& entry, Timestamp modified, ByteBuffer& out) {
  const bool far = entry.offset >= kSeeZip64;
  append_number(kDirectoryHeader, out);
  append_number(far ? kVersionZip64 : kVersionDeflate, out);  // made by, on a system without file modes
  append_number(far ? kVersionZip64 : kVersionDeflate, out);  // needed
  append_description(entry, modified, out);
  append_number<std::uint16_t>(far ? 12 : 0, out);  // length of the extra field
  append_number<std::uint16_t>(0, out);             // of the comment
  append_number<std::uint16_t>(0, out);             // disk
  append_number<std::uint16_t>(0, out);             // internal attributes
  append_number<std::uint32_t>(0, out);             // external attributes
  append_number(far ? kSeeZip64 : static_cast<std::uint32_t>(entry.offset), out);
  out.append(entry.name);
  if (!far) return;
  append_number(kZip64Extra, out);
  append_number<std::uint16_t>(8, out);
  append_number(entry.offset, out);
}

void append_zip64_end(std::uint64_t entries, std::uint64_t size, std::uint64_t offset, ByteBuffer& out) {
  append_number(kZip64End, out);
  append_number<std::uint64_t>(44, out);  // length of what follows
  append_number(kVersionZip64, out);
  append_number(kVersionZip64, out);
  append_number<std::uint32_t>(0, out);  // this disk
  append_number<std::uint32_t>(0, out);  // disk of the directory
  append_number(entries, out);
  append_number(entries, out);
  append_number(size, out);
  append_number(offset, out);

  append_number(kZip64Locator, out);
  append_number<std::uint32_t>(0, out);  // disk of the record above
  append_number(offset + size, out);
  append_number<std::uint32_t>(1, out);  // disks
}

}  // namespace

std::size_t local_header_size(const ZipEntry& entry) {
  return kLocalHeaderSize + entry.name.size();
}

void append_local_header(const ZipEntry& entry, Timestamp modified, ByteBuffer& out) {
  append_number(kLocalHeader, out);
  append_number(kVersionDeflate, out);
  append_description(entry, modified, out);
  append_number<std::uint16_t>(0, out);  // no extra field
  out.append(entry.name);
}

void append_central_directory(const std::vector<ZipEntry>& entries, Timestamp modified, std::uint64_t offset,
                              ByteBuffer& out) {
  const std::size_t begin = out.size();
  for (const ZipEntry& entry : entries) append_directory_entry(entry, modified, out);
  const std::uint64_t size = out.size() - begin;
  // The old end record says all there is to say, unless the directory lies beyond 4 GiB.
  const bool far = offset >= kSeeZip64;
  if (far) append_zip64_end(entries.size(), size, offset, out);
  append_number(kEnd, out);
  append_number<std::uint16_t>(0, out);  // this disk
  append_number<std::uint16_t>(0, out);  // disk of the directory
  append_number(static_cast<std::uint16_t>(entries.size()), out);
  append_number(static_cast<std::uint16_t>(entries.size()), out);
  append_number(static_cast<std::uint32_t>(size), out);
  append_number(far ? kSeeZip64 : static_cast<std::uint32_t>(offset), out);
  append_number<std::uint16_t>(0, out);  // no comment
}

Status append_deflated(std::string_view raw, bool last, ByteBuffer& out) {
  constexpr int kRawDeflate = -15;  // no zlib header, a window of 32 KiB
  constexpr int kMemory = 8;
  z_stream stream{};
  if (deflateInit2(&stream, kLevel, Z_DEFLATED, kRawDeflate, kMemory, Z_DEFAULT_STRATEGY) != Z_OK) {
    return fail(internal_error("deflate_failed", "zlib could not be started"));
  }
  const std::size_t room = deflateBound(&stream, raw.size()) + 64;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(raw.data()));
  stream.avail_in = static_cast<uInt>(raw.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.reserve_back(room));
  stream.avail_out = static_cast<uInt>(room);
  const int status = deflate(&stream, last ? Z_FINISH : Z_FULL_FLUSH);
  const bool whole = status == (last ? Z_STREAM_END : Z_OK) && stream.avail_in == 0 && stream.avail_out != 0;
  out.grow(room - stream.avail_out);
  deflateEnd(&stream);
  if (!whole) return fail(internal_error("deflate_failed", "zlib could not deflate a piece of a workbook"));
  return {};
}

Result<ZipEntry> append_entry(std::string name, std::string_view content, Timestamp modified, ByteBuffer& out) {
  ByteBuffer packed;
  CHECK_OK(append_deflated(content, true, packed));
  ZipEntry entry;
  entry.name = std::move(name);
  entry.crc32 = crc32(content);
  entry.packed = static_cast<std::uint32_t>(packed.size());
  entry.size = static_cast<std::uint32_t>(content.size());
  entry.offset = out.size();
  append_local_header(entry, modified, out);
  out.append(packed.view());
  return entry;
}

}  // namespace longshore
