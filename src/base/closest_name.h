#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace longshore {

/// The candidate that `word` was probably meant to be (case and `_ - .` count little), or nothing when none is near.
std::string closest_name(std::string_view word, const std::vector<std::string>& candidates);

/// `; did you mean "name"?`, or nothing: the end of a message about an unknown name.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace longshore
