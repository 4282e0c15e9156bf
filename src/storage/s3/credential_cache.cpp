#include "s3/credential_cache.h"

#include <fmt/format.h>

#include <algorithm>

namespace longshore::s3 {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// A request signed in the last moment would arrive too late.
constexpr Duration kMargin = seconds{10};
// The services hand out new ones some time before the old ones end; 15 minutes leave room for them to be away a while.
constexpr Duration kRefreshWindow = minutes{15};
constexpr Duration kRetryWhileValid = seconds{30};
constexpr Duration kRetryWithout = seconds{1};

}  // namespace

CredentialCache::CredentialCache(std::unique_ptr<CredentialSource> source, const Clock& clock)
    : source_(std::move(source)), clock_(clock) {}

bool CredentialCache::usable(Timestamp now) const {
  return current_ && (!current_->expires || now < *current_->expires - kMargin);
}

Result<Credentials> CredentialCache::get() {
  std::unique_lock lock(mutex_);
  for (;;) {
    const Timestamp now = clock_.now();
    if (usable(now)) {
      const bool due = refresh_at_ && now >= *refresh_at_ && now >= retry_at_;
      if (!due || fetching_) return *current_;
      return fetch(lock);
    }
    if (!fetching_) {
      if (now < retry_at_) return fail(last_error_);
      return fetch(lock);
    }
    fetched_.wait(lock);
  }
}

Result<Credentials> CredentialCache::fetch(std::unique_lock<std::mutex>& lock) {
  fetching_ = true;
  lock.unlock();
  Result<Credentials> found = source_->fetch();
  lock.lock();
  fetching_ = false;
  fetched_.notify_all();
  const Timestamp now = clock_.now();
  if (found && found->expires && now >= *found->expires - kMargin) {
    found = fail(external_error(
        "store_unavailable", fmt::format("the credentials from {} ended at {}, and it is {} here; is the clock right?",
                                         source_->place(), to_rfc3339(*found->expires), to_rfc3339(now))));
  }
  if (found) {
    keep(*found, now);
    return *current_;
  }
  last_error_ = found.error();
  retry_at_ = now + (usable(now) ? kRetryWhileValid : kRetryWithout);
  if (usable(now)) return *current_;
  return found;
}

void CredentialCache::keep(Credentials fetched, Timestamp now) {
  current_ = std::move(fetched);
  retry_at_ = {};
  refresh_at_.reset();
  if (current_->expires) {
    const Duration left = *current_->expires - now;
    // Never at once again: a service may give the same ones until shortly before they end.
    const Duration pause = std::min<Duration>(minutes{1}, left / 4);
    refresh_at_ = std::max(*current_->expires - std::min(kRefreshWindow, left / 2), now + pause);
  } else if (source_->recheck() > Duration{0}) {
    refresh_at_ = now + source_->recheck();
  }
}

void CredentialCache::reject(const Credentials& credentials) {
  const std::lock_guard lock(mutex_);
  if (current_ && *current_ == credentials) refresh_at_ = clock_.now();
}

}  // namespace longshore::s3
