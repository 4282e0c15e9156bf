#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/data_type.h"
#include "model/dataset.h"

namespace longshore {

enum class FilterOp { eq, in, gte, gt, lte, lt, is_null };

/// A value in canonical text: integers and decimals as digits, timestamps RFC 3339 UTC, bool `true`/`false`.
struct Value {
  DataType type;
  std::string text;
};

/// One condition on one source column. Shapes: no value with is_null, one or more with in, else one.
struct Filter {
  std::string column;  ///< source column, taken from the catalog and never from a request
  FilterOp op = FilterOp::eq;
  std::vector<Value> values;
};

enum class Compression { none, gzip, zstd };
enum class Consistency { best_effort, snapshot, materialized };
enum class CsvProfile { spreadsheet, machine };

struct CsvOptions {
  char delimiter = ',';
  bool header = true;
  bool bom = false;
  bool crlf = true;
  CsvProfile profile = CsvProfile::spreadsheet;
};

/// A validated question: all that a worker needs to make the file. Stored with the job as JSON, so that a later
/// change of the catalog never changes an export that has begun.
struct ExportSpec {
  Dataset dataset;              ///< as it was when the request came
  std::vector<Column> columns;  ///< the exported ones, in the order asked for
  std::string format;           ///< lower case: `csv`, `jsonl`, …
  Compression compression = Compression::none;
  Consistency consistency = Consistency::best_effort;
  std::vector<Filter> filters;
  std::string tenant;  ///< bound on dataset.tenant_column
  CsvOptions csv;
  std::string title;  ///< may be empty; used in the download's file name
};

/// `none`, `gzip`, `zstd`.
std::string_view to_string(Compression compression);
std::optional<Compression> parse_compression(std::string_view text);
/// `best_effort`, `snapshot`, `materialized`.
std::string_view to_string(Consistency consistency);
std::optional<Consistency> parse_consistency(std::string_view text);

/// JSON form of a spec, for the metadata store. `spec_from_json` reads only what `to_json` wrote
/// (error `bad_stored_spec` otherwise).
std::string to_json(const ExportSpec& spec);
Result<ExportSpec> spec_from_json(std::string_view text);

}  // namespace longshore
