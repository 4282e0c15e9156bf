#include "jobs/page_token.h"

#include <charconv>

#include "base/digest.h"
#include "base/random.h"

namespace longshore {

std::string make_page_token(Timestamp created_at, const JobId& id) {
  return base64url_encode(std::to_string(created_at.time_since_epoch().count()) + "/" + id.str());
}

Result<std::pair<Timestamp, JobId>> read_page_token(const std::string& token) {
  const auto bad = [] {
    return fail(
        user_error("malformed_request", "pageToken is not one that this server gave; leave it out to begin anew"));
  };
  const auto text = base64url_decode(token);
  if (!text) return bad();
  const std::size_t slash = text->find('/');
  if (slash == std::string::npos || !is_uuid(text->substr(slash + 1))) return bad();
  std::int64_t micros = 0;
  const char* end = text->data() + slash;
  if (const auto [read, error] = std::from_chars(text->data(), end, micros); error != std::errc() || read != end)
    return bad();
  // Whoever makes up a token can name any time; databases know those of four-digit years.
  constexpr std::int64_t kYear10000 = 253'402'300'800'000'000;
  if (micros < 0 || micros >= kYear10000) return bad();
  return std::pair(Timestamp(Duration(micros)), JobId(text->substr(slash + 1)));
}

}  // namespace longshore
