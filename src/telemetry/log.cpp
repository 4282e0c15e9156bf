#include "telemetry/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <memory>

#include "telemetry/log_line.h"

namespace longshore {

namespace {

constexpr std::array<std::string_view, 4> kLevels{"debug", "info", "warn", "error"};

spdlog::level::level_enum spdlog_level(LogLevel level) {
  constexpr std::array<spdlog::level::level_enum, 4> kSpdlogLevels{spdlog::level::debug, spdlog::level::info,
                                                                   spdlog::level::warn, spdlog::level::err};
  return kSpdlogLevels.at(static_cast<std::size_t>(level));
}

/// spdlog serialises the lines and writes each at once; what is in a line is ours.
struct Output {
  spdlog::logger logger{"longshore", std::make_shared<spdlog::sinks::stderr_sink_mt>()};
  std::atomic<LogFormat> format = default_log_format();

  Output() {
    logger.set_pattern("%v");
    logger.set_level(spdlog::level::info);
    logger.set_error_handler([](const std::string&) {});  // nowhere is left to complain to
  }
};

Output& output() {
  // Never destroyed: threads may still log while the process leaves main.
  static Output* const instance = new Output;
  return *instance;
}

}  // namespace

void configure_logs(LogLevel level, LogFormat format) {
  output().logger.set_level(spdlog_level(level));
  output().format = format;
}

LogFormat default_log_format() {
  return isatty(STDERR_FILENO) == 1 ? LogFormat::text : LogFormat::json;
}

std::optional<LogLevel> parse_log_level(std::string_view text) {
  for (std::size_t i = 0; i < kLevels.size(); ++i) {
    if (kLevels[i] == text) return static_cast<LogLevel>(i);
  }
  return std::nullopt;
}

std::optional<LogFormat> parse_log_format(std::string_view text) {
  if (text == "json") return LogFormat::json;
  if (text == "text") return LogFormat::text;
  return std::nullopt;
}

bool log_enabled(LogLevel level) {
  return output().logger.should_log(spdlog_level(level));
}

void log(LogLevel level, std::string_view message, LogFields fields) {
  if (!log_enabled(level)) return;
  Output& out = output();
  out.logger.log(spdlog_level(level), log_line(out.format, SystemClock{}.now(), level, message, fields));
}

}  // namespace longshore
