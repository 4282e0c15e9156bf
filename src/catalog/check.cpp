#include "catalog/check.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "base/closest_name.h"
#include "catalog/schema_advice.h"
#include "catalog/type_fit.h"

namespace longshore {
namespace {

std::string quoted(const std::string& word) {
  return "\"" + word + "\"";
}

/// Checks one dataset against the relation it is made of.
class DatasetCheck {
 public:
  DatasetCheck(const Catalog& catalog, const Dataset& dataset, const Source& source, const RelationInfo& relation,
               std::vector<ErrorDetail>& findings)
      : catalog_(catalog), dataset_(dataset), source_(source), relation_(relation), findings_(findings) {}

  void run() {
    for (const Column& column : dataset_.columns) check_exported(column);
    check_key();
    check_compared(dataset_.tenant_column, dataset_.tenant_type, "tenant_column");
    if (!dataset_.time_column.empty() && dataset_.time_type) {
      check_compared(dataset_.time_column, *dataset_.time_type, "time_column");
    }
    if (!dataset_.subject_column.empty()) find_column(dataset_.subject_column, "subject_column");
  }

 private:
  void add(const std::string& path, std::string code, std::string message) {
    findings_.push_back(
        {catalog_.where("datasets." + dataset_.name + "." + path), std::move(code), std::move(message)});
  }

  const ColumnInfo* find_column(const std::string& name, const std::string& path) {
    const ColumnInfo* found = relation_.find_column(name);
    if (found != nullptr) return found;
    std::vector<std::string> names;
    names.reserve(relation_.columns.size());
    for (const ColumnInfo& column : relation_.columns) names.push_back(column.name);
    add(path, "column_not_found",
        quoted(relation_.name) + " has no column " + quoted(name) + did_you_mean(name, names));
    return nullptr;
  }

  void check_exported(const Column& column) {
    const std::string path = "columns." + column.name;
    const ColumnInfo* found = find_column(column.source, path + ".column");
    if (found == nullptr) return;
    if (!type_fits(column.type, found->type, source_.driver)) {
      add(path + ".type", "type_mismatch",
          mismatch(*found, column.type) + "; declare it " + to_string(found->type) + " or text");
    } else if (column.filterable && !type_fits_comparison(column.type, found->type, source_.driver)) {
      add(path + ".type", "type_mismatch",
          mismatch(*found, column.type) + ", and filters compare it in the database; declare it " +
              to_string(found->type) + ", or take it out of \"filters\"");
    }
  }

  /// A column whose values are compared in the database, e.g. with the tenant's id.
  const ColumnInfo* check_compared(const std::string& name, const DataType& type, const std::string& path) {
    const ColumnInfo* found = find_column(name, path);
    if (found == nullptr || type_fits_comparison(type, found->type, source_.driver)) return found;
    const auto exported = std::find_if(dataset_.columns.begin(), dataset_.columns.end(),
                                       [&](const Column& column) { return column.source == name; });
    // A type that does not fit even for export has been reported with its column.
    if (exported != dataset_.columns.end() && !type_fits(type, found->type, source_.driver)) return found;
    const std::string mend = exported != dataset_.columns.end()
                                 ? "declare the column " + quoted(exported->name) + " as " + to_string(found->type)
                                 : "say it with types: { " + name + ": " + yaml_type(found->type) + " }";
    add(path, "type_mismatch", mismatch(*found, type) + ", which compares differently; " + mend);
    return found;
  }

  static std::string yaml_type(const DataType& type) {
    const std::string text = to_string(type);
    return text.find_first_of(",[") == std::string::npos ? text : "\"" + text + "\"";
  }

  static std::string mismatch(const ColumnInfo& found, const DataType& declared) {
    return quoted(found.name) + " is " + found.database_type + " in the database, not " + to_string(declared);
  }

  void check_key() {
    bool complete = true;
    for (std::size_t i = 0; i < dataset_.key.size(); ++i) {
      const std::string path = "key." + std::to_string(i);
      const ColumnInfo* found = check_compared(dataset_.key[i], dataset_.key_types[i], path);
      complete = complete && found != nullptr;
      // A view's columns always count as nullable; that it cannot hold a key at all is said below.
      if (found == nullptr || !found->nullable || relation_.is_view) continue;
      add(path, "key_nullable",
          "the key column " + quoted(found->name) + " may be null, and such rows would be left out; " +
              not_null_advice(relation_.name, found->name, source_.driver));
    }
    if (complete) check_key_indexes();
  }

  void check_key_indexes() {
    const std::string columns = "(" + join_identifiers(dataset_.key) + ")";
    if (relation_.is_view && relation_.indexes.empty()) {
      if (dataset_.unique_key_declared) return;
      add("key", "key_not_unique",
          quoted(relation_.name) + " is a view, and nothing proves that " + columns +
              " is unique in it; export a table, or a materialized view with a unique index, or, if you are sure, "
              "write unique_key: declared");
      return;
    }
    if (!dataset_.unique_key_declared && !is_unique_key(relation_, dataset_.key)) {
      add("key", "key_not_unique",
          "no unique index covers the key " + columns + ", so rows could be lost; " + other_key() +
              create_index_statement(relation_.name, dataset_.key, true, source_.driver));
    } else if (!is_ordered_key(relation_, dataset_.key, dataset_.tenant_column)) {
      add("key", "key_not_indexed",
          "no index has the key's columns in the order " + columns +
              ", so every batch would sort the whole table; change the order of the key, or " +
              create_index_statement(relation_.name, dataset_.key, false, source_.driver));
    }
  }

