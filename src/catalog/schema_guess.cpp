#include "catalog/schema_guess.h"

#include <algorithm>
#include <array>
#include <span>

#include "catalog/names.h"

namespace longshore {
namespace {

constexpr std::size_t kLongestName = 64;

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
char to_lower(char c) {
  return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
}
char to_upper(char c) {
  return is_lower(c) ? static_cast<char>(c - 'a' + 'A') : c;
}

/// The words of a name in lower case: `createdAt`, `created_at` and `Created-At` are all {created, at}.
std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words;
  bool begin = true;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (!is_upper(c) && !is_lower(c) && !is_digit(c)) {
      begin = true;
      continue;
    }
    const bool hump = is_upper(c) && i > 0 && (is_lower(name[i - 1]) || is_digit(name[i - 1]));
    if (begin || hump) words.emplace_back();
    words.back() += to_lower(c);
    begin = false;
  }
  return words;
}

std::string snake_case(std::string_view name) {
  std::string joined;
  for (const std::string& word : words_of(name)) joined += (joined.empty() ? "" : "_") + word;
  return joined;
}

using TypeTest = bool (*)(LogicalType);

std::string find_named(const RelationInfo& relation, std::span<const std::string_view> names, TypeTest fits) {
  for (const std::string_view name : names) {
    for (const ColumnInfo& column : relation.columns) {
      const bool usable = is_identifier(column.name) && fits(column.type.logical);
      if (usable && snake_case(column.name) == name) return column.name;
    }
  }
  return {};
}

bool any_type(LogicalType /*type*/) {
  return true;
}

bool can_be_key(const RelationInfo& relation, const IndexInfo& index) {
  if (!index.unique || index.partial || index.columns.empty()) return false;
  return std::all_of(index.columns.begin(), index.columns.end(), [&](const std::string& name) {
    const ColumnInfo* column = relation.find_column(name);
    // The columns of a materialized view count as nullable, whatever they hold.
    return column != nullptr && (!column->nullable || relation.is_view) && is_key_type(column->type.logical) &&
           is_identifier(column->name);
  });
}

bool contains(const std::vector<std::string>& words, std::span<const std::string_view> any_of) {
  return std::any_of(any_of.begin(), any_of.end(),
                     [&](std::string_view word) { return std::find(words.begin(), words.end(), word) != words.end(); });
}

std::string unused(std::string name, std::set<std::string>& taken) {
  name.resize(std::min(name.size(), kLongestName));
  std::string candidate = name;
  for (int n = 2; !taken.insert(candidate).second; ++n) {
    const std::string suffix = std::to_string(n);
    candidate = name.substr(0, kLongestName - suffix.size()) + suffix;
  }
  return candidate;
}

}  // namespace

std::string guess_tenant_column(const RelationInfo& relation) {
  static constexpr std::array<std::string_view, 14> kNames = {
      "tenant_id",    "org_id",       "organization_id", "organisation_id", "account_id",
      "company_id",   "workspace_id", "team_id",         "tenant",          "org",
      "organization", "company",      "workspace",       "account"};
  return find_named(relation, kNames, is_tenant_type);
}

std::string guess_time_column(const RelationInfo& relation) {
  static constexpr std::array<std::string_view, 14> kNames = {
      "created_at", "created",   "created_on",  "occurred_at", "inserted_at", "timestamp", "ts",
      "event_time", "logged_at", "recorded_at", "ordered_at",  "placed_at",   "date",      "updated_at"};
  std::string named = find_named(relation, kNames, is_time_type);
  if (!named.empty()) return named;
  // `booked_at`, `due_date`: a time that every row has is better than none.
  for (const ColumnInfo& column : relation.columns) {
    const std::string name = snake_case(column.name);
    const bool like_time = name.ends_with("_at") || name.ends_with("_time") || name.ends_with("_date");
    const bool usable = is_identifier(column.name) && is_time_type(column.type.logical) && !column.nullable;
    if (like_time && usable) return column.name;
  }
  return {};
}

std::string guess_subject_column(const RelationInfo& relation) {
  static constexpr std::array<std::string_view, 8> kNames = {"user_id",   "customer_id", "subject_id", "person_id",
                                                             "member_id", "contact_id",  "patient_id", "email"};
  return find_named(relation, kNames, any_type);
}

std::vector<std::string> guess_key(const RelationInfo& relation) {
  const IndexInfo* best = nullptr;
  for (const IndexInfo& index : relation.indexes) {
    if (!can_be_key(relation, index)) continue;
    if (index.primary) return index.columns;
    if (best == nullptr || index.columns.size() < best->columns.size()) best = &index;
  }
  return best == nullptr ? std::vector<std::string>{} : best->columns;
}

bool looks_personal(std::string_view column) {
  static constexpr std::array<std::string_view, 23> kWords = {
      "email",    "mail",      "phone",    "mobile",   "fax",       "ip",       "ipaddr",   "address",
      "street",   "zip",       "postcode", "birthday", "birthdate", "dob",      "ssn",      "iban",
      "passport", "firstname", "lastname", "surname",  "fullname",  "latitude", "longitude"};
  static constexpr std::array<std::string_view, 11> kNames = {
      "first_name",    "last_name", "full_name",   "display_name", "user_agent", "birth_date",
      "date_of_birth", "tax_id",    "national_id", "postal_code",  "middle_name"};
  const std::string name = snake_case(column);
  return contains(words_of(column), kWords) || std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

bool looks_secret(std::string_view column) {
  static constexpr std::array<std::string_view, 9> kWords = {"password", "passwd", "secret", "token",      "salt",
                                                             "otp",      "totp",   "apikey", "credentials"};
  static constexpr std::array<std::string_view, 3> kNames = {"api_key", "private_key", "encryption_key"};
  const std::string name = snake_case(column);
  return contains(words_of(column), kWords) || std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

bool looks_like_filter(const RelationInfo& relation, const ColumnInfo& column) {
  static constexpr std::array<std::string_view, 9> kNames = {"status",   "state",   "type",     "kind",   "action",
                                                             "category", "country", "currency", "channel"};
  const std::string name = snake_case(column.name);
  if (!is_filterable(column.type.logical) || is_time_range_word(column.name)) return false;
  if (name.ends_with("_id") || std::find(kNames.begin(), kNames.end(), name) != kNames.end()) return true;
  return std::any_of(relation.indexes.begin(), relation.indexes.end(), [&](const IndexInfo& index) {
    return !index.columns.empty() && index.columns.front() == column.name;
  });
}

std::string dataset_name(std::string_view relation, std::set<std::string>& taken) {
  std::string name = snake_case(relation.substr(relation.rfind('.') + 1));
  if (name.empty() || is_digit(name.front())) name = "dataset" + (name.empty() ? "" : "_" + name);
  return unused(std::move(name), taken);
}

std::string api_name(std::string_view column, std::set<std::string>& taken) {
  std::string name;
  for (const std::string& word : words_of(column)) {
    name += name.empty() ? word : to_upper(word.front()) + word.substr(1);
  }
  if (name.empty() || is_digit(name.front())) name = "column" + name;
  return unused(std::move(name), taken);
}

}  // namespace longshore
