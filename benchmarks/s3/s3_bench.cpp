// Uploads parts of 8 MiB to a bucket and prints what it took as JSON.
//
//   s3_bench ENDPOINT BUCKET STREAMS MIB plain|hashed|no-md5
//
// plain: as it is by default; hashed: the caller knows the SHA-256 of each part, as a worker does; no-md5: also without
// Content-MD5. Credentials come from the environment.

#include <fmt/format.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "base/digest.h"
#include "s3/s3_store.h"

namespace {

using namespace longshore;

constexpr std::size_t kPartBytes = 8 << 20;

void require(bool ok, const std::string& what) {
  if (ok) return;
  std::cerr << what << "\n";
  std::exit(1);
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

int main(int argc, char** argv) {
  require(argc == 6, "usage: s3_bench ENDPOINT BUCKET STREAMS MIB plain|hashed|no-md5");
  const std::string mode = argv[5];
  S3Options options;
  options.endpoint = argv[1];
  options.bucket = argv[2];
  options.credentials.source = S3CredentialSource::environment;
  options.content_md5 = mode != "no-md5";
  const int streams = std::atoi(argv[3]);
  const int count = std::atoi(argv[4]) / 8;
  SystemClock clock;
  auto store = S3Store::make(options, clock);
  require(store.has_value(), store ? "" : store.error().message);

  std::string part(kPartBytes, '\0');
  for (std::size_t i = 0; i < part.size(); ++i) part[i] = static_cast<char>(i * 2654435761U >> 13);
  const std::string sha256 = mode == "plain" ? "" : sha256_hex(part);
  const auto upload = (*store)->begin_upload("bench/object", {});
  require(upload.has_value(), upload ? "" : upload.error().message);

  const auto begun = std::chrono::steady_clock::now();
  const double cpu = cpu_seconds();
  std::atomic<int> next = 1;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < streams; ++i) {
      threads.emplace_back([&] {
        for (int number = 0; (number = next++) <= count;) {
          const auto receipt = (*store)->upload_hashed_part(*upload, number, part, sha256);
          require(receipt.has_value(), receipt ? "" : receipt.error().message);
        }
      });
    }
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  std::cout << fmt::format("{{\"seconds\":{:.4f},\"cpu_seconds\":{:.4f}}}\n", seconds, cpu_seconds() - cpu);
  require((*store)->abort_upload(*upload).has_value(), "the upload cannot be aborted");
}
