#pragma once

#include "app/configuration.h"
#include "app/settings_section.h"

namespace longshore {

/// Reads the keys of `storage` that speak of a bucket. With another driver they are read all the same, so that mistakes
/// in them are found, but nothing is missed.
void read_bucket(SettingsSection& storage, StorageDriver driver, S3Options& options);

}  // namespace longshore
