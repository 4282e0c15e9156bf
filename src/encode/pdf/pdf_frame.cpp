#include "pdf/pdf_frame.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/digest.h"
#include "pdf/color_profile.h"
#include "pdf/document_metadata.h"
#include "pdf/page_forms.h"
#include "pdf/pdf_fonts.h"
#include "pdf/pdf_objects.h"
#include "pdf/report_progress.h"
#include "pdf/table_layout.h"

namespace longshore {
namespace {

/// PDF 1.7, and four bytes by which programs see that the file is not text (ISO 19005-2, 6.1.2).
constexpr std::string_view kPrologue = "%PDF-1.7\n%\xE2\xE3\xCF\xD3\n";
/// Children of a node of the page tree.
constexpr std::int64_t kFanOut = 64;

std::string points(int tenths) {
  return tenths % 10 == 0 ? std::to_string(tenths / 10) : fmt::format("{}.{}", tenths / 10, tenths % 10);
}

/// The content streams of each page, in the order of the pages.
std::vector<std::vector<ObjectNumber>> page_contents(const ContentStreams& streams, std::size_t groups) {
  std::vector<std::vector<ObjectNumber>> pages;
  ObjectNumber number = 0;
  bool begins = true;
  for (const bool ends : streams.ends_pages) {
    if (begins) pages.resize(pages.size() + groups);
    for (std::size_t group = 0; group < groups; ++group) {
      pages[pages.size() - groups + group].push_back(++number);
    }
    begins = ends;
  }
  return pages;
}

/// Writes pages and the nodes above them; returns the root. The tree is as flat as kFanOut allows.
ObjectNumber write_pages(const std::vector<std::vector<ObjectNumber>>& pages, const TableLayout& layout,
                         ObjectNumber resources, ObjectWriter& out) {
  struct Level {
    ObjectNumber first;
    std::int64_t count;
  };
  std::vector<Level> levels{{out.allocate(static_cast<std::int64_t>(pages.size())), std::int64_t(pages.size())}};
  std::int64_t span = 1;
  do {
    const std::int64_t count = (levels.back().count + kFanOut - 1) / kFanOut;
    levels.push_back({out.allocate(count), count});
  } while (levels.back().count > 1);

  for (std::size_t i = 0; i < pages.size(); ++i) {
    std::string contents;
    for (const ObjectNumber number : pages[i]) {
      if (!contents.empty()) contents += ' ';
      contents += reference(number);
    }
    if (pages[i].size() > 1) contents = fmt::format("[{}]", contents);
    const auto index = static_cast<std::int64_t>(i);
    out.object(levels[0].first + index,
               fmt::format("<</Type/Page/Parent {}/Resources {}/Contents {}>>",
                           reference(levels[1].first + index / kFanOut), reference(resources), contents));
  }
  for (std::size_t level = 1; level < levels.size(); ++level) {
    span *= kFanOut;
    for (std::int64_t i = 0; i < levels[level].count; ++i) {
      std::string kids;
      const std::int64_t end = std::min((i + 1) * kFanOut, levels[level - 1].count);
      for (std::int64_t kid = i * kFanOut; kid < end; ++kid) {
        kids += reference(levels[level - 1].first + kid);
        kids += ' ';
      }
      const std::int64_t below = std::min((i + 1) * span, levels[0].count) - i * span;
      const std::string above =
          level + 1 < levels.size()
              ? "/Parent " + reference(levels[level + 1].first + i / kFanOut)
              : fmt::format("/MediaBox[0 0 {} {}]", points(layout.page.width), points(layout.page.height));
      out.object(levels[level].first + i, fmt::format("<</Type/Pages/Count {}/Kids[{}]{}>>", below, kids, above));
    }
  }
  return levels.back().first;
}

/// What is drawn at the end, with the resources it shares with the pages.
class Forms {
 public:
  Forms(const TableLayout& layout, ObjectNumber resources, ObjectWriter& out)
      : layout_(layout), resources_(resources), out_(out) {}

  void add(const std::string& name, std::string_view content) {
    const ObjectNumber number = out_.allocate();
    out_.stream(number,
                fmt::format("/Type/XObject/Subtype/Form/BBox[0 0 {} {}]/Resources {}", layout_.page.width,
                            layout_.page.height, reference(resources_)),
                content);
    dictionary_ += "/" + name + " " + reference(number);
  }
  const std::string& dictionary() const { return dictionary_; }

