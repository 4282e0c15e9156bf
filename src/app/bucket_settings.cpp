#include "app/bucket_settings.h"

#include <map>
#include <string>
#include <vector>

#include "base/digest.h"

namespace longshore {

namespace {

constexpr std::size_t kCustomerKeyBytes = 32;  // AES-256, the one algorithm of SSE-C

/// One of the words, by its meaning.
template <class Enum>
void read_word(SettingsSection& section, const char* key, Enum& target,
               const std::vector<std::pair<std::string, Enum>>& meanings) {
  std::vector<std::string> words;
  words.reserve(meanings.size());
  for (const auto& [word, meaning] : meanings) words.push_back(word);
  std::string chosen;
  section.choice(key, chosen, words);
  for (const auto& [word, meaning] : meanings) {
    if (word == chosen) target = meaning;
  }
}

void read_encryption(SettingsSection& storage, S3EncryptionOptions& options) {
  read_word<S3Encryption>(storage, "encryption", options.mode,
                          {{"none", S3Encryption::none},
                           {"sse_s3", S3Encryption::s3},
                           {"sse_kms", S3Encryption::kms},
                           {"sse_c", S3Encryption::customer_key}});
  storage.text("kms_key_id", options.kms_key_id);
  storage.boolean("bucket_key", options.bucket_key);
  std::string key;
  storage.secret("customer_key", key);
  if (key.empty()) return;
  const auto raw = from_hex(key);
  if (raw && raw->size() == kCustomerKeyBytes) {
    options.customer_key = *raw;
  } else {
    storage.add(storage.has("customer_key") ? "customer_key" : "customer_key_file", "bad_value",
                "the key for sse_c must be 64 hexadecimal digits; make one with: openssl rand -hex 32");
  }
}

void read_credentials(SettingsSection& storage, S3CredentialOptions& options) {
  read_word<S3CredentialSource>(storage, "credentials", options.source,
                                {{"auto", S3CredentialSource::automatic},
                                 {"given", S3CredentialSource::given},
                                 {"environment", S3CredentialSource::environment},
                                 {"web_identity", S3CredentialSource::web_identity},
                                 {"file", S3CredentialSource::file},
                                 {"container", S3CredentialSource::container},
                                 {"instance", S3CredentialSource::instance}});
  storage.secret("access_key_id", options.access_key_id);
  storage.secret("secret_access_key", options.secret_access_key);
  storage.secret("session_token", options.session_token);
  storage.text("credentials_path", options.file);
  storage.text("profile", options.profile);
}

}  // namespace

void read_bucket(SettingsSection& storage, StorageDriver driver, S3Options& options) {
  storage.text("endpoint", options.endpoint);
  storage.text("public_endpoint", options.public_endpoint);
  storage.text("region", options.region);
  storage.text("bucket", options.bucket);
  storage.text("prefix", options.prefix);
  read_word<S3Addressing>(
      storage, "addressing", options.addressing,
      {{"auto", S3Addressing::automatic}, {"path", S3Addressing::path}, {"virtual_host", S3Addressing::virtual_host}});
  storage.text("ca_file", options.ca_file);
  options.credentials.ca_file = options.ca_file;
  storage.text("proxy", options.proxy);
  storage.text("storage_class", options.storage_class);
  storage.boolean("content_md5", options.content_md5);
  read_encryption(storage, options.encryption);
  read_credentials(storage, options.credentials);
  if (driver != StorageDriver::s3) return;
  if (options.bucket.empty()) {
    storage.add("bucket", "missing_field", "the driver \"s3\" needs \"bucket\"");
  } else if (const Status sound = check_options(options); !sound) {
    storage.add("bucket", sound.error().code, sound.error().message);
  }
}

}  // namespace longshore
