#include "http/router.h"

#include <algorithm>
#include <cassert>
#include <exception>
#include <utility>

#include "http/problem.h"

namespace longshore {

namespace {

std::vector<std::string> split(std::string_view path_template) {
  std::vector<std::string> segments;
  path_template.remove_prefix(1);
  while (!path_template.empty()) {
    const std::size_t slash = path_template.find('/');
    segments.emplace_back(path_template.substr(0, slash));
    path_template.remove_prefix(slash == std::string_view::npos ? path_template.size() : slash + 1);
  }
  return segments;
}

bool is_name(std::string_view segment) {
  return segment.starts_with('{');
}

bool is_tail(std::string_view segment) {
  return segment.ends_with("*}");
}

/// Whether the path fits the template; fills `parameters` as it goes.
bool fits(const std::vector<std::string>& pattern, const std::vector<std::string>& path,
          std::vector<Field>& parameters) {
  parameters.clear();
  const bool tail = !pattern.empty() && is_tail(pattern.back());
  if (tail ? path.size() < pattern.size() : path.size() != pattern.size()) return false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (!is_name(pattern[i])) {
      if (pattern[i] != path[i]) return false;
      continue;
    }
    std::string name = pattern[i].substr(1, pattern[i].size() - (is_tail(pattern[i]) ? 3 : 2));
    std::string value = path[i];
    if (is_tail(pattern[i])) {
      for (std::size_t k = i + 1; k < path.size(); ++k) value += '/' + path[k];
    }
    if (value.empty()) return false;
    parameters.push_back({std::move(name), std::move(value)});
  }
  return true;
}

}  // namespace

void Router::add(std::string method, const std::string& path_template, RouteHandler handler) {
  auto route = std::ranges::find(routes_, path_template, &Route::path_template);
  if (route == routes_.end()) {
    // Kept with literal templates first, so that the first one that fits is the right one.
    Route fresh{.path_template = path_template, .segments = split(path_template), .methods = {}};
    const auto names = [](const Route& r) { return std::ranges::count_if(r.segments, is_name); };
    route =
        routes_.insert(std::ranges::upper_bound(routes_, names(fresh), std::ranges::less{}, names), std::move(fresh));
  }
  assert(std::ranges::find(route->methods, method, &Method::name) == route->methods.end());
  route->methods.push_back({std::move(method), std::move(handler)});
}

std::vector<Router::RouteName> Router::routes() const {
  std::vector<RouteName> names;
  for (const Route& route : routes_) {
    for (const Method& method : route.methods) names.push_back({method.name, route.path_template});
  }
  return names;
}

const Router::Route* Router::match(Request& request) const {
  for (const Route& route : routes_) {
    if (fits(route.segments, request.segments, request.parameters)) return &route;
  }
  request.parameters.clear();
  return nullptr;
}

std::string Router::allowed(const Route& route) {
  std::vector<std::string> names{"OPTIONS"};
  for (const Method& method : route.methods) {
    names.push_back(method.name);
    if (method.name == "GET") names.emplace_back("HEAD");
  }
  std::ranges::sort(names);
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

Response Router::handle(Request& request) const {
  if (request.method == "OPTIONS" && request.path == "*") {
    Response response;
    response.status = 204;
    response.set_header("Allow", "DELETE, GET, HEAD, OPTIONS, POST");
    return response;
  }
  const Route* route = match(request);
  if (route == nullptr) {
    return problem_response(user_error("route_not_found",
                                       "There is nothing at this path. The API begins at /v1/exports and /v1/datasets; "
                                       "/healthz, /readyz and /metrics tell how the server is."),
                            request);
  }
  Response response;
  const std::string_view method = request.method == "HEAD" ? std::string_view("GET") : request.method;
  const auto found = std::ranges::find(route->methods, method, &Method::name);
  if (request.method == "OPTIONS") {
    response.status = 204;
    response.set_header("Allow", allowed(*route));
  } else if (found == route->methods.end()) {
    response =
        problem_response(user_error("method_not_allowed", "This path answers to " + allowed(*route) + "."), request);
    response.set_header("Allow", allowed(*route));
  } else {
    try {
      response = found->handler(request);
    } catch (const std::exception& e) {
      response =
          problem_response(internal_error("internal_error", std::string("uncaught exception: ") + e.what()), request);
    }
  }
  response.note.route = route->path_template;
  return response;
}

}  // namespace longshore
