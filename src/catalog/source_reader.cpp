#include "catalog/source_reader.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <utility>
#include <vector>

#include "base/time_zone.h"
#include "catalog/environment_text.h"
#include "catalog/names.h"
#include "yaml/scalar.h"

namespace longshore {

namespace {

using namespace std::chrono_literals;

/// What a database server gets unless the catalog says otherwise: a tenth of two processors at most, and next to
/// nothing while it is busy.
constexpr PacingRule kDefaultPacing{.duty = 0.2, .least_duty = 0.03, .pause = {}};
constexpr Duration kDefaultMaxLag = 5s;
constexpr Duration kDefaultStatementTimeout = 30s;
/// Shares below would need minutes for a statement's pause.
constexpr double kLeastShare = 0.001;

}  // namespace

Source SourceReader::read(const YamlNode& node) {
  Source source;
  source.name = node.key;
  source.max_lag = kDefaultMaxLag;
  source.statement_timeout = kDefaultStatementTimeout;
  YamlFields fields(node, "source \"" + node.key + "\"", findings_);
  if (!node.is_map()) return source;

  const YamlNode* driver_node = fields.require("driver");
  const auto driver = driver_node == nullptr ? std::nullopt : fields.choice("driver", {"postgres", "mysql", "sqlite"});
  if (driver == "postgres" || driver == "mysql") {
    source.driver = driver == "mysql" ? SourceDriver::mysql : SourceDriver::postgres;
    source.pacing.rule = kDefaultPacing;
    read_servers(fields, node, source);
    read_lag_guard(fields, source);
  } else if (driver == "sqlite") {
    source.driver = SourceDriver::sqlite;
    read_sqlite_path(fields, source);
  }
  source.max_connections = static_cast<int>(fields.integer("max_connections", 1, 1000).value_or(4));
  source.statement_timeout = fields.duration("statement_timeout", 100ms, 24h).value_or(source.statement_timeout);
  source.batch_rows = static_cast<int>(fields.integer("batch_rows", 1, 10'000).value_or(5'000));
  read_pacing(fields, source);
  if (driver) read_staging(fields, source);
  // Without a driver nobody can say which keys belong here.
  if (driver) fields.finish();
  return source;
}

void SourceReader::read_servers(YamlFields& fields, const YamlNode& node, Source& source) {
  const YamlNode* replicas = fields.find("replicas");
  const YamlNode* primary = fields.find("primary");
  if (replicas == nullptr && primary == nullptr) {
    findings_.add(node.key_position, "missing_field",
                  "source \"" + node.key + "\" needs \"replicas\" (a list of connection strings) or \"primary\" (one)");
  }
  if (replicas != nullptr) {
    for (const YamlNode& item : fields.texts("replicas").value_or(std::vector<YamlNode>{})) {
      if (auto text = expand(item)) source.replicas.push_back(*std::move(text));
    }
    if (replicas->is_sequence() && replicas->children.empty()) {
      findings_.add(replicas->position, "bad_value", "\"replicas\" is an empty list; name one or remove the line");
    }
  }
  if (primary != nullptr && fields.text("primary")) source.primary = expand(*primary).value_or("");
  const YamlNode* most = fields.find("primary_max_rows");
  if (most == nullptr) return;
  if (primary == nullptr) {
    findings_.add(most->position, "bad_value", "\"primary_max_rows\" has no meaning without \"primary\"; remove it");
  }
  if (most->is_scalar() && most->text == "unlimited") {
    source.primary_max_rows = kAnyRows;
  } else {
    source.primary_max_rows =
        fields.integer("primary_max_rows", 0, 1'000'000'000'000).value_or(source.primary_max_rows);
  }
}

void SourceReader::read_lag_guard(YamlFields& fields, Source& source) {
  const YamlNode* max_lag = fields.find("max_lag");
  if (max_lag != nullptr && max_lag->is_scalar() && max_lag->text == "off") {
    source.max_lag = Duration::zero();
  } else {
    source.max_lag = fields.duration("max_lag", 100ms, 24h).value_or(source.max_lag);
  }
  source.lag_query = fields.text("lag_query").value_or("");
  source.max_pause = fields.duration("max_pause", 1s, std::chrono::days(7)).value_or(source.max_pause);
}

void SourceReader::read_sqlite_path(YamlFields& fields, Source& source) {
  const YamlNode* path = fields.require("path");
  if (path == nullptr || !fields.text("path")) return;
  const auto text = expand(*path);
  if (!text) return;
  const std::filesystem::path folder = std::filesystem::path(file_).parent_path();
  // An absolute path stays what it is when it is appended to another one.
  source.path = (folder / *text).lexically_normal().string();
}

void SourceReader::read_pacing(YamlFields& fields, Source& source) {
  const YamlNode* pacing = fields.find("pacing");
  if (pacing == nullptr) return;
  if (pacing->is_scalar()) {
    if (pacing->text != "off") {
      findings_.add(pacing->position, "bad_value",
                    "\"pacing\" is \"off\" or a map of \"duty\", \"least_duty\", \"pause\" and \"windows\"");
    }
    source.pacing.rule = PacingRule{};
    return;
  }
  YamlFields keys(*pacing, "\"pacing\" of source \"" + source.name + "\"", findings_);
  read_rule(keys, source.pacing.rule);
  if (const YamlNode* windows = keys.find("windows")) {
    if (!windows->is_sequence()) {
      findings_.add(
          windows->position, "wrong_type",
          "\"windows\" must be a list of { from: \"22:00\", to: \"06:00\", time_zone: Europe/Berlin, duty: 1 }");
    }
    for (const YamlNode& item : windows->children) {
      if (!windows->is_sequence()) break;
      if (auto window = read_window(item)) source.pacing.windows.push_back(*std::move(window));
    }
  }
  keys.finish();
}

void SourceReader::read_staging(YamlFields& fields, Source& source) {
  const YamlNode* node = fields.find("staging");
  if (node == nullptr) return;
  if (source.driver != SourceDriver::postgres) {
    findings_.add(
        node->key_position, "not_available",
        "only PostgreSQL sources can have a \"staging\"; remove it, and \"materialized\" from the datasets of "
        "source \"" +
            source.name + "\"");
    return;
  }
  YamlFields keys(*node, "\"staging\" of source \"" + source.name + "\"", findings_);
  if (!node->is_map()) return;
  Staging staging;
  if (const YamlNode* schema = keys.require("schema")) {
    staging.schema = keys.text("schema").value_or("");
    const bool reserved = staging.schema.starts_with("pg_") || staging.schema == "information_schema";
    if (!staging.schema.empty() &&
        (!is_identifier(staging.schema) || staging.schema.find('.') != std::string::npos || reserved)) {
      findings_.add(schema->position, "bad_name",
                    "\"" + staging.schema + "\" cannot name a staging schema; use a schema of its own, without a dot");
    }
  }
  if (const YamlNode* server = keys.find("server"); server != nullptr) {
    if (keys.text("server")) staging.server = expand(*server).value_or("");
  } else if (source.primary.empty() && fields.find("primary") == nullptr) {
    findings_.add(node->key_position, "missing_field",
                  "\"staging\" of source \"" + source.name +
                      "\" needs \"server\" (a connection string of a server that can be written to), as the source "
                      "has no \"primary\"");
  } else {
    staging.server = source.primary;
  }
  staging.timeout = keys.duration("timeout", 1s, 24h).value_or(staging.timeout);
  const YamlNode* most = keys.find("max_rows");
  if (most != nullptr && most->is_scalar() && most->text == "unlimited") {
    staging.max_rows = kAnyRows;
  } else {
    staging.max_rows = keys.integer("max_rows", 1, 1'000'000'000'000).value_or(staging.max_rows);
  }
  keys.finish();
  source.staging = std::move(staging);
}

void SourceReader::read_rule(YamlFields& fields, PacingRule& rule) {
  rule.duty = read_share(fields, "duty").value_or(rule.duty);
  rule.least_duty = std::min(rule.least_duty, rule.duty);
  if (const auto least = read_share(fields, "least_duty")) {
    rule.least_duty = *least;
    if (*least > rule.duty) {
      findings_.add(fields.find("least_duty")->position, "bad_value", "\"least_duty\" is greater than \"duty\"");
    }
  }
  rule.pause = fields.duration("pause", 0s, 1min).value_or(rule.pause);
}

std::optional<PacingWindow> SourceReader::read_window(const YamlNode& node) {
  YamlFields fields(node, "a window", findings_);
  if (!node.is_map()) return std::nullopt;
  PacingWindow window;
  const auto from = read_time(fields, "from");
  const auto to = read_time(fields, "to");
  if (from && to && *from == *to) {
    findings_.add(fields.find("to")->position, "bad_value", "a window ends at another time than it begins");
  }
  window.from = from.value_or(0);
  window.to = to.value_or(0);
  if (auto zone = fields.text("time_zone")) {
    if (const Status known = check_time_zone(*zone); !known) {
      findings_.add(fields.find("time_zone")->position, "bad_value", "\"time_zone\": " + known.error().message);
    }
    window.time_zone = *std::move(zone);
  }
  // A window does not inherit: what it grants can be read in its own line.
  window.rule = {.duty = 1, .least_duty = kDefaultPacing.least_duty, .pause = {}};
  fields.require("duty");
  read_rule(fields, window.rule);
  fields.finish();
  return window;
}

std::optional<int> SourceReader::read_time(YamlFields& fields, std::string_view key) {
  const YamlNode* node = fields.require(key);
  const auto text = node == nullptr ? std::nullopt : fields.text(key);
  if (!text) return std::nullopt;
  const auto digit = [&](std::size_t at) { return (*text)[at] >= '0' && (*text)[at] <= '9' ? (*text)[at] - '0' : 100; };
  if (text->size() == 5 && (*text)[2] == ':') {
    const int hours = digit(0) * 10 + digit(1);
    const int minutes = digit(3) * 10 + digit(4);
    if (hours < 24 && minutes < 60) return hours * 60 + minutes;
  }
  findings_.add(node->position, "bad_value",
                "\"" + std::string(key) + "\": \"" + *text + "\" is not a time of the day from \"00:00\" to \"23:59\"");
  return std::nullopt;
}

std::optional<double> SourceReader::read_share(YamlFields& fields, std::string_view key) {
  const YamlNode* node = fields.find(key);
  const auto text = node == nullptr ? std::nullopt : fields.text(key);
  if (!text) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error == std::errc{} && end == text->data() + text->size() && value >= kLeastShare && value <= 1) return value;
  findings_.add(node->position, "bad_value",
                "\"" + std::string(key) + "\": \"" + *text + "\" is not a share of the time from 0.001 to 1, e.g. 0.5");
  return std::nullopt;
}

std::optional<std::string> SourceReader::expand(const YamlNode& node) {
  auto text = expand_environment(node.text);
  if (text) return *std::move(text);
  findings_.add(node.position, text.error().code, text.error().message);
  return std::nullopt;
}

}  // namespace longshore
