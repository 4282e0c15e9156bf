#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "metadata/job_store.h"
#include "metadata/snapshot_store.h"
#include "metadata/source_places.h"

namespace longshore {

/// A database that stores are opened on, one for each process that the test plays, with a clock that the test moves.
class StoreTestbed {
 public:
  struct Opened {
    JobStore* jobs = nullptr;
    WorkQueue* queue = nullptr;
    SourcePlaces* places = nullptr;
    SnapshotStore* snapshots = nullptr;
  };
  virtual ~StoreTestbed() = default;
  /// A store on the database, independent of those opened before; lives as long as the testbed.
  virtual Opened open() = 0;
  virtual void advance(Duration duration) = 0;
};

/// A driver under test.
struct TestbedFactory {
  std::string name;
  std::function<std::unique_ptr<StoreTestbed>()> make;

  friend std::ostream& operator<<(std::ostream& out, const TestbedFactory& factory) { return out << factory.name; }
};

/// What every job store must do. A driver instantiates the suite with a factory of its testbed:
/// INSTANTIATE_TEST_SUITE_P(Sqlite, JobStoreContract, testing::Values(TestbedFactory{"sqlite", make_sqlite_testbed}));
class JobStoreContract : public testing::TestWithParam<TestbedFactory> {
 protected:
  void SetUp() override {
    testbed_ = GetParam().make();
    const auto opened = testbed_->open();
    jobs_ = opened.jobs;
    queue_ = opened.queue;
    places_ = opened.places;
    snapshots_ = opened.snapshots;
  }

  // --- making things

  static JobId new_id() { return JobId(uuid_v7(SystemClock().now())); }
  static NewJob new_job(const std::string& tenant, const std::string& key = {}, const std::string& digest = "digest");
  ExportJob insert(const std::string& tenant);
  WorkerId register_worker(const std::string& name);
  static std::vector<Partition> make_partitions(int count);
  static Part make_part(int sequence, std::int64_t rows = 100, std::int64_t bytes = 1000);

  // --- moving a job along; each expects success

  template <class Kind>
  Kind claim(const WorkerId& worker) {
    auto work = queue_->claim_next(worker);
    EXPECT_TRUE(work.has_value()) << (work ? "" : work.error().message);
    if (!work || !*work || !std::holds_alternative<Kind>(**work)) {
      ADD_FAILURE() << "another kind of work was expected";
      return {};
    }
    return std::get<Kind>(**std::move(work));
  }
  /// Takes work of this kind of this job, handing back whatever comes before it.
  template <class Kind>
  Kind claim_of(const ExportJob& job, const WorkerId& worker) {
    std::vector<Claim> others;
    std::optional<Kind> found;
    while (!found) {
      auto work = queue_->claim_next(worker);
      EXPECT_TRUE(work.has_value()) << (work ? "" : work.error().message);
      if (!work || !*work) break;
      if (auto* wanted = std::get_if<Kind>(&**work); wanted != nullptr && wanted->job.id == job.id) {
        found = std::move(*wanted);
      } else {
        others.push_back(std::visit([](const auto& any) { return any.claim; }, **work));
      }
    }
    for (const Claim& claim : others) EXPECT_TRUE(queue_->hand_back(claim).has_value());
    if (!found) ADD_FAILURE() << "there is no such work";
    return found ? *std::move(found) : Kind{};
  }
  bool idle(const WorkerId& worker);
  /// Inserts a job and has `worker` plan it.
  ExportJob planned(const std::string& tenant, const WorkerId& worker, int partitions);
  /// Takes a new job to the state that is named.
  ExportJob assembling(const std::string& tenant, const WorkerId& worker);
  ExportJob succeeded(const std::string& tenant, const WorkerId& worker);
  ExportJob find(const ExportJob& job);
  Partition partition(const ExportJob& job, int index);

  void advance(Duration duration) { testbed_->advance(duration); }

  std::unique_ptr<StoreTestbed> testbed_;
  JobStore* jobs_ = nullptr;
  WorkQueue* queue_ = nullptr;
  SourcePlaces* places_ = nullptr;
  SnapshotStore* snapshots_ = nullptr;
};

inline constexpr std::chrono::seconds kLease{10};
inline const Error kHiccup = external_error("source_unavailable", "the replica went away");
inline const Error kPoison = external_error("bad_data", "a value cannot be exported", false);

/// Matches a Result or Status that failed with the code.
MATCHER_P(FailedWith, code, std::string("fails with ") + code) {
  if (arg.has_value()) {
    *result_listener << "which succeeded";
    return false;
  }
  *result_listener << "which failed with " << arg.error().code << ": " << arg.error().message;
  return arg.error().code == code;
}

MATCHER(Succeeded, "succeeds") {
  if (arg.has_value()) return true;
  *result_listener << "which failed with " << arg.error().code << ": " << arg.error().message;
  return false;
}

}  // namespace longshore
