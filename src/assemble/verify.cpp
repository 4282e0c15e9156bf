#include "assemble/verify.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <cstring>
#include <optional>

#include "assemble/manifest_json.h"
#include "assemble/manifest_key.h"
#include "base/byte_buffer.h"
#include "base/digest.h"

namespace longshore {

namespace json = boost::json;

namespace {

constexpr std::size_t kReadSize = 1 << 20;

struct Checksums {
  std::string sha256;
  std::uint32_t crc32c = 0;
};

/// A file read by position. Closed by its destructor.
class InputFile {
 public:
  static Result<InputFile> open(const std::string& path) {
    InputFile file;
    file.path_ = path;
    file.descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status {};
    if (file.descriptor_ < 0 || ::fstat(file.descriptor_, &status) != 0) return fail(file.unreadable());
    if (!S_ISREG(status.st_mode)) return fail(user_error("file_unreadable", path + " is not a regular file"));
    file.size_ = status.st_size;
    return file;
  }
  ~InputFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  InputFile(InputFile&& other) noexcept
      : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}
  InputFile& operator=(InputFile&&) = delete;

  std::int64_t size() const { return size_; }

  /// Checksums of `length` bytes from `offset`; those of fewer bytes at the end of the file.
  Result<Checksums> digest(std::int64_t offset, std::int64_t length) {
    Sha256 sha;
    Checksums sums;
    buffer_.clear();
    char* bytes = buffer_.reserve_back(kReadSize);
    while (length > 0) {
      const ssize_t got =
          ::pread(descriptor_, bytes, std::min<std::size_t>(kReadSize, static_cast<std::size_t>(length)), offset);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail(unreadable());
      if (got == 0) break;
      const std::string_view piece(bytes, static_cast<std::size_t>(got));
      sha.update(piece);
      sums.crc32c = crc32c(piece, sums.crc32c);
      offset += got;
      length -= got;
    }
    sums.sha256 = sha.finish_hex();
    return sums;
  }

 private:
  InputFile() = default;
  Error unreadable() const {
    return external_error("file_unreadable", "cannot read " + path_ + ": " + std::strerror(errno), false);
  }

  std::string path_;
  int descriptor_ = -1;
  std::int64_t size_ = 0;
  ByteBuffer buffer_;
};

std::int64_t number(const json::value& value) {
  return value.to_number<std::int64_t>();
}
std::string text(const json::value& value) {
  return std::string(value.as_string());
}

/// One pass over a manifest and its file; every finding becomes a sentence of the report.
class Verification {
 public:
  Verification(InputFile& file, json::object manifest, VerifyReport& report)
      : file_(file), manifest_(std::move(manifest)), report_(report) {}

  Status run(std::string_view trusted_key) {
    report_.export_id = text(manifest_.at("exportId"));
    report_.rows = number(manifest_.at("rowCount"));
    report_.bytes = file_.size();
    check_signature(trusted_key);
    const std::int64_t expected = number(manifest_.at("byteCount"));
    if (expected != file_.size()) {
      problem("the file has " + std::to_string(file_.size()) + " bytes, the manifest says " + std::to_string(expected));
    }
    CHECK_OK(check_parts(expected));
    CHECK_OK(check_partitions());
    return {};
  }

 private:
  void problem(std::string sentence) { report_.problems.push_back(std::move(sentence)); }

  void check_signature(std::string_view trusted_key) {
    const json::value* signature = manifest_.if_contains("signature");
    if (signature == nullptr) return problem("the manifest is not signed");
    report_.public_key = text(signature->at("publicKey"));
    report_.key_id = text(signature->at("keyId"));
    if (!trusted_key.empty()) {
      report_.key_pinned = true;
      if (trusted_key != report_.public_key) {
        return problem("the manifest is signed by key " + report_.key_id + ", which is not the key you trust");
      }
    }
    json::object unsigned_manifest = manifest_;
    unsigned_manifest.erase("signature");
    if (!signature_holds(report_.public_key, json::serialize(unsigned_manifest), text(signature->at("value")))) {
      problem("the manifest was changed after it was signed");
    }
  }

  Status check_parts(std::int64_t expected_bytes) {
    std::uint32_t whole = 0;
    std::int64_t position = 0;
    for (const json::value& part : manifest_.at("parts").as_array()) {
      const std::string name = "part " + std::to_string(number(part.at("number")));
      const std::int64_t bytes = number(part.at("bytes"));
      if (number(part.at("offset")) != position) problem(name + " does not follow the part before it");
      TRY(const Checksums sums, file_.digest(number(part.at("offset")), bytes));
      ++report_.parts;
      const std::string at = " (bytes " + std::to_string(position) + " to " + std::to_string(position + bytes) + ")";
      if (sums.sha256 != text(part.at("sha256"))) problem(name + at + " is not what was exported: SHA-256 differs");
      whole = crc32c_combine(whole, sums.crc32c, static_cast<std::uint64_t>(bytes));
      position += bytes;
    }
    if (position != expected_bytes) problem("the manifest's parts do not add up to its byteCount");
    const json::value& checksum = manifest_.at("checksum");
    if (checksum_text(whole) != text(checksum.at("value"))) problem("the checksum of the whole file (CRC-32C) differs");
    return {};
  }

  Status check_partitions() {
    std::int64_t rows = 0;
    std::int64_t index = 0;
    json::value reached;  // the upper end of the partition before
    for (const json::value& partition : manifest_.at("partitions").as_array()) {
      const std::string name = "partition " + std::to_string(index);
      if (number(partition.at("index")) != index) problem(name + " is missing from the manifest");
      const json::value& range = partition.at("range");
      if (range.at("after") != reached)
        problem(name + " does not begin where the partition before it ends: rows may be missing");
      reached = range.at("upto");
      rows += number(partition.at("rowCount"));
      // Parts that were uploaded as they are were compared above; a head is part of a glued one and has a sum of its
      // own.
      const json::array& parts = partition.at("parts").as_array();
      if (!parts.empty()) {
        TRY(const Checksums sums, file_.digest(number(partition.at("offset")), number(parts.front().at("bytes"))));
        ++report_.parts;
        if (sums.sha256 != text(parts.front().at("sha256")))
          problem("the head of " + name + " is not what was exported");
      }
      ++index;
    }
    if (rows != report_.rows) {
      problem("the partitions hold " + std::to_string(rows) + " rows, the manifest says " +
              std::to_string(report_.rows));
    }
    return {};
  }

  InputFile& file_;
  json::object manifest_;
  VerifyReport& report_;
};

}  // namespace

Result<VerifyReport> verify_file(const std::string& path, std::string_view manifest, std::string_view trusted_key) {
  TRY(InputFile file, InputFile::open(path));
  VerifyReport report;
  try {
    json::value parsed = json::parse(manifest);
    if (!parsed.is_object()) return fail(user_error("bad_manifest", "the manifest is not a JSON object"));
    CHECK_OK(Verification(file, std::move(parsed.as_object()), report).run(trusted_key));
  } catch (const std::exception& error) {
    return fail(user_error("bad_manifest", std::string("the manifest cannot be read: ") + error.what()));
  }
  return report;
}

}  // namespace longshore
