#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <random>
#include <vector>

#include "storage/object_store.h"

namespace longshore {

enum class StoreOperation {
  put,
  get,
  head,
  remove,
  list,
  begin_upload,
  upload_part,
  complete_upload,
  abort_upload,
  list_uploads,
  ping
};
inline constexpr int kStoreOperations = 11;

enum class FaultMoment {
  before,  ///< nothing was done
  after,   ///< it was done, and the answer was lost
};

/// Where a call waits until a test lets it go. Thread-safe.
class StallPoint {
 public:
  /// For the test: returns once a call has arrived.
  void wait_until_reached();
  /// Lets the waiting call go, and every later one.
  void release();
  /// For the store: waits for release().
  void arrive();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool reached_ = false;
  bool released_ = false;
};

/// A store that works as another one until a test wants it to fail. Calls are counted for each operation from 1 on,
/// failed ones too. Thread-safe; which thread makes the n-th call is the threads' affair.
class FaultyStore final : public ObjectStore {
 public:
  explicit FaultyStore(std::shared_ptr<ObjectStore> inner);

  /// The `call`-th call of the operation fails with `error`.
  void fail_call(StoreOperation operation, int call, FaultMoment moment, Error error);
  /// The `call`-th call and all after it fail with `error`: a store that has gone away.
  void fail_from(StoreOperation operation, int call, Error error);
  /// From now on each call fails with this probability, half of them after they took effect, with a retriable
  /// `store_unavailable`; which ones depends on the seed and the order of calls alone. 0 ends it.
  void fail_randomly(std::uint64_t seed, double probability);
  /// The `call`-th call of the operation waits at the point returned before anything is done.
  std::shared_ptr<StallPoint> stall_call(StoreOperation operation, int call);
  /// Forgets every fault; calls that wait go on waiting for their points.
  void heal();
  /// Calls so far.
  int calls(StoreOperation operation) const;

  Result<ObjectInfo> put(const std::string& key, std::string_view bytes, const ObjectOptions& options) override;
  Status get(const std::string& key, std::int64_t offset, std::int64_t length, ByteBuffer& out) override;
  Result<ObjectInfo> head(const std::string& key) override;
  Status remove(const std::string& key) override;
  Result<std::vector<ObjectInfo>> list(const std::string& prefix, const std::string& after, int limit) override;
  Result<UploadRef> begin_upload(const std::string& key, const ObjectOptions& options) override;
  Result<PartReceipt> upload_part(const UploadRef& upload, int number, std::string_view bytes) override;
  Result<ObjectInfo> complete_upload(const UploadRef& upload, std::span<const PartReceipt> parts) override;
  Status abort_upload(const UploadRef& upload) override;
  Status remove_abandoned_writes() override { return inner_->remove_abandoned_writes(); }
  Result<std::vector<UploadInfo>> list_uploads(const std::string& prefix) override;
  Status ping() override;

 private:
  struct Fault {
    StoreOperation operation;
    int first_call;
    int last_call;
    FaultMoment moment;
    Error error;
  };
  struct Stall {
    StoreOperation operation;
    int call;
    std::shared_ptr<StallPoint> point;
  };
  /// What shall happen to one call.
  struct Verdict {
    bool fails = false;
    FaultMoment moment = FaultMoment::before;
    Error error;
  };
  Verdict judge(StoreOperation operation);
  template <class Call>
  auto run(StoreOperation operation, Call call) -> decltype(call());

  std::shared_ptr<ObjectStore> inner_;
  mutable std::mutex mutex_;
  std::array<int, kStoreOperations> calls_{};
  std::vector<Fault> faults_;
  std::vector<Stall> stalls_;
  std::mt19937_64 random_;
  double probability_ = 0;
};

}  // namespace longshore
