#include "worker/part_cutter.h"

#include <utility>

#include "plan/export_plan.h"

namespace longshore {

void PartCutter::close_chunk(ChunkSummary summary, KeyTuple last_key) {
  borders_.push_back({pending_.size(), std::move(summary), std::move(last_key)});
}

CutPart PartCutter::take_until(std::size_t border_count) const {
  CutPart part;
  for (std::size_t i = 0; i < border_count; ++i) part.summary.append(borders_[i].summary);
  part.bytes = pending_.view().substr(0, borders_[border_count - 1].end);
  part.last_key = borders_[border_count - 1].last_key;
  return part;
}

std::optional<CutPart> PartCutter::cut(std::int64_t target) const {
  if (borders_.empty()) return std::nullopt;
  const std::size_t closed = borders_.back().end;
  for (std::size_t i = 0; i < borders_.size(); ++i) {
    if (static_cast<std::int64_t>(borders_[i].end) < target) continue;
    if (static_cast<std::int64_t>(closed - borders_[i].end) < kMinPartBytes) return std::nullopt;
    return take_until(i + 1);
  }
  return std::nullopt;
}

std::optional<CutPart> PartCutter::rest() const {
  if (borders_.empty()) return std::nullopt;
  return take_until(borders_.size());
}

void PartCutter::drop(const CutPart& part) {
  const std::size_t bytes = part.bytes.size();
  while (!borders_.empty() && borders_.front().end <= bytes) borders_.pop_front();
  for (Border& border : borders_) border.end -= bytes;
  pending_.drop_front(bytes);
}

}  // namespace longshore
