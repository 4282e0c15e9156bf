#include "http/file_routes.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "http/problem.h"
#include "storage/content_disposition.h"
#include "storage/range.h"

namespace longshore {

namespace {

Error invalid_link(std::string message) {
  return user_error("link_invalid", std::move(message));
}

Result<LinkParameters> parameters_of(const Request& request) {
  LinkParameters parameters;
  const std::pair<std::string_view, std::string*> known[] = {{"expires", &parameters.expires},
                                                             {"kid", &parameters.kid},
                                                             {"filename", &parameters.filename},
                                                             {"type", &parameters.type},
                                                             {"sig", &parameters.sig}};
  for (const auto& [name, into] : known) {
    bool found = false;
    for (const Field& field : request.query) {
      if (field.name != name) continue;
      if (std::exchange(found, true)) return fail(invalid_link("The link has a parameter twice."));
      *into = field.value;
    }
  }
  return parameters;
}

/// All values of a header, as one list; nullopt when there is none.
std::optional<std::string> joined(const Request& request, std::string_view name) {
  std::optional<std::string> all;
  for (const Field& field : request.headers) {
    if (!same_name(field.name, name)) continue;
    all = all ? *all + ", " + field.value : field.value;
  }
  return all;
}

Selection select(const Request& request, const ObjectInfo& info) {
  const auto if_match = joined(request, "If-Match");
  const auto if_none_match = joined(request, "If-None-Match");
  const auto if_modified_since = joined(request, "If-Modified-Since");
  const auto if_unmodified_since = joined(request, "If-Unmodified-Since");
  const auto if_range = joined(request, "If-Range");
  const auto range = joined(request, "Range");
  using Method = ConditionalRequest::Method;
  return select_representation({.method = request.method == "HEAD" ? Method::head : Method::get,
                                .if_match = if_match,
                                .if_none_match = if_none_match,
                                .if_modified_since = if_modified_since,
                                .if_unmodified_since = if_unmodified_since,
                                .if_range = if_range,
                                .range = range},
                               {.etag = info.etag, .modified = info.modified, .size = info.size});
}

Response serve(const Request& request, const VerifiedLink& link, const std::shared_ptr<const ReadableObject>& file) {
  const ObjectInfo& info = file->info();
  const Selection selection = select(request, info);
  Response response;
  if (selection.status == 412) {
    response = problem_response(user_error("precondition_failed", "The file is not the one that you have."), request);
  } else if (selection.status == 416) {
    response = problem_response(
        user_error("range_not_satisfiable", "The file has " + std::to_string(info.size) + " bytes."), request);
  } else {
    response.status = selection.status;
  }
  response.set_header("ETag", '"' + info.etag + '"');
  response.set_header("Last-Modified", format_http_date(info.modified));
  response.set_header("Accept-Ranges", "bytes");
  if (selection.status == 206 || selection.status == 416) {
    response.set_header("Content-Range", content_range(selection.range, info.size));
  }
  if (selection.status == 200 || selection.status == 206) {
    response.set_header("Content-Type", link.content_type.empty() ? "application/octet-stream" : link.content_type);
    response.set_header("Content-Disposition", content_disposition(link.file_name));
    response.file = FileRange{.object = file,
                              .offset = selection.status == 206 ? selection.range.first : 0,
                              .length = selection.status == 206 ? selection.range.length : info.size};
  }
  return response;
}

Response answer(const Request& request, const LocalStore& store, const SignedLinks& links, const Clock& clock) {
  const std::string& key = request.parameter("key");
  const Result<LinkParameters> parameters = parameters_of(request);
  if (!parameters) return problem_response(parameters.error(), request);
  const Result<VerifiedLink> link = links.verify(key, *parameters, clock.now());
  if (!link) return problem_response(link.error(), request);
  const auto file = store.open_for_read(link->key);
  if (!file && file.error().code == "object_not_found") {
    return problem_response(user_error("file_not_found", "The file has been removed."), request);
  }
  if (!file) return problem_response(file.error(), request);
  return serve(request, *link, *file);
}

}  // namespace

void append_file_routes(Router& router, const LocalStore& store, const SignedLinks& links, const Clock& clock) {
  router.add("GET", "/v1/files/{key*}",
             [&store, &links, &clock](const Request& request) { return answer(request, store, links, clock); });
}

}  // namespace longshore
