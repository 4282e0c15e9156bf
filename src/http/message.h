#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace longshore {

class ReadableObject;

/// A header or query field. Header names compare without case; query names exactly.
struct Field {
  std::string name;
  std::string value;
};

/// A request as routes see it: read whole, target decoded and proven harmless.
struct Request {
  std::string method;                 ///< `GET`, as it was sent
  std::string path;                   ///< as it was sent, without the query (which may hold a signature)
  std::vector<std::string> segments;  ///< the path's, percent-decoded; none is empty, `.`, `..` or holds a `/`
  std::vector<Field> query;           ///< percent-decoded, in order; `+` means a space
  std::vector<Field> headers;
  std::string body;
  std::string client_ip;          ///< of the socket
  std::string request_id;         ///< the client's if it was sane, else ours
  std::vector<Field> parameters;  ///< what the route's template names, e.g. `id`

  /// The header's value, nullptr when there is none; the first of several.
  const std::string* header(std::string_view name) const;
  /// How many headers have that name.
  int count_headers(std::string_view name) const;
  /// The template's parameter. REQUIRES: the route's template names it.
  const std::string& parameter(std::string_view name) const;
};

/// Bytes of a stored object as the body of a response, sent straight from the page cache.
struct FileRange {
  std::shared_ptr<const ReadableObject> object;  ///< stays open until the last byte has gone
  std::int64_t offset = 0;
  std::int64_t length = 0;
};

/// What the log and the metrics are told about a response, and the client is not.
struct ResponseNote {
  std::string route;   ///< the template, e.g. `/v1/exports/{id}`; empty when no route matched
  std::string tenant;  ///< empty: nobody was authenticated
  std::string user;
  std::string error_code;    ///< empty: no error
  std::string error_detail;  ///< may name hosts, files, SQL
};

struct Response {
  int status = 200;
  std::vector<Field> headers;
  std::string body;
  std::optional<FileRange> file;  ///< instead of `body`
  ResponseNote note;

  /// Replaces or adds.
  void set_header(std::string_view name, std::string value);
  const std::string* header(std::string_view name) const;
};

/// `application/json`, with this status.
Response json_response(int status, std::string body);

/// `Not Found` for 404; empty for a number that this server never sends.
std::string_view reason_phrase(int status);

/// Whether two header names are the same (ASCII, without case).
bool same_name(std::string_view a, std::string_view b);

}  // namespace longshore
