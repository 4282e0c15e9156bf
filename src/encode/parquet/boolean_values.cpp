#include <algorithm>
#include <utility>

#include "parquet/bit_packing.h"
#include "parquet/values.h"

namespace longshore::parquet {
namespace {

/// Truth values: a bit each, or runs in the modern profile. A dictionary could not be smaller.
class BooleanWriter final : public ValueWriter {
 public:
  using ValueWriter::ValueWriter;

  Status append(const ColumnVector& column) override {
    const auto* values = column.values<std::uint8_t>();
    const std::size_t before = pending_.size();
    pending_.resize(before + column.size());
    std::size_t count = before;
    for (std::size_t i = 0; i < column.size(); ++i) {
      pending_[count] = values[i];
      count += column.is_null(i) ? 0 : 1;
    }
    pending_.resize(count);
    return {};
  }

  std::size_t page_bytes() const override { return pending_.size() / 8; }
  std::size_t held_bytes() const override { return pending_.size(); }

  Result<PageValues> close_page(bool, ByteBuffer& body) override {
    PageValues page;
    page.content = PageContent::indexes;
    page.bounds = close_bounds();
    if (context_.profile == ParquetProfile::modern && !pending_.empty()) {
      page.encoding = Encoding::rle;
      ByteBuffer bits;
      append_truth_bits(pending_.data(), pending_.size(), bits);
      append_sized_hybrid_bits(reinterpret_cast<const std::uint8_t*>(bits.data()), pending_.size(), body);
    } else {
      append_truth_bits(pending_.data(), pending_.size(), body);
    }
    pending_.clear();
    return page;
  }

  std::size_t dictionary_values() const override { return 0; }
  void append_dictionary(ByteBuffer&) const override {}
  Bounds chunk_bounds() const override { return chunk_; }
  BoundaryOrder boundary_order() const override { return order_.order(); }
  std::vector<std::uint64_t> take_hashes() override { return {}; }
  void reset() override {
    pending_.clear();
    chunk_ = before_ = {};
    order_ = {};
  }

 private:
  Bounds close_bounds() {
    Bounds page;
    if (pending_.empty()) return page;
    const bool has_true = std::ranges::find(pending_, 1) != pending_.end();
    const bool has_false = std::ranges::find(pending_, 0) != pending_.end();
    page.present = true;
    page.min = std::string(1, static_cast<char>(has_false ? 0 : 1));
    page.max = std::string(1, static_cast<char>(has_true ? 1 : 0));
    if (before_.present) order_.follow(before_.min, before_.max, page.min, page.max, std::less<>());
    before_ = page;
    if (!chunk_.present) {
      chunk_ = page;
    } else {
      chunk_.min = std::min(chunk_.min, page.min);
      chunk_.max = std::max(chunk_.max, page.max);
    }
    return page;
  }

  std::vector<std::uint8_t> pending_;
  Bounds before_;
  Bounds chunk_;
  OrderOfPages order_;
};

}  // namespace

std::unique_ptr<ValueWriter> make_boolean_writer(ValueContext& context) {
  return std::make_unique<BooleanWriter>(context);
}

}  // namespace longshore::parquet
