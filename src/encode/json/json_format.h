#pragma once

#include "encode/encoder.h"

namespace longshore {

/// One JSON array (RFC 8259) of all rows, UTF-8; each row is an object on a line of its own, spelled as in JSON Lines:
///
///     [
///     {"id":1,"name":"a"},
///     {"id":2,"name":null}
///     ]
///
/// and `[]` without rows, each ended by a line feed. Every row begins with the comma and line feed that end the line
/// before it. A partition's first row begins with the line feed alone: whether there are rows before it is known when
/// the file is put together, and then the comma is glue.
class JsonFormat final : public Format {
 public:
  JsonFormat();
  const FormatTraits& traits() const override { return traits_; }
  Result<std::unique_ptr<PartitionEncoder>> make_encoder(const ExportSpec& spec,
                                                         const ChunkSummary& before) const override;
  Result<std::unique_ptr<FileFrame>> make_frame(const ExportSpec& spec) const override;

 private:
  FormatTraits traits_;
};

}  // namespace longshore
