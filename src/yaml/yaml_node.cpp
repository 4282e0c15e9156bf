#include "yaml/yaml_node.h"

#include <yaml-cpp/yaml.h>
// After yaml.h, which declares what these need.
#include <yaml-cpp/eventhandler.h>

#include <algorithm>
#include <istream>
#include <optional>
#include <streambuf>
#include <utility>

namespace longshore {
namespace {

YamlPosition to_position(const YAML::Mark& mark) {
  return {std::max(mark.line, 0) + 1, std::max(mark.column, 0) + 1};
}

/// Builds our tree from yaml-cpp's events.
class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view text, YamlFindings& findings) : text_(text), findings_(findings) {}

  YamlNode take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& /*mark*/) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    check_anchor(mark, anchor);
    YamlNode node;
    node.position = to_position(mark);
    begin(std::move(node));
    end();
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    findings_.add(to_position(mark), "unsupported_yaml", "aliases (*name) are not supported; write the value out");
    YamlNode node;
    node.position = to_position(mark);
    begin(std::move(node));
    end();
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_anchor(mark, anchor);
    // yaml-cpp tells plain scalars ("?") from quoted and block ones ("!") by their tag.
    if (tag != "?" && tag != "!" && !tag.empty()) refuse_tag(mark);
    YamlNode node;
    node.kind = YamlNode::Kind::scalar;
    node.position = to_position(mark);
    node.quoted = tag == "!";
    node.text = value;
    check_closed(mark);
    if (value.find('\0') != std::string::npos) {
      findings_.add(node.position, "bad_yaml", "a value cannot hold a NUL character");
    }
    begin(std::move(node));
    end();
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    begin_collection(YamlNode::Kind::sequence, mark, tag, anchor);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    begin_collection(YamlNode::Kind::map, mark, tag, anchor);
  }
  void OnMapEnd() override { end(); }

 private:
  /// A node whose end has not been seen. `pending_key` is the key read last in a map, waiting for its value.
  struct Open {
    YamlNode node;
    bool is_key = false;
    std::optional<std::pair<std::string, YamlPosition>> pending_key;
  };

  void refuse_tag(const YAML::Mark& mark) {
    findings_.add(to_position(mark), "unsupported_yaml", "tags (!name) are not supported; remove it");
  }
  void check_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor == YAML::NullAnchor) return;
    findings_.add(to_position(mark), "unsupported_yaml", "anchors (&name) are not supported; remove it");
  }

  /// yaml-cpp 0.7 takes a quote that is never closed for one that ends with the file's last line.
  void check_closed(const YAML::Mark& mark) {
    if (mark.pos < 0 || static_cast<std::size_t>(mark.pos) >= text_.size()) return;
    const std::string_view rest = text_.substr(static_cast<std::size_t>(mark.pos));
    const char quote = rest.front();
    if (quote != '"' && quote != '\'') return;
    for (std::size_t i = 1; i < rest.size(); ++i) {
      const bool escapes = quote == '"' ? rest[i] == '\\' : rest.substr(i, 2) == "''";
      if (escapes) {
        ++i;
      } else if (rest[i] == quote) {
        return;
      }
    }
    findings_.add(to_position(mark), "bad_yaml", "this quote is never closed");
  }

  void begin_collection(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    check_anchor(mark, anchor);
    if (tag != "?" && tag != "!" && !tag.empty()) refuse_tag(mark);
    YamlNode node;
    node.kind = kind;
    node.position = to_position(mark);
    begin(std::move(node));
  }

  void begin(YamlNode node) {
    Open open;
    if (!stack_.empty() && stack_.back().node.is_map()) {
      std::optional<std::pair<std::string, YamlPosition>>& pending = stack_.back().pending_key;
      open.is_key = !pending.has_value();
      if (pending) {
        std::tie(node.key, node.key_position) = *std::exchange(pending, std::nullopt);
        // What follows `key:` on another line is where yaml-cpp puts an absent value; the key is where to look.
        if (node.is_null()) node.position = node.key_position;
      }
    }
    open.node = std::move(node);
    stack_.push_back(std::move(open));
  }

  void end() {
    Open closed = std::move(stack_.back());
    stack_.pop_back();
    if (stack_.empty()) {
      root_ = std::move(closed.node);
    } else if (closed.is_key) {
      if (!closed.node.is_scalar()) findings_.add(closed.node.position, "bad_yaml", "a key must be a plain word");
      stack_.back().pending_key.emplace(std::move(closed.node.text), closed.node.position);
    } else if (!is_duplicate(closed.node)) {
      stack_.back().node.children.push_back(std::move(closed.node));
    }
  }

  bool is_duplicate(const YamlNode& field) {
    const YamlNode& parent = stack_.back().node;
    if (!parent.is_map()) return false;
    const auto twin = std::find_if(parent.children.begin(), parent.children.end(),
                                   [&](const YamlNode& other) { return other.key == field.key; });
    if (twin == parent.children.end()) return false;
    findings_.add(field.key_position, "duplicate_key",
                  "\"" + field.key + "\" is already set on line " + std::to_string(twin->key_position.line));
    return true;
  }

  std::string_view text_;
  YamlFindings& findings_;
  std::vector<Open> stack_;
  YamlNode root_;
};

