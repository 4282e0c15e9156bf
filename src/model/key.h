#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace longshore {

/// A position in the keyset: the key columns' values in canonical text (see Value), in key order.
using KeyTuple = std::vector<std::string>;

/// A half-open run of keys: after `after` (exclusive; none: from the beginning) up to `upto` (inclusive; none: to the
/// end). Plans always set `upto`, so rows inserted later do not stretch an export.
struct KeyRange {
  std::optional<KeyTuple> after;
  std::optional<KeyTuple> upto;
  bool empty = false;  ///< no row can be in it
};

/// A JSON array of strings; the form in which keys are stored and shown.
std::string to_json(const KeyTuple& key);
/// Errors: `bad_key`.
Result<KeyTuple> key_from_json(std::string_view text);

}  // namespace longshore
