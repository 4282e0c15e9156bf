#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>

#include "storage/local/local_store.h"
#include "storage/multipart_rules.h"
#include "temporary_directory.h"

namespace longshore {
namespace {

namespace fs = std::filesystem;

std::string content(int number) {
  std::string out(static_cast<std::size_t>(kMinPartBytes + number * 1001), '\0');
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<char>(i * 31 + i / 251 + static_cast<unsigned>(number));
  return out;
}

/// Runs `work` on a store of another process and kills that one with SIGKILL at its `at`-th step; whether it was
/// killed, rather than ending well before. `last_step` is the name of that step.
template <class Work>
bool killed_at(int at, const std::string& root, std::map<std::string, int>& steps, Work work) {
  int names[2];
  if (::pipe(names) != 0) ADD_FAILURE() << "pipe";
  const pid_t child = ::fork();
  if (child == 0) {
    int step = 0;
    const auto store = LocalStore::make(root, {.on_step = [&](std::string_view name) {
                                          if (++step < at) return;
                                          if (::write(names[1], name.data(), name.size()) < 0) ::_exit(3);
                                          ::kill(::getpid(), SIGKILL);
                                        }});
    ::_exit(store && work(**store) ? 0 : 2);
  }
  ::close(names[1]);
  char name[64];
  const ssize_t length = ::read(names[0], name, sizeof name);
  ::close(names[0]);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  if (WIFSIGNALED(status)) {
    EXPECT_EQ(WTERMSIG(status), SIGKILL);
    ++steps[std::string(name, static_cast<std::size_t>(std::max<ssize_t>(length, 0)))];
    return true;
  }
  EXPECT_EQ(WEXITSTATUS(status), 0);
  return false;
}

int files_in(const fs::path& path) {
  return static_cast<int>(std::distance(fs::recursive_directory_iterator(path), fs::recursive_directory_iterator()));
}

class LocalStoreCrashTest : public testing::Test {
 protected:
  void SetUp() override {
    for (int number = 1; number <= 5; ++number) expected_ += content(number);
  }
  std::string root() const { return (directory_.path() / "store").string(); }
  std::unique_ptr<LocalStore> open() const { return LocalStore::make(root()).value(); }

  UploadRef begin_with_parts(ObjectStore& store, const std::string& key) {
    const auto upload = store.begin_upload(key, {}).value();
    parts_.clear();
    for (int number = 1; number <= 5; ++number)
      parts_.push_back(store.upload_part(upload, number, content(number)).value());
    return upload;
  }
  void expect_object(LocalStore& store, const std::string& key, const std::string& expected) {
    ByteBuffer out;
    ASSERT_TRUE(store.get(key, 0, 1LL << 40, out));
    EXPECT_TRUE(out.view() == expected) << out.size() << " bytes instead of " << expected.size();
  }
  void expect_nothing_left(LocalStore& store) {
    ASSERT_TRUE(store.remove_abandoned_writes());
    EXPECT_EQ(files_in(root() + "/uploads"), 0);
    EXPECT_EQ(files_in(root() + "/tmp"), 0);
  }

