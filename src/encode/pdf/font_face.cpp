#include "pdf/font_face.h"

#include <hb-ot.h>
#include <hb-subset.h>
#include <hb.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/digest.h"

namespace longshore {
namespace {

template <class T, void (*destroy)(T*)>
struct Destroy {
  void operator()(T* handle) const { destroy(handle); }
};
using Blob = std::unique_ptr<hb_blob_t, Destroy<hb_blob_t, hb_blob_destroy>>;
using Face = std::unique_ptr<hb_face_t, Destroy<hb_face_t, hb_face_destroy>>;
using Font = std::unique_ptr<hb_font_t, Destroy<hb_font_t, hb_font_destroy>>;
using Set = std::unique_ptr<hb_set_t, Destroy<hb_set_t, hb_set_destroy>>;
using SubsetInput = std::unique_ptr<hb_subset_input_t, Destroy<hb_subset_input_t, hb_subset_input_destroy>>;

std::string_view view(hb_blob_t* blob) {
  unsigned size = 0;
  const char* data = hb_blob_get_data(blob, &size);
  return {data, size};
}

int big_endian16(std::string_view table, std::size_t offset) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(table[i]); };
  return static_cast<std::int16_t>(byte(offset) << 8 | byte(offset + 1));
}

/// Ligatures and joined letters that Unicode has for old encodings' sake. Text is made of the letters themselves.
bool is_presentation_form(char32_t c) {
  return (c >= 0xFB00 && c <= 0xFDFF) || (c >= 0xFE70 && c <= 0xFEFC);
}

/// OS/2's fsType, bit 1: "must not be modified, embedded or exchanged" (OpenType 1.9, OS/2).
constexpr int kRestrictedLicence = 2;

}  // namespace

struct FontFace::Handles {
  Blob blob;
  Face face;
  Font font;
};

FontFace::FontFace() : handles_(std::make_unique<Handles>()) {}
FontFace::~FontFace() = default;

hb_font_t* FontFace::shaping_font() const {
  return handles_->font.get();
}

Status FontFace::read_tables(const std::string& name) {
  const auto bad = [&](const std::string& why) { return fail(user_error("bad_font", "font " + name + " " + why)); };
  handles_->face.reset(hb_face_create(handles_->blob.get(), 0));
  hb_face_t* const face = handles_->face.get();
  hb_face_make_immutable(face);
  handles_->font.reset(hb_font_create(face));
  hb_font_t* const font = handles_->font.get();
  hb_font_set_scale(font, kUnitsPerEm, kUnitsPerEm);
  hb_font_make_immutable(font);

  const Blob outlines(hb_face_reference_table(face, HB_TAG('g', 'l', 'y', 'f')));
  const Blob head(hb_face_reference_table(face, HB_TAG('h', 'e', 'a', 'd')));
  const Blob os2(hb_face_reference_table(face, HB_TAG('O', 'S', '/', '2')));
  const std::string_view header = view(head.get());
  if (header.size() < 54) return bad("is not an OpenType font");
  if (view(outlines.get()).empty()) return bad("has no TrueType outlines (glyf); choose another one");
  const std::string_view licence = view(os2.get());
  if (licence.size() >= 10 && (big_endian16(licence, 8) & 0xF) == kRestrictedLicence) {
    return bad("may not be embedded, its OS/2 table says");
  }

  const int own_units = std::max(1, static_cast<int>(hb_face_get_upem(face)));
  for (std::size_t i = 0; i < 4; ++i) metrics_.box[i] = big_endian16(header, 36 + 2 * i) * 1000 / own_units;
  hb_font_extents_t extents{};
  hb_font_get_h_extents(font, &extents);
  hb_position_t cap_height = 0;
  hb_ot_metrics_get_position_with_fallback(font, HB_OT_METRICS_TAG_CAP_HEIGHT, &cap_height);
  metrics_.ascent = extents.ascender * 1000 / kUnitsPerEm;
  metrics_.descent = extents.descender * 1000 / kUnitsPerEm;
  metrics_.cap_height = cap_height * 1000 / kUnitsPerEm;

  std::array<char, 128> text{};
  unsigned size = text.size();
  hb_ot_name_get_utf8(face, HB_OT_NAME_ID_POSTSCRIPT_NAME, HB_LANGUAGE_INVALID, &size, text.data());
  postscript_name_.assign(text.data(), size);
  std::erase_if(postscript_name_, [](char c) {
    return c <= ' ' || c >= 0x7F || std::string_view("()<>[]{}/%#").find(c) != std::string_view::npos;
  });
  if (postscript_name_.empty()) postscript_name_ = "Font";

  // `head` holds a checksum over the whole font, so it need not be read to the end here.
  fingerprint_ = sha256_hex(postscript_name_ + std::string(header) + std::to_string(view(handles_->blob.get()).size()))
                     .substr(0, 16);

  const Set unicodes(hb_set_create());
  hb_face_collect_unicodes(face, unicodes.get());
  code_points_.assign(hb_face_get_glyph_count(face), 0);
  for (hb_codepoint_t c = HB_SET_VALUE_INVALID; hb_set_next(unicodes.get(), &c) != 0;) {
    if (is_presentation_form(c)) continue;
    const std::uint32_t index = glyph(c);
    if (index < code_points_.size() && code_points_[index] == 0) code_points_[index] = c;
  }
  return {};
}

