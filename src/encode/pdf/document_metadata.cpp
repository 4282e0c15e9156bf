#include "pdf/document_metadata.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/version.h"
#include "encode/text/calendar.h"
#include "pdf/page_content.h"

namespace longshore {
namespace {

std::string producer() {
  return std::string("longshore ") + kVersion;
}

/// PDF dates and XMP have four digits for a year.
std::chrono::sys_seconds created_second(const DocumentMetadata& metadata) {
  using namespace std::chrono;
  constexpr sys_seconds kFirst = sys_days{year{1970} / 1 / 1};
  constexpr sys_seconds kLast = sys_days{year{9999} / 12 / 31};
  return std::clamp(floor<seconds>(metadata.created), kFirst, kLast);
}

std::string xml_text(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

/// XML 1.0 knows no U+FFFE and U+FFFF.
std::string without_noncharacters(std::string text) {
  for (const std::string_view bad : {"\xEF\xBF\xBE", "\xEF\xBF\xBF"}) {
    for (std::size_t at = text.find(bad); at != std::string::npos; at = text.find(bad)) {
      text.replace(at, bad.size(), "\xEF\xBF\xBD");
    }
  }
  return text;
}

}  // namespace

std::string information_dictionary(const DocumentMetadata& metadata) {
  const auto created = fmt::gmtime(std::chrono::system_clock::to_time_t(created_second(metadata)));
  return fmt::format("<</Title{}/Subject{}/Creator{}/Producer{}/CreationDate(D:{:%Y%m%d%H%M%S}+00'00')>>",
                     pdf_text_string(without_noncharacters(metadata.title)),
                     pdf_text_string(without_noncharacters(metadata.subject)), pdf_text_string(producer()),
                     pdf_text_string(producer()), created);
}

std::string xmp_packet(const DocumentMetadata& metadata) {
  const auto created = fmt::gmtime(std::chrono::system_clock::to_time_t(created_second(metadata)));
  return fmt::format(
      "<?xpacket begin=\"\xEF\xBB\xBF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n"
      "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n"
      "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n"
      "<rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\"\n"
      " xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" xmlns:pdf=\"http://ns.adobe.com/pdf/1.3/\"\n"
      " xmlns:pdfaid=\"http://www.aiim.org/pdfa/ns/id/\">\n"
      "<pdfaid:part>2</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>\n"
      "<dc:format>application/pdf</dc:format>\n"
      "<dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">{}</rdf:li></rdf:Alt></dc:title>\n"
      "<dc:description><rdf:Alt><rdf:li xml:lang=\"x-default\">{}</rdf:li></rdf:Alt></dc:description>\n"
      "<xmp:CreatorTool>{}</xmp:CreatorTool><pdf:Producer>{}</pdf:Producer>\n"
      "<xmp:CreateDate>{:%Y-%m-%dT%H:%M:%S}+00:00</xmp:CreateDate>\n"
      "</rdf:Description>\n</rdf:RDF>\n</x:xmpmeta>\n<?xpacket end=\"r\"?>\n",
      xml_text(without_noncharacters(metadata.title)), xml_text(without_noncharacters(metadata.subject)), producer(),
      producer(), created);
}

}  // namespace longshore
