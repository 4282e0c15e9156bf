#include "scan/pressure/scan_retries.h"

#include <algorithm>
#include <utility>

#include "scan/scan_errors.h"

namespace longshore {

namespace {

using namespace std::chrono_literals;

/// In a row, with not one row in between; every server gets two chances at least.
constexpr int kMaxFailures = 5;
/// Of a scan that makes progress. One is earned back by a full statement's worth of rows.
constexpr int kRetryBudget = 20;
constexpr int kMaxTimeoutsAtSmallest = 2;
constexpr std::int64_t kSmallestLimit = 100;
/// After a timeout statements grow again, so slowly that few of them time out where the smaller ones are right.
constexpr int kGoodStatementsToGrow = 8;
constexpr Duration kFirstPause = 50ms;
constexpr Duration kLongestPause = 2s;

std::int64_t full_limit(const Source& source) {
  return std::clamp(source.batch_rows, 1, 10'000);
}

}  // namespace

ScanRetries::ScanRetries(const Source& source, std::size_t servers)
    : source_(source.name),
      servers_(servers),
      full_limit_(full_limit(source)),
      limit_(full_limit_),
      budget_(kRetryBudget, full_limit_) {}

void ScanRetries::statement_ended_well() {
  budget_.earn(limit_);
  if (limit_ < full_limit_ && ++good_statements_ >= kGoodStatementsToGrow) {
    limit_ = std::min(limit_ * 2, full_limit_);
    good_statements_ = 0;
  }
}

void ScanRetries::make_smaller() {
  limit_ = std::max(std::min(limit_, kSmallestLimit), limit_ / 2);
  good_statements_ = 0;
}

Status ScanRetries::timed_out(const Error& error) {
  if (limit_ <= kSmallestLimit && ++timeouts_ > kMaxTimeoutsAtSmallest) {
    return fail(source_timeout("source " + source_ + ": even " + std::to_string(limit_) +
                               " rows take longer than the statement timeout; is there an index on the tenant and the "
                               "key? " +
                               error.message));
  }
  make_smaller();
  return {};
}

Result<Duration> ScanRetries::session_lost(Error error, const std::optional<Error>& refused) {
  const int allowed = std::max(kMaxFailures, static_cast<int>(servers_) * 2);
  if (++failures_ > allowed || !budget_.spend()) {
    const std::string gave_up = "gave up after " + std::to_string(failures_) + " attempts";
    if (refused) return fail(Error(*refused).with_context(gave_up + ": " + error.message));
    return fail(std::move(error).with_context(gave_up));
  }
  // Another server may answer at once; a pause is due when all were tried.
  if (static_cast<std::size_t>(failures_) % servers_ != 0) return Duration::zero();
  const int round = failures_ / static_cast<int>(servers_);
  return std::min(kLongestPause, kFirstPause * (1 << std::min(round - 1, 10)));
}

}  // namespace longshore
