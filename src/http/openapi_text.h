#pragma once

#include <string_view>

namespace longshore {

/// The files of `openapi/` as they were when this was built: JSON.
struct OpenapiText {
  std::string_view frame;
  std::string_view paths;
  std::string_view schemas;
  std::string_view responses;
};

extern const OpenapiText kOpenapiText;

}  // namespace longshore
