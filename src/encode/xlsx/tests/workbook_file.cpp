#include "workbook_file.h"

#include <zlib.h>

#include <algorithm>
#include <stdexcept>

#include "base/digest.h"

namespace longshore {
namespace {

template <class T>
T value_or_throw(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().code + ": " + result.error().message);
  return *std::move(result);
}

std::uint32_t number_at(std::string_view bytes, std::size_t at, std::size_t size) {
  if (at + size > bytes.size()) throw std::runtime_error("the archive ends too early");
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < size; ++i) {
    number |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  }
  return number;
}

std::string inflated(std::string_view packed, std::size_t size) {
  std::string content(size + 1, '\0');
  z_stream stream{};
  if (inflateInit2(&stream, -15) != Z_OK) throw std::runtime_error("zlib");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(content.data());
  stream.avail_out = static_cast<uInt>(content.size());
  const int status = inflate(&stream, Z_FINISH);
  const bool whole = status == Z_STREAM_END && stream.avail_in == 0 && stream.total_out == size;
  inflateEnd(&stream);
  if (!whole) throw std::runtime_error("an entry does not have the sizes its header states");
  content.resize(size);
  return content;
}

}  // namespace

EncodedFile encode_workbook(const ExportSpec& spec, const std::vector<Row>& rows, const WorkbookCut& cut) {
  const XlsxFormat format(cut.limits);
  const std::vector<std::size_t> borders = cut.borders.empty() ? std::vector<std::size_t>{0, rows.size()} : cut.borders;
  std::vector<EncodedPartition> encoded;
  std::vector<ByteBuffer> bodies;
  PartitionPlace place;
  for (std::size_t p = 0; p + 1 < borders.size(); ++p) {
    place.rows = static_cast<std::int64_t>(borders[p + 1] - borders[p]);
    const auto make = [&](const ChunkSummary& before) {
      return value_or_throw(cut.numbered ? format.make_encoder_at(spec, before, place)
                                         : format.make_encoder(spec, before));
    };
    ByteBuffer& body = bodies.emplace_back();
    ChunkSummary& summary = encoded.emplace_back().summary;
    auto encoder = make({});
    for (std::size_t row = borders[p]; row < borders[p + 1]; row += cut.batch_rows) {
      const RowBatch batch = make_batch(spec, rows, row, std::min(borders[p + 1], row + cut.batch_rows));
      const auto chunk = value_or_throw(encoder->encode(batch, body));
      if (!chunk) throw std::runtime_error("a batch did not close its chunk");
      summary.append(*chunk);
      if (cut.fresh_encoders) encoder = make(summary);
    }
    if (value_or_throw(encoder->finish(body))) throw std::runtime_error("a chunk was still open");
    encoded.back().bytes = static_cast<std::int64_t>(body.size());
    place.rows_before.push_back(place.rows);
  }

  return join_partitions(*value_or_throw(format.make_frame(spec)), encoded, bodies);
}

std::vector<std::pair<std::string, std::string>> unzip(std::string_view file) {
  std::vector<std::pair<std::string, std::string>> entries;
  std::size_t at = 0;
  while (number_at(file, at, 4) == 0x04034B50) {
    if (number_at(file, at + 6, 2) != 0) throw std::runtime_error("flags are set: a data descriptor?");
    if (number_at(file, at + 8, 2) != 8) throw std::runtime_error("an entry is not deflated");
    const std::uint32_t packed = number_at(file, at + 18, 4);
    const std::size_t name = number_at(file, at + 26, 2);
    const std::size_t content = at + 30 + name + number_at(file, at + 28, 2);
    if (content + packed > file.size()) throw std::runtime_error("an entry goes beyond the file");
    entries.emplace_back(file.substr(at + 30, name),
                         inflated(file.substr(content, packed), number_at(file, at + 22, 4)));
    if (crc32(entries.back().second) != number_at(file, at + 14, 4)) throw std::runtime_error("a checksum is wrong");
    at = content + packed;
  }
  if (number_at(file, at, 4) != 0x02014B50) throw std::runtime_error("no directory behind the entries");
  return entries;
}

std::string entry(std::string_view file, const std::string& name) {
  for (auto& [entry_name, content] : unzip(file)) {
    if (entry_name == name) return std::move(content);
  }
  throw std::runtime_error("there is no entry " + name);
}

std::string sheet_xml(std::string_view file, int number) {
  return entry(file, "xl/worksheets/sheet" + std::to_string(number) + ".xml");
}

std::string row_xml(std::string_view file, int number) {
  const std::string xml = sheet_xml(file, number);
  const std::size_t begin = xml.find("</row>") + 6;
  return xml.substr(begin, xml.rfind("</sheetData>") - begin);
}

}  // namespace longshore
