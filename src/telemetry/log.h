#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/strong_id.h"

namespace longshore {

enum class LogLevel { debug, info, warn, error };
enum class LogFormat {
  json,  ///< one JSON object a line
  text,  ///< for people at a terminal
};

/// The value of a log field. Text is borrowed: a LogValue lives no longer than the statement that logs it.
class LogValue {
 public:
  using Variant = std::variant<std::string_view, std::int64_t, double, bool>;

  LogValue(std::string_view text) : value_(text) {}
  LogValue(const std::string& text) : value_(std::string_view(text)) {}
  LogValue(const char* text) : value_(std::string_view(text)) {}
  template <class Tag>
  LogValue(const StrongId<Tag>& id) : value_(std::string_view(id.str())) {}
  LogValue(bool value) : value_(value) {}
  LogValue(double value) : value_(value) {}
  /// Numbers beyond 64 signed bits are written as the greatest that fits.
  template <std::integral Integer>
    requires(!std::same_as<Integer, bool> && !std::same_as<Integer, char>)
  LogValue(Integer value)
      : value_(std::in_range<std::int64_t>(value) ? static_cast<std::int64_t>(value)
                                                  : std::numeric_limits<std::int64_t>::max()) {}

  const Variant& get() const { return value_; }

 private:
  Variant value_;
};

struct LogField {
  std::string_view key;  ///< snake_case; `time`, `level` and `message` are taken
  LogValue value;
};
using LogFields = std::initializer_list<LogField>;

/// How the process logs. Call it once at start; the level and format may be changed later, too. Before the first call:
/// `info`, and text if stderr is a terminal, else JSON. Thread-safe.
void configure_logs(LogLevel level, LogFormat format);
/// What `--log-format auto` means.
LogFormat default_log_format();
/// `debug`, `info`, `warn`, `error`.
std::optional<LogLevel> parse_log_level(std::string_view text);
/// `json`, `text`.
std::optional<LogFormat> parse_log_format(std::string_view text);

/// Whether a line of this level would be written; for fields that are costly to make.
bool log_enabled(LogLevel level);
/// Writes one line to stderr. Thread-safe; never throws on a full or closed stderr.
void log(LogLevel level, std::string_view message, LogFields fields = {});

inline void log_debug(std::string_view message, LogFields fields = {}) {
  log(LogLevel::debug, message, fields);
}
inline void log_info(std::string_view message, LogFields fields = {}) {
  log(LogLevel::info, message, fields);
}
inline void log_warn(std::string_view message, LogFields fields = {}) {
  log(LogLevel::warn, message, fields);
}
inline void log_error(std::string_view message, LogFields fields = {}) {
  log(LogLevel::error, message, fields);
}

}  // namespace longshore
