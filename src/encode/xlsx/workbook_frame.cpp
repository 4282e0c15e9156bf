#include "xlsx/workbook_frame.h"

#include <string>
#include <utility>

#include "base/digest.h"
#include "xlsx/cell_styles.h"
#include "xlsx/partition_detail.h"
#include "xlsx/sheet_layout.h"
#include "xlsx/sheet_names.h"
#include "xlsx/workbook_parts.h"
#include "xlsx/xml_text.h"
#include "xlsx/zip_container.h"

namespace longshore {
namespace {

using Partitions = std::vector<EncodedPartition>;

/// The content of a sheet's entry as it grows: sizes and checksum.
struct Content {
  std::uint32_t crc = 0;
  std::uint64_t size = 0;
  std::uint64_t packed = 0;

  void add(std::uint32_t next_crc, std::uint64_t next_size, std::uint64_t next_packed) {
    crc = crc32_combine(crc, next_crc, next_size);
    size += next_size;
    packed += next_packed;
  }
};

/// A sheet's own bytes: what stands before and behind its rows.
struct SheetEnds {
  ByteBuffer head;  ///< deflated
  ByteBuffer tail;  ///< deflated; ends the stream
  ZipEntry entry;   ///< without its offset
};

/// The whole workbook, computed from the summaries alone; the frame's three functions write their shares of it.
class Workbook {
 public:
  static Result<Workbook> make(const ExportSpec& spec, const Partitions& partitions, const XlsxLimits& limits) {
    TRY(std::vector<SheetSpan> spans, lay_out_sheets(partitions, limits));
    return Workbook(spec, partitions, std::move(spans));
  }

  const std::vector<SheetSpan>& spans() const { return spans_; }

  Result<SheetEnds> ends(std::size_t sheet) const {
    const std::string head = sheet_head_xml(facts_, sheet, widths_);
    const std::string tail = sheet_tail_xml(facts_, sheet);
    SheetEnds ends;
    CHECK_OK(append_deflated(head, false, ends.head));
    CHECK_OK(append_deflated(tail, true, ends.tail));
    Content content;
    content.add(crc32(head), head.size(), ends.head.size());
    for (std::size_t i = spans_[sheet].first; i < spans_[sheet].end; ++i) {
      const ChunkSummary& summary = partitions_[i].summary;
      content.add(summary.raw_crc32, static_cast<std::uint64_t>(summary.raw_bytes),
                  static_cast<std::uint64_t>(partitions_[i].bytes));
    }
    content.add(crc32(tail), tail.size(), ends.tail.size());
    if (content.size > UINT32_MAX || content.packed > UINT32_MAX) {
      return fail(external_error("xlsx_partition_too_large",
                                 "sheet " + std::to_string(sheet + 1) +
                                     " would be larger than 4 GiB; export fewer columns, or use CSV or Parquet",
                                 false));
    }
    ends.entry.name = sheet_part(sheet);
    ends.entry.crc32 = content.crc;
    ends.entry.size = static_cast<std::uint32_t>(content.size);
    ends.entry.packed = static_cast<std::uint32_t>(content.packed);
    return ends;
  }

  /// The local header and head of a sheet.
  Status begin_sheet(std::size_t sheet, ByteBuffer& out) const {
    TRY(const SheetEnds sheet_ends, ends(sheet));
    append_local_header(sheet_ends.entry, facts_.spec.requested_at, out);
    out.append(sheet_ends.head.view());
    return {};
  }
  Status end_sheet(std::size_t sheet, ByteBuffer& out) const {
    return append_deflated(sheet_tail_xml(facts_, sheet), true, out);
  }

