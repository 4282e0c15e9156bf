#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/result.h"

namespace longshore {

/// A point in time, UTC, in microseconds: the resolution of everything stored or shown.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;
using Duration = std::chrono::microseconds;

/// The process's time. Leases and retention never use it: they ask the metadata store for its own.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() const = 0;
  /// Time that never jumps, for measuring.
  virtual std::chrono::steady_clock::time_point steady_now() const = 0;
  /// Waits for `duration`; returns early (false) when `stop` is requested.
  virtual bool sleep_for(Duration duration, std::stop_token stop) = 0;
};

/// Real time. Thread-safe.
class SystemClock final : public Clock {
 public:
  Timestamp now() const override;
  std::chrono::steady_clock::time_point steady_now() const override;
  bool sleep_for(Duration duration, std::stop_token stop) override;
};

/// Time that moves when a test says so; sleeping advances it. Thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Timestamp start = Timestamp{std::chrono::seconds{1'780'000'000}});
  Timestamp now() const override;
  std::chrono::steady_clock::time_point steady_now() const override;
  bool sleep_for(Duration duration, std::stop_token stop) override;
  void advance(Duration duration);

 private:
  mutable std::mutex mutex_;
  Timestamp now_;
};

/// The time that a file says it was made: `now`, or that of the environment variable SOURCE_DATE_EPOCH (seconds since
/// 1970), by which programs are asked for files that are the same however often they are made
/// (reproducible-builds.org, "SOURCE_DATE_EPOCH specification").
Timestamp time_to_state(Timestamp now);

/// RFC 3339 in UTC: `2026-06-06T14:20:00Z`, with microseconds only if there are any.
std::string to_rfc3339(Timestamp time);
/// Reads RFC 3339 with any offset; `2026-01-01` alone means midnight UTC. Errors: `bad_timestamp`.
Result<Timestamp> parse_rfc3339(std::string_view text);
/// Reads `300ms`, `5s`, `10m`, `24h`, `7d`. Errors: `bad_duration`.
Result<Duration> parse_duration(std::string_view text);
/// Reads `8MiB`, `512KiB`, `1GiB`, `100` (bytes). Errors: `bad_size`.
Result<std::int64_t> parse_byte_size(std::string_view text);

}  // namespace longshore
