#pragma once

#include <memory>
#include <stop_token>

#include "app/configuration.h"
#include "base/clock.h"
#include "base/result.h"
#include "dispatch/work_signal.h"
#include "metadata/sql_store.h"

namespace longshore {

/// The metadata store that the configuration names. Brings its schema up to date first, unless `auto_migrate` is off:
/// then it must be so already (`metadata_schema_older`). `clock` outlives it. Once `hurry` is requested, nobody waits
/// for a server that is away (sql::PostgresOptions). Errors: those of the driver.
Result<std::unique_ptr<SqlStore>> open_metadata(const Configuration& configuration, const Clock& clock,
                                                std::stop_token hurry);

/// Hints between the processes that share the metadata store: through PostgreSQL, or within this process only.
Result<std::unique_ptr<WorkSignal>> make_work_signal(const MetadataConfiguration& configuration, std::stop_token hurry);

/// What `longshore migrate` does. Errors: `metadata_schema_newer` and those of the driver.
Status migrate_metadata(const Configuration& configuration);

}  // namespace longshore
