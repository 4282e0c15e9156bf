#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace longshore {

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7), cut to the second.
std::string format_http_date(Timestamp time);
/// Reads the three forms of that section; nothing for anything else (an invalid date is to be ignored).
std::optional<Timestamp> parse_http_date(std::string_view text);

/// What a Range header asks of a body.
enum class RangeKind {
  whole,          ///< no range, one that is to be ignored, or several: answer with all of it
  part,           ///< bytes `first` to `first + length - 1`
  unsatisfiable,  ///< 416
};
struct ByteRange {
  RangeKind kind = RangeKind::whole;
  std::int64_t first = 0;
  std::int64_t length = 0;

  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

/// Reads `bytes=0-499`, `bytes=500-` and `bytes=-500` against a body of `size` bytes (RFC 9110 section 14.1.2). Other
/// units, what does not parse, and several ranges are answered with the whole, as section 14.2 allows.
ByteRange parse_range(std::string_view header, std::int64_t size);

/// `bytes 0-499/1234` for a part, `bytes */1234` for what is unsatisfiable (RFC 9110 section 14.4).
std::string content_range(const ByteRange& range, std::int64_t size);

/// The headers of a request that conditions and ranges are made of. A header that occurs several times: its values
/// joined by commas.
struct ConditionalRequest {
  enum class Method { get, head };
  Method method = Method::get;
  std::optional<std::string_view> if_match = std::nullopt;
  std::optional<std::string_view> if_none_match = std::nullopt;
  std::optional<std::string_view> if_modified_since = std::nullopt;
  std::optional<std::string_view> if_unmodified_since = std::nullopt;
  std::optional<std::string_view> if_range = std::nullopt;
  std::optional<std::string_view> range = std::nullopt;
};

/// What there is. The ETag (without quotes) is a strong validator: it changes with every byte.
struct Representation {
  std::string_view etag;
  Timestamp modified;
  std::int64_t size = 0;
};

/// How to answer.
struct Selection {
  int status = 200;  ///< 200, 206, 304, 412 or 416
  ByteRange range;   ///< for 206 the bytes to send; for 200 all of them
};

/// Evaluates preconditions in the order of RFC 9110 section 13.2.2, then the range.
Selection select_representation(const ConditionalRequest& request, const Representation& found);

}  // namespace longshore
