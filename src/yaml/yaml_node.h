#pragma once

#include <compare>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace longshore {

/// A place in a file. Lines and columns begin with 1; columns count bytes.
struct YamlPosition {
  int line = 1;
  int column = 1;

  friend auto operator<=>(const YamlPosition&, const YamlPosition&) = default;
};

/// A value of a YAML document, and its key when it is a field of a map.
struct YamlNode {
  enum class Kind { null, scalar, sequence, map };

  Kind kind = Kind::null;
  YamlPosition position;
  bool quoted = false;             ///< a scalar that was written in quotes (or as a block): always text
  std::string text;                ///< of a scalar
  std::vector<YamlNode> children;  ///< items of a sequence, fields of a map in the order of the file
  std::string key;                 ///< set for fields of a map
  YamlPosition key_position;

  bool is_null() const { return kind == Kind::null; }
  bool is_scalar() const { return kind == Kind::scalar; }
  bool is_sequence() const { return kind == Kind::sequence; }
  bool is_map() const { return kind == Kind::map; }
};

/// All that is wrong with one file. Not thread-safe.
class YamlFindings {
 public:
  /// `file` begins every `where`: a file's name, or that of the environment variable which the text came from.
  explicit YamlFindings(std::string file) : file_(std::move(file)) {}

  void add(YamlPosition at, std::string code, std::string message);
  bool empty() const { return findings_.empty(); }
  std::size_t count() const { return findings_.size(); }
  /// `file:line:column`.
  std::string where(YamlPosition at) const;
  /// The findings in the order of the file; this object is empty afterwards.
  std::vector<ErrorDetail> take();

 private:
  struct Finding {
    YamlPosition at;
    std::string code;
    std::string message;
  };
  std::string file_;
  std::vector<Finding> findings_;
};

/// Reads one document. What is wrong goes to `findings` (`bad_yaml`, `duplicate_key`, `unsupported_yaml`); the tree
/// then holds what could be read. An empty document is a null. Of two equal keys the first is kept.
YamlNode parse_yaml(std::string_view text, YamlFindings& findings);

}  // namespace longshore
