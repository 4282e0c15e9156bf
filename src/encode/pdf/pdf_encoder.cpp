#include "pdf/pdf_encoder.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/digest.h"
#include "encode/text/digits.h"
#include "pdf/page_forms.h"
#include "pdf/pdf_objects.h"

namespace longshore {
namespace {

/// Measured on audit rows, see README.md.
constexpr int kPageCompression = 1;

}  // namespace

PdfEncoder::PdfEncoder(const ExportSpec& spec, ReportText text, std::vector<ReportColumn> columns,
                       ReportProgress progress, const PdfLimits& limits, std::shared_ptr<const FontSet> fonts)
    : spec_(spec),
      text_(std::move(text)),
      fonts_(std::move(fonts)),
      limits_(limits),
      columns_(std::move(columns)),
      use_(std::move(progress.use)),
      position_(progress.position),
      streams_(static_cast<std::int64_t>(progress.streams.lengths.size())),
      continued_(progress.position.open),
      compressor_(kPageCompression) {
  if (progress.layout) set_layout(*std::move(progress.layout));
}

void PdfEncoder::set_layout(TableLayout layout) {
  layout_ = std::move(layout);
  painter_.emplace(*fonts_, layout_->font_size, layout_->line_height());
  one_line_ = layout_->row_height(1);
  null_width_ = text_tenths(fonts_->character(kNullMark).advance, layout_->font_size);
  for (const PageColumns& group : layout_->groups) {
    pages_.emplace_back(*fonts_).set_font_size(layout_->font_size);
    std::vector<CellPlace>& places = places_.emplace_back();
    for (const TableSlot& slot : group) {
      places.push_back(
          {slot.left, slot.width, 0, text_units(slot.width, layout_->font_size), columns_[slot.column].numeric});
    }
  }
}

std::size_t PdfEncoder::paint_cells(std::size_t group, std::size_t row, int baseline) {
  PageContent& page = pages_[group];
  const PageColumns& slots = layout_->groups[group];
  std::size_t lines = 1;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    ReportColumn& column = columns_[slots[i].column];
    CellPlace& place = places_[group][i];
    place.baseline = baseline;
    if (column.is_null(row)) {
      page.show_null(place.right ? place.left + place.width - null_width_ : place.left, baseline, use_);
      continue;
    }
    CellChanges changes;
    const std::string_view text = column.text(column, row);
    if (column.digits) {
      lines = std::max(lines, painter_->paint_digits(text, column.cell.type.scale > 0, place, page, use_, changes));
    } else if (column.plain && !column.wraps) {
      lines = std::max(lines, painter_->paint_plain(text, place, page, use_, changes));
    } else {
      lines = std::max(lines, painter_->paint(text, place, page, use_, changes));
    }
    // A column that is repeated on further pages counts once.
    const bool counted = group == 0 || i > 0 || slots[i].column != 0;
    if ((changes.truncated || changes.replaced) && counted) [[unlikely]]
      row_changes_.push_back({slots[i].column, changes});
  }
  return lines;
}

std::size_t PdfEncoder::paint_row(std::size_t row) {
  row_changes_.clear();
  const int baseline = position_.y - layout_->baseline_drop();
  std::size_t lines = 1;
  for (std::size_t group = 0; group < pages_.size(); ++group) {
    lines = std::max(lines, paint_cells(group, row, baseline));
  }
  return lines;
}

void PdfEncoder::place_row(std::size_t row, ByteBuffer& out) {
  if (position_.open && position_.y - one_line_ < kBottomMargin) write_streams(true, out);
  if (!position_.open) open_pages();
  marks_.clear();
  for (const PageContent& page : pages_) marks_.push_back(page.mark());
  int height = layout_->row_height(paint_row(row));
  if (position_.y - height < kBottomMargin && position_.page_rows > 0) {
    // Only now it is known that the row needs the next page.
    for (std::size_t group = 0; group < pages_.size(); ++group) pages_[group].roll_back(marks_[group]);
    write_streams(true, out);
    open_pages();
    height = layout_->row_height(paint_row(row));
  }
  if (position_.page_rows % 2 == 1) stripes_.push_back({position_.y - height, height});
  position_.y -= height;
  ++position_.page_rows;
  ++position_.rows;
  if (!row_changes_.empty()) count_changes();
}

void PdfEncoder::count_changes() {
  for (const Change& change : row_changes_) {
    ColumnFidelity& fidelity = columns_[change.column].fidelity;
    fidelity.truncated += change.changes.truncated ? 1 : 0;
    fidelity.replaced += change.changes.replaced ? 1 : 0;
  }
}

