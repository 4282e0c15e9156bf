#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "model/data_type.h"
#include "model/key.h"

/// The errors of reading a source, made in one place so that their codes and flags agree (see row_source.h).
namespace longshore {

/// The caller asked to stop.
Error scan_stopped();
/// The database is away, overloaded or cut us off; later it may answer.
Error source_unavailable(std::string message);
/// All connections that the source allows were in use for as long as the caller would wait.
Error source_busy();
/// The same, of somebody who wanted to know whether the source is there and cannot tell: nothing was `heard` of it.
Error source_busy(const std::string& heard);
/// The database cancelled the statement, as it stood in the way of replication, of other transactions or of somebody.
Error source_conflict(std::string message);
/// Lag has held reading up for too long; `why` names the servers.
Error source_paused(const std::string& why, Duration limit);
/// The primary does not serve an export of so many rows. `has_replicas`: it may find a replica later.
Error primary_refused(const std::string& source, std::int64_t rows, std::int64_t max_rows, bool has_replicas);
/// A statement took longer than the source allows.
Error source_timeout(std::string message);
/// A snapshot that cannot be imported from anybody (now).
Error snapshot_gone(std::string message);
/// The copy that an export reads is not there any more.
Error copy_gone(std::string message);
/// An export of so many rows is not copied.
Error copy_refused(const std::string& source, std::int64_t rows, std::int64_t max_rows);
/// Making a copy took longer than Staging::timeout; it would again.
Error copy_timeout(const std::string& source, Duration limit);
/// The source has no snapshots that several connections can read.
Error snapshot_unsupported();
/// It reads no single moment of what is to be exported.
Error moment_unsupported(std::string message);
/// The relation is not what the catalog says; needs a change of catalog or database.
Error source_schema_changed(std::string message);
/// `error`, of describing a relation that the catalog has: one that is not found has gone.
Error relation_gone(Error error, const std::string& relation);
/// The database knows us and refuses.
Error source_denied(std::string message);
/// The database rejected a statement for a reason that trying again cannot mend.
Error source_query_failed(std::string message);
/// A filter's or tenant's value that cannot be part of a statement (a NUL byte, broken UTF-8).
Error bad_filter_value(std::string message);
/// A value that is not of the type that the catalog declares. `shown` is cut to a readable length.
Error source_value_mismatch(std::string_view column, const DataType& type, std::string_view shown, const KeyTuple& key);

}  // namespace longshore
