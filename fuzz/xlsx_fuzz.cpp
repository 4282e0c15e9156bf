// Any bytes as text, JSON, bytea and number cells, as headers, sheet name and title: a workbook takes them, the same
// rows make the same bytes, and the rows' XML gives the texts back.
#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "xlsx/xlsx_format.h"
#include "xlsx/xml_text.h"

namespace {

using namespace longshore;  // NOLINT: a program of one file

constexpr std::size_t kTextColumns = 2;  // the first ones, text and json: read back

void require(bool held) {
  if (!held) std::abort();
}

/// Deflated chunks and the end of the stream.
std::string inflated(std::string_view chunks, std::size_t size) {
  const std::string packed = std::string(chunks) + std::string("\x03\x00", 2);
  std::string content(size + 1, '\0');
  z_stream stream{};
  require(inflateInit2(&stream, -15) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(content.data());
  stream.avail_out = static_cast<uInt>(content.size());
  require(inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.total_out == size);
  inflateEnd(&stream);
  content.resize(size);
  return content;
}

/// The text that a reader sees: entities first, then `_xHHHH_`.
std::string unescaped(std::string_view xml) {
  std::string text;
  while (!xml.empty()) {
    const auto take = [&](std::string_view entity, char c) {
      if (!xml.starts_with(entity)) return false;
      text += c;
      xml.remove_prefix(entity.size());
      return true;
    };
    if (take("&amp;", '&') || take("&lt;", '<') || take("&gt;", '>') || take("&#13;", '\r')) continue;
    const auto byte = static_cast<unsigned char>(xml.front());
    require(byte != '&' && byte != '<' && byte != '>' && (byte >= 0x20 || byte == '\t' || byte == '\n'));
    const auto is_hex = [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
    };
    if (xml.size() >= 7 && xml.starts_with("_x") && std::all_of(xml.begin() + 2, xml.begin() + 6, is_hex) &&
        xml[6] == '_') {
      const auto code = static_cast<unsigned>(std::stoul(std::string(xml.substr(2, 4)), nullptr, 16));
      require(code < 0x20 || code == '_' || code >= 0xFFFE);
      text += code >= 0xFFFE ? (code == 0xFFFE ? "\uFFFE" : "\uFFFF") : std::string(1, static_cast<char>(code));
      xml.remove_prefix(7);
      continue;
    }
    text += xml.front();
    xml.remove_prefix(1);
  }
  return text;
}

/// Takes the next cell off `rows`, as text. REQUIRES: it is a text cell.
std::string next_text(std::string_view& rows) {
  constexpr std::string_view kOpen = "<is><t";
  constexpr std::string_view kClose = "</t></is></c>";
  const std::size_t open = rows.find(kOpen);
  require(open != std::string_view::npos);
  rows.remove_prefix(open + kOpen.size());
  const bool keeps = rows.starts_with(" xml:space=\"preserve\">");
  rows.remove_prefix(rows.find('>') + 1);
  const std::size_t close = rows.find(kClose);
  require(close != std::string_view::npos);
  std::string text = unescaped(rows.substr(0, close));
  rows.remove_prefix(close + kClose.size());
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  require(keeps == (!text.empty() && (blank(text.front()) || blank(text.back()))));
  return text;
}

struct Encoded {
  ChunkSummary summary;
  ByteBuffer bytes;
};

Encoded encode(const XlsxFormat& format, const ExportSpec& spec, const RowBatch& batch, bool numbered) {
  Encoded encoded;
  const auto encoder = numbered ? format.make_encoder_at(spec, {}, {}) : format.make_encoder(spec, {});
  require(encoder.has_value());
  const auto closed = (*encoder)->encode(batch, encoded.bytes);
  require(closed && *closed && (*closed)->rows == static_cast<std::int64_t>(batch.row_count()));
  encoded.summary = **closed;
  return encoded;
}

void check_frame(const XlsxFormat& format, const ExportSpec& spec, const Encoded& encoded) {
  const auto frame = format.make_frame(spec);
  require(frame.has_value());
  // Two partitions with the same rows; numbered ones go to a sheet each, because both begin at row 2.
  const EncodedPartition partition{encoded.summary, static_cast<std::int64_t>(encoded.bytes.size())};
  const std::vector<EncodedPartition> partitions{partition, partition};
  ByteBuffer file;
  require((*frame)->prologue(partitions, file).has_value());
  const auto first = static_cast<std::int64_t>(file.size());
  file.append(encoded.bytes.view());
  require((*frame)->glue(partitions, 1, file).has_value());
  const auto second = static_cast<std::int64_t>(file.size());
  file.append(encoded.bytes.view());
  require((*frame)->epilogue(partitions, {first, second}, file).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const XlsxFormat format;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ExportSpec spec;
  for (const LogicalType type :
       {LogicalType::text, LogicalType::json, LogicalType::bytea, LogicalType::decimal, LogicalType::array}) {
    spec.columns.push_back({std::string(text.substr(size / 2, spec.columns.size())), "c", {type}, "", "", false});
  }
  spec.title = text.substr(0, 50);
  spec.xlsx.sheet_name = text.substr(size / 3);
  spec.xlsx.table_style = size % 2 == 0 ? XlsxTableStyle::none : XlsxTableStyle::light;
  std::vector<DataType> types;
  types.reserve(spec.columns.size());
  for (const Column& column : spec.columns) types.push_back(column.type);
  RowBatch batch(types);
  // Cells are the runs between bytes equal to the first; a run of length 1 is NULL, but not in a text column.
  std::vector<std::string> texts;
  std::size_t column = 0;
  for (std::size_t begin = 1; begin < text.size() || column != 0;) {
    const std::size_t end = begin < text.size() ? std::min(text.find(text[0], begin), text.size()) : begin;
    const std::string_view cell = begin < text.size() ? text.substr(begin, end - begin) : std::string_view();
    if (column < kTextColumns) texts.push_back(repaired_utf8(cell));
    if (column >= kTextColumns && cell.size() == 1) {
      batch.column(column).append_null();
    } else {
      batch.column(column).append_text(cell);
    }
    if (++column == types.size()) {
      batch.finish_row();
      column = 0;
    }
    begin = end + 1;
  }
  if (batch.row_count() == 0) return 0;

  for (const bool numbered : {true, false}) {
    const Encoded encoded = encode(format, spec, batch, numbered);
    require(encoded.bytes.view() == encode(format, spec, batch, numbered).bytes.view());
    const std::string xml = inflated(encoded.bytes.view(), static_cast<std::size_t>(encoded.summary.raw_bytes));
    require(is_utf8(xml) && xml.find("\uFFFE") == std::string::npos && xml.find("\uFFFF") == std::string::npos);
    std::string_view rest = xml;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (i % kTextColumns == 0) rest.remove_prefix(rest.find("<row"));
      require(next_text(rest) == texts[i]);
    }
    if (numbered) check_frame(format, spec, encoded);
  }
  return 0;
}
