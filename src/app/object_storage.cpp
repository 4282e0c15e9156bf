#include "app/object_storage.h"

#include <utility>

#include "app/data_dir.h"
#include "app/secret_file.h"
#include "base/digest.h"
#include "base/random.h"
#include "http/file_routes.h"
#include "s3/s3_link_signer.h"
#include "s3/s3_store.h"
#include "storage/local/local_store.h"
#include "storage/local/signed_link.h"

namespace longshore {

namespace {

/// A directory; the server serves its files by links of its own.
class LocalStorage final : public ObjectStorage {
 public:
  LocalStorage(std::unique_ptr<LocalStore> store, std::string secret, const Clock& clock)
      : store_(std::move(store)), secret_(std::move(secret)), clock_(clock) {}

  ObjectStore& store() override { return *store_; }
  Result<LinkSigner*> make_links(const std::string& public_url, Router& router) override {
    TRY(links_, SignedLinks::make({{"local", secret_}}, public_url, clock_));
    append_file_routes(router, *store_, *links_, clock_);
    return links_.get();
  }

 private:
  std::unique_ptr<LocalStore> store_;
  std::string secret_;
  const Clock& clock_;
  std::unique_ptr<SignedLinks> links_;
};

/// A bucket; links lead to it.
class BucketStorage final : public ObjectStorage {
 public:
  explicit BucketStorage(std::unique_ptr<S3Store> store) : store_(std::move(store)) {}

  ObjectStore& store() override { return *store_; }
  Result<LinkSigner*> make_links(const std::string&, Router&) override {
    TRY(links_, S3LinkSigner::make(store_->client()));
    return links_.get();
  }

 private:
  std::unique_ptr<S3Store> store_;
  std::unique_ptr<S3LinkSigner> links_;
};

Result<std::string> link_secret(const Configuration& configuration) {
  if (!configuration.storage.link_key.empty()) return configuration.storage.link_key;
  CHECK_OK(make_data_dir(configuration.data_dir));
  return read_or_make_secret(configuration.data_dir + "/link.key",
                             []() -> Result<std::string> { return to_hex(random_bytes(32)); });
}

}  // namespace

Result<std::unique_ptr<ObjectStorage>> open_storage(const Configuration& configuration, Clock& clock,
                                                    std::stop_token stop) {
  if (configuration.storage.driver == StorageDriver::s3) {
    TRY(std::unique_ptr<S3Store> store, S3Store::make(configuration.storage.s3, clock, std::move(stop)));
    return std::make_unique<BucketStorage>(std::move(store));
  }
  TRY(std::string secret, link_secret(configuration));
  TRY(std::unique_ptr<LocalStore> store, LocalStore::make(configuration.storage.path));
  return std::make_unique<LocalStorage>(std::move(store), std::move(secret), clock);
}

}  // namespace longshore
