#include "app/configuration.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <set>
#include <system_error>
#include <tuple>
#include <utility>

#include "app/bucket_settings.h"
#include "app/settings_section.h"
#include "base/digest.h"
#include "storage/local/signed_link.h"

namespace longshore {

using namespace std::chrono_literals;

namespace {

constexpr std::int64_t kKiB = std::int64_t{1} << 10;
constexpr std::int64_t kMiB = std::int64_t{1} << 20;
constexpr std::int64_t kGiB = std::int64_t{1} << 30;
constexpr std::size_t kManifestSeed = 32;     // bytes of an Ed25519 private key (RFC 8032 section 5.1.5)
constexpr std::size_t kShortestLinkKey = 32;  // bytes: as long as the HMAC's own output (RFC 2104 section 3)

/// Reads one configuration; used once.
class ConfigurationReader {
 public:
  ConfigurationReader(const YamlNode* root, const EnvironmentLookup& environment, SettingsFindings& findings)
      : environment_(environment), findings_(findings), top_(root, "", environment, findings) {}

  Configuration read() {
    read_role();
    top_.text("data_dir", configuration_.data_dir);
    read_server();
    read_metadata();
    read_storage();
    read_worker();
    read_limits();
    read_pdf();
    read_catalog();
    read_auth();
    read_log();
    read_manifest();
    top_.finish();
    return std::move(configuration_);
  }

 private:
  SettingsSection section(const char* name) { return {top_.section(name), name, environment_, findings_}; }

  void read_server();
  void read_listen(SettingsSection& section);
  void read_public_url(SettingsSection& section);
  void read_role();
  void read_metadata();
  void read_storage();
  void read_manifest();
  void read_worker();
  void read_limits();
  void read_pdf();
  void read_fallback_fonts(const YamlNode& node, YamlFindings& findings);
  void read_catalog();
  void read_auth();
  void read_roles(const YamlNode& node, YamlFindings& findings);
  void read_tokens(const YamlNode& node, YamlFindings& findings);
  std::optional<TokenEntry> read_token(const YamlNode& node, YamlFindings& findings);
  void check_tokens(const YamlNode& list, const std::vector<const YamlNode*>& nodes, YamlFindings& findings);
  void read_log();

