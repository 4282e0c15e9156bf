#include "encode/json/json_text.h"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "encode/text/byte_scan.h"

namespace longshore {
namespace {

struct Escape {
  char text[6];
  std::uint8_t size;  ///< 0: stands for itself
};

constexpr std::array<Escape, 128> kEscapes = [] {
  std::array<Escape, 128> escapes{};
  constexpr std::string_view kHex = "0123456789abcdef";
  for (std::size_t c = 0; c < 0x20; ++c) escapes[c] = {{'\\', 'u', '0', '0', kHex[c >> 4], kHex[c & 15]}, 6};
  escapes['\b'] = {{'\\', 'b'}, 2};
  escapes['\t'] = {{'\\', 't'}, 2};
  escapes['\n'] = {{'\\', 'n'}, 2};
  escapes['\f'] = {{'\\', 'f'}, 2};
  escapes['\r'] = {{'\\', 'r'}, 2};
  escapes['"'] = {{'\\', '"'}, 2};
  escapes['\\'] = {{'\\', '\\'}, 2};
  return escapes;
}();

/// Writes the byte or its escape; may touch 6 bytes.
inline char* copy_byte(char byte, char* out) {
  const auto code = static_cast<unsigned char>(byte);
  if (code >= 0x80 || kEscapes[code].size == 0) {
    *out = byte;
    return out + 1;
  }
  std::memcpy(out, kEscapes[code].text, 6);
  return out + kEscapes[code].size;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// A reader of JSON text that keeps nothing but its place. Each function returns the end of what it read, or nullptr.
class JsonChecker {
 public:
  explicit JsonChecker(std::string_view text) : p_(text.data()), end_(p_ + text.size()) {}

  JsonCheck run() {
    const bool valid = document() && p_ == end_;
    return {valid, line_breaks_};
  }

 private:
  bool document() {
    for (;;) {
      skip_space();
      if (p_ == end_) return false;
      if (*p_ == '{' || *p_ == '[') {
        const bool object = *p_++ == '{';
        if (!push(object)) return false;
        skip_space();
        if (p_ != end_ && *p_ == (object ? '}' : ']')) {
          ++p_;
          pop();
          if (!close_values()) return false;
        } else {
          if (object && !member_name()) return false;
          continue;
        }
      } else {
        if (!scalar() || !close_values()) return false;
      }
      if (depth_ == 0) return true;
    }
  }

  /// After a value: steps over the closing brackets that follow it, and to the next value if there is one.
  bool close_values() {
    for (;;) {
      skip_space();
      if (depth_ == 0) return true;
      if (p_ == end_) return false;
      const bool object = in_object();
      const char c = *p_++;
      if (c == ',') return !object || member_name();
      if (c != (object ? '}' : ']')) return false;
      pop();
    }
  }

  bool member_name() {
    skip_space();
    if (!string()) return false;
    skip_space();
    if (p_ == end_ || *p_ != ':') return false;
    ++p_;
    return true;
  }

  bool scalar() {
    switch (*p_) {
      case '"':
        return string();
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:
        return number();
    }
  }

  bool word(std::string_view expected) {
    if (static_cast<std::size_t>(end_ - p_) < expected.size()) return false;
    if (std::memcmp(p_, expected.data(), expected.size()) != 0) return false;
    p_ += expected.size();
    return true;
  }

 public:
  bool number() {
    if (p_ != end_ && *p_ == '-') ++p_;
    if (p_ == end_ || !is_digit(*p_)) return false;
    if (*p_ == '0') {
      ++p_;
    } else {
      digits();
    }
    if (p_ != end_ && *p_ == '.') {
      ++p_;
      if (!digits()) return false;
    }
    if (p_ != end_ && (*p_ == 'e' || *p_ == 'E')) {
      ++p_;
      if (p_ != end_ && (*p_ == '+' || *p_ == '-')) ++p_;
      if (!digits()) return false;
    }
    return true;
  }
  bool at_end() const { return p_ == end_; }

 private:
  bool digits() {
    const char* begin = p_;
    while (p_ != end_ && is_digit(*p_)) ++p_;
    return p_ != begin;
  }

  bool string() {
    if (p_ == end_ || *p_ != '"') return false;
    ++p_;
    for (;;) {
      while (p_ != end_ && !JsonSpecials{}(*p_)) ++p_;
      if (p_ == end_) return false;
      const char c = *p_++;
      if (c == '"') return true;
      if (c != '\\' || !escape()) return false;
    }
  }

  bool escape() {
    if (p_ == end_) return false;
    const char c = *p_++;
    if (c != 'u') return c != '\0' && std::strchr("\"\\/bfnrt", c) != nullptr;
    if (end_ - p_ < 4) return false;
    for (int i = 0; i < 4; ++i) {
      if (!is_hex(*p_++)) return false;
    }
    return true;
  }

  void skip_space() {
    for (; p_ != end_; ++p_) {
      if (*p_ == '\n' || *p_ == '\r') {
        line_breaks_ = true;
      } else if (*p_ != ' ' && *p_ != '\t') {
        return;
      }
    }
  }

  // One bit for each open bracket: whether it is an object's.
  bool push(bool object) {
    if (depth_ == kMaxJsonDepth) return false;
    const std::uint64_t bit = std::uint64_t{1} << (depth_ % 64);
    std::uint64_t& word = open_[depth_ / 64];
    word = object ? word | bit : word & ~bit;
    ++depth_;
    return true;
  }
  void pop() { --depth_; }
  bool in_object() const { return ((open_[(depth_ - 1) / 64] >> ((depth_ - 1) % 64)) & 1) != 0; }

  const char* p_;
  const char* end_;
  std::size_t depth_ = 0;
  bool line_breaks_ = false;
  std::uint64_t open_[kMaxJsonDepth / 64];  // uninitialised: push() sets a bit before it is read
};

}  // namespace

char* copy_json_escaped(std::string_view text, char* out) {
  const char* from = text.data();
  const char* end = from + text.size();
  while (end - from >= 16) {
    const std::uint32_t special = copy_block(from, out, JsonSpecials{}).special;
    if (special == 0) {
      from += 16;
      out += 16;
      continue;
    }
    const int clean = std::countr_zero(special);
    from += clean;
    out = copy_byte(*from++, out + clean);
  }
  while (from != end) out = copy_byte(*from++, out);
  return out;
}

std::string json_string(std::string_view text) {
  std::string result(6 * text.size() + 24, '"');
  char* end = copy_json_escaped(text, result.data() + 1);
  *end++ = '"';
  result.resize(static_cast<std::size_t>(end - result.data()));
  return result;
}

bool is_json_number(std::string_view text) {
  JsonChecker checker(text);
  return checker.number() && checker.at_end();
}

JsonCheck check_json(std::string_view text) {
  return JsonChecker(text).run();
}

}  // namespace longshore
