#include "encode/json/json_format.h"

#include <algorithm>
#include <utility>

#include "encode/json/json_cells.h"
#include "encode/text/row_encoder.h"

namespace longshore {
namespace {

/// What stands before a row: the end of the line above.
constexpr std::string_view kRowBegin = ",\n";
constexpr std::size_t kCommaSize = 1;

/// Whether any of the first `count` partitions has rows.
bool any_rows(const std::vector<EncodedPartition>& partitions, std::size_t count) {
  return std::any_of(partitions.begin(), partitions.begin() + static_cast<std::ptrdiff_t>(count),
                     [](const EncodedPartition& partition) { return partition.summary.rows > 0; });
}

class JsonFrame final : public FileFrame {
 public:
  Status prologue(const std::vector<EncodedPartition>&, ByteBuffer& out) const override {
    out.push_back('[');
    return {};
  }
  Status glue(const std::vector<EncodedPartition>& partitions, std::size_t index, ByteBuffer& out) const override {
    if (partitions[index].summary.rows > 0 && any_rows(partitions, index)) out.push_back(',');
    return {};
  }
  Status epilogue(const std::vector<EncodedPartition>& partitions, const std::vector<std::int64_t>&,
                  ByteBuffer& out) const override {
    out.append(any_rows(partitions, partitions.size()) ? "\n]\n" : "]\n");
    return {};
  }
};

}  // namespace

JsonFormat::JsonFormat() {
  traits_.name = "json";
  traits_.extension = "json";
  traits_.content_type = "application/json";
  traits_.size_factor = 1.4;  // every row names its columns
}

Result<std::unique_ptr<PartitionEncoder>> JsonFormat::make_encoder(const ExportSpec& spec,
                                                                   const ChunkSummary& before) const {
  TRY(std::vector<CellColumn> columns, make_json_columns(spec, kRowBegin));
  return std::make_unique<RowEncoder>(std::move(columns), "}", before.rows == 0 ? kCommaSize : 0);
}

Result<std::unique_ptr<FileFrame>> JsonFormat::make_frame(const ExportSpec&) const {
  return std::make_unique<JsonFrame>();
}

}  // namespace longshore
