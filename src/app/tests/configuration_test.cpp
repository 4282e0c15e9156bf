#include "app/configuration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

namespace longshore {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class ConfigurationTest : public testing::Test {
 protected:
  void SetUp() override {
    folder = testing::TempDir() + "configuration_XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder + "/" + name, std::ios::binary) << text;
    return folder + "/" + name;
  }

  Result<Configuration> load(const std::optional<std::string>& path) {
    return load_configuration(path, [this](const std::string& name) -> std::optional<std::string> {
      asked.insert(name);
      const auto found = environment.find(name);
      return found == environment.end() ? std::nullopt : std::optional(found->second);
    });
  }
  Result<Configuration> parse(const std::string& yaml) { return load(write("c.yaml", yaml)); }

  Configuration accepted(const std::string& yaml) {
    auto configuration = parse(yaml);
    EXPECT_TRUE(configuration) << configuration.error().message;
    return configuration ? *std::move(configuration) : Configuration{};
  }

  /// One line for each finding, without the folder.
  std::vector<std::string> refused(const std::string& yaml) {
    const auto configuration = parse(yaml);
    if (configuration) return {"accepted"};
    EXPECT_EQ(configuration.error().code, "bad_configuration");
    EXPECT_EQ(configuration.error().source, ErrorSource::user);
    std::vector<std::string> lines;
    for (const ErrorDetail& detail : configuration.error().details) {
      std::string line = detail.where + " " + detail.code + " " + detail.message;
      for (std::size_t at = line.find(folder + "/"); at != std::string::npos; at = line.find(folder + "/")) {
        line.erase(at, folder.size() + 1);
      }
      lines.push_back(line);
    }
    return lines;
  }

