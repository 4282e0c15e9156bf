#pragma once

#include "encode/encoder.h"

namespace longshore {

/// JSON Lines: one JSON object (RFC 8259) per row, UTF-8, each ended by a line feed. See README.md for how each type is
/// spelled.
class JsonlFormat final : public Format {
 public:
  JsonlFormat();
  const FormatTraits& traits() const override { return traits_; }
  Result<std::unique_ptr<PartitionEncoder>> make_encoder(const ExportSpec& spec,
                                                         const ChunkSummary& before) const override;
  Result<std::unique_ptr<FileFrame>> make_frame(const ExportSpec& spec) const override;

 private:
  FormatTraits traits_;
};

}  // namespace longshore