/// Reads from memory that stays where it is.
class ViewBuffer final : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    // A streambuf's get area is declared mutable; nothing here writes to it.
    char* begin = const_cast<char*>(text.data());  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    setg(begin, begin, begin + text.size());
  }
};

/// The length of the UTF-8 sequence at the front of `text` (RFC 3629), or 0 when there is none.
std::size_t utf8_sequence_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = at(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xC0) != 0x80) return 0;
  }
  const unsigned char second = at(1);
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool beyond = (lead == 0xED && second >= 0xA0) || (lead == 0xF4 && second >= 0x90);
  return overlong || beyond ? 0 : length;
}

/// Whether `text` is UTF-8; says where it is not. yaml-cpp would pass wrong bytes on into JSON answers.
bool check_utf8(std::string_view text, YamlFindings& findings) {
  YamlPosition at;
  while (!text.empty()) {
    const std::size_t length = utf8_sequence_length(text);
    if (length == 0) {
      findings.add(at, "bad_yaml", "this is not UTF-8; save the file in that encoding");
      return false;
    }
    at = text.front() == '\n' ? YamlPosition{at.line + 1, 1}
                              : YamlPosition{at.line, at.column + static_cast<int>(length)};
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace

void YamlFindings::add(YamlPosition at, std::string code, std::string message) {
  findings_.push_back({at, std::move(code), std::move(message)});
}

std::string YamlFindings::where(YamlPosition at) const {
  return file_ + ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
}

std::vector<ErrorDetail> YamlFindings::take() {
  std::stable_sort(findings_.begin(), findings_.end(), [](const Finding& a, const Finding& b) { return a.at < b.at; });
  std::vector<ErrorDetail> details;
  details.reserve(findings_.size());
  for (Finding& finding : findings_) {
    details.push_back({where(finding.at), std::move(finding.code), std::move(finding.message)});
  }
  findings_.clear();
  return details;
}

YamlNode parse_yaml(std::string_view text, YamlFindings& findings) {
  if (!check_utf8(text, findings)) return {};
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  TreeBuilder builder(text, findings);
  try {
    ViewBuffer buffer(text);
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) return {};
    YamlNode root = builder.take_root();
    if (parser.HandleNextDocument(builder)) {
      findings.add(builder.take_root().position, "unsupported_yaml", "a second document; only one is read");
    }
    return root;
  } catch (const YAML::Exception& error) {
    findings.add(to_position(error.mark), "bad_yaml", "not valid YAML: " + error.msg);
    return {};
  }
}

}  // namespace longshore
