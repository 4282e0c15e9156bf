#pragma once

#include <compare>
#include <functional>
#include <ostream>
#include <string>
#include <utility>

namespace longshore {

/// A string that names one kind of thing, so that a tenant is never passed where a job is meant.
template <class Tag>
class StrongId {
 public:
  StrongId() = default;
  explicit StrongId(std::string value) : value_(std::move(value)) {}

  const std::string& str() const { return value_; }
  bool empty() const { return value_.empty(); }

  friend auto operator<=>(const StrongId&, const StrongId&) = default;
  friend std::ostream& operator<<(std::ostream& out, const StrongId& id) { return out << id.value_; }

 private:
  std::string value_;
};

}  // namespace longshore

template <class Tag>
struct std::hash<longshore::StrongId<Tag>> {
  std::size_t operator()(const longshore::StrongId<Tag>& id) const noexcept {
    return std::hash<std::string>{}(id.str());
  }
};
