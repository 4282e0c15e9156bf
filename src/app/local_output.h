#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace longshore {

/// Where a local export's bytes go: standard output, or a file that gets its name when it is whole. What is not
/// published disappears with the object. Errors: `output_failed` (external).
class LocalOutput {
 public:
  /// `path`: `-` for standard output.
  static Result<LocalOutput> open(const std::string& path);
  ~LocalOutput();
  LocalOutput(LocalOutput&& other) noexcept;
  LocalOutput& operator=(LocalOutput&&) = delete;

  Status write(std::string_view bytes);
  std::int64_t written() const { return written_; }
  /// Gives the file its name. REQUIRES: nothing is written after it.
  Status publish();
  /// Where bytes that belong to this output may be put aside: beside the file, or in TMPDIR.
  std::string folder() const;

 private:
  LocalOutput() = default;
  std::string partial() const { return path_ + ".part"; }

  std::string path_;  ///< empty: standard output
  int descriptor_ = -1;
  std::int64_t written_ = 0;
};

/// Bytes that wait until what comes before them is known, in a file without a name: it cannot outlive the process,
/// however that ends. Errors: `output_failed` (external).
class HeldBytes {
 public:
  static Result<HeldBytes> make(const std::string& folder);
  ~HeldBytes();
  HeldBytes(HeldBytes&& other) noexcept;
  HeldBytes& operator=(HeldBytes&&) = delete;

  Status append(std::string_view bytes);
  std::int64_t size() const { return size_; }
  Status copy_to(LocalOutput& output, std::int64_t offset, std::int64_t length) const;

 private:
  HeldBytes() = default;

  std::string folder_;
  int descriptor_ = -1;
  std::int64_t size_ = 0;
};

}  // namespace longshore
