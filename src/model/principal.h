#pragma once

#include <set>
#include <string>
#include <vector>

#include "model/ids.h"

namespace longshore {

/// Who asks. Built by access/ from a token; every query is bound to `tenant`.
struct Principal {
  TenantId tenant;
  UserId user;
  std::vector<std::string> roles;
  std::set<std::string> permissions;  ///< resolved from the roles; `*` holds them all

  bool may(const std::string& permission) const {
    return permission.empty() || permissions.contains("*") || permissions.contains(permission);
  }
};

}  // namespace longshore
