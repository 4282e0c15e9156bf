#include "telemetry/log_line.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace longshore {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

/// The length of the UTF-8 sequence that `text` begins with, 0 if it is not one (RFC 3629: no overlong forms, no
/// surrogates, nothing above U+10FFFF).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const bool bad_second = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) > 0x9F) ||
                          (lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) > 0x8F);
  return bad_second ? 0 : length;
}

void append_control(std::string& line, char c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  switch (c) {
    case '\n':
      line += "\\n";
      return;
    case '\r':
      line += "\\r";
      return;
    case '\t':
      line += "\\t";
      return;
    default:
      line += "\\u00";
      line += kDigits[static_cast<unsigned char>(c) >> 4];
      line += kDigits[static_cast<unsigned char>(c) & 15];
  }
}

/// Appends `text` with control characters escaped; quotes and backslashes, too, if it will stand between quotes.
void append_escaped(std::string& line, std::string_view text, bool quoted) {
  while (!text.empty()) {
    const char c = text.front();
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      line += kReplacement;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      append_control(line, c);
    } else {
      if (quoted && (c == '"' || c == '\\')) line += '\\';
      line += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
}

void append_quoted(std::string& line, std::string_view text) {
  line += '"';
  append_escaped(line, text, true);
  line += '"';
}

bool names_a_secret(std::string_view key) {
  constexpr std::array<std::string_view, 7> kWords{"password", "passwd", "secret",   "token",
                                                   "cookie",   "dsn",    "signature"};
  std::string lower(key);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower.find("authorization") != std::string::npos || lower == "api_key" ||
         std::ranges::any_of(kWords, [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

/// Whether a text value of a plain line can go without quotes.
bool is_plain_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && c != '"' && c != '=' && c != '\\' && c != 0x7F;
  });
}

struct ValueWriter {
  std::string& line;
  LogFormat format;

  void operator()(std::string_view text) const {
    if (format == LogFormat::text && is_plain_word(text)) {
      append_escaped(line, text, false);
    } else {
      append_quoted(line, text);
    }
  }
  void operator()(std::int64_t number) const { line += std::to_string(number); }
  void operator()(double number) const {
    if (!std::isfinite(number)) {
      line += "null";  // JSON has no other word for it
      return;
    }
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    line.append(digits.data(), end);
  }
  void operator()(bool value) const { line += value ? "true" : "false"; }
};

void append_value(std::string& line, LogFormat format, const LogField& field) {
  const ValueWriter writer{line, format};
  if (names_a_secret(field.key)) {
    writer(std::string_view("[redacted]"));
  } else {
    std::visit(writer, field.value.get());
  }
}

}  // namespace

std::string log_line(LogFormat format, Timestamp time, LogLevel level, std::string_view message, LogFields fields) {
  constexpr std::array<std::string_view, 4> kJsonLevels{"debug", "info", "warn", "error"};
  constexpr std::array<std::string_view, 4> kTextLevels{"DEBUG", "INFO ", "WARN ", "ERROR"};
  const auto index = static_cast<std::size_t>(level);
  std::string line;
  line.reserve(160);

  if (format == LogFormat::text) {
    line.append(to_rfc3339(time)).append(" ").append(kTextLevels.at(index)).append(" ");
    append_escaped(line, message, false);
    for (const LogField& field : fields) {
      line += ' ';
      append_escaped(line, field.key, false);
      line += '=';
      append_value(line, format, field);
    }
    return line;
  }

  line.append(R"({"time":")").append(to_rfc3339(time)).append(R"(","level":")").append(kJsonLevels.at(index));
  line.append(R"(","message":)");
  append_quoted(line, message);
  for (const LogField& field : fields) {
    line += ',';
    append_quoted(line, field.key);
    line += ':';
    append_value(line, format, field);
  }
  line += '}';
  return line;
}

}  // namespace longshore
