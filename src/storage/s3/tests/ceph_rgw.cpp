#include "s3/tests/ceph_rgw.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace longshore::s3 {

CephRgw& CephRgw::instance() {
  static CephRgw server;
  return server;
}

CephRgw::CephRgw() {
  std::array<int, 2> to_script{};
  std::array<int, 2> from_script{};
  // Not inherited by what the test starts later: the script ends when the last writer of its input does.
  if (::pipe2(to_script.data(), O_CLOEXEC) != 0 || ::pipe2(from_script.data(), O_CLOEXEC) != 0) {
    throw std::runtime_error("no pipes for ceph_rgw.sh");
  }
  process_ = ::fork();
  if (process_ == 0) {
    ::setpgid(0, 0);  // out of reach of the terminal's signals: the script ends by its input
    ::dup2(to_script[0], 0);
    ::dup2(from_script[1], 1);
    ::execl(LONGSHORE_CEPH_RGW, LONGSHORE_CEPH_RGW, "serve", nullptr);
    ::_exit(127);
  }
  ::close(to_script[0]);
  ::close(from_script[1]);
  input_ = to_script[1];
  output_ = from_script[0];
  for (std::string line; (line = read_line()) != "ready";) {
    const auto equals = line.find('=');
    if (equals == std::string::npos) {
      throw std::runtime_error("no Ceph RGW for the tests: see " LONGSHORE_CEPH_RGW);
    }
    values_[line.substr(0, equals)] = line.substr(equals + 1);
  }
}

CephRgw::~CephRgw() {
  ::close(input_);
  ::waitpid(process_, nullptr, 0);
  ::close(output_);
}

std::string CephRgw::read_line() const {
  std::string line;
  char c = 0;
  while (::read(output_, &c, 1) == 1 && c != '\n') line.push_back(c);
  return line;
}

void CephRgw::command(const std::string& line) {
  const std::string sent = line + "\n";
  if (::write(input_, sent.data(), sent.size()) != static_cast<ssize_t>(sent.size()) || read_line() != "ok") {
    throw std::runtime_error("ceph_rgw.sh failed to: " + line);
  }
}

S3Options CephRgw::options(const std::string& bucket) {
  S3Options out;
  out.endpoint = value("S3_ENDPOINT");
  out.region = value("AWS_REGION");
  out.bucket = bucket;
  out.credentials.access_key_id = value("AWS_ACCESS_KEY_ID");
  out.credentials.secret_access_key = value("AWS_SECRET_ACCESS_KEY");
  static std::map<std::string, bool> made;
  if (!std::exchange(made[bucket], true)) make_bucket(out);
  return out;
}

void make_bucket(const S3Options& options) {
  SystemClock clock;
  const auto client = Client::make(options, clock);
  if (!client) throw std::runtime_error(client.error().message);
  const auto made = (*client)->expect({.operation = "CreateBucket", .method = "PUT"});
  if (!made) throw std::runtime_error(made.error().message);
}

}  // namespace longshore::s3
