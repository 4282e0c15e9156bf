#include "catalog/init.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "catalog/names.h"
#include "catalog/schema_advice.h"
#include "catalog/schema_guess.h"

namespace longshore {
namespace {

constexpr const char* kPasswordVariable = "${LONGSHORE_SOURCE_PASSWORD}";

/// `text` as a YAML scalar: in quotes unless it is a plain word.
std::string scalar(std::string_view text) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./-";
  static const std::set<std::string_view> kNulls = {"null", "Null", "NULL"};
  const bool plain = !text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos && text.front() != '-' &&
                     text.front() != '.' && !kNulls.contains(text);
  if (plain) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

/// Names come from the database: nothing in them may end a comment's line.
std::string comment_text(std::string_view text) {
  std::string line(text);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return line;
}

/// A literal `${` must not be taken for a variable when the catalog is read.
std::string escape_variables(std::string text) {
  for (std::size_t at = text.find("${"); at != std::string::npos; at = text.find("${", at + 3)) text.insert(at, "$");
  return text;
}

/// Where a connection string holds a password: [begin, end), empty when it has none.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// Of `postgresql://user:password@host/db?password=…`.
Span find_uri_password(std::string_view uri, std::size_t authority) {
  const std::size_t path = std::min(uri.find_first_of("/?", authority), uri.size());
  // The last `@`: a password may hold one by mistake, and must not be copied in part.
  const std::size_t at = uri.substr(0, path).rfind('@');
  const std::size_t colon = uri.find(':', authority);
  if (at != std::string_view::npos && at >= authority && colon < at) return {colon + 1, at};
  for (const std::string_view key : {"?password=", "&password="}) {
    const std::size_t found = uri.find(key, path);
    if (found == std::string_view::npos) continue;
    return {found + key.size(), std::min(uri.find('&', found + key.size()), uri.size())};
  }
  return {};
}

/// Of `host=… password=… dbname=…`; blanks around `=` are allowed, values with blanks are in quotes.
Span find_keyword_password(std::string_view text) {
  constexpr std::string_view kKey = "password";
  const auto skip_blanks = [&](std::size_t at) { return std::min(text.find_first_not_of(' ', at), text.size()); };
  for (std::size_t at = text.find(kKey); at != std::string_view::npos; at = text.find(kKey, at + 1)) {
    const std::size_t equals = skip_blanks(at + kKey.size());
    const bool is_key = (at == 0 || text[at - 1] == ' ') && equals < text.size() && text[equals] == '=';
    if (!is_key) continue;
    const std::size_t begin = skip_blanks(equals + 1);
    const bool quoted = begin < text.size() && text[begin] == '\'';
    std::size_t end = begin + (quoted ? 1 : 0);
    while (end < text.size() && text[end] != (quoted ? '\'' : ' ')) end += text[end] == '\\' ? 2 : 1;
    return {begin, std::min(text.size(), end + (quoted ? 1 : 0))};
  }
  return {};
}

/// The connection string with its password replaced by a variable. Both forms of libpq: keywords and a URI.
std::string without_password(const std::string& connection) {
  const std::size_t scheme = connection.find("://");
  const Span password =
      scheme == std::string::npos ? find_keyword_password(connection) : find_uri_password(connection, scheme + 3);
  if (password.begin == password.end) return escape_variables(connection);
  return escape_variables(connection.substr(0, password.begin)) + kPasswordVariable +
         escape_variables(connection.substr(password.end));
}

std::string source_section(const Source& source) {
  std::string out = "sources:\n  " + source.name + ":\n";
  if (source.driver == SourceDriver::sqlite) {
    return out + "    driver: sqlite\n    path: " + scalar(escape_variables(source.path)) +
           "  # relative paths begin in this file's folder\n";
  }
  const bool replica = source.primary.empty() && !source.replicas.empty();
  const std::string connection = without_password(replica ? source.replicas.front() : source.primary);
  const bool mysql = source.driver == SourceDriver::mysql;
  out += mysql ? "    driver: mysql\n" : "    driver: postgres\n";
  if (connection.find(kPasswordVariable) != std::string::npos) {
    out += "    # The password is read from the environment; it does not belong into this file.\n";
  }
  if (replica) return out + "    replicas: [" + scalar(connection) + "]\n";
  // Nobody knows here whether a product lives on this server.
  return out +
         "    # The primary serves only exports of fewer than 10,000 rows. Name read replicas for all others; a "
         "database\n"
         "    # that no product depends on may be named there itself.\n" +
         std::string(mysql ? "    # replicas: [\"mysql://user@replica1/database\"]\n"
                           : "    # replicas: [\"host=replica1 …\"]\n") +
         "    primary: " + scalar(connection) + "\n";
}

/// Writes the dataset of one relation, or the comment that says why there is none.
class DatasetText {
 public:
  DatasetText(const RelationInfo& relation, const Source& source, std::string name)
      : relation_(relation),
        source_(source),
        name_(std::move(name)),
        key_(guess_key(relation)),
        tenant_(guess_tenant_column(relation)) {}

  bool exportable() const { return !key_.empty() && !tenant_.empty() && is_relation_name(relation_.name); }

