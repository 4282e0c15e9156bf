#include "model/export_spec.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <exception>
#include <stdexcept>

namespace longshore {

namespace json = boost::json;

namespace {

constexpr std::array<std::string_view, 3> kCompressions{"none", "gzip", "zstd"};
constexpr std::array<std::string_view, 3> kConsistencies{"best_effort", "snapshot", "materialized"};
constexpr std::array<std::string_view, 2> kSnapshotLosses{"restart", "fail"};
constexpr std::array<std::string_view, 7> kFilterOps{"eq", "in", "gte", "gt", "lte", "lt", "is_null"};
constexpr std::array<std::string_view, 2> kCsvProfiles{"spreadsheet", "machine"};
constexpr std::array<std::string_view, 2> kParquetProfiles{"standard", "modern"};
constexpr std::array<std::string_view, 3> kParquetCodecs{"zstd", "snappy", "none"};
constexpr std::array<std::string_view, 4> kTableStyles{"none", "light", "medium", "dark"};
constexpr std::array<std::string_view, 3> kOrientations{"auto", "portrait", "landscape"};
constexpr std::array<std::string_view, 4> kPageSizes{"a4", "a3", "letter", "legal"};

template <class Enum, std::size_t N>
std::string_view name_of(const std::array<std::string_view, N>& names, Enum value) {
  return names.at(static_cast<std::size_t>(value));
}

template <class Enum, std::size_t N>
std::optional<Enum> find_name(const std::array<std::string_view, N>& names, std::string_view text) {
  const auto* found = std::ranges::find(names, text);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

// --- writing

json::value strings_to_json(const std::vector<std::string>& texts) {
  return json::array(texts.begin(), texts.end());
}

json::value column_to_json(const Column& column) {
  return {{"name", column.name},
          {"source", column.source},
          {"type", to_string(column.type)},
          {"classification", column.classification},
          {"permission", column.permission},
          {"filterable", column.filterable}};
}

json::array columns_to_json(const std::vector<Column>& columns) {
  json::array array;
  for (const Column& column : columns) array.push_back(column_to_json(column));
  return array;
}

json::value dataset_to_json(const Dataset& dataset) {
  json::array consistencies;
  for (const Consistency mode : dataset.consistencies) consistencies.emplace_back(name_of(kConsistencies, mode));
  json::array key_types;
  for (const DataType& type : dataset.key_types) key_types.emplace_back(to_string(type));
  return {{"name", dataset.name},
          {"source", dataset.source},
          {"relation", dataset.relation},
          {"tenantColumn", dataset.tenant_column},
          {"subjectColumn", dataset.subject_column},
          {"key", strings_to_json(dataset.key)},
          {"keyTypes", std::move(key_types)},
          {"timeColumn", dataset.time_column},
          {"timeType", dataset.time_type ? json::value(to_string(*dataset.time_type)) : json::value(nullptr)},
          {"tenantType", to_string(dataset.tenant_type)},
          {"permission", dataset.permission},
          {"description", dataset.description},
          {"retentionMicros", dataset.retention.count()},
          {"exactBoundaries", dataset.exact_boundaries},
          {"consistencies", std::move(consistencies)},
          {"onSnapshotLoss", name_of(kSnapshotLosses, dataset.on_snapshot_loss)},
          {"columns", columns_to_json(dataset.columns)}};
}

json::array filters_to_json(const std::vector<Filter>& filters) {
  json::array array;
  for (const Filter& filter : filters) {
    json::array values;
    for (const Value& value : filter.values) values.push_back({{"type", to_string(value.type)}, {"text", value.text}});
    array.push_back({{"column", filter.column}, {"op", name_of(kFilterOps, filter.op)}, {"values", std::move(values)}});
  }
  return array;
}

// --- reading; every function throws what json::value throws when the shape is wrong

std::string read_string(const json::value& object, std::string_view name) {
  return std::string(object.at(name).as_string());
}

DataType read_type(const json::value& value) {
  const auto type = parse_data_type(value.as_string());
  if (!type) throw std::invalid_argument("unknown type " + std::string(value.as_string()));
  return *type;
}

template <class Enum, std::size_t N>
Enum read_enum(const std::array<std::string_view, N>& names, const json::value& value) {
  const auto found = find_name<Enum>(names, value.as_string());
  if (!found) throw std::invalid_argument("unknown name " + std::string(value.as_string()));
  return *found;
}

std::vector<std::string> read_strings(const json::value& value) {
  std::vector<std::string> texts;
  for (const json::value& text : value.as_array()) texts.emplace_back(text.as_string());
  return texts;
}

std::vector<Column> read_columns(const json::value& value) {
  std::vector<Column> columns;
  for (const json::value& column : value.as_array()) {
    columns.push_back({.name = read_string(column, "name"),
                       .source = read_string(column, "source"),
                       .type = read_type(column.at("type")),
                       .classification = read_string(column, "classification"),
                       .permission = read_string(column, "permission"),
                       .filterable = column.at("filterable").as_bool()});
  }
  return columns;
}

Dataset read_dataset(const json::value& value) {
  Dataset dataset;
  dataset.name = read_string(value, "name");
  dataset.source = read_string(value, "source");
  dataset.relation = read_string(value, "relation");
  dataset.tenant_column = read_string(value, "tenantColumn");
  dataset.subject_column = read_string(value, "subjectColumn");
  dataset.key = read_strings(value.at("key"));
  for (const json::value& type : value.at("keyTypes").as_array()) dataset.key_types.push_back(read_type(type));
  dataset.time_column = read_string(value, "timeColumn");
  if (const json::value& type = value.at("timeType"); !type.is_null()) dataset.time_type = read_type(type);
  dataset.tenant_type = read_type(value.at("tenantType"));
  dataset.permission = read_string(value, "permission");
  dataset.description = read_string(value, "description");
  dataset.retention = Duration{value.at("retentionMicros").to_number<std::int64_t>()};
  dataset.exact_boundaries = value.at("exactBoundaries").as_bool();
  // Specs that were recorded before there was a choice have neither member.
  if (const json::value* modes = value.as_object().if_contains("consistencies")) {
    dataset.consistencies.clear();
    for (const json::value& mode : modes->as_array()) {
      dataset.consistencies.push_back(read_enum<Consistency>(kConsistencies, mode));
    }
  }
  if (const json::value* policy = value.as_object().if_contains("onSnapshotLoss")) {
    dataset.on_snapshot_loss = read_enum<SnapshotLoss>(kSnapshotLosses, *policy);
  }
  dataset.columns = read_columns(value.at("columns"));
  return dataset;
}

std::vector<Filter> read_filters(const json::value& value) {
  std::vector<Filter> filters;
  for (const json::value& filter : value.as_array()) {
    Filter& added = filters.emplace_back();
    added.column = read_string(filter, "column");
    added.op = read_enum<FilterOp>(kFilterOps, filter.at("op"));
    for (const json::value& item : filter.at("values").as_array()) {
      added.values.push_back({.type = read_type(item.at("type")), .text = read_string(item, "text")});
    }
  }
  return filters;
}

CsvOptions read_csv(const json::value& value) {
  const std::string delimiter = read_string(value, "delimiter");
  if (delimiter.size() != 1) throw std::invalid_argument("delimiter is not one character");
  return {.delimiter = delimiter.front(),
          .header = value.at("header").as_bool(),
          .bom = value.at("bom").as_bool(),
          .crlf = value.at("crlf").as_bool(),
          .profile = read_enum<CsvProfile>(kCsvProfiles, value.at("profile"))};
}

ParquetOptions read_parquet(const json::value& value) {
  return {.profile = read_enum<ParquetProfile>(kParquetProfiles, value.at("profile")),
          .codec = read_enum<ParquetCodec>(kParquetCodecs, value.at("codec")),
          .bloom_filters = read_strings(value.at("bloomFilters"))};
}

ExportSpec read_spec(const json::value& value) {
  ExportSpec spec;
  spec.dataset = read_dataset(value.at("dataset"));
  spec.columns = read_columns(value.at("columns"));
  spec.format = read_string(value, "format");
  spec.compression = read_enum<Compression>(kCompressions, value.at("compression"));
  spec.consistency = read_enum<Consistency>(kConsistencies, value.at("consistency"));
  spec.filters = read_filters(value.at("filters"));
  spec.tenant = read_string(value, "tenant");
  spec.csv = read_csv(value.at("csv"));
  spec.parquet = read_parquet(value.at("parquet"));
  spec.xlsx = {.sheet_name = read_string(value.at("xlsx"), "sheetName"),
               .table_style = read_enum<XlsxTableStyle>(kTableStyles, value.at("xlsx").at("tableStyle"))};
  spec.pdf = {.orientation = read_enum<PdfOrientation>(kOrientations, value.at("pdf").at("orientation")),
              .page_size = read_enum<PdfPageSize>(kPageSizes, value.at("pdf").at("pageSize"))};
  spec.time_zone = read_string(value, "timeZone");
  spec.title = read_string(value, "title");
  spec.requested_at = Timestamp{Duration{value.at("requestedAtMicros").to_number<std::int64_t>()}};
  return spec;
}

}  // namespace

bool may_have_bloom_filter(const DataType& type) {
  return type.logical != LogicalType::boolean && type.logical != LogicalType::float32 &&
         type.logical != LogicalType::float64 && type.logical != LogicalType::array;
}

std::string_view to_string(Compression compression) {
  return name_of(kCompressions, compression);
}

std::optional<Compression> parse_compression(std::string_view text) {
  return find_name<Compression>(kCompressions, text);
}

std::string_view to_string(Consistency consistency) {
  return name_of(kConsistencies, consistency);
}

std::optional<Consistency> parse_consistency(std::string_view text) {
  return find_name<Consistency>(kConsistencies, text);
}

std::string_view to_string(SnapshotLoss policy) {
  return name_of(kSnapshotLosses, policy);
}

std::string_view to_string(CsvProfile profile) {
  return name_of(kCsvProfiles, profile);
}

std::string_view to_string(ParquetProfile profile) {
  return name_of(kParquetProfiles, profile);
}

std::string_view to_string(ParquetCodec codec) {
  return name_of(kParquetCodecs, codec);
}

std::string_view to_string(XlsxTableStyle style) {
  return name_of(kTableStyles, style);
}

std::string_view to_string(PdfOrientation orientation) {
  return name_of(kOrientations, orientation);
}

std::string_view to_string(PdfPageSize size) {
  return name_of(kPageSizes, size);
}

template <>
std::span<const std::string_view> names_of<Compression>() {
  return kCompressions;
}

template <>
std::span<const std::string_view> names_of<Consistency>() {
  return kConsistencies;
}

template <>
std::span<const std::string_view> names_of<SnapshotLoss>() {
  return kSnapshotLosses;
}

template <>
std::span<const std::string_view> names_of<CsvProfile>() {
  return kCsvProfiles;
}

template <>
std::span<const std::string_view> names_of<ParquetProfile>() {
  return kParquetProfiles;
}

template <>
std::span<const std::string_view> names_of<ParquetCodec>() {
  return kParquetCodecs;
}

template <>
std::span<const std::string_view> names_of<XlsxTableStyle>() {
  return kTableStyles;
}

template <>
std::span<const std::string_view> names_of<PdfOrientation>() {
  return kOrientations;
}

template <>
std::span<const std::string_view> names_of<PdfPageSize>() {
  return kPageSizes;
}

std::string to_json(const ExportSpec& spec) {
  return json::serialize(json::object{
      {"dataset", dataset_to_json(spec.dataset)},
      {"columns", columns_to_json(spec.columns)},
      {"format", spec.format},
      {"compression", to_string(spec.compression)},
      {"consistency", to_string(spec.consistency)},
      {"filters", filters_to_json(spec.filters)},
      {"tenant", spec.tenant},
      {"csv",
       {{"delimiter", std::string_view(&spec.csv.delimiter, 1)},
        {"header", spec.csv.header},
        {"bom", spec.csv.bom},
        {"crlf", spec.csv.crlf},
        {"profile", to_string(spec.csv.profile)}}},
      {"parquet",
       {{"profile", to_string(spec.parquet.profile)},
        {"codec", to_string(spec.parquet.codec)},
        {"bloomFilters", strings_to_json(spec.parquet.bloom_filters)}}},
      {"xlsx", {{"sheetName", spec.xlsx.sheet_name}, {"tableStyle", to_string(spec.xlsx.table_style)}}},
      {"pdf", {{"orientation", to_string(spec.pdf.orientation)}, {"pageSize", to_string(spec.pdf.page_size)}}},
      {"timeZone", spec.time_zone},
      {"title", spec.title},
      {"requestedAtMicros", spec.requested_at.time_since_epoch().count()}});
}

Result<ExportSpec> spec_from_json(std::string_view text) {
  try {
    return read_spec(json::parse(text));
  } catch (const std::exception& problem) {
    return fail(internal_error("bad_stored_spec", std::string("a stored export cannot be read: ") + problem.what()));
  }
}

}  // namespace longshore
