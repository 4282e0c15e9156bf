#include "catalog/request_findings.h"

#include <utility>

namespace longshore {

Error RequestFindings::take() {
  const ErrorDetail& first = details_.front();
  std::string message = details_.size() == 1 ? "" : std::to_string(details_.size()) + " errors; the first: ";
  message += (first.where.empty() ? "" : first.where + ": ") + first.message;
  Error error = user_error(only_permissions_ ? "permission_denied" : "invalid_request", std::move(message));
  error.details = std::move(details_);
  return error;
}

}  // namespace longshore
