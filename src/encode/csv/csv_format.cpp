#include "encode/csv/csv_format.h"

#include <string>
#include <string_view>
#include <utility>

#include "encode/csv/csv_cells.h"
#include "encode/text/row_encoder.h"

namespace longshore {
namespace {

std::string_view line_end(const CsvOptions& options) {
  return options.crlf ? "\r\n" : "\n";
}

Status check_delimiter(char delimiter) {
  if (is_csv_delimiter(delimiter)) return {};
  return fail(user_error("bad_csv_delimiter",
                         "csv.delimiter must be one of , ; | TAB or another punctuation character that no number, date "
                         "or quote contains"));
}

class CsvFrame final : public FileFrame {
 public:
  explicit CsvFrame(std::string header) : header_(std::move(header)) {}

  Status prologue(const std::vector<EncodedPartition>&, ByteBuffer& out) const override {
    out.append(header_);
    return {};
  }
  Status glue(const std::vector<EncodedPartition>&, std::size_t, ByteBuffer&) const override { return {}; }
  Status epilogue(const std::vector<EncodedPartition>&, const std::vector<std::int64_t>&, ByteBuffer&) const override {
    return {};
  }

 private:
  std::string header_;
};

}  // namespace

bool is_csv_delimiter(char delimiter) {
  constexpr std::string_view kAllowed = "\t!#$%&()*,;<>?@[]^_`{|}~";
  return kAllowed.find(delimiter) != std::string_view::npos;
}

CsvFormat::CsvFormat() {
  traits_.name = "csv";
  traits_.extension = "csv";
  traits_.content_type = "text/csv; charset=utf-8";
}

Result<std::unique_ptr<PartitionEncoder>> CsvFormat::make_encoder(const ExportSpec& spec, const ChunkSummary&) const {
  CHECK_OK(check_delimiter(spec.csv.delimiter));
  TRY(std::vector<CellColumn> columns, make_csv_columns(spec));
  return std::make_unique<RowEncoder>(std::move(columns), std::string(line_end(spec.csv)));
}

Result<std::unique_ptr<FileFrame>> CsvFormat::make_frame(const ExportSpec& spec) const {
  CHECK_OK(check_delimiter(spec.csv.delimiter));
  std::string header;
  if (spec.csv.bom) header = "\xEF\xBB\xBF";
  if (spec.csv.header) {
    for (std::size_t i = 0; i < spec.columns.size(); ++i) {
      if (i > 0) header += spec.csv.delimiter;
      header += csv_header_cell(spec.columns[i].name, spec.csv.delimiter);
    }
    header += line_end(spec.csv);
  }
  return std::make_unique<CsvFrame>(std::move(header));
}

}  // namespace longshore
