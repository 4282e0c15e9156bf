#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace longshore {

/// One of the places among a source's connections. Who holds it under its epoch may keep one connection open.
struct SourcePlace {
  std::string source;
  int place = 0;           ///< from 0; a limit of n means the places below n
  std::string mark;        ///< names the place in all the world: letters and digits, the same for ever
  std::int64_t epoch = 0;  ///< raised whenever it is taken

  bool operator==(const SourcePlace&) const = default;
};

/// A place that was taken.
struct TakenPlace {
  SourcePlace place;
  /// Its last holder did not give it back, and nobody has seen that the holder's connections are gone.
  bool unproven = false;
};

struct PlaceRequest {
  std::string source;
  std::string holder;    ///< a process
  int limit = 1;         ///< as this process understands the source's limit
  Duration lease{};      ///< how long the place stays its holder's without renewal
  bool waiting = false;  ///< whether the holder has called wait_for_place()
  Duration
      quarantine{};  ///< how long after the end of its lease a place is left alone that nobody gave back or cleared
};

/// A place that its holder lets go of.
struct ReturnedPlace {
  SourcePlace place;
  bool clean = true;  ///< its connections are known to be gone; otherwise it is suspect at once
};

/// What a holder learns when it renews.
struct PlaceRenewal {
  std::vector<SourcePlace> held;        ///< all that are its own for another lease
  std::vector<SourcePlace> suspects;    ///< of all sources: places whose lease is over and that nobody gave back
  std::vector<std::string> waited_for;  ///< sources for whose places other processes wait
};

/// Who may hold connections to the sources, over all processes on one metadata store. A place is *free* (nobody holds
/// it, and no connection of the last holder is left), *held* (until its lease is over), or *suspect* (the lease is
/// over). A free place is anybody's at once; a suspect one becomes free by clear_suspects(), or is given out as
/// unproven after the quarantine. Thread-safe; time is the database's. Errors: `metadata_unavailable`.
class SourcePlaces {
 public:
  virtual ~SourcePlaces() = default;
  /// Makes sure that the places below `count` exist. Others stay: whose limit is lower does not take them.
  virtual Status add_places(const std::string& source, int count) = 0;
  /// Takes a place below the limit, a free one first. nullopt: there is none now, or as many others as there are places
  /// have waited longer. Ends the holder's waiting.
  virtual Result<std::optional<TakenPlace>> take_place(const PlaceRequest& request) = 0;
  /// Whether take_place() is worth its transaction; a single cheap look. Of what it read a moment ago.
  virtual Result<bool> place_in_sight(const PlaceRequest& request) = 0;
  /// Puts the holder behind those that wait already; if it waits, it stays where it is. Ends by itself after `length`.
  virtual Status wait_for_place(const std::string& source, const std::string& holder, Duration length) = 0;
  virtual Status stop_waiting(const std::string& source, const std::string& holder) = 0;
  /// For another lease from now: all of the holder's places whose lease is not over.
  virtual Result<PlaceRenewal> renew_places(const std::string& holder, Duration lease) = 0;
  /// What others have taken meanwhile stays theirs.
  virtual Status return_places(const std::string& holder, const std::vector<ReturnedPlace>& places) = 0;
  /// No connection of these is left: they become free, unless somebody has taken them since.
  virtual Status clear_suspects(const std::vector<SourcePlace>& places) = 0;
};

}  // namespace longshore
