#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/json_document.h"
#include "catalog/request_findings.h"
#include "model/export_spec.h"
#include "model/principal.h"

namespace longshore {

inline constexpr std::size_t kMaxFilterValues = 1000;  ///< in one list

/// Reads the `filters` of a request: typed literals on columns that the catalog lists and the caller may see.
class RequestFilters {
 public:
  /// Everything given outlives the reader.
  RequestFilters(const Dataset& dataset, const Principal& who, RequestFindings& findings);
  /// `filters` in the order of the request. What is wrong goes to the findings.
  std::vector<Filter> read(const JsonValue& json);

 private:
  void read_time_range(const JsonValue& json);
  std::optional<Value> read_time(const JsonValue& json, const std::string& pointer);
  void add_time_range(const std::optional<Value>& from, const std::optional<Value>& to, const std::string& pointer);
  bool has_time_range() const;

  void read_condition(const JsonValue& json);
  void read_list(const JsonValue& json, const Column& column, const std::string& pointer);
  void read_range(const JsonValue& json, const Column& column, const std::string& pointer);
  void check_range(const std::vector<Filter>& bounds, const std::string& pointer);
  const Column* find_column(const std::string& name) const;
  void add_unknown(const JsonValue& json, const std::string& pointer);
  std::optional<Value> literal(const JsonValue& json, const DataType& type, const std::string& pointer);

  const Dataset& dataset_;
  const Principal& who_;
  RequestFindings& findings_;
  std::vector<Filter> filters_;
};

}  // namespace longshore