  /// The parts before the sheets. `[Content_Types].xml` comes first: that is how `file` and others know what it is.
  Result<std::vector<ZipEntry>> small_parts(ByteBuffer& out) const {
    std::vector<std::pair<std::string, std::string>> parts{
        {"[Content_Types].xml", content_types_xml(facts_)},
        {"_rels/.rels", package_rels_xml()},
        {"docProps/core.xml", core_properties_xml(facts_)},
        {"docProps/app.xml", app_properties_xml()},
        {"xl/workbook.xml", workbook_xml(facts_)},
        {"xl/_rels/workbook.xml.rels", workbook_rels_xml(facts_)},
        {"xl/styles.xml", CellStyles(facts_.spec.columns).styles_xml()},
        {"xl/sharedStrings.xml", shared_strings_xml()}};
    for (std::size_t i = 0; facts_.has_tables() && i < spans_.size(); ++i) {
      parts.emplace_back(sheet_rels_part(i), sheet_rels_xml(i));
      parts.emplace_back(table_part(i), table_xml(facts_, i));
    }
    std::vector<ZipEntry> entries;
    for (const auto& [name, content] : parts) {
      TRY(ZipEntry entry, append_entry(name, content, facts_.spec.requested_at, out));
      entries.push_back(std::move(entry));
    }
    return entries;
  }

 private:
  Workbook(const ExportSpec& spec, const Partitions& partitions, std::vector<SheetSpan> spans)
      : partitions_(partitions), spans_(std::move(spans)), facts_{spec, {}, {}} {
    for (const Column& column : spec.columns) facts_.headers.push_back(column.name);
    if (facts_.has_tables()) facts_.headers = table_headers(facts_.headers);
    const std::string& wanted = spec.xlsx.sheet_name.empty() ? spec.dataset.name : spec.xlsx.sheet_name;
    std::vector<std::string> names = sheet_names(wanted, spans_.size());
    for (std::size_t i = 0; i < spans_.size(); ++i) facts_.sheets.push_back({std::move(names[i]), spans_[i].rows});
    for (const EncodedPartition& partition : partitions) {
      if (partition.summary.rows == 0) continue;
      widths_ = from_detail(partition.summary.detail).widths;
      break;
    }
  }

  const Partitions& partitions_;
  std::vector<SheetSpan> spans_;
  WorkbookFacts facts_;
  std::vector<std::uint8_t> widths_;
};

}  // namespace

Status WorkbookFrame::prologue(const std::vector<EncodedPartition>& partitions, ByteBuffer& out) const {
  TRY(const Workbook workbook, Workbook::make(spec_, partitions, limits_));
  // Offsets of entries are those in `out`, which may hold something already.
  ByteBuffer bytes;
  CHECK_OK(workbook.small_parts(bytes));
  CHECK_OK(workbook.begin_sheet(0, bytes));
  out.append(bytes.view());
  return {};
}

Status WorkbookFrame::glue(const std::vector<EncodedPartition>& partitions, std::size_t index, ByteBuffer& out) const {
  TRY(const std::vector<SheetSpan> spans, lay_out_sheets(partitions, limits_));
  for (std::size_t sheet = 1; sheet < spans.size(); ++sheet) {
    if (spans[sheet].first != index) continue;
    TRY(const Workbook workbook, Workbook::make(spec_, partitions, limits_));
    CHECK_OK(workbook.end_sheet(sheet - 1, out));
    return workbook.begin_sheet(sheet, out);
  }
  return {};
}

Status WorkbookFrame::epilogue(const std::vector<EncodedPartition>& partitions,
                               const std::vector<std::int64_t>& offsets, ByteBuffer& out) const {
  TRY(const Workbook workbook, Workbook::make(spec_, partitions, limits_));
  // Made again to know where things are; the file has them already.
  ByteBuffer prologue;
  TRY(std::vector<ZipEntry> entries, workbook.small_parts(prologue));
  std::uint64_t end = prologue.size();
  ByteBuffer tail;
  for (std::size_t sheet = 0; sheet < workbook.spans().size(); ++sheet) {
    TRY(SheetEnds ends, workbook.ends(sheet));
    const std::uint64_t before_rows = local_header_size(ends.entry) + ends.head.size();
    ends.entry.offset =
        sheet == 0 ? end : static_cast<std::uint64_t>(offsets[workbook.spans()[sheet].first]) - before_rows;
    end = ends.entry.offset + local_header_size(ends.entry) + ends.entry.packed;
    tail = std::move(ends.tail);
    entries.push_back(std::move(ends.entry));
  }
  out.append(tail.view());
  append_central_directory(entries, spec_.requested_at, end, out);
  return {};
}

}  // namespace longshore
