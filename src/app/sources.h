#pragma once

#include "base/result.h"
#include "catalog/catalog.h"
#include "scan/source_table.h"

namespace longshore {

/// The databases of a catalog. No connection is opened.
Result<SourceTable> make_sources(const Catalog& catalog);

}  // namespace longshore
