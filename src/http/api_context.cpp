#include "http/api_context.h"

#include <utility>

#include "http/problem.h"

namespace longshore {

RouteHandler for_principal(const ApiContext& context, ApiHandler handler) {
  return [&context, handler = std::move(handler)](const Request& request) {
    const std::string* authorization = request.header("Authorization");
    // Of two credentials, which one counts is a matter of taste; nobody honest sends two.
    Result<Principal> who =
        request.count_headers("Authorization") > 1
            ? fail(user_error("malformed_request", "The request has more than one Authorization header."))
            : context.authenticate(authorization == nullptr ? std::string_view() : *authorization);
    if (!who) return problem_response(who.error(), request);
    Result<Response> answer = handler(request, *who);
    Response response = answer ? std::move(*answer) : problem_response(answer.error(), request);
    response.note.tenant = who->tenant.str();
    response.note.user = who->user.str();
    return response;
  };
}

Status require_json(const Request& request) {
  const std::string* type = request.header("Content-Type");
  std::string_view media = type == nullptr ? std::string_view() : *type;
  media = media.substr(0, media.find(';'));
  while (media.ends_with(' ') || media.ends_with('\t')) media.remove_suffix(1);
  if (same_name(media, "application/json")) return {};
  return fail(user_error("unsupported_media_type",
                         media.empty()
                             ? "The request has no Content-Type; it must be application/json."
                             : "The Content-Type must be application/json, not '" + std::string(media) + "'."));
}

}  // namespace longshore