  /// A unique index that begins with the tenant and goes on with the key is nearly what is needed.
  std::string other_key() const {
    for (const IndexInfo& index : relation_.indexes) {
      const bool has_tenant =
          std::find(index.columns.begin(), index.columns.end(), dataset_.tenant_column) != index.columns.end();
      if (!index.unique || index.partial || !has_tenant || !is_superset(index.columns)) continue;
      std::string list;
      for (const std::string& column : index.columns) list += (list.empty() ? "" : ", ") + column;
      return "the unique index " + quoted(index.name) + " would do: write key: [" + list + "]; or ";
    }
    return {};
  }

  bool is_superset(const std::vector<std::string>& columns) const {
    return std::all_of(dataset_.key.begin(), dataset_.key.end(), [&](const std::string& column) {
      return std::find(columns.begin(), columns.end(), column) != columns.end();
    });
  }

  const Catalog& catalog_;
  const Dataset& dataset_;
  const Source& source_;
  const RelationInfo& relation_;
  std::vector<ErrorDetail>& findings_;
};

std::string relation_not_found(SchemaInspector& inspector, const Dataset& dataset) {
  std::string message = "the source " + quoted(dataset.source) + " has no table or view " + quoted(dataset.relation);
  const auto names = inspector.list_relations();
  if (!names) return message;
  std::string hint = did_you_mean(dataset.relation, *names);
  if (!hint.empty()) return message + hint;
  // `orders` for `sales.orders` is too far for the spelling, and yet what people forget.
  for (const std::string& name : *names) {
    if (name.substr(name.rfind('.') + 1) == dataset.relation) return message + "; did you mean " + quoted(name) + "?";
  }
  return message + "; give the user that reads it the right to, or mend the name";
}

/// Every source's schema; asked for once, also for a source that no dataset uses: its connection string may be wrong
/// all the same.
std::map<std::string, Result<SchemaInspector*>> inspectors_of(const Catalog& catalog, const SchemaLookup& lookup) {
  std::map<std::string, Result<SchemaInspector*>> inspectors;
  for (const Source& source : catalog.sources()) inspectors.emplace(source.name, lookup(source));
  return inspectors;
}

/// What keeps materialized exports of the datasets that allow them from being copied. What is wrong with a source is
/// said once.
void check_staging(const Catalog& catalog, const Dataset& dataset, SchemaInspector& schema,
                   std::vector<ErrorDetail>& findings) {
  if (std::ranges::find(dataset.consistencies, Consistency::materialized) == dataset.consistencies.end()) return;
  const auto faults = schema.staging_faults(dataset);
  if (!faults) {
    findings.push_back({catalog.where("sources." + dataset.source + ".staging"), "staging_unavailable",
                        "the staging server cannot be asked: " + faults.error().message});
    return;
  }
  for (const ReadingHint& fault : *faults) {
    ErrorDetail finding{catalog.where(fault.path), fault.code, fault.message};
    const bool said = std::ranges::any_of(
        findings, [&](const ErrorDetail& other) { return other.where == finding.where && other.code == finding.code; });
    if (!said) findings.push_back(std::move(finding));
  }
}

bool allows_snapshots(const Catalog& catalog, const std::string& source) {
  return std::ranges::any_of(catalog.datasets(), [&](const Dataset& dataset) {
    return dataset.source == source &&
           std::ranges::find(dataset.consistencies, Consistency::snapshot) != dataset.consistencies.end();
  });
}

}  // namespace

std::vector<ErrorDetail> check_catalog(const Catalog& catalog, const SchemaLookup& lookup) {
  std::vector<ErrorDetail> findings;
  const auto inspectors = inspectors_of(catalog, lookup);
  for (const Source& source : catalog.sources()) {
    const auto& inspector = inspectors.at(source.name);
    if (inspector) continue;
    findings.push_back({catalog.where("sources." + source.name), "source_unavailable",
                        "the source " + quoted(source.name) + " cannot be asked: " + inspector.error().message});
  }
  for (const Dataset& dataset : catalog.datasets()) {
    const auto inspector = inspectors.find(dataset.source);
    const Source* source = catalog.find_source(dataset.source);
    if (inspector == inspectors.end() || !inspector->second || source == nullptr) continue;
    SchemaInspector& schema = **inspector->second;
    const std::string place = catalog.where("datasets." + dataset.name + ".relation");
    const auto relation = schema.describe(dataset.relation);
    if (relation) {
      DatasetCheck(catalog, dataset, *source, *relation, findings).run();
      check_staging(catalog, dataset, schema, findings);
    } else if (relation.error().code == "relation_not_found") {
      findings.push_back({place, "relation_not_found", relation_not_found(schema, dataset)});
    } else {
      findings.push_back({place, relation.error().code, relation.error().message});
    }
  }
  return findings;
}

std::vector<ErrorDetail> advise_catalog(const Catalog& catalog, const SchemaLookup& lookup) {
  std::vector<ErrorDetail> advice;
  const auto inspectors = inspectors_of(catalog, lookup);
  for (const Source& source : catalog.sources()) {
    const auto& inspector = inspectors.at(source.name);
    if (!inspector || !allows_snapshots(catalog, source.name)) continue;
    const auto hints = (*inspector)->snapshot_hints();
    if (!hints) continue;
    for (const ReadingHint& hint : *hints) {
      advice.push_back({catalog.where("sources." + source.name + "." + hint.path), hint.code, hint.message});
    }
  }
  for (const Dataset& dataset : catalog.datasets()) {
    const auto inspector = inspectors.find(dataset.source);
    if (inspector == inspectors.end() || !inspector->second) continue;
    const auto hints = (*inspector->second)->reading_hints(dataset);
    if (!hints) continue;  // what is wrong with it, check_catalog() says
    for (const ReadingHint& hint : *hints) {
      advice.push_back({catalog.where("datasets." + dataset.name + "." + hint.path), hint.code, hint.message});
    }
  }
  return advice;
}

}  // namespace longshore
