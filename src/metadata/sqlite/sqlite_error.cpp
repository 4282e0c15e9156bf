#include "metadata/sqlite/sqlite_error.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include "metadata/sql.h"

namespace longshore::sql {
namespace {

/// What the operator can do about it; empty when SQLite's message says it all.
std::string_view advice(int primary) {
  switch (primary) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return "another process has held its lock for too long";
    case SQLITE_FULL:
      return "the disk is full: free some space, work continues by itself";
    case SQLITE_IOERR:
      return "the disk or its file system fails: look at the system log and at the free space";
    case SQLITE_READONLY:
      return "the file, its directory, or the disk is read-only: the user running Longshore must be able to write all "
             "three";
    case SQLITE_CANTOPEN:
      return "the directory must exist and be writable for the user running Longshore";
    default:
      return {};
  }
}

}  // namespace

Error sqlite_error(int code, const std::string& where, std::string_view doing, std::string_view detail) {
  const int primary = code & 0xff;
  const std::string_view help = advice(primary);
  const std::string message =
      fmt::format("the metadata store {} cannot {}: {}{}{}", where, doing, detail, help.empty() ? "" : "; ", help);
  switch (primary) {
    case SQLITE_CONSTRAINT:
      return internal_error(
          code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY ? kDuplicate : kConstraint, message);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return external_error(kCorrupt, message, false);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_NOMEM:
    case SQLITE_INTERRUPT:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return external_error(kUnavailable, message);
    default:
      return internal_error(kStatement, message);
  }
}

}  // namespace longshore::sql
