#pragma once

#include "encode/encoder.h"

namespace longshore {

/// Apache Parquet. See README.md for how each type is stored and how the file is put together.
class ParquetFormat final : public Format {
 public:
  ParquetFormat();
  const FormatTraits& traits() const override { return traits_; }
  /// Errors: `bad_parquet_option` (user).
  Result<std::unique_ptr<PartitionEncoder>> make_encoder(const ExportSpec& spec,
                                                         const ChunkSummary& before) const override;
  /// Errors: `bad_parquet_option` (user).
  Result<std::unique_ptr<FileFrame>> make_frame(const ExportSpec& spec) const override;

 private:
  FormatTraits traits_;
};

}  // namespace longshore
