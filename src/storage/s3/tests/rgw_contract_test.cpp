#include "s3/s3_store.h"
#include "s3/tests/ceph_rgw.h"
#include "storage/tests/object_store_contract.h"

namespace longshore {
namespace {

/// A prefix of its own for each test, in a bucket that they share.
S3Options fresh_options() {
  static int number = 0;
  S3Options options = s3::CephRgw::instance().options();
  options.prefix = "contract-" + std::to_string(++number);
  return options;
}

struct PathHarness {
  ObjectStore& store() { return *s3_store; }
  SystemClock clock;
  std::unique_ptr<S3Store> s3_store = S3Store::make(fresh_options(), clock).value();
};

// Over TLS with an authority of our own, the bucket as a virtual host, and pages so small that everything is paged.
S3Options virtual_host_options() {
  s3::CephRgw& rgw = s3::CephRgw::instance();
  S3Options options = fresh_options();
  options.endpoint = rgw.value("S3_TLS_ENDPOINT");
  options.endpoint.replace(options.endpoint.find("127.0.0.1"), 9, "s3.localhost");
  options.addressing = S3Addressing::virtual_host;
  options.ca_file = rgw.value("S3_CA_FILE");
  options.page = 2;
  return options;
}

struct VirtualHostHarness {
  ObjectStore& store() { return *s3_store; }
  SystemClock clock;
  std::unique_ptr<S3Store> s3_store = S3Store::make(virtual_host_options(), clock).value();
};

INSTANTIATE_TYPED_TEST_SUITE_P(Path, ObjectStoreContract, PathHarness);
INSTANTIATE_TYPED_TEST_SUITE_P(VirtualHost, ObjectStoreContract, VirtualHostHarness);

}  // namespace
}  // namespace longshore
