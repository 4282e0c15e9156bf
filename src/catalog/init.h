#pragma once

#include <string>

#include "base/result.h"
#include "model/dataset.h"
#include "model/relation_info.h"

namespace longshore {

/// Writes a commented starter catalog (YAML) from a live database: a dataset for each relation that has a usable key
/// and a tenant column; the others as comments that say why not and how to mend it. Tenant, time and subject columns,
/// and what looks like personal data or a secret, are guessed by name, to be read over by a person.
///
/// `source` says how to reach the database: name, driver, primary (or the first of replicas), path. A password in a
/// connection string is not copied; `${LONGSHORE_SOURCE_PASSWORD}` stands in its place. When no relation can be
/// exported, the catalog has no datasets and does not pass until one is written. Errors: those of `inspector`.
Result<std::string> init_catalog(SchemaInspector& inspector, const Source& source);

}  // namespace longshore
