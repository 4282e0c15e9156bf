#include "cli/source_name.h"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <string_view>

namespace longshore {
namespace {

/// Whether the file begins like a SQLite database (its file format, section 1.3). An empty file is an empty database.
Status check_sqlite_file(const std::string& path) {
  std::error_code code;
  if (!std::filesystem::exists(path, code)) {
    return fail(user_error("source_not_found", fmt::format("there is no file {}", path)));
  }
  std::ifstream in(path, std::ios::binary);
  std::array<char, 16> magic{};
  in.read(magic.data(), magic.size());
  constexpr std::string_view kMagic("SQLite format 3\0", 16);
  if (in.gcount() != 0 && std::string_view(magic.data(), static_cast<std::size_t>(in.gcount())) != kMagic) {
    return fail(user_error("bad_arguments", fmt::format("{} is not a SQLite database", path)));
  }
  return {};
}

bool is_conninfo(std::string_view text) {
  const auto equals = text.find('=');
  if (equals == text.npos || equals == 0) return false;
  for (const char c : text.substr(0, equals)) {
    if (std::isalpha(static_cast<unsigned char>(c)) == 0 && c != '_' && c != ' ') return false;
  }
  return true;
}

}  // namespace

Result<Source> source_of_dsn(const std::string& dsn, const std::string& name) {
  Source source;
  source.name = name;
  std::error_code code;
  const bool is_file = std::filesystem::exists(dsn, code);
  if (dsn.starts_with("postgres://") || dsn.starts_with("postgresql://") || (!is_file && is_conninfo(dsn))) {
    source.driver = SourceDriver::postgres;
    source.primary = dsn;
    return source;
  }
  if (dsn.starts_with("mysql://") || dsn.starts_with("mariadb://")) {
    source.driver = SourceDriver::mysql;
    source.primary = dsn;
    return source;
  }
  source.driver = SourceDriver::sqlite;
  source.path = dsn;
  if (dsn.starts_with("sqlite:")) {
    source.path = dsn.substr(7);
    if (source.path.starts_with("///")) source.path.erase(0, 2);  // sqlite:///absolute/path
  } else if (!is_file && dsn.find("://") != dsn.npos) {
    return fail(
        user_error("bad_arguments", fmt::format("\"{}\" names no kind of database that there is; write postgres://…, "
                                                "\"host=… dbname=…\", mysql://… or sqlite:PATH",
                                                dsn.substr(0, dsn.find("://") + 3))));
  }
  CHECK_OK(check_sqlite_file(source.path));
  return source;
}

}  // namespace longshore
