#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "access/tokens.h"
#include "app/formats.h"
#include "base/clock.h"
#include "base/result.h"
#include "s3/options.h"
#include "telemetry/log.h"

namespace longshore {

struct ServerConfiguration {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;  ///< 0: any free one
  std::string public_url;     ///< where clients reach the server; empty: http:// + what it listens on
  std::chrono::milliseconds request_timeout{30'000};
  int max_connections = 1024;
  std::int64_t max_body = std::int64_t{1} << 20;
  int threads = 4;  ///< requests that may wait for a database at once
};

/// What a process does: answer requests, make files, or both.
enum class Role { all, api, worker };

enum class MetadataDriver { sqlite, postgres };

struct MetadataConfiguration {
  MetadataDriver driver = MetadataDriver::sqlite;
  std::string path;        ///< sqlite: the file
  std::string url;         ///< postgres: as libpq takes it; may hold a password
  std::string listen_url;  ///< postgres: a way around a pooler, for hints; empty: `url`
  std::string schema;      ///< postgres; empty: the role's own
  int connections = 8;     ///< postgres: at most
  bool auto_migrate = true;
};

enum class StorageDriver { local, s3 };

struct StorageConfiguration {
  StorageDriver driver = StorageDriver::local;
  S3Options s3;
  std::string path;      ///< local: the directory
  std::string link_key;  ///< local: secret that links are signed with; empty: one is made and kept in data_dir
  std::chrono::seconds link_lifetime{300};
  std::chrono::seconds link_lifetime_max{24 * 3600};
};

struct WorkerConfiguration {
  int slots = 2;
  std::int64_t part_size = std::int64_t{8} << 20;
  std::int64_t partition_rows = 100'000;
  std::int64_t partition_bytes = std::int64_t{128} << 20;
  Duration heartbeat = std::chrono::seconds{1};
  Duration lease = std::chrono::seconds{10};
  Duration poll = std::chrono::milliseconds{500};
  int max_attempts = 5;
  std::int64_t memory_limit = std::int64_t{128} << 20;
};

struct AccessConfiguration {
  std::vector<TokenEntry> tokens;
  RolePermissions roles;
};

struct LogConfiguration {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::json;
};

/// All that the process can be told. docs/configuration.md describes every key.
struct Configuration {
  Role role = Role::all;
  std::string data_dir = "./longshore-data";
  std::string catalog_path = "catalog.yaml";
  ServerConfiguration server;
  MetadataConfiguration metadata;
  StorageConfiguration storage;
  WorkerConfiguration worker;
  FormatLimits limits;
  PdfFontChoice pdf_fonts;
  AccessConfiguration access;
  LogConfiguration log;
  std::string
      manifest_key;  ///< base64url seed of the key that signs manifests; empty: one is made and kept in data_dir
};

/// The value of an environment variable; nullopt when it is not set.
using EnvironmentLookup = std::function<std::optional<std::string>(const std::string& name)>;

/// Reads the file (none: defaults), then lets the environment (`LONGSHORE_SECTION_KEY`) override it, and fills in the
/// defaults that depend on others. Errors: `bad_configuration` (user), all findings at once, `where` =
/// `file:line:column` or the variable's name; `configuration_not_found`. No message holds a secret.
Result<Configuration> load_configuration(const std::optional<std::string>& path, const EnvironmentLookup& environment);

}  // namespace longshore
