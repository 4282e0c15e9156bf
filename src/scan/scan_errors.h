#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "model/data_type.h"
#include "model/key.h"

/// The errors of reading a source, made in one place so that their codes and flags agree (see row_source.h).
namespace longshore {

/// The caller asked to stop.
Error scan_stopped();
/// The database is away, overloaded or cut us off; later it may answer.
Error source_unavailable(std::string message);
/// A statement took longer than the source allows.
Error source_timeout(std::string message);
/// The relation is not what the catalog says; needs a change of catalog or database.
Error source_schema_changed(std::string message);
/// The database knows us and refuses.
Error source_denied(std::string message);
/// The database rejected a statement for a reason that trying again cannot mend.
Error source_query_failed(std::string message);
/// A filter's or tenant's value that cannot be part of a statement (a NUL byte, broken UTF-8).
Error bad_filter_value(std::string message);
/// A value that is not of the type that the catalog declares. `shown` is cut to a readable length.
Error source_value_mismatch(std::string_view column, const DataType& type, std::string_view shown, const KeyTuple& key);

}  // namespace longshore
