#include "catalog/environment_text.h"

#include <cstdlib>

namespace longshore {
namespace {

bool is_variable_name(std::string_view name) {
  if (name.empty() || (name.front() >= '0' && name.front() <= '9')) return false;
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
  return name.find_first_not_of(kLetters) == std::string_view::npos;
}

}  // namespace

Result<std::string> expand_environment(std::string_view text) {
  std::string expanded;
  while (true) {
    const std::size_t begin = text.find("${");
    expanded += text.substr(0, begin);
    if (begin == std::string_view::npos) return expanded;
    if (begin > 0 && text[begin - 1] == '$') {
      expanded += "{";
      text.remove_prefix(begin + 2);
      continue;
    }
    const std::size_t end = text.find('}', begin);
    const std::string name(end == std::string_view::npos ? "" : text.substr(begin + 2, end - begin - 2));
    if (!is_variable_name(name)) {
      return fail(user_error("bad_value",
                             "\"${\" must be followed by a variable's name and \"}\"; write \"$${\" for a "
                             "plain \"${\""));
    }
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return fail(user_error("bad_value", "the environment variable " + name + " is not set"));
    expanded += value;
    text.remove_prefix(end + 1);
  }
}

}  // namespace longshore
