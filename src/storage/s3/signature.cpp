#include "s3/signature.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/digest.h"
#include "s3/uri_encoding.h"

namespace longshore::s3 {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

std::string as_text(const std::array<unsigned char, 32>& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

/// Without spaces at the ends, and with one where there were several.
std::string trim_all(std::string_view value) {
  std::string out;
  for (const char c : value) {
    const bool blank = c == ' ' || c == '\t';
    if (blank && (out.empty() || out.back() == ' ')) continue;
    out.push_back(blank ? ' ' : c);
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

/// Lower-case names in order, each once: values of one name are joined by commas in the order given.
Headers canonical_headers(const Headers& headers) {
  Headers sorted;
  for (const auto& [name, value] : headers) sorted.emplace_back(lower_case(name), trim_all(value));
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  Headers joined;
  for (auto& header : sorted) {
    if (!joined.empty() && joined.back().first == header.first) {
      joined.back().second += "," + header.second;
    } else {
      joined.push_back(std::move(header));
    }
  }
  return joined;
}

std::string signed_names(const Headers& canonical) {
  std::string out;
  for (const auto& header : canonical) {
    if (!out.empty()) out.push_back(';');
    out += header.first;
  }
  return out;
}

std::string scope_text(const SigningScope& scope, Timestamp now) {
  return fmt::format("{}/{}/{}/aws4_request", amz_date(now).substr(0, 8), scope.region, scope.service);
}

}  // namespace

std::string amz_date(Timestamp time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::seconds>(time - day)};
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

std::string canonical_request(const SignedRequest& request) {
  const Headers headers = canonical_headers(request.headers);
  std::string out = fmt::format("{}\n{}\n{}\n", request.method, request.path, request.query);
  for (const auto& [name, value] : headers) out += fmt::format("{}:{}\n", name, value);
  out += fmt::format("\n{}\n{}", signed_names(headers), request.payload_hash);
  return out;
}

std::string string_to_sign(std::string_view canonical, const SigningScope& scope, Timestamp now) {
  return fmt::format("{}\n{}\n{}\n{}", kAlgorithm, amz_date(now), scope_text(scope, now), sha256_hex(canonical));
}

std::string signature(std::string_view to_sign, std::string_view secret, const SigningScope& scope, Timestamp now) {
  std::string key = fmt::format("AWS4{}", secret);
  for (const std::string& step :
       {amz_date(now).substr(0, 8), scope.region, scope.service, std::string("aws4_request")}) {
    key = as_text(hmac_sha256(key, step));
  }
  return to_hex(as_text(hmac_sha256(key, to_sign)));
}

Headers authorization_headers(SignedRequest request, const Credentials& credentials, const SigningScope& scope,
                              Timestamp now) {
  Headers added{{"x-amz-date", amz_date(now)}, {"x-amz-content-sha256", request.payload_hash}};
  if (!credentials.session_token.empty()) added.emplace_back("x-amz-security-token", credentials.session_token);
  request.headers.insert(request.headers.end(), added.begin(), added.end());
  const std::string signed_with =
      signature(string_to_sign(canonical_request(request), scope, now), credentials.secret_access_key, scope, now);
  added.emplace_back("Authorization", fmt::format("{} Credential={}/{},SignedHeaders={},Signature={}", kAlgorithm,
                                                  credentials.access_key_id, scope_text(scope, now),
                                                  signed_names(canonical_headers(request.headers)), signed_with));
  return added;
}

std::string presigned_query(const std::string& method, const std::string& path,
                            std::vector<std::pair<std::string, std::string>> query, const std::string& host,
                            const Credentials& credentials, const SigningScope& scope, Timestamp now,
                            std::chrono::seconds lifetime) {
  query.emplace_back("X-Amz-Algorithm", kAlgorithm);
  query.emplace_back("X-Amz-Credential", credentials.access_key_id + "/" + scope_text(scope, now));
  query.emplace_back("X-Amz-Date", amz_date(now));
  query.emplace_back("X-Amz-Expires", fmt::to_string(lifetime.count()));
  query.emplace_back("X-Amz-SignedHeaders", "host");
  if (!credentials.session_token.empty()) query.emplace_back("X-Amz-Security-Token", credentials.session_token);
  SignedRequest request{method, path, canonical_query(query), {{"host", host}}, std::string(kUnsignedPayload)};
  const std::string signed_with =
      signature(string_to_sign(canonical_request(request), scope, now), credentials.secret_access_key, scope, now);
  return request.query + "&X-Amz-Signature=" + signed_with;
}

}  // namespace longshore::s3
