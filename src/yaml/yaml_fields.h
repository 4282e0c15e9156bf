#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "yaml/yaml_node.h"

namespace longshore {

/// Reads the fields of one map strictly: what is asked for is known, and finish() reports all the rest. Findings go to
/// the YamlFindings given; a getter returns nothing when the field is absent or wrong (and has been reported).
///
/// Codes: `wrong_type`, `bad_value`, `missing_field`, `unknown_key`. Not thread-safe; the node outlives this object.
class YamlFields {
 public:
  /// `what` names the map in messages: `dataset "orders"`. A node that is no map is reported and reads as an empty one.
  YamlFields(const YamlNode& node, std::string what, YamlFindings& findings);

  /// The field, or nullptr when it is absent or has no value (`key:` alone is reported).
  const YamlNode* find(std::string_view key);
  /// As find(), but an absent field is reported.
  const YamlNode* require(std::string_view key);

  std::optional<std::string> text(std::string_view key);
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t least, std::int64_t most);
  std::optional<bool> boolean(std::string_view key);
  std::optional<Duration> duration(std::string_view key, Duration least, Duration most);
  std::optional<std::int64_t> byte_size(std::string_view key, std::int64_t least, std::int64_t most);
  /// One of `words`; the message names them all.
  std::optional<std::string> choice(std::string_view key, const std::vector<std::string>& words);
  /// A list of non-empty texts, with their places.
  std::optional<std::vector<YamlNode>> texts(std::string_view key);

  /// Reports the fields that nobody asked for, with the known name that is nearest.
  void finish();

  /// Where the map stands: of its key when it has one.
  YamlPosition position() const;

 private:
  template <class Read>
  auto read_scalar(std::string_view key, bool quoted_allowed, Read read);

  const YamlNode& node_;
  std::string what_;
  YamlFindings& findings_;
  std::vector<std::string> known_;
};

/// The text of a scalar; anything else, and an empty one, is reported as `name`.
std::optional<std::string> read_text(const YamlNode& node, std::string_view name, YamlFindings& findings);
/// The items of a list of non-empty texts; what does not fit is reported as `name` and left out.
std::optional<std::vector<YamlNode>> read_texts(const YamlNode& node, std::string_view name, YamlFindings& findings);

/// `"a", "b" or "c"`.
std::string join_words(const std::vector<std::string>& words);

}  // namespace longshore
