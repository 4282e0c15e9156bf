#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sample_rows.h"

namespace longshore {

/// A table with Parquet alone.
FormatTable parquet_formats();
ExportSpec parquet_spec(const std::vector<std::string>& columns, ParquetCodec codec = ParquetCodec::zstd,
                        ParquetProfile profile = ParquetProfile::standard);
/// sample_rows.h's encode_file() in Parquet.
EncodedFile parquet_file(const ExportSpec& spec, const std::vector<Row>& rows, std::size_t partitions = 1,
                         std::size_t batch_rows = 1000, bool fresh_encoders = false);

/// The rows of one partition, encoded.
struct EncodedRows {
  std::string bytes;
  std::vector<ChunkSummary> chunks;
};
EncodedRows encode_partition(const ExportSpec& spec, const std::vector<Row>& rows, std::size_t batch_rows = 1000);

/// A file of partitions that do not lie next to each other: `gap` bytes of rubbish between them.
std::string file_with_gaps(const ExportSpec& spec, const std::vector<EncodedRows>& partitions, std::size_t gap);

/// Runs a script of this folder with Node.js and the readers that scripts/readers.sh installs; fails the test if they
/// are not there.
CommandResult run_reader(const std::string& script, const std::string& arguments);

}  // namespace longshore
