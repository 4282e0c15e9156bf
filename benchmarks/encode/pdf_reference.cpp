#include "pdf_reference.h"

#include <hpdf.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>

#include "encode/text/calendar.h"
#include "encode/text/digits.h"

namespace longshore {
namespace {

constexpr const char* kRegular = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf";
constexpr const char* kBold = "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf";
constexpr float kSize = 8, kLine = 10, kPadding = 2.5F, kCellPadding = 4, kMargin = 40, kBottom = 48;
constexpr std::size_t kMaxLines = 6;

void on_error(HPDF_STATUS error, HPDF_STATUS, void*) {
  throw std::runtime_error("libharu: error " + std::to_string(error));
}

bool is_number(const DataType& type) {
  return type.logical == LogicalType::int64 || type.logical == LogicalType::int32 ||
         type.logical == LogicalType::decimal;
}

/// Text of the types that audit rows have.
void put_text(const ColumnVector& column, std::size_t row, std::string& out) {
  char buffer[64];
  char* end = buffer;
  DayText day;
  if (column.is_null(row)) {
    out = "\x96";
    return;
  }
  switch (column.type().logical) {
    case LogicalType::int32:
      end = write_int64(buffer, column.values<std::int32_t>()[row]);
      break;
    case LogicalType::int64:
      end = write_int64(buffer, column.values<std::int64_t>()[row]);
      break;
    case LogicalType::decimal:
      end = write_decimal(buffer, column.values<Int128>()[row], column.type().scale);
      break;
    case LogicalType::timestamptz:
      end = write_timestamp(buffer, column.values<std::int64_t>()[row], false, day);
      break;
    case LogicalType::boolean:
      out = column.values<std::uint8_t>()[row] != 0 ? "true" : "false";
      return;
    default:
      out = column.text(row);
      return;
  }
  out.assign(buffer, end);
}

class Table {
 public:
  explicit Table(const ReferenceTable& table) : table_(table), document_(HPDF_New(on_error, nullptr), HPDF_Free) {
    HPDF_SetCompressionMode(document_.get(), HPDF_COMP_ALL);
    // One byte a character, as we write most text: the fastest that libharu has.
    regular_ = font(kRegular);
    bold_ = font(kBold);
  }

  std::size_t draw() {
    std::vector<std::string> cells(table_.columns.size());
    for (const RowBatch& batch : table_.batches) {
      for (std::size_t row = 0; row < batch.row_count(); ++row) {
        for (std::size_t i = 0; i < cells.size(); ++i) put_text(batch.column(i), row, cells[i]);
        add_row(cells);
      }
    }
    // The number of pages is known at the end only.
    for (std::size_t i = 0; i < pages_.size(); ++i) {
      HPDF_Page_BeginText(pages_[i]);
      HPDF_Page_SetFontAndSize(pages_[i], regular_, 7);
      const std::string text = "Page " + std::to_string(i + 1) + " of " + std::to_string(pages_.size());
      HPDF_Page_TextOut(pages_[i], kMargin, 29, text.c_str());
      HPDF_Page_EndText(pages_[i]);
    }
    HPDF_SaveToStream(document_.get());
    return HPDF_GetStreamSize(document_.get());
  }

 private:
  HPDF_Font font(const char* path) {
    return HPDF_GetFont(document_.get(), HPDF_LoadTTFontFromFile(document_.get(), path, HPDF_TRUE), "WinAnsiEncoding");
  }

  void text(float x, float y, const std::string& shown) {
    HPDF_Page_BeginText(page_);
    HPDF_Page_TextOut(page_, x, y, shown.c_str());
    HPDF_Page_EndText(page_);
  }

  void add_page() {
    page_ = HPDF_AddPage(document_.get());
    pages_.push_back(page_);
    HPDF_Page_SetSize(page_, HPDF_PAGE_SIZE_A4, table_.landscape ? HPDF_PAGE_LANDSCAPE : HPDF_PAGE_PORTRAIT);
    y_ = HPDF_Page_GetHeight(page_) - kMargin;
    if (pages_.size() == 1) {
      HPDF_Page_SetFontAndSize(page_, bold_, 17);
      text(kMargin, y_ - 17, "Audit logs");
      y_ -= 130;
    }
    HPDF_Page_SetFontAndSize(page_, bold_, kSize);
    float x = kMargin;
    for (std::size_t i = 0; i < table_.columns.size(); ++i) {
      text(x + kCellPadding, y_ - 12, table_.columns[i].name);
      x += table_.widths[i] + 2 * kCellPadding;
    }
    y_ -= 18;
    HPDF_Page_SetFontAndSize(page_, regular_, kSize);
    odd_ = false;
  }

  /// A cell's text in lines.
  std::vector<std::string> lines_of(const std::string& cell, float width) {
    if (HPDF_Page_TextWidth(page_, cell.c_str()) <= width) return {cell};
    std::vector<std::string> lines;
    const char* rest = cell.c_str();
    while (*rest != '\0' && lines.size() < kMaxLines) {
      const HPDF_UINT taken = std::max(1U, HPDF_Page_MeasureText(page_, rest, width, HPDF_TRUE, nullptr));
      lines.emplace_back(rest, taken);
      rest += taken;
    }
    return lines;
  }

  void add_row(const std::vector<std::string>& row) {
    if (page_ == nullptr || y_ - kLine - 2 * kPadding < kBottom) add_page();
    cells_.clear();
    std::size_t most = 1;
    for (std::size_t i = 0; i < row.size(); ++i) {
      cells_.push_back(lines_of(row[i], table_.widths[i]));
      most = std::max(most, cells_.back().size());
    }
    const float height = static_cast<float>(most) * kLine + 2 * kPadding;
    if (y_ - height < kBottom) add_page();
    if (odd_) {
      HPDF_Page_SetRGBFill(page_, 0.961F, 0.969F, 0.98F);
      HPDF_Page_Rectangle(page_, kMargin, y_ - height, HPDF_Page_GetWidth(page_) - 2 * kMargin, height);
      HPDF_Page_Fill(page_);
      HPDF_Page_SetRGBFill(page_, 0.13F, 0.16F, 0.2F);
    }
    odd_ = !odd_;
    float x = kMargin;
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      const bool right = is_number(table_.columns[i].type);
      float y = y_ - kPadding - 7.5F;
      for (const std::string& line : cells_[i]) {
        const float indent = right ? table_.widths[i] - HPDF_Page_TextWidth(page_, line.c_str()) : 0;
        text(x + kCellPadding + indent, y, line);
        y -= kLine;
      }
      x += table_.widths[i] + 2 * kCellPadding;
    }
    y_ -= height;
  }

  const ReferenceTable& table_;
  std::unique_ptr<_HPDF_Doc_Rec, decltype(&HPDF_Free)> document_;
  HPDF_Font regular_ = nullptr;
  HPDF_Font bold_ = nullptr;
  HPDF_Page page_ = nullptr;
  std::vector<HPDF_Page> pages_;
  std::vector<std::vector<std::string>> cells_;
  float y_ = 0;
  bool odd_ = false;
};

}  // namespace

std::size_t draw_with_libharu(const ReferenceTable& table) {
  try {
    return Table(table).draw();
  } catch (const std::exception&) {
    return 0;
  }
}

}  // namespace longshore
