#pragma once

#include <boost/json/value.hpp>
#include <string>

namespace longshore {

/// The value as JSON text without spaces. Unlike Boost.JSON's own it writes fractions as people do (`65.4`, not
/// `6.54E1`): some of our clients are shell scripts. Private to this room's .cpp files.
std::string to_text(const boost::json::value& value);

}  // namespace longshore
