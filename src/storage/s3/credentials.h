#pragma once

#include <optional>
#include <string>

#include "base/clock.h"

namespace longshore::s3 {

/// What requests are signed with. Never logged: nothing here can print it.
struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;         ///< empty for keys that do not expire
  std::optional<Timestamp> expires;  ///< when the session ends

  friend bool operator==(const Credentials&, const Credentials&) = default;
};

}  // namespace longshore::s3
