#pragma once

#include <string>
#include <string_view>

#include "http/message.h"

namespace longshore {

struct HeadOptions {
  std::string_view date;  ///< as format_http_date() writes it
  std::string_view request_id;
  bool keep_alive = true;
  bool http_1_0 = false;
};

/// Status line and header section of a response (RFC 9112 section 4 and 5), with what every answer carries: Date,
/// Content-Length (not with 204 and 304), X-Request-Id, X-Content-Type-Options, Cache-Control (`no-store` unless the
/// response says otherwise). Control characters in values become spaces, so that no value can begin a header of its
/// own.
std::string format_head(const Response& response, const HeadOptions& options);

/// Whether a client's request id may be taken over: 1 to 128 letters, digits and `._:/=+@-`.
bool is_sane_request_id(std::string_view id);
/// 32 hexadecimal digits.
std::string make_request_id();

}  // namespace longshore
