#pragma once

#include <cstdint>
#include <memory>

#include "encode/encoder.h"
#include "pdf/font_set.h"

namespace longshore {

struct PdfLimits {
  std::int64_t max_rows = 200'000;                   ///< of a report; 0: any number
  std::int64_t chunk_bytes = std::int64_t{1} << 20;  ///< output at which a chunk is closed; the file depends on it
};

/// A table report for people, as PDF/A-2b. See README.md for what it looks like and how each type is shown.
class PdfFormat final : public Format {
 public:
  /// `fonts`: what the reports may use. Workers that share exports need the same set, for the bytes depend on it.
  explicit PdfFormat(PdfLimits limits = {}, std::shared_ptr<const FontSet> fonts = FontSet::built_in());
  const FormatTraits& traits() const override { return traits_; }
  /// Errors: `no_columns` (user), those of TimeZone::find() and read_progress().
  Result<std::unique_ptr<PartitionEncoder>> make_encoder(const ExportSpec& spec,
                                                         const ChunkSummary& before) const override;
  Result<std::unique_ptr<FileFrame>> make_frame(const ExportSpec& spec) const override;

 private:
  FormatTraits traits_;
  PdfLimits limits_;
  std::shared_ptr<const FontSet> fonts_;
};

}  // namespace longshore
