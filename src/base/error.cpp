#include "base/error.h"

namespace longshore {

Error Error::with_context(std::string_view context) && {
  message = std::string(context) + ": " + message;
  return std::move(*this);
}

Error user_error(std::string code, std::string message) {
  return {ErrorSource::user, std::move(code), false, std::move(message), {}};
}

Error internal_error(std::string code, std::string message) {
  return {ErrorSource::internal, std::move(code), false, std::move(message), {}};
}

Error external_error(std::string code, std::string message, bool retriable) {
  return {ErrorSource::external, std::move(code), retriable, std::move(message), {}};
}

}  // namespace longshore
