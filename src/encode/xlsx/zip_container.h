#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_buffer.h"
#include "base/clock.h"
#include "base/result.h"

namespace longshore {

/// An entry of a ZIP archive (PKWARE APPNOTE 6.3.10), deflated. Its sizes stand before its content: there are no data
/// descriptors, which streaming readers (Java's ZipInputStream among them) take badly or not at all.
struct ZipEntry {
  std::string name;          ///< ASCII
  std::uint32_t crc32 = 0;   ///< of the content
  std::uint32_t packed = 0;  ///< bytes, deflated
  std::uint32_t size = 0;    ///< bytes of the content
  std::uint64_t offset = 0;  ///< of its local header in the file
};

/// Bytes that append_local_header() writes.
std::size_t local_header_size(const ZipEntry& entry);
/// `modified`: shown in UTC, to two seconds, not before 1980.
void append_local_header(const ZipEntry& entry, Timestamp modified, ByteBuffer& out);
/// The directory and the end of the archive; zip64 where an offset needs it. `offset`: where the directory begins.
void append_central_directory(const std::vector<ZipEntry>& entries, Timestamp modified, std::uint64_t offset,
                              ByteBuffer& out);

/// Deflates what a frame writes around the partitions. By zlib: the bytes must be the same on every CPU, because one
/// worker may say in a header how long a piece is, and another one write it. Ends byte aligned and refers to nothing
/// before it. `last`: ends the stream, else anything deflated may follow. Errors: `deflate_failed` (internal).
Status append_deflated(std::string_view raw, bool last, ByteBuffer& out);

/// Appends a whole entry, header and content, and returns it. Errors: `deflate_failed` (internal).
Result<ZipEntry> append_entry(std::string name, std::string_view content, Timestamp modified, ByteBuffer& out);

}  // namespace longshore