  std::string folder;
  std::map<std::string, std::string> environment;
  std::set<std::string> asked;
};

TEST_F(ConfigurationTest, DefaultsNeedNoFile) {
  const auto loaded = load(std::nullopt);
  ASSERT_TRUE(loaded);
  const Configuration& c = *loaded;
  EXPECT_EQ(c.data_dir, "./longshore-data");
  EXPECT_EQ(c.catalog_path, "catalog.yaml");
  EXPECT_EQ(c.server.address, "127.0.0.1");
  EXPECT_EQ(c.server.port, 8080);
  EXPECT_EQ(c.server.public_url, "");
  EXPECT_EQ(c.server.request_timeout, 30s);
  EXPECT_EQ(c.server.max_connections, 1024);
  EXPECT_EQ(c.server.max_body, 1 << 20);
  EXPECT_EQ(c.server.threads, 4);
  EXPECT_EQ(c.metadata.path, "./longshore-data/longshore.db");
  EXPECT_EQ(c.storage.path, "./longshore-data/objects");
  EXPECT_EQ(c.storage.link_key, "");
  EXPECT_EQ(c.storage.link_lifetime, 300s);
  EXPECT_EQ(c.storage.link_lifetime_max, 24h);
  EXPECT_EQ(c.worker.slots, 2);
  EXPECT_EQ(c.worker.part_size, 8 << 20);
  EXPECT_EQ(c.worker.partition_rows, 100'000);
  EXPECT_EQ(c.worker.partition_bytes, 128 << 20);
  EXPECT_EQ(c.worker.heartbeat, 1s);
  EXPECT_EQ(c.worker.lease, 10s);
  EXPECT_EQ(c.worker.poll, 500ms);
  EXPECT_EQ(c.worker.max_attempts, 5);
  EXPECT_EQ(c.worker.memory_limit, 128 << 20);
  EXPECT_EQ(c.limits.xlsx_max_sheets, 10);
  EXPECT_EQ(c.limits.pdf_max_rows, 200'000);
  EXPECT_TRUE(c.pdf_fonts.installed);
  EXPECT_THAT(c.pdf_fonts.paths, IsEmpty());
  EXPECT_THAT(c.access.tokens, IsEmpty());
  EXPECT_EQ(c.log.level, LogLevel::info);
  EXPECT_EQ(c.log.format, LogFormat::json);
  EXPECT_TRUE(parse("# nothing is set\n"));
}

TEST_F(ConfigurationTest, ReadsAllThereIs) {
  const std::string key = "0123456789abcdef0123456789abcdef";
  const std::string token_file = write("token", "analyst-token-0123456789\n");
  const Configuration c = accepted(R"(
server: { listen: "[::1]:0", public_url: "https://exports.example.com/x/", request_timeout: 5s, max_connections: 10,
          max_body: 64KiB, threads: 8 }
data_dir: /var/lib/longshore
metadata: { driver: sqlite, path: /meta.db }
storage: { driver: local, path: /objects, link_key: )" +
                                   key + R"(, link_lifetime: 60s, link_lifetime_max: 1h }
worker: { slots: 0, part_size: 5MiB, partition_rows: 10, partition_bytes: 1MiB, heartbeat: 200ms, lease: 3s, poll: 50ms,
          max_attempts: 1, memory_limit: 256MiB }
catalog: { path: /etc/longshore/catalog.yaml }
limits: { xlsx_max_sheets: 3, pdf_max_rows: 50000 }
auth:
  roles: { admin: ["*"], analyst: [exports.orders, pii.read] }
  tokens:
    - { token: admin-token-0123456789, tenant: acme, user: ann, roles: [admin, analyst] }
    - { token_file: )" + token_file +
                                   R"(, tenant: 42, user: bob, roles: [] }
log: { level: debug, format: text }
)");
  EXPECT_EQ(c.server.address, "::1");
  EXPECT_EQ(c.server.port, 0);
  EXPECT_EQ(c.server.public_url, "https://exports.example.com/x");
  EXPECT_EQ(c.server.request_timeout, 5s);
  EXPECT_EQ(c.server.max_connections, 10);
  EXPECT_EQ(c.server.max_body, 64 << 10);
  EXPECT_EQ(c.server.threads, 8);
  EXPECT_EQ(c.data_dir, "/var/lib/longshore");
  EXPECT_EQ(c.metadata.path, "/meta.db");
  EXPECT_EQ(c.storage.path, "/objects");
  EXPECT_EQ(c.storage.link_key, key);
  EXPECT_EQ(c.storage.link_lifetime, 60s);
  EXPECT_EQ(c.storage.link_lifetime_max, 1h);
  EXPECT_EQ(c.worker.slots, 0);
  EXPECT_EQ(c.worker.part_size, 5 << 20);
  EXPECT_EQ(c.worker.partition_rows, 10);
  EXPECT_EQ(c.worker.partition_bytes, 1 << 20);
  EXPECT_EQ(c.worker.heartbeat, 200ms);
  EXPECT_EQ(c.worker.lease, 3s);
  EXPECT_EQ(c.worker.poll, 50ms);
  EXPECT_EQ(c.worker.max_attempts, 1);
  EXPECT_EQ(c.worker.memory_limit, 256 << 20);
  EXPECT_EQ(c.catalog_path, "/etc/longshore/catalog.yaml");
  EXPECT_EQ(c.limits.xlsx_max_sheets, 3);
  EXPECT_EQ(c.limits.pdf_max_rows, 50'000);
  ASSERT_EQ(c.access.tokens.size(), 2U);
  EXPECT_EQ(c.access.tokens[0].token, "admin-token-0123456789");
  EXPECT_THAT(c.access.tokens[0].roles, ElementsAre("admin", "analyst"));
  EXPECT_EQ(c.access.tokens[1].token, "analyst-token-0123456789") << "without the newline of its file";
  EXPECT_EQ(c.access.tokens[1].tenant, "42");
  EXPECT_THAT(c.access.roles.at("analyst"), ElementsAre("exports.orders", "pii.read"));
  EXPECT_EQ(c.log.level, LogLevel::debug);
  EXPECT_EQ(c.log.format, LogFormat::text);
}

TEST_F(ConfigurationTest, TheEnvironmentWins) {
  environment = {{"LONGSHORE_SERVER_LISTEN", "0.0.0.0:80"},
                 {"LONGSHORE_SERVER_MAX_BODY", "2KiB"},
                 {"LONGSHORE_SERVER_THREADS", ""},  // as good as not set
                 {"LONGSHORE_DATA_DIR", "/data"},
                 {"LONGSHORE_CATALOG_PATH", "/c.yaml"},
                 {"LONGSHORE_WORKER_SLOTS", "3"},
                 {"LONGSHORE_WORKER_LEASE", "1m"},
                 {"LONGSHORE_LIMITS_PDF_MAX_ROWS", "7"},
                 {"LONGSHORE_LOG_LEVEL", "warn"},
                 {"LONGSHORE_STORAGE_LINK_KEY_FILE", write("key", std::string(32, 'k') + "\r\n")},
                 {"LONGSHORE_AUTH_ROLES", "{admin: ['*']}"},
                 {"LONGSHORE_AUTH_TOKENS", "[{token: environment-token, tenant: t, user: u, roles: [admin]}]"}};
  const Configuration c = accepted(R"(
server: { listen: "127.0.0.1:1", max_body: 1KiB, threads: 7 }
data_dir: /elsewhere
storage: { link_key: file-file-file-file-file-file-file-file }
worker: { slots: 1 }
auth: { roles: { nobody: [] } }
)");
  EXPECT_EQ(c.server.address, "0.0.0.0");
  EXPECT_EQ(c.server.port, 80);
  EXPECT_EQ(c.server.max_body, 2048);
  EXPECT_EQ(c.server.threads, 7);
  EXPECT_EQ(c.metadata.path, "/data/longshore.db") << "derived from the directory that won";
  EXPECT_EQ(c.catalog_path, "/c.yaml");
  EXPECT_EQ(c.worker.slots, 3);
  EXPECT_EQ(c.worker.lease, 1min);
  EXPECT_EQ(c.limits.pdf_max_rows, 7);
  EXPECT_EQ(c.log.level, LogLevel::warn);
  EXPECT_EQ(c.storage.link_key, std::string(32, 'k'));
  ASSERT_EQ(c.access.tokens.size(), 1U);
  EXPECT_EQ(c.access.tokens[0].token, "environment-token");
  EXPECT_EQ(c.access.roles.count("nobody"), 0U);
}

TEST_F(ConfigurationTest, FallbackFontsOfPdf) {
  EXPECT_TRUE(accepted("pdf: { fallback_fonts: auto }").pdf_fonts.installed);
  EXPECT_FALSE(accepted("pdf: { fallback_fonts: none }").pdf_fonts.installed);
  const PdfFontChoice listed = accepted("pdf: { fallback_fonts: [/a.ttf, b.ttc] }").pdf_fonts;
  EXPECT_FALSE(listed.installed);
  EXPECT_THAT(listed.paths, ElementsAre("/a.ttf", "b.ttc"));
  EXPECT_THAT(
      refused("pdf: { fallback_fonts: /a.ttf }"),
      ElementsAre("c.yaml:1:24 bad_value \"fallback_fonts\" must be \"auto\", \"none\" or a list of font files, "
                  "e.g. [/usr/share/fonts/a.ttf]"));
  EXPECT_THAT(refused("pdf: { fonts: none }"), testing::SizeIs(1));
  environment = {{"LONGSHORE_PDF_FALLBACK_FONTS", "[/c.ttf]"}};
  EXPECT_THAT(accepted("pdf: { fallback_fonts: none }").pdf_fonts.paths, ElementsAre("/c.ttf"));
}

TEST_F(ConfigurationTest, TheProductionShape) {
  environment = {{"LONGSHORE_METADATA_URL_FILE", write("url", "host=db password=secret\n")},
                 {"LONGSHORE_STORAGE_SECRET_ACCESS_KEY", "very-secret"},
                 {"LONGSHORE_MANIFEST_KEY", std::string(64, 'a')},
                 {"LONGSHORE_ROLE", "worker"}};
  const Configuration c = accepted(R"(
metadata: { driver: postgres, schema: exports, connections: 4, auto_migrate: false }
storage:
  { driver: s3, bucket: exports, prefix: eu, endpoint: "https://s3.example.com", addressing: path, access_key_id: AKIA,
    encryption: sse_kms, kms_key_id: k1, bucket_key: true }
)");
  EXPECT_EQ(c.role, Role::worker);
  EXPECT_EQ(c.metadata.driver, MetadataDriver::postgres);
  EXPECT_EQ(c.metadata.url, "host=db password=secret");
  EXPECT_EQ(c.metadata.schema, "exports");
  EXPECT_EQ(c.metadata.connections, 4);
  EXPECT_FALSE(c.metadata.auto_migrate);
  EXPECT_EQ(c.storage.driver, StorageDriver::s3);
  EXPECT_EQ(c.storage.s3.bucket, "exports");
  EXPECT_EQ(c.storage.s3.prefix, "eu");
  EXPECT_EQ(c.storage.s3.addressing, S3Addressing::path);
  EXPECT_EQ(c.storage.s3.credentials.access_key_id, "AKIA");
  EXPECT_EQ(c.storage.s3.credentials.secret_access_key, "very-secret");
  EXPECT_EQ(c.storage.s3.encryption.mode, S3Encryption::kms);
  EXPECT_TRUE(c.storage.s3.encryption.bucket_key);
  EXPECT_FALSE(c.manifest_key.empty());
}

TEST_F(ConfigurationTest, SaysWhatTheProductionShapeLacks) {
  EXPECT_THAT(
      refused(R"(role: both
metadata: { driver: postgres }
storage: { driver: s3, customer_key: abc }
manifest: { key: "12" }
)"),
      ElementsAre(HasSubstr(R"("role": "both" is not known; use "all", "api" or "worker")"),
                  HasSubstr(R"(the driver "postgres" needs "url")"), HasSubstr(R"(the driver "s3" needs "bucket")"),
                  HasSubstr("the key for sse_c must be 64 hexadecimal digits"),
                  HasSubstr("the manifest key must be 64 hexadecimal digits")));
}

TEST_F(ConfigurationTest, ReportsAllErrorsOfTheFileAtOnce) {
  EXPECT_THAT(
      refused(R"(server:
  listen: localhost
  public_url: exports.example.com
  request_timeout: soon
  max_body: 2MiB
  threads: "4"
  port: 80
data_dir:
metadata: { driver: mysql }
storage: { link_key: short, link_lifetime: 2h, link_lifetime_max: 1h, link_lifetime: 1s }
worker: { part_size: 1MiB, slots: 65, lease: 2s, hartbeat: 1s }
catalog: catalog.yaml
auth:
  roles: { admin: "*" }
  tokens:
    - { token: short, tenant: acme, user: ann, roles: [admin, boss] }
    - { tenant: acme, user: bob, roles: [] }
    - { token: a-good-enough-token, token_file: x, user: bob, role: admin }
    - { token_file: /nonexistent/token, tenant: t, user: u, roles: [] }
log: { level: loud }
extra: 1
)"),
      ElementsAre(
          R"(c.yaml:2:11 bad_value "listen": "localhost" is not address:port, e.g. 127.0.0.1:8080, 0.0.0.0:80 or [::1]:8080)",
          R"(c.yaml:3:15 bad_value "public_url": "exports.example.com" is no URL that links can begin with; expected http:// or https://, a host, maybe a port and a path, e.g. https://exports.example.com)",
          R"(c.yaml:4:20 bad_value "request_timeout": "soon" is not a duration from 100ms to 10m (a number with ms, s, m, h or d))",
          R"(c.yaml:5:13 bad_value "max_body": "2MiB" is not a size from 1KiB to 1MiB (bytes, or a number with KiB, MiB or GiB))",
          R"(c.yaml:6:12 wrong_type "threads" must be written without quotes)",
          R"(c.yaml:7:3 unknown_key "server" has no key "port")",
          R"(c.yaml:8:1 wrong_type "data_dir" has no value; give it one or remove the line)",
          R"(c.yaml:9:21 bad_value "driver": "mysql" is not known; use "sqlite" or "postgres")",
          R"(c.yaml:10:22 bad_value the link key must have at least 32 bytes, or links can be forged; make one with: openssl rand -hex 32)",
          R"(c.yaml:10:67 bad_value "link_lifetime" must not be longer than "link_lifetime_max")",
          R"(c.yaml:10:71 duplicate_key "link_lifetime" is already set on line 10)",
          R"(c.yaml:11:22 bad_value "part_size": "1MiB" is not a size from 5MiB to 512MiB (bytes, or a number with KiB, MiB or GiB))",
          R"(c.yaml:11:35 bad_value "slots": "65" is not an integer from 0 to 64)",
          R"(c.yaml:11:46 bad_value "lease" must be at least three times "heartbeat", or a slow moment loses the work)",
          R"(c.yaml:11:50 unknown_key "worker" has no key "hartbeat"; did you mean "heartbeat"?)",
          R"(c.yaml:12:10 wrong_type "catalog" must be a map of keys, not a single value)",
          R"(c.yaml:14:19 wrong_type the role "admin" must be a list, not a single value)",
          R"(c.yaml:16:16 short_token a token has at least 16 characters, or it can be guessed; make one with: openssl rand -hex 32)",
          R"(c.yaml:16:63 unknown_role there is no role 'boss'; defined roles: admin)",
          R"(c.yaml:17:7 missing_field a token needs "token" or "token_file")",
          R"(c.yaml:18:7 missing_field a token needs "tenant")", R"(c.yaml:18:7 missing_field a token needs "roles")",
          R"(c.yaml:18:49 bad_value give "token" or "token_file", not both)",
          R"(c.yaml:18:63 unknown_key a token has no key "role"; did you mean "roles"?)",
          R"(c.yaml:19:21 bad_value cannot read the secret's file /nonexistent/token; check its name and who may read it)",
          R"(c.yaml:20:15 bad_value "level": "loud" is not known; use "debug", "info", "warn" or "error")",
          R"(c.yaml:21:1 unknown_key the configuration has no key "extra")"));
}

TEST_F(ConfigurationTest, ReportsVariablesByName) {
  environment = {{"LONGSHORE_SERVER_LISTEN", "here"},
                 {"LONGSHORE_WORKER_SLOTS", "two"},
                 {"LONGSHORE_WORKER_HEARTBEAT", "9s"},
                 {"LONGSHORE_STORAGE_LINK_KEY", "short"},
                 {"LONGSHORE_STORAGE_LINK_LIFETIME", "1500ms"},
                 {"LONGSHORE_LOG_FORMAT", "xml"},
                 {"LONGSHORE_AUTH_TOKENS", "[{token: a-good-enough-token, tenant: t, user: u, roles: [x]}]"}};
  EXPECT_THAT(
      refused("worker: { max_attempts: none }\n"),
      ElementsAre(
          R"(c.yaml:1:25 bad_value "max_attempts": "none" is not an integer from 1 to 100)",
          R"(LONGSHORE_SERVER_LISTEN bad_value "listen": "here" is not address:port, e.g. 127.0.0.1:8080, 0.0.0.0:80 or [::1]:8080)",
          R"(LONGSHORE_STORAGE_LINK_KEY bad_value the link key must have at least 32 bytes, or links can be forged; make one with: openssl rand -hex 32)",
          R"(LONGSHORE_STORAGE_LINK_LIFETIME bad_value "link_lifetime" must be a multiple of 1s)",
          R"(LONGSHORE_WORKER_SLOTS bad_value "two" is not an integer from 0 to 64)",
          R"(LONGSHORE_WORKER_HEARTBEAT bad_value "lease" must be at least three times "heartbeat", or a slow moment loses the work)",
          R"(LONGSHORE_AUTH_TOKENS:1:59 unknown_role there is no role 'x'; no roles are defined)",
          R"(LONGSHORE_LOG_FORMAT bad_value "xml" is not known; use "json" or "text")"));
}

TEST_F(ConfigurationTest, NoMessageHoldsASecret) {
  const std::string secret = "hunter2";
  const auto all = [&](const std::string& yaml) { return testing::PrintToString(refused(yaml)); };
  EXPECT_THAT(all("storage: { link_key: hunter2 }\n"), Not(HasSubstr(secret)));
  EXPECT_THAT(all("auth: { tokens: [{ token: hunter2, tenant: t, user: u, roles: [] }] }\n"), Not(HasSubstr(secret)));
  EXPECT_THAT(all("auth: { tokens: [{ token: 'hunter2 hunter2 hunter2', tenant: t, user: u, roles: [] }] }\n"),
              Not(HasSubstr(secret)));
  environment = {{"LONGSHORE_AUTH_TOKENS", "[{token: hunter2"}, {"LONGSHORE_STORAGE_LINK_KEY", secret}};
  EXPECT_THAT(all(""), Not(HasSubstr(secret)));
  environment = {{"LONGSHORE_AUTH_TOKENS", "hunter2"}};
  EXPECT_THAT(all(""), Not(HasSubstr(secret)));
}

TEST_F(ConfigurationTest, SecretsByFile) {
  EXPECT_THAT(refused("storage: { link_key: 0123456789abcdef0123456789abcdef, link_key_file: x }\n"),
              ElementsAre(R"(c.yaml:1:71 bad_value give "link_key" or "link_key_file", not both)"));
  EXPECT_THAT(refused("storage: { link_key_file: " + write("empty", "\n") + " }\n"),
              ElementsAre("c.yaml:1:27 bad_value the secret's file empty is empty"));
  EXPECT_THAT(refused("storage: { link_key_file: " + write("long", std::string(70'000, 'x')) + " }\n"),
              ElementsAre("c.yaml:1:27 bad_value the secret's file long is longer than 64KiB"));
  EXPECT_THAT(refused("storage: { link_key_file: " + folder + " }\n"),
              ElementsAre(HasSubstr("cannot read the secret's file")));
  EXPECT_THAT(refused("storage: { link_key_file: " + write("short", "abc") + " }\n"),
              ElementsAre(HasSubstr("the link key must have at least 32 bytes")));
}

TEST_F(ConfigurationTest, ListenAddresses) {
  const auto listen = [&](const std::string& text) {
    environment = {{"LONGSHORE_SERVER_LISTEN", text}};
    const auto c = load(std::nullopt);
    return c ? c->server.address + " " + std::to_string(c->server.port) : c.error().code;
  };
  EXPECT_EQ(listen("0.0.0.0:80"), "0.0.0.0 80");
  EXPECT_EQ(listen("localhost:65535"), "localhost 65535");
  EXPECT_EQ(listen("[::]:0"), ":: 0");
  for (const char* bad : {"8080", ":8080", "host:", "host:65536", "host:-1", "host:80x", "::1:80", "[]:80"}) {
    EXPECT_EQ(listen(bad), "bad_configuration") << bad;
  }
}

TEST_F(ConfigurationTest, AFileThatIsNotThere) {
  const auto c = load(folder + "/none.yaml");
  ASSERT_FALSE(c);
  EXPECT_EQ(c.error().code, "configuration_not_found");
  EXPECT_THAT(c.error().message, HasSubstr("/none.yaml"));
  EXPECT_THAT(refused("server: {\n"), ElementsAre(HasSubstr("bad_yaml")));
  EXPECT_THAT(refused("- a\n"),
              ElementsAre("c.yaml:1:1 wrong_type the configuration must be a map of keys, not a list"));
}

TEST_F(ConfigurationTest, EveryVariableIsDocumented) {
  ASSERT_TRUE(load(std::nullopt));
  std::ifstream file(std::string(LONGSHORE_SOURCE_DIR) + "/docs/configuration.md");
  ASSERT_TRUE(file.is_open());
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  for (const std::string& name : asked) EXPECT_THAT(text, HasSubstr("`" + name + "`"));
  const std::size_t begin = text.find("```yaml\n");
  ASSERT_NE(begin, std::string::npos);
  const std::string example = text.substr(begin + 8, text.find("```", begin + 8) - begin - 8);
  EXPECT_TRUE(parse(example)) << parse(example).error().message;
}

}  // namespace
}  // namespace longshore
