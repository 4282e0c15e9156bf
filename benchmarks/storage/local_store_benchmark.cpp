// How long the local store takes for one large object in parts of 8 MiB.
//
//   storage_local_benchmark DIRECTORY MiB
//
// Makes a store in DIRECTORY, which must not exist, and leaves it there. Prints
// {"upload":…,"upload_cpu":…,"complete":…,"read":…,"read_again":…}, all in seconds; the first read finds nothing in the
// page cache if the parts were written past it.

#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "storage/local/local_store.h"

namespace {

using namespace longshore;  // NOLINT: a program of one file

constexpr std::size_t kPartBytes = 8 << 20;
constexpr std::int64_t kReadBytes = 128 << 10;  // as cat does

double seconds_of(const auto& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

template <class T>
T must(Result<T> result) {
  if (result) return *std::move(result);
  std::cerr << "storage_local_benchmark: " << result.error().message << "\n";
  std::exit(1);
}

void read_all(const LocalStore& store, const std::string& key) {
  const auto object = must(store.open_for_read(key));
  std::string piece(kReadBytes, '\0');
  for (std::int64_t at = 0; at < object->info().size;) at += must(object->read(piece.data(), kReadBytes, at));
}

}  // namespace

int main(int argc, char** argv) {
  const int count = argc == 3 ? std::atoi(argv[2]) / 8 : 0;
  if (count < 1) {
    std::cerr << "usage: storage_local_benchmark DIRECTORY MiB (at least 8)\n";
    return 2;
  }
  std::string part(kPartBytes, '\0');
  std::minstd_rand random(7);
  for (char& c : part) c = static_cast<char>(random());

  const std::unique_ptr<LocalStore> store = must(LocalStore::make(argv[1]));
  const UploadRef upload = must(store->begin_upload("bench/object", {}));
  std::vector<PartReceipt> parts;
  const double cpu = cpu_seconds();
  const double uploading = seconds_of([&] {
    for (int number = 1; number <= count; ++number) parts.push_back(must(store->upload_part(upload, number, part)));
  });
  const double uploading_cpu = cpu_seconds() - cpu;
  const double completing = seconds_of([&] { must(store->complete_upload(upload, parts)); });
  const double reading = seconds_of([&] { read_all(*store, "bench/object"); });
  const double reading_again = seconds_of([&] { read_all(*store, "bench/object"); });
  std::printf("{\"upload\": %.4f, \"upload_cpu\": %.4f, \"complete\": %.5f, \"read\": %.4f, \"read_again\": %.4f}\n",
              uploading, uploading_cpu, completing, reading, reading_again);
  return 0;
}
