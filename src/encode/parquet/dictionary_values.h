#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "parquet/bit_packing.h"
#include "parquet/dictionary_choice.h"
#include "parquet/distinct_index.h"
#include "parquet/values.h"

namespace longshore::parquet {

/// The ValueWriter of every type that may have a dictionary. What differs by type is in `Store`, which holds the bound
/// batch, the dictionary's values and the open page's plain values:
///
///   bind(const ColumnVector&);                    its values without nulls are 0 … count() - 1
///   hash(i), equals_entry(i, entry), plain_size(i), append_entry(i)
///   append_pending(first); append_pending_entry(entry); pending_bytes()
///   Status write_pending(context, page, body);    writes them in an encoding of the profile, which `page` is told, and
///                                                 forgets them
///   append_entries(first, last, body);            PLAIN
///   include_entry(entry); include_pending();      into the open page's bounds
///   Bounds close_page_bounds(limit); chunk_bounds(limit); order()
///   hash_entries(hashes); hash_pending(hashes)    for the bloom filter
///   clear_entries(); reset()
template <class Store>
class DictionaryValueWriter final : public ValueWriter {
 public:
  template <class... Arguments>
  explicit DictionaryValueWriter(ValueContext& context, Arguments&&... arguments)
      : ValueWriter(context), store_(std::forward<Arguments>(arguments)...) {}

  Status append(const ColumnVector& column) override {
    store_.bind(column);
    std::size_t done = 0;
    if (state_ == State::open) {
      done = add_to_dictionary();
      if (done < store_.count()) end_dictionary();
    }
    if (state_ != State::open) store_.append_pending(done);
    seen_ += store_.count();
    if (state_ == State::open && !chosen_ && seen_ >= kDictionarySample) return choose(context_.growth);
    return {};
  }

  std::size_t page_bytes() const override { return store_.pending_bytes() + 2 * indexes_.size(); }

  std::size_t held_bytes() const override { return page_bytes() + dictionary_cost_ + 8 * hashes_.size(); }

  Result<PageValues> close_page(bool last, ByteBuffer& body) override {
    if (state_ == State::open && !chosen_ && seen_ > 0) CHECK_OK(choose(last ? 1 : context_.growth));
    PageValues page;
    if (!indexes_.empty()) {
      page.encoding = Encoding::rle_dictionary;
      page.content = PageContent::indexes;
      include_used_entries();
      page.bounds = store_.close_page_bounds(context_.page_bound_bytes);
      write_indexes(body);
    } else {
      store_.include_pending();
      page.bounds = store_.close_page_bounds(context_.page_bound_bytes);
      if (collects_hashes_) store_.hash_pending(hashes_);
      page.content = Store::kContent;
      CHECK_OK(store_.write_pending(context_, page, body));
    }
    return page;
  }

  std::size_t dictionary_values() const override { return has_pages_ ? entries_ : 0; }
  void append_dictionary(ByteBuffer& body) const override { store_.append_entries(0, entries_, body); }
  Bounds chunk_bounds() const override { return store_.chunk_bounds(context_.chunk_bound_bytes); }
  BoundaryOrder boundary_order() const override { return store_.order(); }

  std::vector<std::uint64_t> take_hashes() override {
    if (has_pages_) store_.hash_entries(hashes_);
    return std::exchange(hashes_, {});
  }

  void reset() override {
    drop_dictionary();
    store_.reset();
    state_ = State::open;
    chosen_ = false;
    has_pages_ = false;
    seen_ = 0;
  }

 private:
  enum class State { open, closed };

  /// How many values of the bound batch are in the dictionary now; fewer than all when a limit was met.
  std::size_t add_to_dictionary() {
    const std::size_t n = store_.count();
    const std::size_t before = indexes_.size();
    indexes_.resize(before + n);
    std::uint16_t* const numbers = indexes_.data() + before;
    std::size_t i = 0;
    for (; i < n; ++i) {
      const std::uint64_t hash = store_.hash(i);
      DistinctIndex::Slot* slot = index_.find(hash, [&](std::uint32_t entry) { return store_.equals_entry(i, entry); });
      if (slot == nullptr) break;
      if (slot->number != 0) {
        numbers[i] = static_cast<std::uint16_t>(slot->number - 1);
        continue;
      }
      const std::size_t cost = store_.plain_size(i) + kDictionaryEntryOverhead;
      if (entries_ == kMostDictionaryValues || store_.entry_bytes() + store_.plain_size(i) > kMostDictionaryBytes ||
          cost > context_.dictionary_budget) {
        break;
      }
      context_.dictionary_budget -= cost;
      dictionary_cost_ += cost;
      index_.insert(*slot, hash);
      store_.append_entry(i);
      numbers[i] = static_cast<std::uint16_t>(entries_++);
    }
    indexes_.resize(before + i);
    return i;
  }

  Status choose(double growth) {
    constexpr std::size_t kMostSampled = std::size_t{16} << 10;
    chosen_ = true;
    ByteBuffer plain;
    const std::size_t sampled =
        std::clamp<std::size_t>(kMostSampled * entries_ / std::max<std::size_t>(store_.entry_bytes(), 1), 1, entries_);
    store_.append_entries(0, sampled, plain);
    const DictionaryTrial trial{.values = seen_,
                                .distinct = entries_,
                                .plain = plain.view(),
                                .sampled = sampled,
                                .plain_bytes = store_.entry_bytes(),
                                .growth = growth,
                                .content = Store::kContent};
    TRY(const bool pays, choose_dictionary(trial, *context_.codec));
    if (!pays) end_dictionary();
    return {};
  }

  /// The open page and those after it hold plain values. Pages that were closed keep their dictionary.
  void end_dictionary() {
    for (const std::uint16_t number : indexes_) store_.append_pending_entry(number);
    indexes_.clear();
    index_.clear();
    state_ = State::closed;
    if (!has_pages_) drop_dictionary();
  }

  void drop_dictionary() {
    index_.clear();
    indexes_.clear();
    store_.clear_entries();
    context_.dictionary_budget += dictionary_cost_;
    dictionary_cost_ = 0;
    entries_ = 0;
  }

  void include_used_entries() {
    used_.assign(entries_, 0);
    for (const std::uint16_t number : indexes_) used_[number] = 1;
    for (std::uint32_t entry = 0; entry < entries_; ++entry) {
      if (used_[entry] != 0) store_.include_entry(entry);
    }
  }

  void write_indexes(ByteBuffer& body) {
    const int width = bits_for(static_cast<std::uint32_t>(entries_) - 1);
    body.push_back(static_cast<char>(width));
    append_hybrid(indexes_.data(), indexes_.size(), width, body);
    indexes_.clear();
    has_pages_ = true;
    // The sample may have misled: when every other value is new, the rest had better be plain.
    if (2 * entries_ > seen_) end_dictionary();
  }

  Store store_;
  DistinctIndex index_;
  std::vector<std::uint16_t> indexes_;  ///< of the open page
  std::vector<std::uint8_t> used_;      ///< scratch: which dictionary values a page has
  std::vector<std::uint64_t> hashes_;   ///< of plain pages' values
  std::size_t entries_ = 0;             ///< values in the dictionary
  std::size_t dictionary_cost_ = 0;     ///< taken from the budget
  std::size_t seen_ = 0;                ///< values of this row group
  State state_ = State::open;
  bool chosen_ = false;
  bool has_pages_ = false;  ///< pages of this row group were closed that use the dictionary
};

}  // namespace longshore::parquet
