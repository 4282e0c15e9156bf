#include "http/target.h"

#include <optional>
#include <utility>

#include "base/utf8.h"

namespace longshore {

namespace {

constexpr std::size_t kMaxTarget = 8000;  // RFC 9112 section 3 recommends to support at least as much

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

bool has_control(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return true;
  }
  return false;
}

Error malformed(std::string message) {
  return user_error("malformed_request", std::move(message));
}

Result<std::string> decode_segment(std::string_view raw) {
  std::optional<std::string> segment = percent_decode(raw, false);
  if (!segment) return fail(malformed("The path has a '%' that is not followed by two hexadecimal digits."));
  if (*segment == "." || *segment == "..") return fail(malformed("The path has a '.' or '..' segment."));
  if (has_control(*segment) || segment->find_first_of("/\\") != std::string::npos) {
    return fail(malformed("A segment of the path holds a slash, a backslash or a control character."));
  }
  if (!is_utf8(*segment)) return fail(malformed("The path is not UTF-8."));
  return std::move(*segment);
}

Result<std::vector<std::string>> decode_path(std::string_view path) {
  std::vector<std::string> segments;
  if (path == "/") return segments;
  path.remove_prefix(1);
  while (true) {
    const std::size_t slash = path.find('/');
    TRY(std::string segment, decode_segment(path.substr(0, slash)));
    segments.push_back(std::move(segment));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

Result<std::vector<Field>> decode_query(std::string_view query) {
  std::vector<Field> fields;
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    std::optional<std::string> name = percent_decode(pair.substr(0, equals), true);
    std::optional<std::string> value =
        percent_decode(equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1), true);
    if (!name || !value) return fail(malformed("The query has a '%' that is not followed by two hexadecimal digits."));
    if (!is_utf8(*name) || !is_utf8(*value)) return fail(malformed("The query is not UTF-8."));
    if (has_control(*name) || has_control(*value)) return fail(malformed("The query holds a control character."));
    fields.push_back({std::move(*name), std::move(*value)});
  }
  return fields;
}

/// `http://host/path` → `/path`; nullopt when it is not of that form.
std::optional<std::string_view> after_authority(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!same_name(target.substr(0, scheme.size()), scheme)) continue;
    const std::size_t path = target.find_first_of("/?", scheme.size());
    return path == std::string_view::npos ? "/" : target.substr(path);
  }
  return std::nullopt;
}

}  // namespace

Result<Target> parse_target(std::string_view target) {
  if (target.size() > kMaxTarget) {
    return fail(user_error("target_too_long", "The URL is longer than 8000 bytes."));
  }
  if (target == "*") return Target{.path = "*", .segments = {"*"}, .query = {}};
  if (!target.starts_with('/')) {
    const std::optional<std::string_view> rest = after_authority(target);
    if (!rest) return fail(malformed("The request target is neither a path nor an http URL."));
    target = *rest;
  }
  const std::size_t question = target.find('?');
  Target out;
  out.path = target.substr(0, question);
  if (out.path.empty()) out.path = "/";
  TRY(out.segments, decode_path(out.path));
  if (question != std::string_view::npos) {
    TRY(out.query, decode_query(target.substr(question + 1)));
  }
  return out;
}

}  // namespace longshore
