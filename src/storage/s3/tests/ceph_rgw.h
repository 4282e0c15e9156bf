#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "s3/client.h"
#include "s3/s3_store.h"

namespace longshore::s3 {

/// A real S3 server of the test program's own (tests/rgw/ceph_rgw.sh): started at the first use, gone with the program.
class CephRgw {
 public:
  /// Throws std::runtime_error if it cannot be started.
  static CephRgw& instance();
  ~CephRgw();
  CephRgw(const CephRgw&) = delete;
  CephRgw& operator=(const CephRgw&) = delete;

  /// One of the script's commands for a running cluster, e.g. `pause`. Throws std::runtime_error if it fails.
  void command(const std::string& line);
  /// What the script says under this name, e.g. S3_ENDPOINT.
  const std::string& value(const std::string& name) const { return values_.at(name); }
  /// Options for a bucket that exists, with the tester's keys, by plain HTTP.
  S3Options options(const std::string& bucket = "longshore-test");

 private:
  CephRgw();
  std::string read_line() const;

  pid_t process_ = -1;
  int input_ = -1;
  int output_ = -1;
  std::map<std::string, std::string> values_;
};

/// Makes the bucket; one that is there is fine.
void make_bucket(const S3Options& options);

}  // namespace longshore::s3
