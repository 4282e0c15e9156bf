#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "batch/column_vector.h"
#include "model/data_type.h"

namespace longshore {

/// The values of an ordered type as whole numbers, so that a range of keys can be cut between its ends. Order is
/// preserved: integers, dates, timestamps, decimals of a fixed shape and UUIDs.
class KeyDomain {
 public:
  /// nullopt for types that have no such numbers (text, floats, …).
  static std::optional<KeyDomain> of(const DataType& type);

  /// nullopt when `text` is not canonical, or infinite.
  std::optional<Int128> number(std::string_view text) const;
  /// Canonical text. REQUIRES: between two numbers that number() gave.
  std::string text(Int128 number) const;

 private:
  explicit KeyDomain(const DataType& type) : type_(type) {}
  DataType type_;
};

}  // namespace longshore
