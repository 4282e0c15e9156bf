#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
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
enum class CsvProfile { spreadsheet, machine };

struct CsvOptions {
  char delimiter = ',';
  bool header = true;
  bool bom = false;
  bool crlf = true;
  CsvProfile profile = CsvProfile::spreadsheet;
};

/// `modern` uses the encodings that Parquet 2 added; smaller, and unreadable to some old readers.
enum class ParquetProfile { standard, modern };
enum class ParquetCodec { zstd, snappy, none };

struct ParquetOptions {
  ParquetProfile profile = ParquetProfile::standard;
  ParquetCodec codec = ParquetCodec::zstd;
  std::vector<std::string> bloom_filters;  ///< names of exported columns
};

/// Whether Parquet keeps bloom filters for a type: not where equal values have different bytes (floating point), where
/// there are two values (bool), nor for lists.
bool may_have_bloom_filter(const DataType& type);

/// The style of the table that Excel makes of a sheet's rows; `none` leaves plain cells with an autofilter.
enum class XlsxTableStyle { none, light, medium, dark };

struct XlsxOptions {
  std::string sheet_name;  ///< empty: the dataset's name. Further sheets are numbered.
  XlsxTableStyle table_style = XlsxTableStyle::none;
};

enum class PdfOrientation { automatic, portrait, landscape };
enum class PdfPageSize { a4, a3, letter, legal };

struct PdfOptions {
  PdfOrientation orientation = PdfOrientation::automatic;
  PdfPageSize page_size = PdfPageSize::a4;
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
  ParquetOptions parquet;
  XlsxOptions xlsx;
  PdfOptions pdf;
  std::string time_zone = "UTC";  ///< IANA name: how timestamptz values are shown, where a format shows them as text
  std::string title;              ///< may be empty; used in the download's file name and where a format has titles
  Timestamp requested_at;         ///< what a file says of when it was made: stays the same however often it is made
};

/// `none`, `gzip`, `zstd`.
std::string_view to_string(Compression compression);
std::optional<Compression> parse_compression(std::string_view text);
/// `best_effort`, `snapshot`, `materialized`.
std::string_view to_string(Consistency consistency);
std::optional<Consistency> parse_consistency(std::string_view text);

/// `restart`, `fail`.
std::string_view to_string(SnapshotLoss policy);

/// `spreadsheet`, `machine`.
std::string_view to_string(CsvProfile profile);
/// `standard`, `modern`.
std::string_view to_string(ParquetProfile profile);
/// `zstd`, `snappy`, `none`.
std::string_view to_string(ParquetCodec codec);
/// `none`, `light`, `medium`, `dark`.
std::string_view to_string(XlsxTableStyle style);
/// `auto`, `portrait`, `landscape`.
std::string_view to_string(PdfOrientation orientation);
/// `a4`, `a3`, `letter`, `legal`.
std::string_view to_string(PdfPageSize size);

/// The words of an enumeration above, in the order of its values: what a request may say.
template <class Enum>
std::span<const std::string_view> names_of();
template <>
std::span<const std::string_view> names_of<Compression>();
template <>
std::span<const std::string_view> names_of<Consistency>();
template <>
std::span<const std::string_view> names_of<SnapshotLoss>();
template <>
std::span<const std::string_view> names_of<CsvProfile>();
template <>
std::span<const std::string_view> names_of<ParquetProfile>();
template <>
std::span<const std::string_view> names_of<ParquetCodec>();
template <>
std::span<const std::string_view> names_of<XlsxTableStyle>();
template <>
std::span<const std::string_view> names_of<PdfOrientation>();
template <>
std::span<const std::string_view> names_of<PdfPageSize>();

/// JSON form of a spec, for the metadata store. `spec_from_json` reads only what `to_json` wrote
/// (error `bad_stored_spec` otherwise).
std::string to_json(const ExportSpec& spec);
Result<ExportSpec> spec_from_json(std::string_view text);

}  // namespace longshore
