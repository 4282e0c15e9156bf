// Any bytes given as a manifest are a report or an error, never a crash.
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "assemble/manifest.h"
#include "assemble/verify.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static const std::string file = "/proc/self/cmdline";  // no regular file is needed to read the manifest
  (void)longshore::verify_file(file, text);
  (void)longshore::manifest_fidelity(text);
  return 0;
}
