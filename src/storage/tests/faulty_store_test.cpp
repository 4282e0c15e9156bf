#include "storage/faulty/faulty_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "storage/discard/discard_store.h"
#include "storage/memory/memory_store.h"
#include "storage/multipart_rules.h"

namespace longshore {
namespace {

const Error kAway = external_error("store_unavailable", "away");

class FaultyStoreTest : public testing::Test {
 protected:
  std::shared_ptr<MemoryStore> inner_ = std::make_shared<MemoryStore>();
  FaultyStore store_{inner_};
};

TEST_F(FaultyStoreTest, FailsTheCallNamedBeforeItTakesEffect) {
  store_.fail_call(StoreOperation::put, 2, FaultMoment::before, kAway);
  EXPECT_TRUE(store_.put("a", "1", {}));
  const auto failed = store_.put("b", "2", {});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "away");
  EXPECT_FALSE(inner_->head("b"));
  EXPECT_TRUE(store_.put("b", "2", {}));
  EXPECT_EQ(store_.calls(StoreOperation::put), 3);
  EXPECT_EQ(store_.calls(StoreOperation::head), 0);
}

TEST_F(FaultyStoreTest, LosesTheAnswerAfterTheEffect) {
  store_.fail_call(StoreOperation::complete_upload, 1, FaultMoment::after, kAway);
  const auto upload = store_.begin_upload("a", {}).value();
  const std::vector parts{store_.upload_part(upload, 1, "content").value()};
  EXPECT_FALSE(store_.complete_upload(upload, parts));
  EXPECT_TRUE(inner_->head("a"));
  EXPECT_TRUE(store_.complete_upload(upload, parts));
}

TEST_F(FaultyStoreTest, StaysAwayUntilHealed) {
  store_.fail_from(StoreOperation::ping, 2, kAway);
  EXPECT_TRUE(store_.ping());
  EXPECT_FALSE(store_.ping());
  EXPECT_FALSE(store_.ping());
  store_.heal();
  EXPECT_TRUE(store_.ping());
}

TEST_F(FaultyStoreTest, ChanceDependsOnTheSeedAlone) {
  const auto run = [](std::uint64_t seed) {
    FaultyStore store(std::make_shared<MemoryStore>());
    store.fail_randomly(seed, 0.3);
    std::string pattern;
    for (int i = 0; i < 200; ++i) pattern += store.ping() ? '.' : 'x';
    return pattern;
  };
  EXPECT_EQ(run(7), run(7));
  EXPECT_NE(run(7), run(8));
  const std::string pattern = run(7);
  EXPECT_GT(std::count(pattern.begin(), pattern.end(), 'x'), 30);
  EXPECT_LT(std::count(pattern.begin(), pattern.end(), 'x'), 90);
}

TEST_F(FaultyStoreTest, StallsACallUntilReleased) {
  const auto point = store_.stall_call(StoreOperation::put, 1);
  std::jthread thread([&] { EXPECT_TRUE(store_.put("a", "1", {})); });
  point->wait_until_reached();
  EXPECT_FALSE(inner_->head("a"));
  point->release();
  thread.join();
  EXPECT_TRUE(inner_->head("a"));
}

TEST(DiscardStoreTest, KeepsSizesStagedObjectsAndSmallOnes) {
  DiscardStore store;
  const std::string big(DiscardStore::kKeptBytes + 1, 'x');
  ASSERT_TRUE(store.put("staging/job/head", big, {}));
  ASSERT_TRUE(store.put("t/manifest.json", "{}", {}));
  ASSERT_TRUE(store.put("t/big", big, {}));
  ByteBuffer out;
  ASSERT_TRUE(store.get("staging/job/head", 0, 1 << 20, out));
  EXPECT_TRUE(out.view() == big);
  out.clear();
  ASSERT_TRUE(store.get("t/manifest.json", 1, 100, out));
  EXPECT_EQ(out.view(), "}");
  EXPECT_EQ(store.get("t/big", 0, 1, out).error().code, "object_discarded");
  EXPECT_EQ(store.head("t/big").value().size, std::ssize(big));
  EXPECT_EQ(store.list("t/", "", 10).value().size(), 2U);

  const auto upload = store.begin_upload("t/export", {}).value();
  const std::string part(kMinPartBytes, 'y');
  const auto stale = store.upload_part(upload, 1, part).value();
  const auto first = store.upload_part(upload, 1, part).value();
  const auto second = store.upload_part(upload, 2, "end").value();
  EXPECT_EQ(store.complete_upload(upload, std::vector{stale, second}).error().code, "part_mismatch");
  EXPECT_EQ(store.complete_upload(upload, std::vector{first, second}).value().size, kMinPartBytes + 3);
  EXPECT_TRUE(store.complete_upload(upload, std::vector{first, second}));
  EXPECT_TRUE(store.list_uploads("").value().empty());
  EXPECT_EQ(store.bytes_received(), 2 * std::ssize(big) + 2 + 2 * kMinPartBytes + 3);
}

}  // namespace
}  // namespace longshore
