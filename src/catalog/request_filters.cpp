#include "catalog/request_filters.h"

#include <algorithm>
#include <array>
#include <compare>
#include <utility>

#include "base/closest_name.h"
#include "catalog/literal.h"
#include "catalog/names.h"

namespace longshore {
namespace {

constexpr std::string_view kFilters = "/filters";

struct RangeWord {
  std::string_view word;
  FilterOp op;
  bool lower;
  bool inclusive;
};

constexpr std::array<RangeWord, 4> kRangeWords = {{{"gte", FilterOp::gte, true, true},
                                                   {"gt", FilterOp::gt, true, false},
                                                   {"lte", FilterOp::lte, false, true},
                                                   {"lt", FilterOp::lt, false, false}}};

const RangeWord* find_range_word(std::string_view word) {
  const auto* found = std::ranges::find(kRangeWords, word, &RangeWord::word);
  return found == kRangeWords.end() ? nullptr : found;
}

const RangeWord& word_of(FilterOp op) {
  return *std::ranges::find(kRangeWords, op, &RangeWord::op);
}

}  // namespace

RequestFilters::RequestFilters(const Dataset& dataset, const Principal& who, RequestFindings& findings)
    : dataset_(dataset), who_(who), findings_(findings) {}

std::vector<Filter> RequestFilters::read(const JsonValue& json) {
  if (!json.is_object()) {
    findings_.add(std::string(kFilters), "wrong_type", "must be an object of names and conditions");
    return {};
  }
  read_time_range(json);
  for (const JsonValue& member : json.children) {
    if (!is_time_range_word(member.key)) read_condition(member);
  }
  return std::move(filters_);
}

bool RequestFilters::has_time_range() const {
  if (dataset_.time_column.empty()) return false;
  // Who may not see the time must not find it out by asking for ranges.
  const auto hidden = [&](const Column& column) {
    return column.source == dataset_.time_column && !who_.may(column.permission);
  };
  return std::none_of(dataset_.columns.begin(), dataset_.columns.end(), hidden);
}

void RequestFilters::read_time_range(const JsonValue& json) {
  const JsonValue* from = json.find("from");
  const JsonValue* to = json.find("to");
  const JsonValue* range = json.find("date_range");
  if (from == nullptr && to == nullptr && range == nullptr) return;
  if (!has_time_range()) {
    for (const JsonValue* member : {from, to, range}) {
      if (member == nullptr) continue;
      findings_.add(json_pointer(kFilters, member->key), "unknown_filter",
                    "dataset \"" + dataset_.name + "\" cannot be filtered by time");
    }
    return;
  }
  if (range == nullptr) {
    const auto first = from == nullptr ? std::nullopt : read_time(*from, "/filters/from");
    const auto last = to == nullptr ? std::nullopt : read_time(*to, "/filters/to");
    add_time_range(first, last, "/filters/to");
    return;
  }
  const std::string pointer = "/filters/date_range";
  if (from != nullptr || to != nullptr) {
    findings_.add(pointer, "conflicting_filters", "date_range means the same as from and to; give one of them");
  }
  if (!range->is_array() || range->children.size() != 2) {
    findings_.add(pointer, "wrong_type", "must be an array of two times: [from, to)");
    return;
  }
  const auto first = read_time(range->children[0], pointer + "/0");
  const auto last = read_time(range->children[1], pointer + "/1");
  add_time_range(first, last, pointer);
}

std::optional<Value> RequestFilters::read_time(const JsonValue& json, const std::string& pointer) {
  return literal(json, dataset_.time_type.value_or(DataType{.logical = LogicalType::timestamptz}), pointer);
}

void RequestFilters::add_time_range(const std::optional<Value>& from, const std::optional<Value>& to,
                                    const std::string& pointer) {
  if (from && to && std::is_gteq(compare_literals(*from, *to))) {
    findings_.add(pointer, "empty_range", "the range [from, to) is empty: from must be before to");
  }
  if (from) filters_.push_back({dataset_.time_column, FilterOp::gte, {*from}});
  if (to) filters_.push_back({dataset_.time_column, FilterOp::lt, {*to}});
}

const Column* RequestFilters::find_column(const std::string& name) const {
  const Column* column = dataset_.find_column(name);
  // A column that the caller may not see is answered like one that does not exist: otherwise asking for it with value
  // after value would tell what it holds.
  return column != nullptr && column->filterable && who_.may(column->permission) ? column : nullptr;
}

void RequestFilters::add_unknown(const JsonValue& json, const std::string& pointer) {
  std::vector<std::string> names;
  for (const Column& column : dataset_.columns) {
    if (find_column(column.name) != nullptr) names.push_back(column.name);
  }
  if (has_time_range()) names.insert(names.end(), {"from", "to", "date_range"});
  findings_.add(pointer, "unknown_filter",
                "dataset \"" + dataset_.name + "\" has no filter of this name" + did_you_mean(json.key, names));
}

void RequestFilters::read_condition(const JsonValue& json) {
  const std::string pointer = json_pointer(kFilters, json.key);
  const Column* column = find_column(json.key);
  if (column == nullptr) {
    add_unknown(json, pointer);
  } else if (json.is_null()) {
    filters_.push_back({column->source, FilterOp::is_null, {}});
  } else if (json.is_array()) {
    read_list(json, *column, pointer);
  } else if (json.is_object()) {
    read_range(json, *column, pointer);
  } else if (auto value = literal(json, column->type, pointer)) {
    filters_.push_back({column->source, FilterOp::eq, {*std::move(value)}});
  }
}

void RequestFilters::read_list(const JsonValue& json, const Column& column, const std::string& pointer) {
  if (json.children.empty()) {
    findings_.add(pointer, "empty_list",
                  "the list is empty, so no row could match; name a value or leave the filter out");
    return;
  }
  if (json.children.size() > kMaxFilterValues) {
    findings_.add(pointer, "too_many_values",
                  "a list may hold at most " + std::to_string(kMaxFilterValues) + " values");
    return;
  }
  Filter filter{column.source, FilterOp::in, {}};
  for (std::size_t i = 0; i < json.children.size(); ++i) {
    auto value = literal(json.children[i], column.type, pointer + "/" + std::to_string(i));
    if (value) filter.values.push_back(*std::move(value));
  }
  filters_.push_back(std::move(filter));
}

void RequestFilters::read_range(const JsonValue& json, const Column& column, const std::string& pointer) {
  if (!is_ordered(column.type.logical)) {
    findings_.add(pointer, "wrong_type",
                  "a column of type " + to_string(column.type) + " has no ranges; give a value or a list of values");
    return;
  }
  if (json.children.empty()) {
    findings_.add(pointer, "empty_range", "the range has no bounds; give gte, gt, lte or lt");
    return;
  }
  std::vector<Filter> bounds;
  for (const JsonValue& member : json.children) {
    const std::string member_pointer = json_pointer(pointer, member.key);
    const RangeWord* word = find_range_word(member.key);
    if (word == nullptr) {
      findings_.add(member_pointer, "unknown_field", "a range is made of gte, gt, lte and lt");
      continue;
    }
    auto value = literal(member, column.type, member_pointer);
    if (value) bounds.push_back({column.source, word->op, {*std::move(value)}});
  }
  check_range(bounds, pointer);
  filters_.insert(filters_.end(), bounds.begin(), bounds.end());
}

void RequestFilters::check_range(const std::vector<Filter>& bounds, const std::string& pointer) {
  const Filter* lower = nullptr;
  const Filter* upper = nullptr;
  for (const Filter& bound : bounds) {
    const Filter*& side = word_of(bound.op).lower ? lower : upper;
    if (side != nullptr) {
      findings_.add(pointer, "conflicting_filters",
                    "a range has at most one lower bound (gte or gt) and one upper (lte or lt)");
      return;
    }
    side = &bound;
  }
  if (lower == nullptr || upper == nullptr) return;
  const auto order = compare_literals(lower->values.front(), upper->values.front());
  const bool point = word_of(lower->op).inclusive && word_of(upper->op).inclusive;
  if (std::is_gt(order) || (std::is_eq(order) && !point)) {
    findings_.add(pointer, "empty_range", "no value lies between these bounds");
  }
}

std::optional<Value> RequestFilters::literal(const JsonValue& json, const DataType& type, const std::string& pointer) {
  auto value = read_literal(json, type);
  if (value) return *std::move(value);
  findings_.add(pointer, value.error().code, value.error().message);
  return std::nullopt;
}

}  // namespace longshore
