#include "s3/credential_source.h"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <map>

namespace longshore::s3 {
namespace {

class Given final : public CredentialSource {
 public:
  explicit Given(Credentials credentials) : credentials_(std::move(credentials)) {}
  Result<Credentials> fetch() override { return credentials_; }
  std::string place() const override { return "the configuration"; }

 private:
  Credentials credentials_;
};

class FromEnvironment final : public CredentialSource {
 public:
  explicit FromEnvironment(Environment environment) : environment_(std::move(environment)) {}
  Result<Credentials> fetch() override {
    Credentials out{environment_("AWS_ACCESS_KEY_ID"), environment_("AWS_SECRET_ACCESS_KEY"),
                    environment_("AWS_SESSION_TOKEN"), std::nullopt};
    if (!out.access_key_id.empty() && !out.secret_access_key.empty()) return out;
    return fail(external_error("store_denied",
                               "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must both be set for the S3 store", false));
  }
  std::string place() const override { return "the environment"; }

 private:
  Environment environment_;
};

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

class FromFile final : public CredentialSource {
 public:
  FromFile(std::string path, std::string profile) : path_(std::move(path)), profile_(std::move(profile)) {}

  Result<Credentials> fetch() override {
    std::ifstream file(path_);
    if (!file) return denied("cannot be read");
    bool found = false;
    const std::map<std::string, std::string> settings = read_profile(file, found);
    if (!found) return denied(fmt::format("has no profile [{}]", profile_));
    const auto setting = [&](const char* name) {
      const auto at = settings.find(name);
      return at == settings.end() ? std::string() : at->second;
    };
    Credentials out{setting("aws_access_key_id"), setting("aws_secret_access_key"), setting("aws_session_token"),
                    std::nullopt};
    if (!out.access_key_id.empty() && !out.secret_access_key.empty()) return out;
    for (const char* other : {"role_arn", "credential_process", "sso_session", "sso_start_url"}) {
      if (settings.contains(other)) {
        return denied(
            fmt::format("has {} in profile [{}], which is not supported; give keys, or use a web identity or "
                        "the container's or instance's role",
                        other, profile_));
      }
    }
    return denied(fmt::format("lacks aws_access_key_id or aws_secret_access_key in profile [{}]", profile_));
  }
  std::string place() const override { return fmt::format("profile {} of {}", profile_, path_); }
  Duration recheck() const override { return std::chrono::minutes{1}; }

 private:
  Result<Credentials> denied(const std::string& what) const {
    return fail(external_error("store_denied", fmt::format("the credentials file {} {}", path_, what), false));
  }

  std::map<std::string, std::string> read_profile(std::ifstream& file, bool& found) const {
    std::map<std::string, std::string> settings;
    bool ours = false;
    for (std::string line; std::getline(file, line);) {
      const std::string_view text = trimmed(line);
      if (text.empty() || text.front() == '#' || text.front() == ';') continue;
      if (text.front() == '[') {
        ours = trimmed(text.substr(1, text.find(']') - 1)) == profile_;
        found = found || ours;
        continue;
      }
      const auto equals = text.find('=');
      if (!ours || equals == std::string_view::npos) continue;
      settings[std::string(trimmed(text.substr(0, equals)))] = trimmed(text.substr(equals + 1));
    }
    return settings;
  }

  std::string path_;
  std::string profile_;
};

std::string first_of(std::initializer_list<std::string> texts) {
  for (const std::string& text : texts) {
    if (!text.empty()) return text;
  }
  return {};
}

std::string shared_file(const S3CredentialOptions& options, const Environment& environment) {
  const std::string home = environment("HOME");
  return first_of(
      {options.file, environment("AWS_SHARED_CREDENTIALS_FILE"), home.empty() ? "" : home + "/.aws/credentials"});
}

/// What the environment speaks of.
S3CredentialSource detect(const S3CredentialOptions& options, const Environment& environment) {
  if (!options.access_key_id.empty()) return S3CredentialSource::given;
  if (!environment("AWS_ACCESS_KEY_ID").empty()) return S3CredentialSource::environment;
  if (!environment("AWS_WEB_IDENTITY_TOKEN_FILE").empty()) return S3CredentialSource::web_identity;
  const std::string file = shared_file(options, environment);
  if (!file.empty() && std::ifstream(file).good()) return S3CredentialSource::file;
  if (!environment("AWS_CONTAINER_CREDENTIALS_FULL_URI").empty() ||
      !environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").empty()) {
    return S3CredentialSource::container;
  }
  return S3CredentialSource::instance;
}

}  // namespace

std::string process_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? "" : value;
}

std::unique_ptr<CredentialSource> given_credentials(Credentials credentials) {
  return std::make_unique<Given>(std::move(credentials));
}

std::unique_ptr<CredentialSource> environment_credentials(Environment environment) {
  return std::make_unique<FromEnvironment>(std::move(environment));
}

std::unique_ptr<CredentialSource> file_credentials(std::string path, std::string profile) {
  return std::make_unique<FromFile>(std::move(path), std::move(profile));
}

Result<std::unique_ptr<CredentialSource>> choose_credential_source(const S3CredentialOptions& options,
                                                                   const std::string& region, Environment environment,
                                                                   std::shared_ptr<HttpTransport> transport) {
  const bool automatic = options.source == S3CredentialSource::automatic;
  switch (automatic ? detect(options, environment) : options.source) {
    case S3CredentialSource::given:
      return given_credentials({options.access_key_id, options.secret_access_key, options.session_token, std::nullopt});
    case S3CredentialSource::environment:
      return environment_credentials(std::move(environment));
    case S3CredentialSource::web_identity: {
      const std::string domain = region.starts_with("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
      return web_identity_credentials(environment,
                                      first_of({options.token_service_endpoint, environment("AWS_ENDPOINT_URL_STS"),
                                                fmt::format("https://sts.{}.{}", region, domain)}),
                                      std::move(transport));
    }
    case S3CredentialSource::file:
      return file_credentials(shared_file(options, environment),
                              first_of({options.profile, environment("AWS_PROFILE"), "default"}));
    case S3CredentialSource::container:
      return container_credentials(std::move(environment), std::move(transport));
    case S3CredentialSource::automatic:
    case S3CredentialSource::instance:
      break;
  }
  if (automatic && environment("AWS_EC2_METADATA_DISABLED") == "true") {
    return fail(user_error("bad_s3_option",
                           "no credentials for the S3 store: none in the configuration, AWS_ACCESS_KEY_ID, "
                           "AWS_WEB_IDENTITY_TOKEN_FILE, a shared credentials file or "
                           "AWS_CONTAINER_CREDENTIALS_FULL_URI, and AWS_EC2_METADATA_DISABLED is set"));
  }
  return instance_credentials(
      first_of({options.instance_endpoint, environment("AWS_EC2_METADATA_SERVICE_ENDPOINT"), "http://169.254.169.254"}),
      std::move(transport));
}

}  // namespace longshore::s3
