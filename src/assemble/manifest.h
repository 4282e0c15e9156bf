#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "assemble/file_assembler.h"
#include "assemble/file_layout.h"
#include "assemble/manifest_key.h"
#include "base/clock.h"
#include "base/result.h"
#include "model/job.h"

namespace longshore {

/// The bill of lading: what is in the file, where it came from, and checksums that prove it whole. JSON; the signature
/// is Ed25519 over the *canonical bytes*: the document without white space, members in the order of the document, and
/// without its last member `signature`. docs/manifest.md describes every member.
///
/// `source`: what was read, e.g. `app (postgres)`.
Result<std::string> make_manifest(const ExportJob& job, const std::vector<FinishedPartition>& partitions,
                                  const AssembledFile& file, const std::string& source, Timestamp now,
                                  const ManifestKey& key);

/// Key of the manifest beside an artefact.
std::string manifest_object_key(const std::string& object_key);

/// The fidelity counts of a stored manifest, in column order. Errors: `bad_manifest`.
Result<std::vector<ColumnFidelity>> manifest_fidelity(std::string_view manifest);

}  // namespace longshore
