// How long the local store takes for one large object in parts, against the system's own tools in the same run.
//
//   storage_local_benchmark [DIRECTORY] [MiB]
//
// Writes to a temporary directory below DIRECTORY (default: where temporary files go) three times and shows each run,
// because disks of virtual machines vary. `cp + sync` is the floor for who wants a durable copy; the store writes every
// byte twice (parts, object) with a durable checkpoint after each 8 MiB.

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "storage/local/local_store.h"

namespace {

using namespace longshore;
namespace fs = std::filesystem;

constexpr std::size_t kPartBytes = 8 << 20;

double seconds_of(const auto& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void require(bool ok, const std::string& what) {
  if (ok) return;
  std::cerr << what << "\n";
  std::exit(1);
}

void run_command(const std::string& command) {
  require(std::system(command.c_str()) == 0, "failed: " + command);
}

void show(const std::string& what, double seconds, int mebibytes) {
  std::cout << fmt::format("  {:<44} {:7.3f} s  {:6.0f} MiB/s\n", what, seconds, mebibytes / seconds);
}

void run(const fs::path& directory, int mebibytes) {
  std::string part(kPartBytes, '\0');
  std::minstd_rand random(7);
  for (char& c : part) c = static_cast<char>(random());
  const int count = mebibytes / 8;

  auto store = LocalStore::make((directory / "store").string());
  require(store.has_value(), "cannot make the store");
  const UploadRef upload = (*store)->begin_upload("bench/object", {}).value();
  std::vector<PartReceipt> parts;
  const double uploading = seconds_of([&] {
    for (int number = 1; number <= count; ++number)
      parts.push_back((*store)->upload_part(upload, number, part).value());
  });
  const double completing =
      seconds_of([&] { require((*store)->complete_upload(upload, parts).has_value(), "complete"); });
  show("upload_part, 8 MiB each, durable", uploading, mebibytes);
  show("complete_upload, durable", completing, mebibytes);

  const std::string object = (directory / "store/objects/bench/object").string();
  const std::string copy = (directory / "copy").string();
  show("cp + sync of the object", seconds_of([&] { run_command("cp " + object + " " + copy + " && sync " + copy); }),
       mebibytes);
  show("dd bs=8M conv=fsync of the object",
       seconds_of([&] { run_command("dd if=" + object + " of=" + copy + ".2 bs=8M conv=fsync status=none"); }),
       mebibytes);
}

}  // namespace

int main(int argc, char** argv) {
  const fs::path below = argc > 1 ? fs::path(argv[1]) : fs::temp_directory_path();
  const int mebibytes = argc > 2 ? std::atoi(argv[2]) : 1024;
  require(mebibytes >= 8, "usage: storage_local_benchmark [DIRECTORY] [MiB, at least 8]");
  for (int i = 1; i <= 3; ++i) {
    std::string directory = (below / "longshore-bench-XXXXXX").string();
    require(::mkdtemp(directory.data()) != nullptr, "cannot make a directory below " + below.string());
    std::cout << fmt::format("{} MiB, run {}\n", mebibytes, i);
    run(directory, mebibytes);
    fs::remove_all(directory);
    ::sync();
  }
}
