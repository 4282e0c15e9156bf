#include "scan/tests/reading.h"

#include <thread>

#include "base/digest.h"
#include "scan/value_text.h"

namespace longshore {

std::optional<std::string> shown(const ColumnVector& column, std::size_t row) {
  if (column.is_null(row)) return std::nullopt;
  switch (column.physical()) {
    case PhysicalType::boolean:
      return column.values<std::uint8_t>()[row] != 0 ? "true" : "false";
    case PhysicalType::int32: {
      const std::int32_t value = column.values<std::int32_t>()[row];
      return column.type().logical == LogicalType::date ? date_text(value) : std::to_string(value);
    }
    case PhysicalType::int64: {
      const std::int64_t value = column.values<std::int64_t>()[row];
      switch (column.type().logical) {
        case LogicalType::time:
          return time_text(value);
        case LogicalType::timestamp:
          return timestamp_text(value, false);
        case LogicalType::timestamptz:
          return timestamp_text(value, true);
        default:
          return std::to_string(value);
      }
    }
    case PhysicalType::float32:
      return float_text(column.values<float>()[row]);
    case PhysicalType::float64:
      return float_text(column.values<double>()[row]);
    case PhysicalType::decimal128:
      return decimal_text(column.values<Int128>()[row], column.type().scale);
    case PhysicalType::fixed16:
      return uuid_text(column.values<std::uint8_t>() + row * 16);
    case PhysicalType::bytes:
      if (column.type().logical == LogicalType::bytea) return to_hex(column.text(row));
      return std::string(column.text(row));
  }
  return std::nullopt;
}

RowBatch batch_for(const ExportSpec& spec) {
  std::vector<DataType> types;
  types.reserve(spec.columns.size());
  for (const Column& column : spec.columns) types.push_back(column.type);
  return RowBatch(types);
}

void append_rows(const RowBatch& batch, Reading& reading) {
  for (std::size_t row = 0; row < batch.row_count(); ++row) {
    TextRow values;
    for (std::size_t column = 0; column < batch.column_count(); ++column) {
      values.push_back(shown(batch.column(column), row));
    }
    reading.rows.push_back(std::move(values));
  }
  reading.batch_rows.push_back(batch.row_count());
  reading.last_keys.push_back(batch.last_key());
}

Result<Reading> read_steps(RowSource& scan, const ExportSpec& spec, const std::function<void(int)>& between) {
  Reading reading;
  RowBatch batch = batch_for(spec);
  for (int i = 0;; ++i) {
    TRY(const bool more, scan.next(batch));
    if (!more) return reading;
    append_rows(batch, reading);
    between(i);
  }
}

Result<Reading> read_range(SourceDatabase& source, const ExportSpec& spec, const KeyRange& range, BatchLimits limits) {
  TRY(auto scan, source.open_scan({.spec = &spec, .range = range, .batch = limits, .label = "test"}, {}));
  return read_steps(*scan, spec);
}

Result<Reading> read_ranges(SourceDatabase& source, const ExportSpec& spec, const std::vector<KeyRange>& ranges,
                            BatchLimits limits) {
  Reading all;
  for (const KeyRange& range : ranges) {
    TRY(Reading reading, read_range(source, spec, range, limits));
    all.rows.insert(all.rows.end(), reading.rows.begin(), reading.rows.end());
    all.batch_rows.insert(all.batch_rows.end(), reading.batch_rows.begin(), reading.batch_rows.end());
    all.last_keys.insert(all.last_keys.end(), reading.last_keys.begin(), reading.last_keys.end());
  }
  return all;
}

ExportSpec spec_of(const RelationInfo& relation, const std::vector<std::string>& key) {
  ExportSpec spec;
  spec.dataset.name = "test";
  spec.dataset.relation = relation.name;
  spec.dataset.key = key;
  for (const std::string& column : key) spec.dataset.key_types.push_back(relation.find_column(column)->type);
  for (const ColumnInfo& column : relation.columns) {
    Column exported;
    exported.name = column.name;
    exported.source = column.name;
    exported.type = column.type;
    spec.columns.push_back(exported);
  }
  spec.dataset.columns = spec.columns;
  return spec;
}

Filter filter_of(const std::string& column, FilterOp op, const char* type, std::vector<std::string> values) {
  Filter filter{.column = column, .op = op, .values = {}};
  for (std::string& value : values) filter.values.push_back({.type = *parse_data_type(type), .text = std::move(value)});
  return filter;
}

std::vector<int> ids_of(SourceDatabase& source, ExportSpec spec, std::vector<Filter> filters) {
  spec.columns.resize(1);
  spec.filters = std::move(filters);
  const auto reading = read_range(source, spec, {});
  if (!reading) {
    ADD_FAILURE() << reading.error().message;
    return {};
  }
  std::vector<int> found;
  for (const TextRow& row : reading->rows) found.push_back(std::stoi(*row[0]));
  return found;
}

bool eventually(const std::function<bool()>& condition) {
  constexpr std::chrono::seconds kPatience{60};
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace longshore
