#include "pdf/text_shaper.h"

#include <fribidi.h>
#include <hb.h>

#include <algorithm>
#include <climits>
#include <numeric>
#include <utility>

#include "pdf/text_lines.h"

namespace longshore {
namespace {

/// What no font has is drawn as this (U+25A1, white square): .notdef must not be used in PDF/A (ISO 19005-2, 6.2.11.8).
constexpr char32_t kBox = 0x25A1;
constexpr char32_t kEllipsis = 0x2026;
/// Characters of one text that are looked at. No cell shows more, and shaping is not cheap.
constexpr std::size_t kMaxCharacters = 4096;

hb_script_t script_of(char32_t c) {
  return hb_unicode_script(hb_unicode_funcs_get_default(), c);
}

/// Not the process's locale: the same text must give the same glyphs everywhere.
hb_language_t undetermined_language() {
  static const hb_language_t language = hb_language_from_string("und", -1);
  return language;
}

bool is_ignorable(char32_t c) {
  return hb_unicode_general_category(hb_unicode_funcs_get_default(), c) == HB_UNICODE_GENERAL_CATEGORY_FORMAT ||
         (c >= 0xFE00 && c <= 0xFE0F) || (c >= 0xE0100 && c <= 0xE01EF);
}

}  // namespace

std::u32string decode_utf8(std::string_view text) {
  std::u32string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[i + k]); };
    if (byte(0) < 0x80) {
      result.push_back(byte(0));
      i += 1;
    } else if (byte(0) < 0xE0) {
      result.push_back((byte(0) & 0x1FU) << 6 | (byte(1) & 0x3FU));
      i += 2;
    } else if (byte(0) < 0xF0) {
      result.push_back((byte(0) & 0x0FU) << 12 | (byte(1) & 0x3FU) << 6 | (byte(2) & 0x3FU));
      i += 3;
    } else {
      result.push_back((byte(0) & 0x07U) << 18 | (byte(1) & 0x3FU) << 12 | (byte(2) & 0x3FU) << 6 | (byte(3) & 0x3FU));
      i += 4;
    }
  }
  return result;
}

