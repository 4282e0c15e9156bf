#pragma once

#include <atomic>

#include "metadata/source_places.h"

namespace longshore {

/// A store that fails when told to, and counts what it is asked.
class FaultyPlaces final : public SourcePlaces {
 public:
  explicit FaultyPlaces(SourcePlaces& inner) : inner_(inner) {}

  std::atomic<bool> away = false;
  std::atomic<bool> lose_answers = false;  ///< of take_place(): it is done, and nobody learns of it
  std::atomic<int> takes = 0;
  std::atomic<int> looks = 0;

  Status add_places(const std::string& source, int count) override {
    if (away) return fail(unavailable());
    return inner_.add_places(source, count);
  }
  Result<std::optional<TakenPlace>> take_place(const PlaceRequest& request) override {
    ++takes;
    if (away) return fail(unavailable());
    auto taken = inner_.take_place(request);
    if (lose_answers) return fail(unavailable());
    return taken;
  }
  Result<bool> place_in_sight(const PlaceRequest& request) override {
    ++looks;
    if (away) return fail(unavailable());
    return inner_.place_in_sight(request);
  }
  Status wait_for_place(const std::string& source, const std::string& holder, Duration length) override {
    if (away) return fail(unavailable());
    return inner_.wait_for_place(source, holder, length);
  }
  Status stop_waiting(const std::string& source, const std::string& holder) override {
    if (away) return fail(unavailable());
    return inner_.stop_waiting(source, holder);
  }
  Result<PlaceRenewal> renew_places(const std::string& holder, Duration lease) override {
    if (away) return fail(unavailable());
    return inner_.renew_places(holder, lease);
  }
  Status return_places(const std::string& holder, const std::vector<ReturnedPlace>& places) override {
    if (away) return fail(unavailable());
    return inner_.return_places(holder, places);
  }
  Status clear_suspects(const std::vector<SourcePlace>& places) override {
    if (away) return fail(unavailable());
    return inner_.clear_suspects(places);
  }

 private:
  static Error unavailable() { return external_error("metadata_unavailable", "the store is away", true); }
  SourcePlaces& inner_;
};

}  // namespace longshore