  std::string write() {
    const std::string time = guess_time_column(relation_);
    const std::string subject = guess_subject_column(relation_);
    std::string out = "\n  " + scalar(name_) + ":";
    if (relation_.estimated_rows > 0) out += "  # about " + std::to_string(relation_.estimated_rows) + " rows";
    out += "\n    source: " + source_.name + "\n    relation: " + scalar(relation_.name) + "\n";
    out += "    tenant_column: " + scalar(tenant_) + "  # a caller gets only the rows of its tenant\n";
    if (!subject.empty()) out += "    subject_column: " + scalar(subject) + "  # the person a row is about\n";
    out += "    key: " + list(key_) + "\n";
    if (!time.empty()) out += "    time_column: " + scalar(time) + "  # what filters.from and filters.to mean\n";
    out += "    permission: exports." + name_ + "\n    retention: 7d\n";
    const std::string columns = write_columns();
    out += write_types(time) + "    columns:\n" + columns;
    if (!filters_.empty()) out += "    filters: " + list(filters_) + "\n";
    return out;
  }

  std::string write_refusal() const {
    std::string out = "\n  # " + comment_text(relation_.name) + " is left out:\n";
    if (!is_relation_name(relation_.name))
      out += "  # - a catalog cannot name it. Rename it, or export a view of it.\n";
    if (tenant_.empty()) {
      out +=
          "  # - no column tells its tenants apart (tenant_id, org_id, account_id and the like, as text, uuid or "
          "integer).\n"
          "  #   If it has one under another name, write the dataset by hand; if not, add it to the table.\n";
    }
    if (key_.empty() && relation_.is_view) {
      out += "  # - it is a view without a unique index. Export its table, or make it a materialized view with one.\n";
    } else if (key_.empty()) {
      out +=
          "  # - it has no unique index over columns that are NOT NULL and of a type that can be a key. If it has\n"
          "  #   such columns, e.g. id:  " +
          comment_text(create_index_statement(relation_.name, {"id"}, true, source_.driver)) + "\n";
    }
    return out;
  }

 private:
  static std::string list(const std::vector<std::string>& names) {
    std::string out;
    for (const std::string& name : names) out += (out.empty() ? "" : ", ") + scalar(name);
    return "[" + out + "]";
  }

  std::string write_columns() {
    std::set<std::string> taken;
    std::string out;
    for (const ColumnInfo& column : relation_.columns) {
      // The tenant's id is the same in every row of a file; who wants it adds it.
      if (column.name == tenant_ && !only_tenant()) continue;
      if (!is_identifier(column.name)) {
        out += "      # " + comment_text(column.name) + " cannot be named here; rename it to export it\n";
        continue;
      }
      const std::string name = api_name(column.name, taken);
      if (looks_secret(column.name)) {
        out += "      # " + line(name, column) + "  # looks like a secret\n";
        continue;
      }
      exported_.insert(column.name);
      out += "      " + line(name, column) + "\n";
      const bool in_key = std::find(key_.begin(), key_.end(), column.name) != key_.end();
      if (!in_key && looks_like_filter(relation_, column) && !is_time_range_word(name)) filters_.push_back(name);
    }
    return out;
  }

  bool only_tenant() const {
    return std::all_of(relation_.columns.begin(), relation_.columns.end(), [&](const ColumnInfo& column) {
      return column.name == tenant_ || looks_secret(column.name) || !is_identifier(column.name);
    });
  }

  static std::string line(const std::string& name, const ColumnInfo& column) {
    std::string out = scalar(name) + ": { ";
    if (column.name != name) out += "column: " + scalar(column.name) + ", ";
    out += "type: " + scalar(to_string(column.type));
    if (looks_personal(column.name)) out += ", classification: pii, permission: pii.read";
    return out + " }";
  }

  /// The types of columns that are compared but not exported.
  std::string write_types(const std::string& time) const {
    std::vector<std::string> compared = key_;
    compared.push_back(tenant_);
    if (!time.empty()) compared.push_back(time);
    std::set<std::string> written;
    std::string out;
    for (const std::string& name : compared) {
      const ColumnInfo* column = relation_.find_column(name);
      if (column == nullptr || exported_.contains(name) || !written.insert(name).second) continue;
      const bool default_type =
          name == tenant_ && column->type == DataType{} && std::find(key_.begin(), key_.end(), name) == key_.end();
      if (default_type) continue;
      out += (out.empty() ? "" : ", ") + scalar(name) + ": " + scalar(to_string(column->type));
    }
    return out.empty() ? "" : "    types: { " + out + " }  # of columns that are used but not exported\n";
  }

  const RelationInfo& relation_;
  const Source& source_;
  std::string name_;
  std::vector<std::string> key_;
  std::string tenant_;
  std::set<std::string> exported_;
  std::vector<std::string> filters_;
};

}  // namespace

Result<std::string> init_catalog(SchemaInspector& inspector, const Source& source) {
  TRY(const std::vector<std::string> names, inspector.list_relations());
  std::string exported;
  std::string refused;
  std::set<std::string> taken;
  for (const std::string& name : names) {
    TRY(const RelationInfo relation, inspector.describe(name));
    DatasetText text(relation, source, dataset_name(relation.name, taken));
    (text.exportable() ? exported : refused) += text.exportable() ? text.write() : text.write_refusal();
  }
  std::string out =
      "# What may be exported, and by whom: a starter, made from the live database by `longshore catalog init`.\n"
      "# Read it over: tenant columns, keys, personal data (permission: pii.read) and filters were guessed by name.\n"
      "# Then prove it with `longshore catalog check`. All keys are explained in docs/catalog.md.\n\n" +
      source_section(source) + "\ndatasets:\n";
  if (exported.empty())
    out += "  # Nothing here can be exported as it is; see why below. At least one dataset is needed.\n";
  return out + exported + refused;
}

}  // namespace longshore
