#pragma once

#include "encode/encoder.h"
#include "xlsx/xlsx_format.h"

namespace longshore {

/// Everything of a workbook but the rows: the small parts, what stands around the rows of each sheet, the directory.
class WorkbookFrame final : public FileFrame {
 public:
  WorkbookFrame(const ExportSpec& spec, const XlsxLimits& limits) : spec_(spec), limits_(limits) {}

  /// Errors of all three: those of lay_out_sheets().
  Status prologue(const std::vector<EncodedPartition>& partitions, ByteBuffer& out) const override;
  Status glue(const std::vector<EncodedPartition>& partitions, std::size_t index, ByteBuffer& out) const override;
  Status epilogue(const std::vector<EncodedPartition>& partitions, const std::vector<std::int64_t>& offsets,
                  ByteBuffer& out) const override;

 private:
  ExportSpec spec_;
  XlsxLimits limits_;
};

}  // namespace longshore
