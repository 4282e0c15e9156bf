#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace longshore {

/// Answers one request. Called on many threads at once; may block (it runs on the handler pool, never on an I/O
/// thread).
using RouteHandler = std::function<Response(const Request&)>;

/// Finds the handler of a request by method and path template. Filled once at start, then only read: thread-safe.
///
/// Templates are literal segments and `{name}` (one segment) or, last, `{name*}` (one or more, joined by `/`). A
/// literal wins over a name. HEAD is answered by GET's handler (the server leaves the body out); OPTIONS is answered
/// with `Allow`.
class Router {
 public:
  /// REQUIRES: `path_template` begins with `/`; no other route has the same method and template.
  void add(std::string method, const std::string& path_template, RouteHandler handler);

  struct RouteName {
    std::string method;
    std::string path_template;
  };
  /// All routes that were added.
  std::vector<RouteName> routes() const;

  /// The handler's response, with `note.route` set. Problems: `route_not_found` 404; `method_not_allowed` 405 with
  /// `Allow`. Sets `request.parameters`. An exception of a handler is `internal_error` 500: details only in the note.
  Response handle(Request& request) const;

 private:
  struct Method {
    std::string name;
    RouteHandler handler;
  };
  struct Route {
    std::string path_template;
    std::vector<std::string> segments;
    std::vector<Method> methods;
  };

  const Route* match(Request& request) const;
  static std::string allowed(const Route& route);

  std::vector<Route> routes_;
};

}  // namespace longshore
