#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace longshore {

struct VerifyReport {
  std::string export_id;
  std::int64_t rows = 0;              ///< as the manifest says
  std::int64_t bytes = 0;             ///< of the file
  int parts = 0;                      ///< checksums compared
  std::string key_id;                 ///< who signed
  std::string public_key;             ///< base64url
  bool key_pinned = false;            ///< the signature was checked against a key the caller trusts
  std::vector<std::string> problems;  ///< sentences; empty: the file is whole

  bool whole() const { return problems.empty(); }
};

/// Proves a downloaded file against its manifest, offline: signature, size, the checksum of every part and of the whole
/// file, that the partitions follow each other without a gap, and that the row counts add up.
///
/// `trusted_key`: base64url of the public key to trust; empty: the manifest's own, which proves that file and manifest
/// belong together but not who made them.
/// Errors: `bad_manifest` (user), `file_unreadable` (external).
Result<VerifyReport> verify_file(const std::string& path, std::string_view manifest, std::string_view trusted_key = {});

}  // namespace longshore