void PdfEncoder::open_pages() {
  position_.open = true;
  position_.y = layout_->rows_top(position_.rounds == 0);
  position_.page_rows = 0;
  ++position_.rounds;
  continued_ = false;
}

void PdfEncoder::write_streams(bool ends_pages, ByteBuffer& out) {
  const auto groups = static_cast<std::int64_t>(pages_.size());
  // Most pages hold as many rows of one line as they can. Their stripes are drawn by a form: the same for all, and less
  // to compress.
  const bool regular = ends_pages && !continued_ && position_.rounds > 1 &&
                       position_.page_rows == layout_->full_page_rows() &&
                       position_.y == layout_->rows_top(false) - position_.page_rows * one_line_;
  for (std::size_t group = 0; group < pages_.size(); ++group) {
    content_.clear();
    if (!continued_) begin_page(*layout_, group, position_.rounds == 1, content_);
    if (regular) {
      draw_form("Z", group, content_);
    } else {
      for (const Stripe& stripe : stripes_) {
        pages_[group].rectangle(layout_->table_left(), stripe.y, layout_->table_width(group), stripe.height);
      }
    }
    pages_[group].take(kStripe, kInk, content_);
    if (ends_pages) {
      const std::int64_t number = (position_.rounds - 1) * groups + static_cast<std::int64_t>(group) + 1;
      end_page(*fonts_, *layout_, number, content_);
    }
    const std::size_t begin = out.size();
    append_stream_object(++streams_, "/Filter/FlateDecode", compressor_.compress(content_.view()), out);
    const std::string_view object = out.view().substr(begin);
    record_.streams.lengths.push_back(static_cast<std::uint32_t>(object.size()));
    chunk_bytes_ += static_cast<std::int64_t>(object.size());
    chunk_crc_ = crc32(object, chunk_crc_);
  }
  stripes_.clear();
  record_.streams.ends_pages.push_back(ends_pages);
  continued_ = true;
  if (ends_pages) position_.open = false;
}

ChunkSummary PdfEncoder::close_chunk(ByteBuffer& out) {
  if (position_.open && std::any_of(pages_.begin(), pages_.end(), [](const auto& page) { return !page.empty(); })) {
    write_streams(false, out);
  }
  ChunkSummary summary;
  summary.rows = std::exchange(chunk_rows_, 0);
  summary.raw_bytes = std::exchange(chunk_bytes_, 0);
  summary.raw_crc32 = std::exchange(chunk_crc_, 0);
  record_.glyphs = use_.take_new();
  record_.position = position_;
  summary.detail = to_detail(std::exchange(record_, {}));
  const bool clean =
      std::all_of(columns_.begin(), columns_.end(), [](const ReportColumn& column) { return column.fidelity.clean(); });
  if (!clean) {
    for (ReportColumn& column : columns_) summary.fidelity.push_back(std::exchange(column.fidelity, {}));
  }
  return summary;
}

Result<std::optional<ChunkSummary>> PdfEncoder::encode(const RowBatch& batch, ByteBuffer& out) {
  const std::size_t rows = batch.row_count();
  if (rows == 0) return std::nullopt;
  if (limits_.max_rows > 0 && position_.rows + static_cast<std::int64_t>(rows) > limits_.max_rows) {
    return fail(user_error("too_many_rows", "a PDF report holds at most " + grouped_digits(limits_.max_rows) +
                                                " rows and this export has more; narrow it with a filter, or choose "
                                                "csv, xlsx or parquet"));
  }
  CHECK_OK(bind(columns_, batch));
  if (!layout_) {
    set_layout(choose_layout(spec_, text_, columns_, rows, *fonts_));
    record_.layout = layout_;
    record_.fonts = fonts_->fingerprint();
  }
  for (std::size_t row = 0; row < rows; ++row) place_row(row, out);
  chunk_rows_ += static_cast<std::int64_t>(rows);
  if (chunk_bytes_ < limits_.chunk_bytes) return std::nullopt;
  return close_chunk(out);
}

Result<std::optional<ChunkSummary>> PdfEncoder::finish(ByteBuffer& out) {
  if (!position_.open) return chunk_rows_ == 0 ? std::optional<ChunkSummary>() : close_chunk(out);
  write_streams(true, out);
  return close_chunk(out);
}

}  // namespace longshore