  TemporaryDirectory directory_;
  std::string expected_;
  std::vector<PartReceipt> parts_;
};

TEST_F(LocalStoreCrashTest, CompletingGoesOnAfterAKillAtAnyStep) {
  std::map<std::string, int> steps;
  const auto store = open();
  for (int at = 1;; ++at) {
    SCOPED_TRACE("step " + std::to_string(at));
    const std::string key = "t/" + std::to_string(at);
    const auto upload = begin_with_parts(*store, key);
    const auto complete = [&](LocalStore& other) { return other.complete_upload(upload, parts_).has_value(); };
    const bool killed = killed_at(at, root(), steps, complete);
    const auto object = store->complete_upload(upload, parts_);
    ASSERT_TRUE(object) << object.error().message;
    expect_object(*store, key, expected_);
    expect_nothing_left(*store);
    ASSERT_TRUE(store->remove(key));
    if (!killed) break;
  }
  using testing::Pair;
  EXPECT_THAT(steps, testing::UnorderedElementsAre(Pair("complete.moved", 5), Pair("complete.sorted", 1),
                                                   Pair("complete.synced", 1), Pair("publish.renamed", 1),
                                                   Pair("complete.published", 1), Pair("complete.cleared", 1)));
}

TEST_F(LocalStoreCrashTest, CompletingGoesOnHoweverOftenItIsKilled) {
  std::map<std::string, int> steps;
  const auto store = open();
  const auto upload = begin_with_parts(*store, "t/a");
  const auto complete = [&](LocalStore& other) { return other.complete_upload(upload, parts_).has_value(); };
  for (int at = 1; killed_at(at, root(), steps, complete); ++at) ASSERT_LT(at, 50);
  expect_object(*store, "t/a", expected_);
  expect_nothing_left(*store);
}

TEST_F(LocalStoreCrashTest, AnUploadKilledWhileCompletingCanBeAborted) {
  std::map<std::string, int> steps;
  const auto store = open();
  for (int at = 1;; ++at) {
    SCOPED_TRACE("step " + std::to_string(at));
    const auto upload = begin_with_parts(*store, "t/a");
    const auto complete = [&](LocalStore& other) { return other.complete_upload(upload, parts_).has_value(); };
    const bool killed = killed_at(at, root(), steps, complete);
    ASSERT_TRUE(store->abort_upload(upload));
    ASSERT_TRUE(store->remove("t/a"));
    expect_nothing_left(*store);
    if (!killed) break;
  }
}

// The worker that takes over assembles anew: it uploads the first part (head and glue) once more.
TEST_F(LocalStoreCrashTest, PartsMayBeUploadedAgainAfterAKill) {
  std::map<std::string, int> steps;
  const auto store = open();
  for (int at = 1;; ++at) {
    SCOPED_TRACE("step " + std::to_string(at));
    const auto upload = begin_with_parts(*store, "t/a");
    const auto complete = [&](LocalStore& other) { return other.complete_upload(upload, parts_).has_value(); };
    const bool killed = killed_at(at, root(), steps, complete);
    // An upload that was cleared away already takes no more parts, but is complete.
    const auto again = store->upload_part(upload, 1, content(1));
    EXPECT_TRUE(again || again.error().code == "upload_not_found");
    ASSERT_TRUE(store->complete_upload(upload, parts_));
    expect_object(*store, "t/a", expected_);
    expect_nothing_left(*store);
    ASSERT_TRUE(store->remove("t/a"));
    if (!killed) break;
  }
}

// Not what a worker does, but S3 allows it, and parts must not be lost: another first part, and one part fewer.
TEST_F(LocalStoreCrashTest, AnotherListOfPartsMayBeCompletedAfterAKill) {
  std::map<std::string, int> steps;
  const auto store = open();
  int tried = 0;
  for (int at = 1; at < 50; ++at) {
    SCOPED_TRACE("step " + std::to_string(at));
    const auto upload = begin_with_parts(*store, "t/a");
    const auto complete = [&](LocalStore& other) { return other.complete_upload(upload, parts_).has_value(); };
    const bool killed = killed_at(at, root(), steps, complete);
    // Once the object is published, the first list is what was completed.
    if (!killed || store->head("t/a")) break;
    ++tried;
    const std::string other_first(kMinPartBytes, 'o');
    const std::vector other{store->upload_part(upload, 1, other_first).value(), parts_[1], parts_[2], parts_[4]};
    const auto object = store->complete_upload(upload, other);
    ASSERT_TRUE(object) << object.error().message;
    expect_object(*store, "t/a", other_first + content(2) + content(3) + content(5));
    expect_nothing_left(*store);
    ASSERT_TRUE(store->remove("t/a"));
  }
  EXPECT_EQ(tried, 7);
}

TEST_F(LocalStoreCrashTest, OtherOperationsLeaveAllOrNothing) {
  std::map<std::string, int> steps;
  const auto store = open();
  const auto work = [](LocalStore& other) {
    const auto upload = other.begin_upload("t/upload", {});
    return upload && other.upload_part(*upload, 1, "part") && other.put("t/put", "object", {});
  };
  for (int at = 1; killed_at(at, root(), steps, work); ++at) {
    const auto uploads = store->list_uploads("").value();
    for (const UploadInfo& left : uploads) {
      EXPECT_EQ(left.upload.key, "t/upload");
      ASSERT_TRUE(store->abort_upload(left.upload));
    }
    if (store->head("t/put")) expect_object(*store, "t/put", "object");
    ASSERT_TRUE(store->remove("t/put"));
    expect_nothing_left(*store);
  }
  EXPECT_THAT(steps, testing::ElementsAre(testing::Pair("begin.published", 1), testing::Pair("part.published", 1),
                                          testing::Pair("publish.renamed", 1), testing::Pair("put.published", 1),
                                          testing::Pair("put.written", 1)));
}

// Whatever kind of object stands there and whatever kind replaces it.
TEST_F(LocalStoreCrashTest, ReplacingLeavesTheOldOrTheNewAtAnyStep) {
  const std::string key = "t/a";
  const std::string old_bytes = "the old version";
  const auto store = open();
  const auto write = [&](LocalStore& to, const std::string& bytes, bool in_parts) {
    if (!in_parts) return to.put(key, bytes, {}).has_value();
    const auto upload = to.begin_upload(key, {}).value();
    return to.complete_upload(upload, std::vector{to.upload_part(upload, 1, bytes).value()}).has_value();
  };
  for (const bool old_in_parts : {false, true}) {
    for (const bool new_in_parts : {false, true}) {
      SCOPED_TRACE(testing::Message() << "old in parts: " << old_in_parts << ", new in parts: " << new_in_parts);
      std::map<std::string, int> steps;
      for (int at = 1;; ++at) {
        SCOPED_TRACE("step " + std::to_string(at));
        ASSERT_TRUE(write(*store, old_bytes, old_in_parts));
        const auto upload = store->begin_upload(key, {}).value();
        const std::vector parts{store->upload_part(upload, 1, content(1)).value()};
        const auto replace = [&](LocalStore& other) {
          return new_in_parts ? other.complete_upload(upload, parts).has_value() : write(other, content(1), false);
        };
        const bool killed = killed_at(at, root(), steps, replace);
        ByteBuffer found;
        ASSERT_TRUE(store->get(key, 0, 1LL << 40, found));
        EXPECT_TRUE(found.view() == old_bytes || found.view() == content(1)) << found.size() << " bytes";
        EXPECT_EQ(store->list("", "", 10).value().size(), 1U);
        // As the worker that takes over does.
        ASSERT_TRUE(replace(*store));
        expect_object(*store, key, content(1));
        if (!new_in_parts) {
          ASSERT_TRUE(store->abort_upload(upload));
        }
        expect_nothing_left(*store);
        if (!killed) break;
      }
      EXPECT_EQ(steps["publish.exchanged"], old_in_parts || new_in_parts ? 1 : 0);
    }
  }
}

TEST_F(LocalStoreCrashTest, RemovingLeavesAllOrNothing) {
  std::map<std::string, int> steps;
  const auto store = open();
  const auto remove = [](LocalStore& other) { return other.remove("t/a").has_value(); };
  for (int at = 1;; ++at) {
    const auto upload = begin_with_parts(*store, "t/a");
    ASSERT_TRUE(store->complete_upload(upload, parts_));
    if (!killed_at(at, root(), steps, remove)) break;
    EXPECT_FALSE(store->head("t/a"));
    ASSERT_TRUE(store->remove("t/a"));
    expect_nothing_left(*store);
  }
  EXPECT_THAT(steps, testing::ElementsAre(testing::Pair("remove.taken", 1)));
}

}  // namespace
}  // namespace longshore
