#include "storage/multipart_rules.h"

#include <fmt/format.h>

#include "base/digest.h"

namespace longshore {

Status check_part_number(int number) {
  if (number >= 1 && number <= kMaxPartNumber) return {};
  return fail(
      internal_error("bad_part_number", fmt::format("part number {} is not within 1 to {}", number, kMaxPartNumber)));
}

Status check_receipts(std::span<const PartReceipt> parts) {
  if (parts.empty()) return fail(internal_error("no_parts", "an upload is completed with at least one part"));
  for (std::size_t i = 0; i < parts.size(); ++i) {
    CHECK_OK(check_part_number(parts[i].number));
    if (i > 0 && parts[i].number <= parts[i - 1].number) {
      return fail(internal_error("bad_part_number", fmt::format("part {} is named after part {}; numbers must ascend",
                                                                parts[i].number, parts[i - 1].number)));
    }
    if (i + 1 < parts.size() && parts[i].bytes < kMinPartBytes) {
      return fail(internal_error("part_too_small",
                                 fmt::format("part {} has {} bytes; every part but the last needs at least {}",
                                             parts[i].number, parts[i].bytes, kMinPartBytes)));
    }
  }
  return {};
}

std::int64_t total_bytes(std::span<const PartReceipt> parts) {
  std::int64_t total = 0;
  for (const PartReceipt& part : parts) total += part.bytes;
  return total;
}

std::string part_etag(std::string_view bytes) {
  return part_etag(crc32c(bytes), static_cast<std::int64_t>(bytes.size()));
}

std::string part_etag(std::uint32_t crc32c, std::int64_t size) {
  return fmt::format("{:08x}-{:x}", crc32c, size);
}

Error part_mismatch(const UploadRef& upload, const PartReceipt& receipt, std::string_view found) {
  return internal_error("part_mismatch",
                        fmt::format("part {} of upload {} of {} should have {} bytes and ETag {}, but {}",
                                    receipt.number, upload.id, upload.key, receipt.bytes, receipt.etag, found));
}

Error object_not_found(const std::string& key) {
  return external_error("object_not_found", fmt::format("there is no object {} in the store", key), false);
}

Error upload_not_found(const UploadRef& upload) {
  return external_error(
      "upload_not_found",
      fmt::format("there is no upload {} of {} in the store (completed or aborted?)", upload.id, upload.key), false);
}

}  // namespace longshore
