#include "pdf/color_profile.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace longshore {
namespace {

using Vector = std::array<double, 3>;
using Matrix = std::array<Vector, 3>;  ///< rows

Vector operator*(const Matrix& m, const Vector& v) {
  Vector result{};
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t k = 0; k < 3; ++k) result[i] += m[i][k] * v[k];
  }
  return result;
}

Matrix operator*(const Matrix& a, const Matrix& b) {
  Matrix result{};
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) {
      for (std::size_t k = 0; k < 3; ++k) result[i][j] += a[i][k] * b[k][j];
    }
  }
  return result;
}

Matrix inverse(const Matrix& m) {
  const auto minor = [&](std::size_t r, std::size_t c) {
    const std::size_t r1 = (r + 1) % 3, r2 = (r + 2) % 3, c1 = (c + 1) % 3, c2 = (c + 2) % 3;
    return m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1];
  };
  const double determinant = m[0][0] * minor(0, 0) + m[0][1] * minor(0, 1) + m[0][2] * minor(0, 2);
  Matrix result{};
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) result[i][j] = minor(j, i) / determinant;
  }
  return result;
}

Vector xyz(double x, double y) {
  return {x / y, 1, (1 - x - y) / y};
}

/// ISO 15076-1's profile connection space: D50.
constexpr Vector kD50{0.9642, 1, 0.8249};

/// From D65, sRGB's white, to D50 by the Bradford cone responses (ISO 15076-1, annex E).
Matrix adaptation(const Vector& white) {
  constexpr Matrix kBradford{{{0.8951, 0.2664, -0.1614}, {-0.7502, 1.7135, 0.0367}, {0.0389, -0.0685, 1.0296}}};
  const Vector from = kBradford * white;
  const Vector to = kBradford * kD50;
  const Matrix scale{{{to[0] / from[0], 0, 0}, {0, to[1] / from[1], 0}, {0, 0, to[2] / from[2]}}};
  return inverse(kBradford) * (scale * kBradford);
}

void put16(std::string& out, std::uint32_t value) {
  out += static_cast<char>(value >> 8 & 0xFF);
  out += static_cast<char>(value & 0xFF);
}

void put32(std::string& out, std::uint32_t value) {
  put16(out, value >> 16);
  put16(out, value & 0xFFFF);
}

void put_fixed(std::string& out, double value) {
  put32(out, static_cast<std::uint32_t>(static_cast<std::int32_t>(std::lround(value * 65536))));
}

std::string xyz_tag(const Vector& value) {
  std::string tag("XYZ \0\0\0\0", 8);
  for (const double v : value) put_fixed(tag, v);
  return tag;
}

/// A text in one language.
std::string text_tag(std::string_view text) {
  std::string tag("mluc\0\0\0\0", 8);
  put32(tag, 1);
  put32(tag, 12);
  tag += "enUS";
  put32(tag, static_cast<std::uint32_t>(2 * text.size()));
  put32(tag, 28);
  for (const char c : text) put16(tag, static_cast<unsigned char>(c));
  return tag;
}

/// IEC 61966-2-1: linear below 0.04045, then a power of 2.4.
std::string curve_tag() {
  std::string tag("para\0\0\0\0\0\3\0\0", 12);
  for (const double v : {2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045}) put_fixed(tag, v);
  return tag;
}

std::string matrix_tag(const Matrix& m) {
  std::string tag("sf32\0\0\0\0", 8);
  for (const Vector& row : m) {
    for (const double v : row) put_fixed(tag, v);
  }
  return tag;
}

std::string header(std::uint32_t size) {
  std::string out;
  put32(out, size);
  put32(out, 0);           // no preferred engine
  put32(out, 0x04300000);  // version 4.3
  out += "mntrRGB XYZ ";
  for (const std::uint32_t part : {2026U, 1U, 1U, 0U, 0U, 0U}) put16(out, part);  // a date; any
  out += "acsp";
  out.append(28, '\0');  // platform, flags, maker, model, attributes, perceptual intent
  for (const double v : kD50) put_fixed(out, v);
  out.resize(128, '\0');
  return out;
}

}  // namespace

std::string make_srgb_profile() {
  // Primaries and white of ITU-R BT.709, which sRGB uses.
  const Vector red = xyz(0.64, 0.33), green = xyz(0.30, 0.60), blue = xyz(0.15, 0.06), white = xyz(0.3127, 0.3290);
  const Matrix primaries{{{red[0], green[0], blue[0]}, {red[1], green[1], blue[1]}, {red[2], green[2], blue[2]}}};
  const Vector scale = inverse(primaries) * white;
  const Matrix to_d50 = adaptation(white);
  const auto primary = [&](const Vector& colour, std::size_t i) {
    return to_d50 * Vector{colour[0] * scale[i], colour[1] * scale[i], colour[2] * scale[i]};
  };

  const std::string curve = curve_tag();
  const std::vector<std::pair<std::string_view, std::string>> tags{{"desc", text_tag("sRGB")},
                                                                   {"cprt", text_tag("No copyright, use freely")},
                                                                   {"wtpt", xyz_tag(kD50)},
                                                                   {"chad", matrix_tag(to_d50)},
                                                                   {"rXYZ", xyz_tag(primary(red, 0))},
                                                                   {"gXYZ", xyz_tag(primary(green, 1))},
                                                                   {"bXYZ", xyz_tag(primary(blue, 2))},
                                                                   {"rTRC", curve},
                                                                   {"gTRC", curve},
                                                                   {"bTRC", curve}};
  std::string table, data;
  put32(table, static_cast<std::uint32_t>(tags.size()));
  const std::size_t data_begin = 128 + 4 + 12 * tags.size();
  std::uint32_t shared = 0;
  for (const auto& [name, tag] : tags) {
    const bool is_curve = name.ends_with("TRC");
    auto offset = static_cast<std::uint32_t>(data_begin + data.size());
    if (is_curve && shared != 0) offset = shared;
    if (offset != shared) data += tag;
    if (is_curve) shared = offset;
    data.resize((data.size() + 3) / 4 * 4, '\0');
    table += name;
    put32(table, offset);
    put32(table, static_cast<std::uint32_t>(tag.size()));
  }
  return header(static_cast<std::uint32_t>(data_begin + data.size())) + table + data;
}

}  // namespace longshore
