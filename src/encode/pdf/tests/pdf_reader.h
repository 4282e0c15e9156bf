#pragma once

#include <map>
#include <string>
#include <vector>

#include "encode/encoder.h"
#include "model/export_spec.h"
#include "pdf/pdf_format.h"
#include "sample_rows.h"

namespace longshore {

/// One of poppler's boxes of words; in points from the upper left corner.
struct WordBox {
  double left, top, right, bottom;
  std::string text;
};
struct PageBoxes {
  double width, height;
  std::vector<WordBox> words;
};

/// A PDF as programs of other people read it: qpdf and poppler. A missing one fails the test.
class PdfReader {
 public:
  explicit PdfReader(const std::string& bytes);

  /// What `qpdf --check` says, without its closing remarks; empty for a sound file.
  std::string complaints() const;
  /// pdfinfo's lines, e.g. `Pages` → `12`.
  std::map<std::string, std::string> info() const;
  std::string fonts() const;
  /// Text in the order in which it stands in the file; page by page, all of them for 0.
  std::string raw_text(int page = 0) const;
  std::vector<std::string> raw_lines(int page = 0) const;
  /// Text in the order in which poppler thinks it is read.
  std::string text() const;
  std::vector<PageBoxes> boxes() const;
  /// A page as a grey picture of 72 dots an inch: rows of pixels, 255 is white.
  std::vector<std::vector<unsigned char>> picture(int page) const;
  /// The file without compression, as qpdf writes it.
  std::string uncompressed() const;

 private:
  std::string run(const std::string& command) const;

  TemporaryDirectory directory_;
  std::string path_;
};

/// pdf alone, without a row limit unless there is one.
FormatTable pdf_formats(PdfLimits limits = {.max_rows = 0}, std::shared_ptr<const FontSet> fonts = FontSet::built_in());
/// A spec for `pdf` of columns written as `name:type`, of the dataset `samples`.
ExportSpec pdf_spec(const std::vector<std::string>& columns);
/// Encodes with the built-in fonts and no row limit.
EncodedFile encode_pdf(const ExportSpec& spec, const std::vector<Row>& rows, std::size_t batch_rows = 1000,
                       bool fresh_encoders = false);

/// How often `part` occurs in `text`.
std::size_t count(const std::string& text, const std::string& part);

}  // namespace longshore
