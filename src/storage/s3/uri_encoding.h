#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace longshore::s3 {

/// Name and value, neither encoded.
using QueryParameter = std::pair<std::string, std::string>;

/// UriEncode() of the S3 API documentation ("Signature Calculations for the Authorization Header"): every byte but
/// `A-Z a-z 0-9 - . _ ~` becomes %XX in upper case; a slash stays in paths, and only there.
enum class Slash { keep, encode };
std::string uri_encode(std::string_view text, Slash slash);

/// Undoes percent-encoding. What is no valid escape stays as it is.
std::string uri_decode(std::string_view text);

/// The query as it is signed and sent: each name and value encoded, sorted by encoded name, then encoded value; a
/// parameter without a value keeps its `=`.
std::string canonical_query(const std::vector<QueryParameter>& parameters);

}  // namespace longshore::s3
