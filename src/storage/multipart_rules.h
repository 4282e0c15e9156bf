#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "model/part_limits.h"
#include "storage/object_store.h"

namespace longshore {

// The limits themselves are model/part_limits.h. Every store enforces them.

/// Errors: `bad_part_number` (internal) outside 1 to 10,000.
Status check_part_number(int number);

/// What can be said of receipts without looking at the parts. Errors, all internal: `no_parts`, `bad_part_number` (also
/// when they do not ascend), `part_too_small`.
Status check_receipts(std::span<const PartReceipt> parts);

std::int64_t total_bytes(std::span<const PartReceipt> parts);

/// The ETag of a part in the stores of this room: CRC-32C and size. It tells accidents apart, not attackers: the
/// SHA-256 of each part is computed and kept by who uploads it.
std::string part_etag(std::string_view bytes);
std::string part_etag(std::uint32_t crc32c, std::int64_t size);

/// `part_mismatch` (internal): the store does not hold the part that the receipt speaks of.
Error part_mismatch(const UploadRef& upload, const PartReceipt& receipt, std::string_view found);

Error object_not_found(const std::string& key);
Error upload_not_found(const UploadRef& upload);

}  // namespace longshore
