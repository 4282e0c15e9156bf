#pragma once

#include <cstdint>

#include "encode/encoder.h"

namespace longshore {

/// How large a workbook may become. Tests make sheets small; everybody else leaves them as Excel has them.
struct XlsxLimits {
  int max_sheets = 10;                       ///< policy: more is no workbook that people open
  std::int64_t rows_per_sheet = 1'048'575;   ///< Excel's 1,048,576, less the header row
  std::int64_t sheet_bytes = 4'000'000'000;  ///< of XML, and deflated: below 4 GiB, where ZIP ends without zip64
};

/// Excel's other limits ("Excel specifications and limits", Microsoft).
inline constexpr std::size_t kXlsxMaxColumns = 16'384;

/// Office Open XML workbook (ECMA-376, ISO/IEC 29500 transitional). See README.md.
class XlsxFormat final : public Format {
 public:
  explicit XlsxFormat(XlsxLimits limits = {});
  const FormatTraits& traits() const override { return traits_; }

  /// Without a place the rows of a new partition are not numbered, see PartitionPlace.
  /// Errors: `xlsx_too_many_columns`, `unknown_time_zone` (user).
  Result<std::unique_ptr<PartitionEncoder>> make_encoder(const ExportSpec& spec,
                                                         const ChunkSummary& before) const override;
  Result<std::unique_ptr<PartitionEncoder>> make_encoder_at(const ExportSpec& spec, const ChunkSummary& before,
                                                            const PartitionPlace& place) const override;
  /// Errors: `xlsx_too_many_columns` (user).
  Result<std::unique_ptr<FileFrame>> make_frame(const ExportSpec& spec) const override;

 private:
  XlsxLimits limits_;
  FormatTraits traits_;
};

}  // namespace longshore
