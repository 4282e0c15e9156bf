#include "app/metadata.h"

#include <utility>

#include "app/data_dir.h"
#include "metadata/migrate.h"
#include "metadata/postgres/postgres_database.h"
#include "metadata/postgres/postgres_signal.h"
#include "metadata/sqlite/sqlite_database.h"
#include "telemetry/log.h"

namespace longshore {

namespace {

Result<std::unique_ptr<sql::Database>> open_database(const Configuration& configuration, const Clock& clock,
                                                     std::stop_token hurry) {
  const MetadataConfiguration& metadata = configuration.metadata;
  if (metadata.driver == MetadataDriver::postgres) {
    sql::PostgresOptions options;
    options.connection = metadata.url;
    options.schema = metadata.schema;
    options.connections = metadata.connections;
    options.hurry = std::move(hurry);
    return sql::PostgresDatabase::make(options);
  }
  CHECK_OK(make_data_dir(configuration.data_dir));
  sql::SqliteOptions options;
  options.path = metadata.path;
  return sql::SqliteDatabase::make(options, clock);
}

void say_listening(bool listening, const Error* why) {
  if (listening) {
    log_info("hints of other processes arrive");
  } else {
    log_warn("hints of other processes do not arrive; work is found by polling",
             {{"error", why == nullptr ? std::string() : why->message}});
  }
}

}  // namespace

Result<std::unique_ptr<SqlStore>> open_metadata(const Configuration& configuration, const Clock& clock,
                                                std::stop_token hurry) {
  TRY(std::unique_ptr<sql::Database> database, open_database(configuration, clock, std::move(hurry)));
  if (configuration.metadata.auto_migrate) {
    CHECK_OK(sql::migrate(*database));
  } else {
    CHECK_OK(sql::check_schema(*database));
  }
  return SqlStore::make(std::move(database));
}

Result<std::unique_ptr<WorkSignal>> make_work_signal(const MetadataConfiguration& configuration,
                                                     std::stop_token hurry) {
  if (configuration.driver == MetadataDriver::sqlite) return std::make_unique<InProcessSignal>();
  PostgresSignalOptions options;
  options.connection = configuration.listen_url.empty() ? configuration.url : configuration.listen_url;
  if (!configuration.schema.empty()) options.channel += "_" + configuration.schema.substr(0, 40);
  options.on_change = say_listening;
  options.hurry = std::move(hurry);
  return PostgresSignal::make(std::move(options));
}

Status migrate_metadata(const Configuration& configuration) {
  const SystemClock clock;
  TRY(const std::unique_ptr<sql::Database> database, open_database(configuration, clock, {}));
  return sql::migrate(*database);
}

}  // namespace longshore
