#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "s3/credential_source.h"

namespace longshore::s3 {

/// Keeps credentials and looks for new ones before they expire. Thread-safe.
///
/// One call at a time looks (the one that notices); the others go on with what there is, and wait only when there is
/// nothing valid. While looking fails, what there is serves until it expires, and the next look waits for half a
/// minute.
class CredentialCache {
 public:
  CredentialCache(std::unique_ptr<CredentialSource> source, const Clock& clock);

  /// Credentials that are valid for some seconds at least. Errors: as of CredentialSource::fetch().
  Result<Credentials> get();
  /// The store does not accept these any more: unless there are others already, the next get() looks for new ones.
  void reject(const Credentials& credentials);
  std::string place() const { return source_->place(); }

 private:
  bool usable(Timestamp now) const;
  Result<Credentials> fetch(std::unique_lock<std::mutex>& lock);
  void keep(Credentials fetched, Timestamp now);

  std::unique_ptr<CredentialSource> source_;  ///< used by whoever set fetching_
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable fetched_;
  bool fetching_ = false;
  std::optional<Credentials> current_;
  std::optional<Timestamp> refresh_at_;  ///< nothing: they are good for ever
  Timestamp retry_at_{};                 ///< after a look that failed
  Error last_error_;
};

}  // namespace longshore::s3
