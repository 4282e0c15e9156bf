#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "model/principal.h"

namespace longshore {

/// A configured bearer token and whom it stands for.
struct TokenEntry {
  std::string token;   ///< in clear (16 characters or more), or `sha256:` + the token's SHA-256 in hexadecimal
  std::string tenant;  ///< 1 to 64 characters
  std::string user;    ///< 1 to 128 characters
  std::vector<std::string> roles;
};

/// What each role may do; the permission `*` is all of them.
using RolePermissions = std::map<std::string, std::set<std::string>>;

/// The callers that the configuration names. Immutable, so thread-safe.
class TokenTable {
 public:
  /// Errors: `bad_tokens` (user) with one detail for each finding; its `where` is a JSON pointer into the entries,
  /// e.g. `/2/roles/0`. No message ever holds a token.
  static Result<TokenTable> make(const std::vector<TokenEntry>& entries, const RolePermissions& roles);

  /// Who sent this value of the Authorization header (RFC 6750 section 2.1); an absent header is an empty value.
  /// Errors: `unauthenticated` (user), saying what is missing.
  Result<Principal> authenticate(std::string_view authorization_header) const;

  std::size_t size() const { return principals_.size(); }

 private:
  TokenTable() = default;

  std::unordered_map<std::string, Principal> principals_;  ///< by the token's SHA-256 in lower-case hexadecimal
};

}  // namespace longshore
