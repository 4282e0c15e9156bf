#pragma once

#include "base/clock.h"
#include "http/router.h"
#include "storage/local/local_store.h"
#include "storage/local/signed_link.h"

namespace longshore {

/// Adds `GET /v1/files/{key*}` (and so HEAD): the objects of the local store by signed link, without other credentials.
/// Byte ranges, conditional requests (RFC 9110 sections 13 and 14) and a download file name (RFC 6266); bodies go out
/// from the page cache. Problems: `link_invalid` 403, `link_expired` 410, `file_not_found` 404, `precondition_failed`
/// 412, `range_not_satisfiable` 416. All three references must outlive the router.
void append_file_routes(Router& router, const LocalStore& store, const SignedLinks& links, const Clock& clock);

}  // namespace longshore
