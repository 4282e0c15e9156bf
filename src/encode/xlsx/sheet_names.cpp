#include "xlsx/sheet_names.h"

#include <algorithm>
#include <set>

#include "xlsx/xml_text.h"

namespace longshore {
namespace {

constexpr std::size_t kMaxSheetName = 31;
constexpr std::size_t kMaxTableHeader = 255;
constexpr std::string_view kForbidden = ":\\/?*[]";

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return result;
}

/// `base` cut so that it and `suffix` are at most `units` long, and the suffix.
std::string with_suffix(std::string_view base, const std::string& suffix, std::size_t units) {
  return std::string(base.substr(0, bytes_of_units(base, units - suffix.size()))) + suffix;
}

std::string sheet_name(std::string_view wanted) {
  std::string name = repaired_utf8(wanted);
  for (char& c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || kForbidden.find(c) != std::string_view::npos) c = '_';
  }
  name = with_suffix(name, "", kMaxSheetName);
  if (name.starts_with('\'')) name.front() = '_';
  if (name.ends_with('\'')) name.back() = '_';
  if (name.find_first_not_of(' ') == std::string::npos) name = "Sheet";
  if (lower(name) == "history") name += "_";
  return name;
}

}  // namespace

std::vector<std::string> sheet_names(std::string_view wanted, std::size_t count) {
  std::vector<std::string> names{sheet_name(wanted)};
  for (std::size_t i = 2; i <= count; ++i) {
    names.push_back(with_suffix(names.front(), " (" + std::to_string(i) + ")", kMaxSheetName));
  }
  return names;
}

std::vector<std::string> table_headers(const std::vector<std::string>& names) {
  std::vector<std::string> headers;
  std::set<std::string> taken;
  for (const std::string& name : names) {
    std::string header = repaired_utf8(name);
    for (char& c : header) {
      if (static_cast<unsigned char>(c) < 0x20) c = ' ';
    }
    header = with_suffix(header, "", kMaxTableHeader);
    if (header.find_first_not_of(' ') == std::string::npos) header = "Column" + std::to_string(headers.size() + 1);
    const std::string base = header;
    for (int i = 2; !taken.insert(lower(header)).second; ++i) {
      header = with_suffix(base, std::to_string(i), kMaxTableHeader);
    }
    headers.push_back(std::move(header));
  }
  return headers;
}

}  // namespace longshore
