#include "scan/source_database.h"

namespace longshore {

Result<std::unique_ptr<SourceDatabase>> make_source(const Source& source) {
  return source.driver == SourceDriver::postgres ? make_postgres_source(source) : make_sqlite_source(source);
}

}  // namespace longshore
