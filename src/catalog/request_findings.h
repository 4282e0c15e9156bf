#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace longshore {

/// All that is wrong with one request. `where` is a JSON pointer.
class RequestFindings {
 public:
  void add(std::string pointer, std::string code, std::string message) {
    if (code != "permission_denied") only_permissions_ = false;
    details_.push_back({std::move(pointer), std::move(code), std::move(message)});
  }
  bool empty() const { return details_.empty(); }
  /// The whole as one error: `permission_denied` when nothing but permissions is missing, else `invalid_request`.
  /// REQUIRES: !empty().
  Error take();

 private:
  std::vector<ErrorDetail> details_;
  bool only_permissions_ = true;
};

}  // namespace longshore
