#include "base/closest_name.h"

#include <algorithm>
#include <cstddef>

namespace longshore {
namespace {

/// Longer words are not compared: a request's field may be of any length, and the distance takes quadratic time.
constexpr std::size_t kLongestWord = 80;

std::string fold(std::string_view word) {
  std::string folded;
  for (const char c : word) {
    if (c == '_' || c == '-' || c == '.') continue;
    folded.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  return folded;
}

/// Edits (insert, delete, replace, swap of neighbours) between two words.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

}  // namespace

std::string closest_name(std::string_view word, const std::vector<std::string>& candidates) {
  if (word.size() > kLongestWord) return {};
  const std::string wanted = fold(word);
  if (wanted.empty()) return {};
  // A third of the letters may differ, but a short word is not "nearly" another one.
  std::size_t best = std::max<std::size_t>(1, wanted.size() / 3) + 1;
  std::string closest;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kLongestWord) continue;
    const std::size_t distance = edit_distance(wanted, fold(candidate));
    if (distance < best && distance < wanted.size()) {
      best = distance;
      closest = candidate;
    }
  }
  return closest;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string closest = closest_name(word, candidates);
  return closest.empty() ? std::string{} : "; did you mean \"" + closest + "\"?";
}

}  // namespace longshore
