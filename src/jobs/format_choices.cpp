#include "jobs/format_choices.h"

namespace longshore {

std::vector<FormatChoice> format_choices(const FormatTable& formats) {
  std::vector<FormatChoice> choices;
  for (const Format* format : formats.all()) {
    choices.push_back({format->traits().name, format->traits().compressible});
  }
  return choices;
}

}  // namespace longshore
