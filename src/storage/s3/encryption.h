#pragma once

#include "s3/options.h"
#include "s3/signature.h"

namespace longshore::s3 {

/// Which kind of request headers about encryption go with.
enum class EncryptionPoint {
  creation,  ///< PutObject, CreateMultipartUpload: says how
  access,    ///< UploadPart, GetObject, HeadObject: a customer key must be shown again, the rest is known
  copy,      ///< UploadPartCopy: as access, and again for the source
};

/// The headers for it (Amazon S3 User Guide, "Protecting data with encryption").
Headers encryption_headers(const S3EncryptionOptions& options, EncryptionPoint point);

}  // namespace longshore::s3