std::string encode_utf8(std::u32string_view text) {
  std::string result;
  for (const char32_t c : text) {
    const auto put = [&](char32_t byte) { result.push_back(static_cast<char>(byte)); };
    if (c < 0x80) {
      put(c);
    } else if (c < 0x800) {
      put(0xC0 | c >> 6);
      put(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
      put(0xE0 | c >> 12);
      put(0x80 | (c >> 6 & 0x3F));
      put(0x80 | (c & 0x3F));
    } else {
      put(0xF0 | c >> 18);
      put(0x80 | (c >> 12 & 0x3F));
      put(0x80 | (c >> 6 & 0x3F));
      put(0x80 | (c & 0x3F));
    }
  }
  return result;
}

struct TextShaper::Buffer {
  hb_buffer_t* handle = hb_buffer_create();
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { hb_buffer_destroy(handle); }
};

/// Characters in a row of one font, script and direction.
struct TextShaper::Item {
  std::size_t begin = 0;
  std::size_t end = 0;
  FriBidiLevel level = 0;
  FontId font = kRegularFont;
  hb_script_t script = HB_SCRIPT_COMMON;
  std::vector<hb_glyph_info_t> glyphs;  ///< from left to right; `cluster` is a character's index in the paragraph
  std::vector<hb_glyph_position_t> positions;
};

/// One paragraph on its way; indexes count characters.
struct TextShaper::Paragraph {
  std::u32string text;   ///< as it was
  std::u32string shown;  ///< with a box in the place of what no font has
  std::vector<FriBidiLevel> levels;
  bool right_to_left = false;
  bool missing = false;
  std::vector<Item> items;    ///< in reading order
  std::vector<int> advances;  ///< of the cluster that begins at a character; 0 inside one

  // For break_lines(): a unit is a cluster.
  std::vector<std::size_t> clusters;  ///< where each begins, and the end of the text
  std::size_t size() const { return clusters.size() - 1; }
  int advance(std::size_t i) const { return advances[clusters[i]]; }
  LineBreak line_break(std::size_t i) const { return line_break_after(text[clusters[i + 1] - 1]); }
};

TextShaper::TextShaper(const FontSet& fonts) : fonts_(fonts), buffer_(std::make_unique<Buffer>()) {}
TextShaper::~TextShaper() = default;

void TextShaper::itemize(Paragraph& paragraph, FontId font) const {
  const std::size_t size = paragraph.text.size();
  const auto* const characters = reinterpret_cast<const FriBidiChar*>(paragraph.text.data());
  const auto count = static_cast<FriBidiStrIndex>(size);
  std::vector<FriBidiCharType> types(size);
  std::vector<FriBidiBracketType> brackets(size);
  paragraph.levels.resize(size);
  fribidi_get_bidi_types(characters, count, types.data());
  fribidi_get_bracket_types(characters, count, types.data(), brackets.data());
  FriBidiParType direction = FRIBIDI_PAR_ON;
  if (fribidi_get_par_embedding_levels_ex(types.data(), brackets.data(), count, &direction, paragraph.levels.data()) ==
      0) {
    std::fill(paragraph.levels.begin(), paragraph.levels.end(), FriBidiLevel{0});
  }
  paragraph.right_to_left = FRIBIDI_IS_RTL(direction);

  paragraph.shown = paragraph.text;
  FontId current = font;
  hb_script_t script = HB_SCRIPT_COMMON;
  for (std::size_t i = 0; i < size; ++i) {
    const char32_t c = paragraph.text[i];
    const hb_script_t own = script_of(c);
    const bool follows = own == HB_SCRIPT_INHERITED || is_ignorable(c);
    if (own != HB_SCRIPT_COMMON && own != HB_SCRIPT_INHERITED && own != HB_SCRIPT_UNKNOWN) script = own;
    // Marks and joiners stay with the letter before them, in whose font they have their places.
    const bool kept = follows && (is_ignorable(c) || fonts_.face(current).glyph(c) != 0);
    if (!kept) {
      const std::optional<FontId> found = fonts_.font_with(c, font);
      current = found.value_or(kRegularFont);
      if (!found) {
        paragraph.shown[i] = kBox;
        paragraph.missing = true;
      }
    }
    Item* const last = paragraph.items.empty() ? nullptr : &paragraph.items.back();
    if (last != nullptr && last->level == paragraph.levels[i] && last->font == current &&
        (last->script == script || last->script == HB_SCRIPT_COMMON)) {
      last->end = i + 1;
      last->script = script;
      continue;
    }
    paragraph.items.push_back({i, i + 1, paragraph.levels[i], current, script, {}, {}});
  }
}

void TextShaper::shape_runs(Paragraph& paragraph) {
  paragraph.advances.assign(paragraph.text.size(), 0);
  std::vector<bool> starts(paragraph.text.size() + 1);
  hb_buffer_t* const buffer = buffer_->handle;
  for (Item& item : paragraph.items) {
    hb_buffer_clear_contents(buffer);
    hb_buffer_add_utf32(buffer, reinterpret_cast<const std::uint32_t*>(paragraph.shown.data()),
                        static_cast<int>(paragraph.shown.size()), static_cast<unsigned>(item.begin),
                        static_cast<int>(item.end - item.begin));
    hb_buffer_set_direction(buffer, FRIBIDI_LEVEL_IS_RTL(item.level) != 0 ? HB_DIRECTION_RTL : HB_DIRECTION_LTR);
    hb_buffer_set_script(buffer, item.script);
    hb_buffer_set_language(buffer, undetermined_language());
    hb_shape(fonts_.face(item.font).shaping_font(), buffer, nullptr, 0);
    unsigned count = 0;
    const hb_glyph_info_t* const glyphs = hb_buffer_get_glyph_infos(buffer, &count);
    const hb_glyph_position_t* const positions = hb_buffer_get_glyph_positions(buffer, &count);
    item.glyphs.assign(glyphs, glyphs + count);
    item.positions.assign(positions, positions + count);
    for (unsigned i = 0; i < count; ++i) {
      paragraph.advances[glyphs[i].cluster] += positions[i].x_advance;
      starts[glyphs[i].cluster] = true;
    }
  }
  for (std::size_t i = 0; i < paragraph.text.size(); ++i) {
    if (starts[i] || i == 0) paragraph.clusters.push_back(i);
  }
  paragraph.clusters.push_back(paragraph.text.size());
}

ShapedLine TextShaper::cut_line(const Paragraph& paragraph, std::size_t begin, std::size_t end) const {
  ShapedLine line;
  // Rule L2 of UAX #9 over items: from the highest level down, turn every run of items at that level or above.
  std::vector<const Item*> order;
  for (const Item& item : paragraph.items) {
    if (item.begin < end && item.end > begin) order.push_back(&item);
  }
  int highest = 0;
  for (const Item* item : order) highest = std::max<int>(highest, item->level);
  for (int level = highest; level > 0; --level) {
    for (std::size_t i = 0; i < order.size();) {
      std::size_t k = i;
      while (k < order.size() && order[k]->level >= level) ++k;
      std::reverse(order.begin() + static_cast<std::ptrdiff_t>(i), order.begin() + static_cast<std::ptrdiff_t>(k));
      i = k == i ? i + 1 : k;
    }
  }
  for (const Item* item : order) add_runs(paragraph, *item, begin, end, line);
  return line;
}

void TextShaper::add_runs(const Paragraph& paragraph, const Item& item, std::size_t begin, std::size_t end,
                          ShapedLine& line) const {
  const FontFace& face = fonts_.face(item.font);
  const bool right_to_left = FRIBIDI_LEVEL_IS_RTL(item.level) != 0;
  const std::size_t runs_before = line.runs.size();
  for (std::size_t first = 0; first < item.glyphs.size();) {
    const std::size_t cluster = item.glyphs[first].cluster;
    std::size_t last = first + 1;
    while (last < item.glyphs.size() && item.glyphs[last].cluster == cluster) ++last;
    if (cluster < begin || cluster >= end) {
      first = last;
      continue;
    }
    const auto next = std::upper_bound(paragraph.clusters.begin(), paragraph.clusters.end(), cluster);
    const std::u32string text = paragraph.text.substr(cluster, *next - cluster);
    const char32_t known = face.code_point(item.glyphs[first].codepoint);
    // One glyph says its text by itself, if the font or (what it is first used for) the file says so.
    const bool exact = last - first == 1 && (known == 0 ? paragraph.shown[cluster] == paragraph.text[cluster]
                                                        : text == std::u32string(1, known));
    const bool joins =
        line.runs.size() > runs_before && line.runs.back().actual_text.empty() == exact && (exact || !right_to_left);
    if (!joins) line.runs.push_back({item.font, {}, {}});
    GlyphRun& run = line.runs.back();
    if (!exact) run.actual_text += encode_utf8(text);
    for (; first < last; ++first) {
      const hb_glyph_position_t& position = item.positions[first];
      const auto glyph = static_cast<std::uint16_t>(item.glyphs[first].codepoint);
      run.glyphs.push_back({glyph, position.x_advance, position.x_offset, position.y_offset,
                            exact && known == 0 ? encode_utf8(text) : std::string{}});
      line.width += position.x_advance;
    }
  }
}

void TextShaper::append_ellipsis(ShapedLine& line, bool right_to_left, FontId font) const {
  GlyphRun run;
  run.font = font;
  const std::uint32_t glyph = fonts_.face(font).glyph(kEllipsis);
  run.glyphs.push_back({static_cast<std::uint16_t>(glyph), fonts_.face(font).advance(glyph), 0, 0, {}});
  line.width += run.glyphs.front().advance;
  line.runs.insert(right_to_left ? line.runs.begin() : line.runs.end(), std::move(run));
}

ShapedText TextShaper::shape(std::string_view text, FontId font, int limit, std::size_t max_lines) {
  ShapedText result;
  std::u32string characters = decode_utf8(text);
  const bool cut = characters.size() > kMaxCharacters;
  if (cut) characters.resize(kMaxCharacters);
  const int ellipsis = fonts_.face(font).advance(fonts_.face(font).glyph(kEllipsis));
  bool seen_direction = false;
  std::vector<TextLine> lines;
  for (std::size_t begin = 0, end = 0; begin <= characters.size() && result.lines.size() < max_lines; begin = end + 1) {
    end = std::min(characters.find(U'\n', begin), characters.size());
    const bool more = end < characters.size() || cut;
    const std::size_t room = max_lines - result.lines.size();
    if (begin == end) {
      ShapedLine& empty = result.lines.emplace_back();
      result.truncated = more && room == 1;
      if (result.truncated) append_ellipsis(empty, false, font);
      continue;
    }
    Paragraph paragraph;
    paragraph.text = characters.substr(begin, end - begin);
    itemize(paragraph, font);
    shape_runs(paragraph);
    result.missing |= paragraph.missing;
    if (!std::exchange(seen_direction, true)) result.right_to_left = paragraph.right_to_left;
    result.truncated = break_lines(paragraph, limit, room, ellipsis, false, lines);
    // Text that follows is cut as well: by the room that this paragraph fills, or because nobody looks that far.
    const bool nothing_follows = end == characters.size() || lines.size() == room;
    if (!result.truncated && more && nothing_follows) {
      result.truncated = break_lines(paragraph, limit, room, ellipsis, true, lines);
    }
    for (const TextLine& line : lines) {
      ShapedLine& shaped =
          result.lines.emplace_back(cut_line(paragraph, paragraph.clusters[line.begin], paragraph.clusters[line.end]));
      if (line.ellipsis) append_ellipsis(shaped, paragraph.right_to_left, font);
    }
  }
  return result;
}

ShapedLine TextShaper::shape_line(std::string_view text, FontId font) {
  ShapedText shaped = shape(text, font, INT_MAX / 2, 1);
  return shaped.lines.empty() ? ShapedLine{} : std::move(shaped.lines.front());
}

}  // namespace longshore