Result<std::shared_ptr<const FontFace>> FontFace::from_memory(std::string_view bytes, const std::string& name) {
  std::shared_ptr<FontFace> face(new FontFace);
  face->handles_->blob.reset(
      hb_blob_create(bytes.data(), static_cast<unsigned>(bytes.size()), HB_MEMORY_MODE_READONLY, nullptr, nullptr));
  CHECK_OK(face->read_tables(name));
  return face;
}

Result<std::shared_ptr<const FontFace>> FontFace::from_file(const std::string& path) {
  std::shared_ptr<FontFace> face(new FontFace);
  face->handles_->blob.reset(hb_blob_create_from_file_or_fail(path.c_str()));
  if (face->handles_->blob == nullptr) return fail(user_error("bad_font", "font " + path + " cannot be read"));
  CHECK_OK(face->read_tables(path));
  return face;
}

std::uint32_t FontFace::glyph(char32_t code_point) const {
  hb_codepoint_t result = 0;
  return hb_font_get_nominal_glyph(handles_->font.get(), code_point, &result) != 0 ? result : 0;
}

int FontFace::advance(std::uint32_t glyph) const {
  return hb_font_get_glyph_h_advance(handles_->font.get(), glyph);
}

char32_t FontFace::code_point(std::uint32_t glyph) const {
  return glyph < code_points_.size() ? code_points_[glyph] : 0;
}

Result<std::string> FontFace::subset(const std::vector<std::uint32_t>& glyphs,
                                     const std::vector<char32_t>& code_points) const {
  const SubsetInput input(hb_subset_input_create_or_fail());
  if (input == nullptr) return fail(internal_error("font_subset", "no memory for a subset of " + postscript_name_));
  hb_subset_input_set_flags(input.get(),
                            HB_SUBSET_FLAGS_RETAIN_GIDS | HB_SUBSET_FLAGS_NO_HINTING | HB_SUBSET_FLAGS_NOTDEF_OUTLINE);
  for (const std::uint32_t glyph : glyphs) hb_set_add(hb_subset_input_glyph_set(input.get()), glyph);
  for (const char32_t c : code_points) hb_set_add(hb_subset_input_unicode_set(input.get()), c);
  // A PDF viewer reads none of these. Without the layout tables no glyph joins that was not asked for.
  hb_set_t* const dropped = hb_subset_input_set(input.get(), HB_SUBSET_SETS_DROP_TABLE_TAG);
  for (const char* tag : {"GSUB", "GPOS", "GDEF", "kern", "name", "post", "FFTM", "DSIG", "gasp", "BASE", "JSTF",
                          "morx", "mort", "vhea", "vmtx", "VORG"}) {
    hb_set_add(dropped, hb_tag_from_string(tag, -1));
  }
  const Face result(hb_subset_or_fail(handles_->face.get(), input.get()));
  if (result == nullptr) return fail(internal_error("font_subset", "cannot make a subset of " + postscript_name_));
  const Blob blob(hb_face_reference_blob(result.get()));
  return std::string(view(blob.get()));
}

}  // namespace longshore
