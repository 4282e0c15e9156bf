#pragma once

#include "encode/encoder.h"

namespace longshore {

/// CSV as of RFC 4180, UTF-8. See README.md for how each type is spelled.
class CsvFormat final : public Format {
 public:
  CsvFormat();
  const FormatTraits& traits() const override { return traits_; }
  /// Errors: `bad_csv_delimiter` (user).
  Result<std::unique_ptr<PartitionEncoder>> make_encoder(const ExportSpec& spec,
                                                         const ChunkSummary& before) const override;
  Result<std::unique_ptr<FileFrame>> make_frame(const ExportSpec& spec) const override;

 private:
  FormatTraits traits_;
};

/// Whether a CSV file may be separated by `delimiter`: TAB or ASCII punctuation that occurs in no number, date, uuid,
/// base64 text or formula guard, so that only text cells need quotes.
bool is_csv_delimiter(char delimiter);

}  // namespace longshore
