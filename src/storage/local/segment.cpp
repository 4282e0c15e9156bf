#include "storage/local/segment.h"

#include <fmt/format.h>

#include <charconv>
#include <system_error>

#include "storage/multipart_rules.h"

namespace longshore {
namespace {

constexpr std::string_view kIndexBegin = "longshore-object 1 ";
constexpr std::string_view kNameBegin = "~part-";
constexpr std::size_t kNumberDigits = 5;
constexpr std::size_t kCrcDigits = 8;

// The whole of `text` as an unsigned number.
template <class T>
bool parse(std::string_view text, T& out, int base = 10) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, out, base);
  return error == std::errc{} && stop == end && !text.starts_with('-');
}

// Takes everything up to `separator` off `text`; false if there is none.
bool take_until(char separator, std::string_view& text, std::string_view& taken) {
  const auto at = text.find(separator);
  if (at == std::string_view::npos) return false;
  taken = text.substr(0, at);
  text.remove_prefix(at + 1);
  return true;
}

bool parse_name(std::string_view name, Segment& out) {
  if (!name.starts_with(kNameBegin)) return false;
  name.remove_prefix(kNameBegin.size());
  return name.size() == kNumberDigits + 1 + kCrcDigits && parse(name.substr(0, kNumberDigits), out.number) &&
         name[kNumberDigits] == '-' && parse(name.substr(kNumberDigits + 1), out.crc32c, 16);
}

// Takes the first line.
bool take_head(std::string_view& text, std::int64_t& size, std::size_t& count) {
  std::string_view field;
  if (!text.starts_with(kIndexBegin)) return false;
  text.remove_prefix(kIndexBegin.size());
  return take_until(' ', text, field) && parse(field, size) && take_until('\n', text, field) && parse(field, count);
}

}  // namespace

std::string segment_name(int number, std::uint32_t crc32c) {
  return fmt::format("{}{:05}-{:08x}", kNameBegin, number, crc32c);
}

std::optional<Segment> segment_of(const PartReceipt& receipt) {
  Segment segment{receipt.number, 0, receipt.bytes};
  const std::string_view crc = std::string_view(receipt.etag).substr(0, kCrcDigits);
  if (!parse(crc, segment.crc32c, 16) || receipt_of(segment).etag != receipt.etag) return std::nullopt;
  return segment;
}

PartReceipt receipt_of(const Segment& segment) {
  return {segment.number, part_etag(segment.crc32c, segment.bytes), segment.bytes};
}

std::string format_index(std::span<const Segment> segments) {
  std::int64_t size = 0;
  for (const Segment& segment : segments) size += segment.bytes;
  std::string index = fmt::format("{}{} {}\n", kIndexBegin, size, segments.size());
  for (const Segment& segment : segments) {
    index += fmt::format("{} {}\n", segment_name(segment.number, segment.crc32c), segment.bytes);
  }
  return index;
}

std::optional<std::int64_t> parse_index_size(std::string_view beginning) {
  std::int64_t size = 0;
  std::size_t count = 0;
  if (!take_head(beginning, size, count)) return std::nullopt;
  return size;
}

std::optional<std::vector<Segment>> parse_index(std::string_view index) {
  std::int64_t left = 0;
  std::size_t count = 0;
  if (!take_head(index, left, count) || count > kMaxPartNumber) return std::nullopt;
  std::vector<Segment> segments;
  segments.reserve(count);
  while (!index.empty()) {
    Segment segment;
    std::string_view name;
    std::string_view bytes;
    if (!take_until(' ', index, name) || !take_until('\n', index, bytes) || !parse_name(name, segment) ||
        !parse(bytes, segment.bytes) || segment.bytes > left) {
      return std::nullopt;
    }
    left -= segment.bytes;
    segments.push_back(segment);
  }
  if (segments.size() != count || left != 0) return std::nullopt;
  return segments;
}

}  // namespace longshore
