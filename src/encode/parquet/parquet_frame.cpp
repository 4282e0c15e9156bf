#include "parquet/parquet_frame.h"

#include <chrono>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/version.h"
#include "encode/text/calendar.h"
#include "parquet/key_order.h"
#include "parquet/metadata.h"
#include "parquet/schema.h"

namespace longshore::parquet {
namespace {

constexpr std::string_view kMagic = "PAR1";

/// The row groups of a file. Their records are read anew each time, so that those of a large file are never all in
/// memory.
class RowGroups {
 public:
  RowGroups(const std::vector<EncodedPartition>& partitions, const std::vector<std::int64_t>& offsets,
            std::size_t columns)
      : partitions_(partitions), offsets_(offsets), columns_(columns) {}

  /// Calls `visit` with each record, in order, and where the row group begins. Errors: `bad_parquet_record` (internal).
  template <class Visit>
  Status for_each(Visit visit) const {
    for (std::size_t i = 0; i < partitions_.size(); ++i) {
      std::string_view detail = partitions_[i].summary.detail;
      std::int64_t begin = offsets_[i];
      while (!detail.empty()) {
        TRY(RowGroupRecord record, take_record(detail));
        if (record.columns.size() != columns_) {
          return fail(internal_error("bad_parquet_record", "a row group has " + std::to_string(record.columns.size()) +
                                                               " columns, the export " + std::to_string(columns_)));
        }
        const std::int64_t bytes = record.bytes();
        visit(std::move(record), begin);
        begin += bytes;
      }
    }
    return {};
  }

 private:
  const std::vector<EncodedPartition>& partitions_;
  const std::vector<std::int64_t>& offsets_;
  std::size_t columns_;
};

class ParquetFrame final : public FileFrame {
 public:
  ParquetFrame(const ExportSpec& spec, std::vector<ParquetColumn> columns)
      : columns_(std::move(columns)),
        options_(spec.parquet),
        sorting_columns_(parquet::sorting_columns(spec)),
        properties_(properties_of(spec)) {}

  Status prologue(const std::vector<EncodedPartition>&, ByteBuffer& out) const override {
    out.append(kMagic);
    return {};
  }
  Status glue(const std::vector<EncodedPartition>&, std::size_t, ByteBuffer&) const override { return {}; }
  Status epilogue(const std::vector<EncodedPartition>& partitions, const std::vector<std::int64_t>& offsets,
                  ByteBuffer& out) const override {
    try {
      return write_epilogue(partitions, offsets, out);
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& problem) {
      return fail(internal_error("parquet_footer_failed", std::string("cannot write the footer: ") + problem.what()));
    }
  }

 private:
  using Properties = std::vector<std::pair<std::string, std::string>>;

  static Properties properties_of(const ExportSpec& spec) {
    Properties properties;
    if (!spec.dataset.name.empty()) properties.emplace_back("longshore.dataset", spec.dataset.name);
    if (!spec.title.empty()) properties.emplace_back("longshore.title", spec.title);
    DayText day;
    char text[40];
    char* const end = write_timestamp(text, spec.requested_at.time_since_epoch().count(), true, day);
    properties.emplace_back("longshore.requested_at", std::string(text, end));
    return properties;
  }

  Status write_epilogue(const std::vector<EncodedPartition>& partitions, const std::vector<std::int64_t>& offsets,
                        ByteBuffer& out) const;

  std::vector<ParquetColumn> columns_;
  ParquetOptions options_;
  std::vector<int> sorting_columns_;
  Properties properties_;
};

Status ParquetFrame::write_epilogue(const std::vector<EncodedPartition>& partitions,
                                    const std::vector<std::int64_t>& offsets, ByteBuffer& out) const {
  // Where `out` begins in the file.
  const std::int64_t data_end =
      partitions.empty() ? static_cast<std::int64_t>(kMagic.size()) : offsets.back() + partitions.back().bytes;
  const std::int64_t origin = data_end - static_cast<std::int64_t>(out.size());
  const auto position = [&] { return origin + static_cast<std::int64_t>(out.size()); };

  const RowGroups row_groups(partitions, offsets, columns_.size());

  // All column indexes, then all offset indexes, then the footer (PageIndex.md): readers look at the first to know what
  // they need of the second.
  std::vector<PageIndexPlaces> places;
  std::int64_t rows = 0;
  std::size_t row_group_count = 0;
  CHECK_OK(row_groups.for_each([&](const RowGroupRecord& record, std::int64_t) {
    rows += record.rows;
    ++row_group_count;
    for (const ColumnRecord& column : record.columns) {
      FilePlace& place = places.emplace_back().column_index;
      if (!has_column_index(column)) continue;
      place.begin = position();
      append_column_index(column, out);
      place.size = position() - place.begin;
    }
  }));
  std::size_t next = 0;
  CHECK_OK(row_groups.for_each([&](const RowGroupRecord& record, std::int64_t begin) {
    for (const ColumnRecord& column : record.columns) {
      FilePlace& place = places[next++].offset_index;
      place.begin = position();
      append_offset_index(column, begin, out);
      place.size = position() - place.begin;
      begin += column.bytes();
    }
  }));

  const std::int64_t footer = position();
  FileMetadataWriter writer(columns_, options_.codec, options_.profile, sorting_columns_, out);
  writer.begin(rows, row_group_count);
  auto place = places.begin();
  CHECK_OK(row_groups.for_each([&](RowGroupRecord record, std::int64_t begin) {
    const auto columns = static_cast<std::ptrdiff_t>(record.columns.size());
    writer.add({std::move(record), begin, {place, place + columns}});
    place += columns;
  }));
  writer.finish(properties_, std::string("longshore version ") + kVersion + " (build " + kVersion + ")");
  const auto footer_bytes = static_cast<std::uint32_t>(position() - footer);
  out.append(&footer_bytes, sizeof footer_bytes);
  out.append(kMagic);
  return {};
}

}  // namespace

Result<std::unique_ptr<FileFrame>> make_parquet_frame(const ExportSpec& spec) {
  TRY(std::vector<ParquetColumn> columns, parquet_columns(spec));
  return std::make_unique<ParquetFrame>(spec, std::move(columns));
}

}  // namespace longshore::parquet
