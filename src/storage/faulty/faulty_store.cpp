#include "storage/faulty/faulty_store.h"

#include <limits>
#include <utility>

namespace longshore {

void StallPoint::wait_until_reached() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return reached_; });
}

void StallPoint::release() {
  const std::lock_guard lock(mutex_);
  released_ = true;
  changed_.notify_all();
}

void StallPoint::arrive() {
  std::unique_lock lock(mutex_);
  reached_ = true;
  changed_.notify_all();
  changed_.wait(lock, [this] { return released_; });
}

FaultyStore::FaultyStore(std::shared_ptr<ObjectStore> inner) : inner_(std::move(inner)) {}

void FaultyStore::fail_call(StoreOperation operation, int call, FaultMoment moment, Error error) {
  const std::lock_guard lock(mutex_);
  faults_.push_back({operation, call, call, moment, std::move(error)});
}

void FaultyStore::fail_from(StoreOperation operation, int call, Error error) {
  const std::lock_guard lock(mutex_);
  faults_.push_back({operation, call, std::numeric_limits<int>::max(), FaultMoment::before, std::move(error)});
}

void FaultyStore::fail_randomly(std::uint64_t seed, double probability) {
  const std::lock_guard lock(mutex_);
  random_.seed(seed);
  probability_ = probability;
}

std::shared_ptr<StallPoint> FaultyStore::stall_call(StoreOperation operation, int call) {
  auto point = std::make_shared<StallPoint>();
  const std::lock_guard lock(mutex_);
  stalls_.push_back({operation, call, point});
  return point;
}

void FaultyStore::heal() {
  const std::lock_guard lock(mutex_);
  faults_.clear();
  stalls_.clear();
  probability_ = 0;
}

int FaultyStore::calls(StoreOperation operation) const {
  const std::lock_guard lock(mutex_);
  return calls_[static_cast<std::size_t>(operation)];
}

FaultyStore::Verdict FaultyStore::judge(StoreOperation operation) {
  std::shared_ptr<StallPoint> point;
  Verdict verdict;
  {
    const std::lock_guard lock(mutex_);
    const int call = ++calls_[static_cast<std::size_t>(operation)];
    for (const Stall& stall : stalls_) {
      if (stall.operation == operation && stall.call == call) point = stall.point;
    }
    for (const Fault& fault : faults_) {
      if (fault.operation == operation && fault.first_call <= call && call <= fault.last_call) {
        verdict = {true, fault.moment, fault.error};
      }
    }
    // Drawn from the generator's bits, because std::bernoulli_distribution differs between libraries.
    if (probability_ > 0 && !verdict.fails) {
      const std::uint64_t drawn = random_();
      if (static_cast<double>(drawn >> 11) * 0x1p-53 < probability_) {
        verdict = {true, (drawn & 1) != 0 ? FaultMoment::after : FaultMoment::before,
                   external_error("store_unavailable", "the store failed by chance, as the test asked")};
      }
    }
  }
  if (point != nullptr) point->arrive();
  return verdict;
}

template <class Call>
auto FaultyStore::run(StoreOperation operation, Call call) -> decltype(call()) {
  Verdict verdict = judge(operation);
  if (!verdict.fails) return call();
  if (verdict.moment == FaultMoment::after) {
    auto result = call();
    if (!result) return result;
  }
  return fail(std::move(verdict.error));
}

Result<ObjectInfo> FaultyStore::put(const std::string& key, std::string_view bytes, const ObjectOptions& options) {
  return run(StoreOperation::put, [&] { return inner_->put(key, bytes, options); });
}

Status FaultyStore::get(const std::string& key, std::int64_t offset, std::int64_t length, ByteBuffer& out) {
  return run(StoreOperation::get, [&] { return inner_->get(key, offset, length, out); });
}

Result<ObjectInfo> FaultyStore::head(const std::string& key) {
  return run(StoreOperation::head, [&] { return inner_->head(key); });
}

Status FaultyStore::remove(const std::string& key) {
  return run(StoreOperation::remove, [&] { return inner_->remove(key); });
}

Result<std::vector<ObjectInfo>> FaultyStore::list(const std::string& prefix, const std::string& after, int limit) {
  return run(StoreOperation::list, [&] { return inner_->list(prefix, after, limit); });
}

Result<UploadRef> FaultyStore::begin_upload(const std::string& key, const ObjectOptions& options) {
  return run(StoreOperation::begin_upload, [&] { return inner_->begin_upload(key, options); });
}

Result<PartReceipt> FaultyStore::upload_part(const UploadRef& upload, int number, std::string_view bytes) {
  return run(StoreOperation::upload_part, [&] { return inner_->upload_part(upload, number, bytes); });
}

Result<ObjectInfo> FaultyStore::complete_upload(const UploadRef& upload, std::span<const PartReceipt> parts) {
  return run(StoreOperation::complete_upload, [&] { return inner_->complete_upload(upload, parts); });
}

Status FaultyStore::abort_upload(const UploadRef& upload) {
  return run(StoreOperation::abort_upload, [&] { return inner_->abort_upload(upload); });
}

Result<std::vector<UploadInfo>> FaultyStore::list_uploads(const std::string& prefix) {
  return run(StoreOperation::list_uploads, [&] { return inner_->list_uploads(prefix); });
}

Status FaultyStore::ping() {
  return run(StoreOperation::ping, [&] { return inner_->ping(); });
}

}  // namespace longshore
