#include "s3/s3_link_signer.h"

#include <fmt/format.h>

#include <algorithm>

#include "s3/signature.h"
#include "storage/content_disposition.h"
#include "storage/object_key.h"

namespace longshore {
namespace {

using std::chrono::seconds;

seconds longest(const s3::Credentials& credentials, Timestamp now) {
  if (!credentials.expires) return s3::kLongestPresigned;
  return std::clamp(std::chrono::floor<seconds>(*credentials.expires - now), seconds{1}, s3::kLongestPresigned);
}

}  // namespace

Result<std::unique_ptr<S3LinkSigner>> S3LinkSigner::make(std::shared_ptr<s3::Client> client) {
  if (client->options().encryption.mode == S3Encryption::customer_key) {
    return fail(user_error("bad_s3_option",
                           "links cannot be made to objects that are encrypted with a customer key (SSE-C), because "
                           "whoever opens one would have to send the key; use SSE-S3 or SSE-KMS"));
  }
  return std::unique_ptr<S3LinkSigner>(new S3LinkSigner(std::move(client)));
}

Result<seconds> S3LinkSigner::longest_lifetime() {
  TRY(const s3::Credentials credentials, client_->credentials().get());
  return longest(credentials, client_->clock().now());
}

Result<std::string> S3LinkSigner::sign(const std::string& key, const LinkOptions& options) {
  CHECK_OK(check_object_key(key));
  if (options.lifetime < seconds{1}) {
    return fail(
        internal_error("bad_link_option", fmt::format("a link cannot live for {} s", options.lifetime.count())));
  }
  if (!std::ranges::all_of(options.content_type, [](char c) { return c >= ' ' && c <= '~'; })) {
    return fail(internal_error("bad_link_option", "the content type of a link holds characters that a header cannot"));
  }
  TRY(const s3::Credentials credentials, client_->credentials().get());
  const Timestamp now = client_->clock().now();
  std::vector<s3::QueryParameter> query{{"response-content-disposition", content_disposition(options.file_name)}};
  if (!options.content_type.empty()) query.emplace_back("response-content-type", options.content_type);
  const s3::BucketAddress& address = client_->public_address();
  const std::string path = address.path(client_->full_key(key));
  return fmt::format(
      "{}{}?{}", address.origin(), path,
      s3::presigned_query("GET", path, std::move(query), address.host(), credentials, {client_->options().region}, now,
                          std::min(options.lifetime, longest(credentials, now))));
}

}  // namespace longshore
