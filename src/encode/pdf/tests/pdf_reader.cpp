#include "pdf_reader.h"

#include <algorithm>
#include <regex>
#include <sstream>
#include <stdexcept>

namespace longshore {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string pages(int page) {
  return page == 0 ? " " : " -f " + std::to_string(page) + " -l " + std::to_string(page) + " ";
}

}  // namespace

PdfReader::PdfReader(const std::string& bytes) : path_(directory_.write("report.pdf", bytes)) {
  for (const char* program : {"qpdf", "pdftotext", "pdftoppm"}) {
    if (!has_command(program)) {
      throw std::runtime_error(std::string(program) + " is missing: apt-get install qpdf poppler-utils");
    }
  }
}

std::string PdfReader::run(const std::string& command) const {
  const CommandResult result = run_command(command);
  if (result.status != 0) throw std::runtime_error(command + ": " + result.output);
  return result.output;
}

std::string PdfReader::complaints() const {
  const CommandResult result = run_command("qpdf --check " + path_);
  if (result.status == 0 && result.output.find("WARNING") == std::string::npos) return {};
  return result.output;
}

std::map<std::string, std::string> PdfReader::info() const {
  std::map<std::string, std::string> info;
  for (const std::string& line : lines_of(run("pdfinfo " + path_))) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::size_t value = std::min(line.find_first_not_of(' ', colon + 1), line.size());
    info[line.substr(0, colon)] = line.substr(value);
  }
  return info;
}

std::string PdfReader::fonts() const {
  return run("pdffonts " + path_);
}

std::string PdfReader::raw_text(int page) const {
  return run("pdftotext -raw" + pages(page) + path_ + " -");
}

std::vector<std::string> PdfReader::raw_lines(int page) const {
  return lines_of(raw_text(page));
}

std::string PdfReader::text() const {
  return run("pdftotext " + path_ + " -");
}

std::vector<PageBoxes> PdfReader::boxes() const {
  std::vector<PageBoxes> result;
  const std::regex page(R"re(<page width="([0-9.]+)" height="([0-9.]+)">)re");
  const std::regex word(
      R"re(<word xMin="([-0-9.]+)" yMin="([-0-9.]+)" xMax="([-0-9.]+)" yMax="([-0-9.]+)">(.*)</word>)re");
  std::smatch match;
  for (const std::string& line : lines_of(run("pdftotext -bbox " + path_ + " -"))) {
    if (std::regex_search(line, match, page)) {
      result.push_back({std::stod(match[1]), std::stod(match[2]), {}});
    } else if (std::regex_search(line, match, word)) {
      result.back().words.push_back(
          {std::stod(match[1]), std::stod(match[2]), std::stod(match[3]), std::stod(match[4]), match[5]});
    }
  }
  return result;
}

std::vector<std::vector<unsigned char>> PdfReader::picture(int page) const {
  // A PGM file (netpbm): "P5", width, height, 255, then the bytes.
  const std::string bytes = run("pdftoppm -r 72 -gray" + pages(page) + path_);
  std::istringstream stream(bytes);
  std::string magic;
  std::size_t width = 0, height = 0, most = 0;
  stream >> magic >> width >> height >> most;
  const std::size_t begin = static_cast<std::size_t>(stream.tellg()) + 1;
  if (magic != "P5" || bytes.size() < begin + width * height) throw std::runtime_error("pdftoppm made no picture");
  std::vector<std::vector<unsigned char>> rows;
  for (std::size_t y = 0; y < height; ++y) {
    const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(begin + y * width);
    rows.emplace_back(first, first + static_cast<std::ptrdiff_t>(width));
  }
  return rows;
}

std::string PdfReader::uncompressed() const {
  return run("qpdf --qdf --object-streams=disable " + path_ + " -");
}

FormatTable pdf_formats(PdfLimits limits, std::shared_ptr<const FontSet> fonts) {
  FormatTable formats;
  formats.add(std::make_unique<PdfFormat>(limits, std::move(fonts)));
  return formats;
}

ExportSpec pdf_spec(const std::vector<std::string>& columns) {
  ExportSpec spec = make_spec("pdf", columns);
  spec.dataset.name = "samples";
  spec.dataset.columns = spec.columns;
  spec.requested_at = Timestamp{std::chrono::seconds{1'780'755'600}};  // 2026-06-06 14:20:00 UTC
  return spec;
}

EncodedFile encode_pdf(const ExportSpec& spec, const std::vector<Row>& rows, std::size_t batch_rows,
                       bool fresh_encoders) {
  static const FormatTable formats = pdf_formats();
  return encode_file(formats, spec, rows, 1, batch_rows, fresh_encoders);
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++found;
  return found;
}

}  // namespace longshore
