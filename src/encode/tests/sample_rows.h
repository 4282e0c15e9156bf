#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "batch/row_batch.h"
#include "encode/encoder.h"
#include "model/export_spec.h"

namespace longshore {

/// A test value in the form its column holds it; `monostate` is NULL.
using Cell = std::variant<std::monostate, bool, std::int64_t, double, Int128, std::string>;
using Row = std::vector<Cell>;

inline constexpr std::monostate kNull{};

/// csv, jsonl and json.
FormatTable make_formats();

/// A spec of columns written as `name:type`, e.g. `price:numeric(12,2)`.
ExportSpec make_spec(const std::string& format, const std::vector<std::string>& columns);
/// The same with LF and no header, so that only the rows show.
ExportSpec bare_csv(const std::vector<std::string>& columns, CsvProfile profile = CsvProfile::machine);

RowBatch make_batch(const ExportSpec& spec, const std::vector<Row>& rows, std::size_t first, std::size_t last);
RowBatch make_batch(const ExportSpec& spec, const std::vector<Row>& rows);

/// A file and what its encoders said of it.
struct EncodedFile {
  std::string bytes;
  ChunkSummary total;
};

/// The file of partitions that are encoded: prologue, glue and epilogue around them.
EncodedFile join_partitions(const FileFrame& frame, const std::vector<EncodedPartition>& encoded,
                            const std::vector<ByteBuffer>& bodies);

/// Encodes `rows` as the whole pipeline would: `partitions` of about equal size, batches of `batch_rows`, prologue,
/// glue and epilogue. With `fresh_encoders` every closed chunk is followed by an encoder of its own, as after a crash:
/// it starts from the last closed chunk, with the rows after it.
EncodedFile encode_file(const FormatTable& formats, const ExportSpec& spec, const std::vector<Row>& rows,
                        std::size_t partitions = 1, std::size_t batch_rows = 1000, bool fresh_encoders = false);
/// The same with partitions that begin at `borders`, of which the last is the end of the rows; none if it has fewer
/// than 2.
EncodedFile encode_partitions(const FormatTable& formats, const ExportSpec& spec, const std::vector<Row>& rows,
                              const std::vector<std::size_t>& borders, std::size_t batch_rows, bool fresh_encoders);
/// encode_file() with the formats of this room.
EncodedFile encode_file(const ExportSpec& spec, const std::vector<Row>& rows, std::size_t partitions = 1,
                        std::size_t batch_rows = 1000, bool fresh_encoders = false);

/// The bytes that the rows of one batch become, without the file's frame.
std::string encode_rows(const ExportSpec& spec, const std::vector<Row>& rows, ChunkSummary* summary = nullptr);

/// A 128-bit integer from its digits.
Int128 int128(std::string_view digits);

/// A directory that is gone with the test.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  /// Writes a file and returns its path.
  std::string write(const std::string& name, std::string_view bytes) const;

 private:
  std::string path_;
};

/// Runs a command; its exit status and everything it said.
struct CommandResult {
  int status = -1;
  std::string output;
};
CommandResult run_command(const std::string& command);
bool has_command(const std::string& name);

}  // namespace longshore
