#include "encode/json/jsonl_format.h"

#include <utility>

#include "encode/json/json_cells.h"
#include "encode/text/row_encoder.h"

namespace longshore {
namespace {

/// Lines need nothing around them.
class JsonlFrame final : public FileFrame {
 public:
  Status prologue(const std::vector<EncodedPartition>&, ByteBuffer&) const override { return {}; }
  Status glue(const std::vector<EncodedPartition>&, std::size_t, ByteBuffer&) const override { return {}; }
  Status epilogue(const std::vector<EncodedPartition>&, const std::vector<std::int64_t>&, ByteBuffer&) const override {
    return {};
  }
};

}  // namespace

JsonlFormat::JsonlFormat() {
  traits_.name = "jsonl";
  traits_.extension = "jsonl";
  traits_.content_type = "application/x-ndjson";
  traits_.size_factor = 1.4;  // every row names its columns
}

Result<std::unique_ptr<PartitionEncoder>> JsonlFormat::make_encoder(const ExportSpec& spec, const ChunkSummary&) const {
  TRY(std::vector<CellColumn> columns, make_json_columns(spec, ""));
  // Rows without columns cannot be: the request must name one at least.
  return std::make_unique<RowEncoder>(std::move(columns), "}\n");
}

Result<std::unique_ptr<FileFrame>> JsonlFormat::make_frame(const ExportSpec&) const {
  return std::make_unique<JsonlFrame>();
}

}  // namespace longshore
