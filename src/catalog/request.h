#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "catalog/catalog.h"
#include "model/export_spec.h"
#include "model/principal.h"

namespace longshore {

/// What a request may ask of a format, told by the caller so that catalog/ need not know encoders.
struct FormatChoice {
  std::string name;
  bool compressible = true;
};

/// Validates the body of `POST /v1/exports` against the catalog and the caller's permissions. All findings at once.
///
/// Errors: `malformed_request` (not JSON, or not an object), `invalid_request` (details: JSON pointer + code +
/// message: unknown fields, columns, filters, formats, wrong types), `permission_denied` (names the permission that is
/// missing). A dataset the caller may not export looks like one that does not exist, unless it exists and the caller
/// lacks exactly its permission: then 403 names that permission.
Result<ExportSpec> validate_request(std::string_view body, const Catalog& catalog, const Principal& who,
                                    const std::vector<FormatChoice>& formats);

/// The columns of `dataset` that `who` may see, in catalog order.
std::vector<Column> visible_columns(const Dataset& dataset, const Principal& who);

}  // namespace longshore
