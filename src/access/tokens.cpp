#include "access/tokens.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/digest.h"

namespace longshore {

namespace {

constexpr std::string_view kHashPrefix = "sha256:";
constexpr std::size_t kMinTokenLength = 16;
constexpr std::size_t kMaxTenantLength = 64;
constexpr std::size_t kMaxUserLength = 128;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool is_alphanumeric(char c) {
  return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9');
}

/// RFC 6750's b64token: the only characters that a client can send after `Bearer`.
bool is_token_character(char c) {
  return is_alphanumeric(c) || std::string_view("-._~+/=").find(c) != std::string::npos;
}

/// Characters, not bytes: that is how the metadata store counts.
std::size_t utf8_characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

bool has_control_character(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

/// The key under which an entry is kept; nullopt and a finding if the token is no good.
std::optional<std::string> token_hash(const std::string& token, const std::string& where,
                                      std::vector<ErrorDetail>& findings) {
  if (token.starts_with(kHashPrefix)) {
    std::string hash = token.substr(kHashPrefix.size());
    std::ranges::transform(hash, hash.begin(), lower);
    const bool hex = std::ranges::all_of(hash, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
    if (hash.size() == 64 && hex) return hash;
    findings.push_back({where, "bad_token_hash",
                        "after 'sha256:' come the 64 hexadecimal digits of the token's SHA-256; "
                        "make them with: printf %s \"$TOKEN\" | sha256sum"});
    return std::nullopt;
  }
  if (token.size() < kMinTokenLength) {
    findings.push_back({where, "short_token",
                        "a token has at least 16 characters, or it can be guessed; make one with: "
                        "openssl rand -hex 32"});
    return std::nullopt;
  }
  if (!std::ranges::all_of(token, is_token_character)) {
    findings.push_back({where, "bad_token_character",
                        "a token holds only letters, digits and - . _ ~ + / = (RFC 6750), or no client can send it"});
    return std::nullopt;
  }
  return sha256_hex(token);
}

void check_name(std::string_view name, std::string_view what, std::size_t limit, const std::string& where,
                std::vector<ErrorDetail>& findings) {
  const std::string subject = "the " + std::string(what);
  if (name.empty()) {
    findings.push_back({where, "missing_" + std::string(what), subject + " must be given"});
  } else if (utf8_characters(name) > limit) {
    findings.push_back({where, "long_" + std::string(what),
                        subject + " has " + std::to_string(utf8_characters(name)) + " characters; at most " +
                            std::to_string(limit) + " are allowed"});
  } else if (has_control_character(name)) {
    findings.push_back({where, "bad_" + std::string(what), subject + " holds a control character"});
  }
}

std::string known_roles(const RolePermissions& roles) {
  if (roles.empty()) return "no roles are defined";
  std::string names = "defined roles: ";
  for (const auto& [name, permissions] : roles) {
    if (!names.ends_with(": ")) names += ", ";
    names += name;
  }
  return names;
}

Principal principal_of(const TokenEntry& entry, const RolePermissions& roles, const std::string& where,
                       std::vector<ErrorDetail>& findings) {
  Principal principal{TenantId(entry.tenant), UserId(entry.user), entry.roles, {}};
  for (std::size_t i = 0; i < entry.roles.size(); ++i) {
    const auto role = roles.find(entry.roles[i]);
    if (role == roles.end()) {
      findings.push_back({where + "/roles/" + std::to_string(i), "unknown_role",
                          "there is no role '" + entry.roles[i] + "'; " + known_roles(roles)});
      continue;
    }
    principal.permissions.insert(role->second.begin(), role->second.end());
  }
  return principal;
}

Error unauthenticated(std::string message) {
  return user_error("unauthenticated", std::move(message));
}

}  // namespace

Result<TokenTable> TokenTable::make(const std::vector<TokenEntry>& entries, const RolePermissions& roles) {
  TokenTable table;
  std::vector<ErrorDetail> findings;
  std::unordered_map<std::string, std::size_t> first_use;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const TokenEntry& entry = entries[i];
    const std::string where = "/" + std::to_string(i);
    check_name(entry.tenant, "tenant", kMaxTenantLength, where + "/tenant", findings);
    check_name(entry.user, "user", kMaxUserLength, where + "/user", findings);
    Principal principal = principal_of(entry, roles, where, findings);
    const auto hash = token_hash(entry.token, where + "/token", findings);
    if (!hash) continue;
    const auto [known, added] = first_use.emplace(*hash, i);
    if (!added) {
      findings.push_back({where + "/token", "duplicate_token",
                          "this is the same token as that of entry " + std::to_string(known->second) +
                              "; every caller needs a token of their own"});
      continue;
    }
    table.principals_.emplace(*hash, std::move(principal));
  }
  if (findings.empty()) return table;

  Error error =
      user_error("bad_tokens", std::to_string(findings.size()) + (findings.size() == 1 ? " error" : " errors") +
                                   " in the configured tokens; the first is at " + findings.front().where + ": " +
                                   findings.front().message);
  error.details = std::move(findings);
  return fail(std::move(error));
}

Result<Principal> TokenTable::authenticate(std::string_view authorization_header) const {
  const auto trim = [](std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t");
    return first == std::string_view::npos ? std::string_view()
                                           : text.substr(first, text.find_last_not_of(" \t") - first + 1);
  };
  const std::string_view value = trim(authorization_header);
  if (value.empty()) {
    return fail(unauthenticated("the Authorization header is missing; send 'Authorization: Bearer TOKEN'"));
  }
  const std::string_view scheme = value.substr(0, value.find_first_of(" \t"));
  if (!std::ranges::equal(scheme, std::string_view("bearer"), {}, lower)) {
    return fail(unauthenticated("the Authorization header's scheme is not Bearer; send 'Authorization: Bearer TOKEN'"));
  }
  const std::string_view token = trim(value.substr(scheme.size()));
  if (token.empty()) {
    return fail(unauthenticated("the Authorization header holds no token; send 'Authorization: Bearer TOKEN'"));
  }
  // Found by its hash: whoever measures how long this takes learns about hashes of guesses, not about tokens.
  const auto found = principals_.find(sha256_hex(token));
  if (found == principals_.end()) {
    return fail(unauthenticated("the bearer token is not known here; check that it is complete and not revoked"));
  }
  return found->second;
}

}  // namespace longshore
