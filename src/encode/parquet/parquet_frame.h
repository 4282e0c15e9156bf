#pragma once

#include <memory>

#include "encode/encoder.h"

namespace longshore::parquet {

/// The magic number before the row groups; page indexes and footer after them. The footer's offsets are reckoned from
/// where the partitions came to lie. Errors of make: `bad_parquet_option` (user); of epilogue: `bad_parquet_record`,
/// `parquet_footer_failed` (internal).
Result<std::unique_ptr<FileFrame>> make_parquet_frame(const ExportSpec& spec);

}  // namespace longshore::parquet