  const EnvironmentLookup& environment_;
  SettingsFindings& findings_;
  SettingsSection top_;
  Configuration configuration_;
};

/// `host:port`, `[::1]:port`; nullopt when it is neither.
std::optional<std::pair<std::string, std::uint16_t>> parse_listen(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view port_text = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (error != std::errc{} || end != port_text.data() + port_text.size()) return std::nullopt;
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return std::nullopt;  // an IPv6 address without brackets: where it ends is a guess
  }
  if (host.empty()) return std::nullopt;
  return std::pair{std::string(host), port};
}

void ConfigurationReader::read_server() {
  SettingsSection server = section("server");
  ServerConfiguration& target = configuration_.server;
  read_listen(server);
  read_public_url(server);
  server.duration("request_timeout", target.request_timeout, 100ms, std::chrono::milliseconds(10min));
  server.integer("max_connections", target.max_connections, 1, 100'000);
  server.byte_size("max_body", target.max_body, kKiB, kMiB);
  server.integer("threads", target.threads, 1, 256);
  server.finish();
}

void ConfigurationReader::read_listen(SettingsSection& section) {
  std::string listen;
  section.text("listen", listen);
  if (listen.empty()) return;
  if (auto parsed = parse_listen(listen)) {
    std::tie(configuration_.server.address, configuration_.server.port) = *std::move(parsed);
  } else {
    section.add("listen", "bad_value",
                "\"listen\": \"" + listen + "\" is not address:port, e.g. 127.0.0.1:8080, 0.0.0.0:80 or [::1]:8080");
  }
}

void ConfigurationReader::read_public_url(SettingsSection& section) {
  std::string url;
  section.text("public_url", url);
  if (url.empty()) return;
  auto parsed = parse_base_url(url);
  if (parsed) {
    configuration_.server.public_url = *std::move(parsed);
  } else {
    section.add("public_url", "bad_value", "\"public_url\": " + parsed.error().message);
  }
}

void ConfigurationReader::read_role() {
  std::string role = "all";
  top_.choice("role", role, {"all", "api", "worker"});
  configuration_.role = role == "api" ? Role::api : role == "worker" ? Role::worker : Role::all;
}

void ConfigurationReader::read_metadata() {
  SettingsSection metadata = section("metadata");
  MetadataConfiguration& target = configuration_.metadata;
  std::string driver = "sqlite";
  metadata.choice("driver", driver, {"sqlite", "postgres"});
  target.driver = driver == "postgres" ? MetadataDriver::postgres : MetadataDriver::sqlite;
  target.path = configuration_.data_dir + "/longshore.db";
  metadata.text("path", target.path);
  // Whole connection strings are secrets, because most of them hold a password.
  metadata.secret("url", target.url);
  metadata.secret("listen_url", target.listen_url);
  metadata.text("schema", target.schema);
  metadata.integer("connections", target.connections, 2, 100);
  metadata.boolean("auto_migrate", target.auto_migrate);
  if (target.driver == MetadataDriver::postgres && target.url.empty()) {
    metadata.add("url", "missing_field",
                 "the driver \"postgres\" needs \"url\" (or \"url_file\"), e.g. host=db.example.com dbname=longshore "
                 "user=longshore password=…");
  }
  metadata.finish();
}

void ConfigurationReader::read_storage() {
  SettingsSection storage = section("storage");
  StorageConfiguration& target = configuration_.storage;
  std::string driver = "local";
  storage.choice("driver", driver, {"local", "s3"});
  target.driver = driver == "s3" ? StorageDriver::s3 : StorageDriver::local;
  target.path = configuration_.data_dir + "/objects";
  storage.text("path", target.path);
  storage.secret("link_key", target.link_key);
  if (!target.link_key.empty() && target.link_key.size() < kShortestLinkKey) {
    storage.add(
        storage.has("link_key") ? "link_key" : "link_key_file", "bad_value",
        "the link key must have at least 32 bytes, or links can be forged; make one with: openssl rand -hex 32");
  }
  storage.duration("link_lifetime", target.link_lifetime, 1s, std::chrono::seconds(24h));
  storage.duration("link_lifetime_max", target.link_lifetime_max, 1s, std::chrono::seconds(24h));
  if (target.link_lifetime > target.link_lifetime_max) {
    storage.add(storage.has("link_lifetime_max") ? "link_lifetime_max" : "link_lifetime", "bad_value",
                "\"link_lifetime\" must not be longer than \"link_lifetime_max\"");
  }
  read_bucket(storage, target.driver, target.s3);
  storage.finish();
}

void ConfigurationReader::read_manifest() {
  SettingsSection manifest = section("manifest");
  std::string& key = configuration_.manifest_key;
  manifest.secret("key", key);
  if (!key.empty()) {
    const auto seed = from_hex(key);
    if (seed && seed->size() == kManifestSeed) {
      key = base64url_encode(*seed);
    } else {
      manifest.add(manifest.has("key") ? "key" : "key_file", "bad_value",
                   "the manifest key must be 64 hexadecimal digits; make one with: openssl rand -hex 32");
    }
  }
  manifest.finish();
}

void ConfigurationReader::read_worker() {
  SettingsSection worker = section("worker");
  WorkerConfiguration& target = configuration_.worker;
  worker.integer("slots", target.slots, 0, 64);
  worker.byte_size("part_size", target.part_size, 5 * kMiB, 512 * kMiB);
  worker.integer("partition_rows", target.partition_rows, 1, 1'000'000'000);
  worker.byte_size("partition_bytes", target.partition_bytes, 64 * kKiB, 64 * kGiB);
  worker.duration("heartbeat", target.heartbeat, Duration(10ms), Duration(1min));
  worker.duration("lease", target.lease, Duration(100ms), Duration(10min));
  worker.duration("poll", target.poll, Duration(10ms), Duration(1min));
  worker.integer("max_attempts", target.max_attempts, 1, 100);
  worker.byte_size("memory_limit", target.memory_limit, 64 * kMiB, 64 * kGiB);
  // One lost heartbeat must not cost the lease, nor a second one that is only late.
  if (target.lease < 3 * target.heartbeat) {
    worker.add(worker.has("lease") ? "lease" : "heartbeat", "bad_value",
               "\"lease\" must be at least three times \"heartbeat\", or a slow moment loses the work");
  }
  worker.finish();
}

void ConfigurationReader::read_limits() {
  SettingsSection limits = section("limits");
  limits.integer("xlsx_max_sheets", configuration_.limits.xlsx_max_sheets, 1, 100);
  limits.integer("pdf_max_rows", configuration_.limits.pdf_max_rows, 1, 100'000'000);
  limits.finish();
}

void ConfigurationReader::read_pdf() {
  SettingsSection pdf = section("pdf");
  pdf.tree("fallback_fonts",
           [this](const YamlNode& node, YamlFindings& findings) { read_fallback_fonts(node, findings); });
  pdf.finish();
}

void ConfigurationReader::read_fallback_fonts(const YamlNode& node, YamlFindings& findings) {
  PdfFontChoice& choice = configuration_.pdf_fonts;
  if (node.is_sequence()) {
    choice.installed = false;
    const auto paths = read_texts(node, "\"fallback_fonts\"", findings);
    for (const YamlNode& path : paths.value_or(std::vector<YamlNode>{})) choice.paths.push_back(path.text);
  } else if (node.is_scalar() && (node.text == "auto" || node.text == "none")) {
    choice.installed = node.text == "auto";
  } else {
    findings.add(
        node.position, "bad_value",
        "\"fallback_fonts\" must be \"auto\", \"none\" or a list of font files, e.g. [/usr/share/fonts/a.ttf]");
  }
}

void ConfigurationReader::read_catalog() {
  SettingsSection catalog = section("catalog");
  catalog.text("path", configuration_.catalog_path);
  catalog.finish();
}

void ConfigurationReader::read_auth() {
  SettingsSection auth = section("auth");
  const auto roles = [this](const YamlNode& node, YamlFindings& findings) { read_roles(node, findings); };
  const auto tokens = [this](const YamlNode& node, YamlFindings& findings) { read_tokens(node, findings); };
  auth.tree("roles", roles);
  auth.tree("tokens", tokens);
  auth.finish();
}

void ConfigurationReader::read_roles(const YamlNode& node, YamlFindings& findings) {
  if (!node.is_map()) {
    findings.add(node.position, "wrong_type", "\"roles\" must be a map of names and lists of permissions");
    return;
  }
  for (const YamlNode& role : node.children) {
    std::set<std::string>& permissions = configuration_.access.roles[role.key];
    const auto items = read_texts(role, "the role \"" + role.key + "\"", findings);
    for (const YamlNode& item : items.value_or(std::vector<YamlNode>{})) permissions.insert(item.text);
  }
}

void ConfigurationReader::read_tokens(const YamlNode& node, YamlFindings& findings) {
  if (!node.is_sequence()) {
    findings.add(node.position, "wrong_type", "\"tokens\" must be a list of maps with token, tenant, user and roles");
    return;
  }
  // The nodes of the entries that could be read, to find their places when access/ refuses one.
  std::vector<const YamlNode*> nodes;
  for (const YamlNode& item : node.children) {
    auto entry = read_token(item, findings);
    if (!entry) continue;
    configuration_.access.tokens.push_back(*std::move(entry));
    nodes.push_back(&item);
  }
  check_tokens(node, nodes, findings);
}

std::optional<TokenEntry> ConfigurationReader::read_token(const YamlNode& node, YamlFindings& findings) {
  const std::size_t before = findings.count();
  YamlFields fields(node, "a token", findings);
  if (!node.is_map()) return std::nullopt;
  TokenEntry entry;
  const auto token = fields.text("token");
  const auto token_file = fields.text("token_file");
  const YamlNode* path = fields.find("token_file");
  if (token && token_file) {
    findings.add(path->position, "bad_value", "give \"token\" or \"token_file\", not both");
  } else if (token) {
    entry.token = *token;
  } else if (token_file) {
    auto content = read_secret_text(*token_file);
    if (!content) findings.add(path->position, content.error().code, content.error().message);
    entry.token = std::move(content).value_or("");
  } else if (findings.count() == before) {
    findings.add(node.position, "missing_field", "a token needs \"token\" or \"token_file\"");
  }
  if (fields.require("tenant") != nullptr) entry.tenant = fields.text("tenant").value_or("");
  if (fields.require("user") != nullptr) entry.user = fields.text("user").value_or("");
  const auto roles = fields.require("roles") == nullptr ? std::nullopt : fields.texts("roles");
  for (const YamlNode& role : roles.value_or(std::vector<YamlNode>{})) entry.roles.push_back(role.text);
  fields.finish();
  return findings.count() == before ? std::optional(std::move(entry)) : std::nullopt;
}

/// The node that a JSON pointer of TokenTable's findings means: `/2/roles/0`; its nearest parent when it is not there.
const YamlNode& resolve(const YamlNode& list, const std::vector<const YamlNode*>& nodes, std::string_view pointer) {
  const YamlNode* found = &list;
  bool entry = true;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const std::string_view step = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(step.size());
    std::size_t index = std::numeric_limits<std::size_t>::max();
    std::from_chars(step.data(), step.data() + step.size(), index);
    const YamlNode* next = nullptr;
    if (entry) {
      next = index < nodes.size() ? nodes[index] : nullptr;
    } else if (found->is_sequence()) {
      next = index < found->children.size() ? &found->children[index] : nullptr;
    } else {
      for (const YamlNode& child : found->children) {
        // A token that came from a file stands where the file is named.
        if (child.key == step || (step == "token" && child.key == "token_file")) next = &child;
      }
    }
    if (next == nullptr) break;
    found = next;
    entry = false;
  }
  return *found;
}

// The rules for tokens are those of access/; here only their places are added.
void ConfigurationReader::check_tokens(const YamlNode& list, const std::vector<const YamlNode*>& nodes,
                                       YamlFindings& findings) {
  const auto table = TokenTable::make(configuration_.access.tokens, configuration_.access.roles);
  if (table) return;
  for (const ErrorDetail& detail : table.error().details) {
    findings.add(resolve(list, nodes, detail.where).position, detail.code, detail.message);
  }
}

void ConfigurationReader::read_log() {
  SettingsSection log = section("log");
  std::string level = "info";
  std::string format = "json";
  log.choice("level", level, {"debug", "info", "warn", "error"});
  log.choice("format", format, {"json", "text"});
  log.finish();
  configuration_.log.level = parse_log_level(level).value_or(LogLevel::info);
  configuration_.log.format = parse_log_format(format).value_or(LogFormat::json);
}

Error bad_configuration(std::vector<ErrorDetail> details) {
  const std::string count = details.size() == 1 ? "1 error" : std::to_string(details.size()) + " errors";
  Error error =
      user_error("bad_configuration", "the configuration has " + count + "; the first: " + details.front().where +
                                          ": " + details.front().message);
  error.details = std::move(details);
  return error;
}

}  // namespace

Result<Configuration> load_configuration(const std::optional<std::string>& path, const EnvironmentLookup& environment) {
  SettingsFindings findings(path.value_or(""));
  YamlNode root;
  if (path) {
    std::ifstream file(*path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (!file.is_open() || file.bad()) {
      std::error_code missing;
      return fail(user_error(std::filesystem::exists(*path, missing) ? "bad_configuration" : "configuration_not_found",
                             "cannot read the configuration file " + *path + "; check its name and who may read it"));
    }
    root = parse_yaml(text, findings.file);
  }
  // What is not YAML has no keys to complain about; what is empty has only defaults.
  if (!root.is_null() || findings.file.empty()) {
    Configuration configuration = ConfigurationReader(root.is_null() ? nullptr : &root, environment, findings).read();
    if (findings.count() == 0) return configuration;
  }
  std::vector<ErrorDetail> details = findings.file.take();
  std::move(findings.variables.begin(), findings.variables.end(), std::back_inserter(details));
  return fail(bad_configuration(std::move(details)));
}

}  // namespace longshore
