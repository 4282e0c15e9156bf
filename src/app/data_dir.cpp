#include "app/data_dir.h"

#include <filesystem>
#include <system_error>

namespace longshore {

Status make_data_dir(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  const bool made = fs::create_directories(path, error);
  if (made && !error) fs::permissions(path, fs::perms::owner_all, error);
  if (!error) return {};
  return fail(external_error("data_dir_unusable", "cannot create data_dir " + path + ": " + error.message(), false));
}

}  // namespace longshore