 private:
  const TableLayout& layout_;
  ObjectNumber resources_;
  ObjectWriter& out_;
  std::string dictionary_;
};

ObjectNumber write_catalog(const DocumentMetadata& metadata, ObjectNumber pages, ObjectWriter& out) {
  const ObjectNumber xmp = out.allocate();
  out.plain_stream(xmp, "/Type/Metadata/Subtype/XML", xmp_packet(metadata));
  const ObjectNumber profile = out.allocate();
  out.stream(profile, "/N 3", make_srgb_profile());
  const ObjectNumber catalog = out.allocate();
  out.object(catalog, fmt::format("<</Type/Catalog/Pages {}/Metadata {}/OutputIntents[<</Type/OutputIntent/S/GTS_PDFA1"
                                  "/OutputConditionIdentifier(sRGB IEC61966-2.1)/Info(sRGB IEC61966-2.1)"
                                  "/DestOutputProfile {}>>]/ViewerPreferences<</DisplayDocTitle true>>>>",
                                  reference(pages), reference(xmp), reference(profile)));
  return catalog;
}

Status one_partition(const std::vector<EncodedPartition>& partitions) {
  if (partitions.size() <= 1) return {};
  return fail(internal_error("pdf_partitions", "a PDF was cut into " + std::to_string(partitions.size()) +
                                                   " partitions; its page numbers run through, so it is one"));
}

}  // namespace

Status PdfFrame::prologue(const std::vector<EncodedPartition>&, ByteBuffer& out) const {
  out.append(kPrologue);
  return {};
}

Status PdfFrame::glue(const std::vector<EncodedPartition>& partitions, std::size_t, ByteBuffer&) const {
  return one_partition(partitions);
}

Result<TableLayout> PdfFrame::empty_layout() const {
  TRY(std::vector<ReportColumn> columns, make_report_columns(spec_));
  return choose_layout(spec_, text_, columns, 0, *fonts_);
}

Status PdfFrame::epilogue(const std::vector<EncodedPartition>& partitions, const std::vector<std::int64_t>& offsets,
                          ByteBuffer& out) const {
  CHECK_OK(one_partition(partitions));
  const ChunkSummary summary = partitions.empty() ? ChunkSummary{} : partitions.front().summary;
  const std::int64_t body_begin = offsets.empty() ? std::int64_t(kPrologue.size()) : offsets.front();
  const std::int64_t body_bytes = partitions.empty() ? 0 : partitions.front().bytes;
  TRY(ReportProgress progress, read_progress(summary.detail, spec_.columns.size(), *fonts_));

  ObjectWriter writer(body_begin + body_bytes, out);
  std::int64_t offset = body_begin;
  for (const std::uint32_t length : progress.streams.lengths) {
    writer.add_written(offset);
    offset += length;
  }
  if (offset != body_begin + body_bytes) {
    return fail(internal_error("bad_pdf_detail", "the pages' lengths are not those of the file"));
  }

  GlyphUse& use = progress.use;
  ByteBuffer content;
  std::vector<std::vector<ObjectNumber>> pages;
  if (!progress.layout) {
    TRY(progress.layout, empty_layout());
    draw_empty_report(*fonts_, *progress.layout, use, content);
    const ObjectNumber number = writer.allocate();
    writer.stream(number, "", content.view());
    pages = {{number}};
  } else {
    pages = page_contents(progress.streams, progress.layout->groups.size());
  }
  const TableLayout& layout = *progress.layout;

  const ObjectNumber resources = writer.allocate();
  Forms forms(layout, resources, writer);
  const auto add_form = [&](const std::string& name, const auto& draw) {
    content.clear();
    draw();
    forms.add(name, content.view());
  };
  add_form("T", [&] { draw_title(text_, *fonts_, layout, summary.rows, use, content); });
  for (std::size_t group = 0; group < layout.groups.size(); ++group) {
    add_form("H" + std::to_string(group), [&] { draw_header(spec_, *fonts_, layout, group, use, content); });
    add_form("Z" + std::to_string(group), [&] { draw_stripes(*fonts_, layout, group, content); });
  }
  add_form("P", [&] { draw_footer(text_, *fonts_, layout, std::int64_t(pages.size()), use, content); });
  TRY(const std::string fonts, write_fonts(*fonts_, use, writer));
  writer.object(resources, fmt::format("<</Font<<{}>>/XObject<<{}>>>>", fonts, forms.dictionary()));

  const DocumentMetadata metadata{text_.title, text_.dataset, spec_.requested_at};
  const ObjectNumber root = write_pages(pages, layout, resources, writer);
  const ObjectNumber catalog = write_catalog(metadata, root, writer);
  const ObjectNumber information = writer.allocate();
  writer.object(information, information_dictionary(metadata));

  // Of all that the file holds, so that files that differ have other names for programs that keep them.
  const std::string identity = to_json(spec_) + summary.detail + std::to_string(summary.raw_crc32);
  const std::string id = sha256_hex(identity).substr(0, 32);
  writer.finish(fmt::format("/Root {}/Info {}/ID[<{}><{}>]", reference(catalog), reference(information), id, id));
  return {};
}

}  // namespace longshore
