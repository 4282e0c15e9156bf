#include "scan/source_database.h"

#include "scan/scan_errors.h"

#include <utility>

namespace longshore {

Result<std::unique_ptr<SourceDatabase>> make_source(const Source& source, std::shared_ptr<ConnectionBudget> budget) {
  if (budget == nullptr) budget = std::make_shared<ConnectionSlots>(source.max_connections);
  switch (source.driver) {
    case SourceDriver::postgres:
      return make_postgres_source(source, std::move(budget));
    case SourceDriver::mysql:
      return make_mysql_source(source, std::move(budget));
    case SourceDriver::sqlite:
      break;
  }
  return make_sqlite_source(source);
}

Result<std::unique_ptr<KeptSnapshot>> SourceDatabase::take_snapshot(const ExportSpec& /*spec*/,
                                                                    const std::string& /*label*/,
                                                                    std::stop_token /*stop*/) {
  return fail(snapshot_unsupported());
}

Result<std::unique_ptr<KeptSnapshot>> SourceDatabase::share_snapshot(const ExportSpec& /*spec*/,
                                                                     const PinnedSnapshot& /*pinned*/,
                                                                     const std::string& /*label*/,
                                                                     std::stop_token /*stop*/) {
  return fail(snapshot_unsupported());
}

}  // namespace longshore
