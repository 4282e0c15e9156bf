#pragma once

#include <string>
#include <string_view>

namespace longshore {

/// The value of a Content-Disposition header (RFC 6266) that makes browsers save the body as `file_name`:
/// `attachment; filename="Umsa_tze.csv"; filename*=UTF-8''Ums%C3%A4tze.csv`. Safe for any input: what is not UTF-8
/// becomes U+FFFD, control characters and path separators become `_`, an empty name becomes `download`. In the plain
/// form for old clients everything but ASCII letters, digits and harmless signs is `_` (RFC 6266, appendix D).
std::string content_disposition(std::string_view file_name);

}  // namespace longshore
