#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "s3/http.h"

namespace longshore::s3 {

/// An answer of the store that is no success.
struct Refusal {
  int status = 0;
  std::string code;  ///< S3's name for it, e.g. NoSuchKey; made up from the status where the answer has no body (HEAD)
  std::string message;
  std::string request_id;
  std::string region;                   ///< of the bucket, if the store says that it is elsewhere
  std::string endpoint;                 ///< where to ask instead
  std::optional<Duration> clock_ahead;  ///< by how much our clock is ahead of the store's (negative: behind)
  std::optional<Duration> retry_after;  ///< what the store asks for
};

/// What the store refused, if it did: a status of 300 and more, or, where `body_may_refuse`, an `<Error>` in a body
/// that came with 200 (CompleteMultipartUpload and copies, which answer before they are done).
std::optional<Refusal> read_refusal(const HttpResponse& response, bool body_may_refuse, Timestamp now);

/// Whether asking again may help: the store is busy, broken for the moment, or got something else than was sent.
bool is_retriable(const Refusal& refusal);
/// Whether other credentials of the same place may help: a session that ended, a key that was replaced.
bool is_about_credentials(const Refusal& refusal);

/// Who asked, for messages.
struct Asked {
  std::string operation;  ///< `PutObject tenant/exports/x.csv`
  std::string bucket;
  std::string endpoint;     ///< scheme and host
  std::string region;       ///< that was signed for
  std::string credentials;  ///< where they come from
  std::string access_key;   ///< its id, of which the end is shown
};

/// The refusal as an error of the ObjectStore contract, with what to do about it: `store_denied` (external, final),
/// `store_full`, `store_unavailable` (external, retriable). What is not there (404) is not known here.
Error describe(const Refusal& refusal, const Asked& asked);

}  // namespace longshore::s3
