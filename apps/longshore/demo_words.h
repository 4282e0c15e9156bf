#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace longshore {

/// Numbers that look random and are the same everywhere for the same seed; the standard library's distributions differ
/// from one implementation to the next. SplitMix64 (Steele, Lea, Flood 2014).
class DemoRandom {
 public:
  explicit DemoRandom(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  /// 0 to n - 1. The bias of the remainder does not matter here.
  std::uint64_t below(std::uint64_t n) { return next() % n; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  std::string_view pick(std::span<const std::string_view> words) { return words[below(words.size())]; }

 private:
  std::uint64_t state_;
};

struct DemoTenant {
  std::string_view id;
  std::string_view name;
  std::string_view plan;
  std::string_view country;
  int share;  ///< of 20 rows
};

/// The tenants of the sample data; their shares add up to 20.
std::span<const DemoTenant> demo_tenants();

/// Words of the sample data. Names come in the scripts of the countries people come from.
std::span<const std::string_view> demo_given_names();
std::span<const std::string_view> demo_family_names();
std::span<const std::string_view> demo_companies();
std::span<const std::string_view> demo_cities();
std::span<const std::string_view> demo_countries();
std::span<const std::string_view> demo_actions();
std::span<const std::string_view> demo_resources();
std::span<const std::string_view> demo_user_agents();

/// Texts that break careless exporters: quotes, separators, line breaks, formulas, other scripts, emoji, numbers that
/// are none. Their count has no factor in common with 20 or 7, so that every tenant gets every one.
std::span<const std::string_view> demo_awkward_texts();

}  // namespace longshore
