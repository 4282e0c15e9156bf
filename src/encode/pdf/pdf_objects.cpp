#include "pdf/pdf_objects.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <iterator>

#include "encode/text/digits.h"

namespace longshore {
namespace {

constexpr std::size_t kPackSize = 200;
constexpr int kCompression = 6;

void append_big_endian(std::uint64_t value, int bytes, std::string& out) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xFF);
}

/// Each row as its difference from the one above (PNG filter 2, "Up"): neighbouring entries are alike.
std::string predicted_rows(const std::string& rows, std::size_t width) {
  std::string result;
  result.reserve(rows.size() + rows.size() / width);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i % width == 0) result += '\2';
    const char above = i < width ? '\0' : rows[i - width];
    result += static_cast<char>(rows[i] - above);
  }
  return result;
}

}  // namespace

std::string reference(ObjectNumber number) {
  return std::to_string(number) + " 0 R";
}

void append_stream_object(ObjectNumber number, std::string_view entries, std::string_view data, ByteBuffer& out) {
  char* const begin = out.reserve_back(entries.size() + data.size() + 128);
  char* end = write_int64(begin, number);
  end = write_word(end, " 0 obj\n<<");
  end = write_word(end, entries);
  end = write_word(end, "/Length ");
  end = write_uint64(end, data.size());
  end = write_word(end, ">>\nstream\n");
  end = write_word(end, data);
  end = write_word(end, "\nendstream\nendobj\n");
  out.grow(static_cast<std::size_t>(end - begin));
}

ObjectWriter::ObjectWriter(std::int64_t offset, ByteBuffer& out)
    : offset_(offset), begin_(out.size()), out_(out), places_(1), compressor_(kCompression) {}

std::int64_t ObjectWriter::here() const {
  return offset_ + static_cast<std::int64_t>(out_.size() - begin_);
}

void ObjectWriter::add_written(std::int64_t offset) {
  places_.push_back({false, offset, 0});
}

ObjectNumber ObjectWriter::allocate(std::int64_t count) {
  const auto first = static_cast<ObjectNumber>(places_.size());
  places_.resize(places_.size() + static_cast<std::size_t>(count));
  return first;
}

void ObjectWriter::stream(ObjectNumber number, std::string_view entries, std::string_view data) {
  place(number, {false, here(), 0});
  append_stream_object(number, std::string(entries) + "/Filter/FlateDecode", compressor_.compress(data), out_);
}

void ObjectWriter::plain_stream(ObjectNumber number, std::string_view entries, std::string_view data) {
  place(number, {false, here(), 0});
  append_stream_object(number, entries, data, out_);
}

void ObjectWriter::object(ObjectNumber number, std::string_view text) {
  fmt::format_to(std::back_inserter(pack_index_), "{} {} ", number, pack_.size());
  pack_ += text;
  pack_ += '\n';
  packed_.push_back(number);
  if (packed_.size() == kPackSize) flush_pack();
}

void ObjectWriter::flush_pack() {
  if (packed_.empty()) return;
  const ObjectNumber pack = allocate();
  for (std::size_t i = 0; i < packed_.size(); ++i) place(packed_[i], {true, pack, static_cast<std::int64_t>(i)});
  stream(pack, fmt::format("/Type/ObjStm/N {}/First {}", packed_.size(), pack_index_.size()), pack_index_ + pack_);
  packed_.clear();
  pack_index_.clear();
  pack_.clear();
}

void ObjectWriter::finish(std::string_view trailer) {
  flush_pack();
  const ObjectNumber table = allocate();
  const std::int64_t start = here();
  place(table, {false, start, 0});
  const int width = (std::bit_width(static_cast<std::uint64_t>(start)) + 7) / 8;
  std::string rows;
  for (std::size_t i = 0; i < places_.size(); ++i) {
    // Type 0: free, as only object 0 is; 1: at an offset; 2: in an object stream.
    rows += i == 0 ? '\0' : places_[i].packed ? '\2' : '\1';
    append_big_endian(static_cast<std::uint64_t>(places_[i].where), width, rows);
    rows += static_cast<char>(i == 0 ? 0xFF : places_[i].index);
  }
  const int columns = width + 2;
  const std::string entries = fmt::format("/Type/XRef/Size {}/W[1 {} 1]/DecodeParms<</Predictor 12/Columns {}>>{}",
                                          places_.size(), width, columns, trailer);
  stream(table, entries, predicted_rows(rows, static_cast<std::size_t>(columns)));
  out_.append(fmt::format("startxref\n{}\n%%EOF\n", start));
}

}  // namespace longshore
