#include "s3/encryption.h"

#include "base/digest.h"
#include "s3/md5.h"

namespace longshore::s3 {
namespace {

void add_customer_key(Headers& headers, const std::string& prefix, const std::string& key) {
  headers.emplace_back(prefix + "server-side-encryption-customer-algorithm", "AES256");
  headers.emplace_back(prefix + "server-side-encryption-customer-key", base64_encode(key));
  // Guards against a key that was damaged on the way, not for secrecy; S3 knows nothing but MD5 here.
  if (const auto digest = md5(key)) {
    headers.emplace_back(prefix + "server-side-encryption-customer-key-md5", base64_encode(*digest));
  }
}

}  // namespace

Headers encryption_headers(const S3EncryptionOptions& options, EncryptionPoint point) {
  Headers headers;
  switch (options.mode) {
    case S3Encryption::none:
      break;
    case S3Encryption::s3:
      if (point == EncryptionPoint::creation) headers.emplace_back("x-amz-server-side-encryption", "AES256");
      break;
    case S3Encryption::kms:
      if (point != EncryptionPoint::creation) break;
      headers.emplace_back("x-amz-server-side-encryption", "aws:kms");
      if (!options.kms_key_id.empty()) {
        headers.emplace_back("x-amz-server-side-encryption-aws-kms-key-id", options.kms_key_id);
      }
      if (options.bucket_key) headers.emplace_back("x-amz-server-side-encryption-bucket-key-enabled", "true");
      break;
    case S3Encryption::customer_key:
      add_customer_key(headers, "x-amz-", options.customer_key);
      if (point == EncryptionPoint::copy) add_customer_key(headers, "x-amz-copy-source-", options.customer_key);
      break;
  }
  return headers;
}

}  // namespace longshore::s3
