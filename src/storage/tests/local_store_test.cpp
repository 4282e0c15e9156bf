#include "storage/local/local_store.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <fstream>
#include <latch>
#include <thread>
#include <utility>

#include "storage/local/file_operations.h"
#include "storage/multipart_rules.h"
#include "temporary_directory.h"

namespace longshore {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class LocalStoreTest : public testing::Test {
 protected:
  std::string read(const std::string& key) {
    ByteBuffer out;
    const Status got = store_->get(key, 0, 1LL << 40, out);
    return got ? std::string(out.view()) : "error: " + got.error().code;
  }
  static std::string slurp(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static int files_in(const fs::path& path) {
    return static_cast<int>(std::distance(fs::recursive_directory_iterator(path), fs::recursive_directory_iterator()));
  }

  /// Uploads these parts and completes; all but the last need 5 MiB.
  ObjectInfo upload(const std::string& key, const std::vector<std::string>& contents) {
    const auto upload = store_->begin_upload(key, {}).value();
    std::vector<PartReceipt> parts;
    parts.reserve(contents.size());
    for (const std::string& content : contents) {
      parts.push_back(store_->upload_part(upload, static_cast<int>(parts.size()) + 1, content).value());
    }
    return store_->complete_upload(upload, parts).value();
  }
  /// The file of the only part of an upload.
  fs::path part_of(const UploadRef& upload) {
    for (const auto& entry : fs::directory_iterator(root_ / "uploads" / upload.id)) {
      if (entry.path().filename().string().starts_with("~part-")) return entry.path();
    }
    return {};
  }

  TemporaryDirectory directory_;
  fs::path root_ = directory_.path() / "store";
  std::unique_ptr<LocalStore> store_ = LocalStore::make(root_.string()).value();
};

TEST_F(LocalStoreTest, WhatIsPutIsAPlainFileForItsOwnerAlone) {
  ASSERT_TRUE(store_->put("tenant/exports/a.csv", "a,b\n", {}));
  const fs::path path = root_ / "objects/tenant/exports/a.csv";
  EXPECT_EQ(slurp(path), "a,b\n");
  EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(fs::status(root_ / "objects/tenant").permissions(), fs::perms::owner_all);
  EXPECT_EQ(files_in(root_ / "tmp"), 0);
}

TEST_F(LocalStoreTest, RemoveClearsEmptyDirectories) {
  ASSERT_TRUE(store_->put("t/2026/01/a", "1", {}));
  ASSERT_TRUE(store_->put("t/2026/02/b", "2", {}));
  ASSERT_TRUE(store_->remove("t/2026/01/a"));
  EXPECT_FALSE(fs::exists(root_ / "objects/t/2026/01"));
  EXPECT_TRUE(fs::exists(root_ / "objects/t/2026/02/b"));
  ASSERT_TRUE(store_->remove("t/2026/02/b"));
  EXPECT_EQ(files_in(root_ / "objects"), 0);
  EXPECT_TRUE(fs::exists(root_ / "objects"));
}

TEST_F(LocalStoreTest, FollowsNoPlantedLinks) {
  const fs::path outside = directory_.path() / "outside";
  fs::create_directories(outside / "deep");
  std::ofstream(outside / "secret") << "secret";
  ASSERT_TRUE(store_->put("t/real", "real", {}));
  fs::create_directory_symlink(outside, root_ / "objects/t/dir");
  fs::create_symlink(outside / "secret", root_ / "objects/t/file");
  fs::create_symlink("../../outside/secret", root_ / "objects/relative");

  EXPECT_EQ(read("t/file"), "error: object_not_found");
  EXPECT_EQ(read("relative"), "error: object_not_found");
  EXPECT_EQ(read("t/dir/secret"), "error: object_not_found");
  EXPECT_FALSE(store_->head("t/dir/secret"));
  EXPECT_FALSE(store_->open_for_read("t/dir/secret"));
  const auto listed = store_->list("t/", "", 100).value();
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].key, "t/real");
  EXPECT_TRUE(store_->list("t/dir/", "", 100).value().empty());

  const auto through = store_->put("t/dir/new", "x", {});
  ASSERT_FALSE(through);
  EXPECT_EQ(through.error().code, "store_denied");
  EXPECT_TRUE(store_->remove("t/dir/secret"));
  EXPECT_TRUE(fs::exists(outside / "secret"));
  EXPECT_FALSE(fs::exists(outside / "new"));

  // Writing to a key whose last segment is a link replaces the link, not what it points at.
  ASSERT_TRUE(store_->put("t/file", "mine", {}));
  EXPECT_EQ(read("t/file"), "mine");
  EXPECT_EQ(slurp(outside / "secret"), "secret");
}

TEST_F(LocalStoreTest, FollowsNoLinksAmongUploads) {
  const auto upload = store_->begin_upload("t/a", {}).value();
  const auto receipt = store_->upload_part(upload, 1, "content").value();
  const fs::path part = part_of(upload);
  fs::rename(part, directory_.path() / "moved");
  fs::create_symlink(directory_.path() / "moved", part);
  const auto refused = store_->complete_upload(upload, std::vector{receipt});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "part_mismatch");
  // Nor when it is thrown away.
  fs::create_directory_symlink(directory_.path(), root_ / "uploads" / upload.id / "~part-00002-00000000");
  ASSERT_TRUE(store_->abort_upload(upload));
  EXPECT_TRUE(fs::exists(directory_.path() / "moved"));
  EXPECT_EQ(files_in(root_ / "uploads") + files_in(root_ / "tmp"), 0);
}

TEST_F(LocalStoreTest, IsNotHeldUpByAPipe) {
  ASSERT_TRUE(store_->put("t/a", "a", {}));
  ASSERT_EQ(::mkfifo((root_ / "objects/t/pipe").c_str(), 0600), 0);
  EXPECT_EQ(read("t/pipe"), "error: object_not_found");
  EXPECT_EQ(store_->list("", "", 10).value().size(), 1U);
}

TEST_F(LocalStoreTest, RefusesLinksInPlaceOfItsDirectories) {
  const fs::path root = directory_.path() / "linked";
  fs::create_directories(root);
  fs::create_directory_symlink("/", root / "objects");
  const auto made = LocalStore::make(root.string());
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, "store_denied");
  EXPECT_THAT(made.error().message, HasSubstr("objects"));
}

TEST_F(LocalStoreTest, SaysThatAKeyCannotLieBelowAnother) {
  ASSERT_TRUE(store_->put("t/a", "1", {}));
  const auto below = store_->put("t/a/b", "2", {});
  ASSERT_FALSE(below);
  EXPECT_EQ(below.error().code, "store_denied");
  EXPECT_THAT(below.error().message, HasSubstr("t/a/b"));
  ASSERT_TRUE(store_->put("t/c/d", "1", {}));
  EXPECT_EQ(store_->put("t/c", "2", {}).error().code, "store_denied");
  EXPECT_EQ(read("t/a"), "1");
  EXPECT_EQ(read("t/c/d"), "1");
  EXPECT_EQ(files_in(root_ / "tmp"), 0);
}

TEST_F(LocalStoreTest, EtagsSurviveACopyThatKeepsTimes) {
  const auto put = store_->put("t/a", "content", {}).value();
  const fs::path copy = directory_.path() / "copy";
  fs::create_directories(copy);
  ASSERT_EQ(std::system(("cp -a " + root_.string() + "/. " + copy.string()).c_str()), 0);
  const auto restored = LocalStore::make(copy.string()).value();
  EXPECT_EQ(restored->head("t/a").value().etag, put.etag);
}

TEST_F(LocalStoreTest, QuickVersionsOfOneSizeHaveDifferentEtags) {
  std::vector<std::string> etags;
  for (int i = 0; i < 20; ++i) etags.push_back(store_->put("t/a", std::to_string(i % 10), {}).value().etag);
  std::sort(etags.begin(), etags.end());
  EXPECT_EQ(std::unique(etags.begin(), etags.end()), etags.end());
}

TEST_F(LocalStoreTest, AnOpenObjectStaysReadableWhenReplacedOrRemoved) {
  ASSERT_TRUE(store_->put("t/a", "old content", {}));
  const auto opened = store_->open_for_read("t/a").value();
  ASSERT_TRUE(store_->put("t/a", "new", {}));
  ASSERT_TRUE(store_->remove("t/a"));
  EXPECT_EQ(opened->info().size, 11);
  std::string bytes(32, '\0');
  EXPECT_EQ(opened->read(bytes.data(), 7, 4).value(), 7);
  EXPECT_EQ(bytes.substr(0, 7), "content");
  EXPECT_EQ(opened->read(bytes.data(), 32, 4).value(), 7);
  EXPECT_EQ(opened->read(bytes.data(), 32, 100).value(), 0);
}

TEST_F(LocalStoreTest, AnOpenObjectOfPartsStaysReadableWhenReplacedOrRemoved) {
  const std::string first(kMinPartBytes, 'a');
  for (const bool replaced : {false, true}) {
    upload("t/a", {first, "end"});
    auto opened = store_->open_for_read("t/a").value();
    if (replaced) {
      ASSERT_TRUE(store_->put("t/a", "new", {}));
    }
    ASSERT_TRUE(store_->remove("t/a"));
    EXPECT_EQ(read("t/a"), "error: object_not_found");
    // A sweep spares it, too.
    ASSERT_TRUE(store_->remove_abandoned_writes());
    std::string bytes(first.size() + 10, '\0');
    EXPECT_EQ(opened->read(bytes.data(), std::ssize(bytes), 0).value(), std::ssize(first) + 3);
    EXPECT_TRUE(bytes.starts_with(first + "end"));
    EXPECT_GT(files_in(root_ / "tmp"), 0);
    opened.reset();
    ASSERT_TRUE(store_->remove_abandoned_writes());
    EXPECT_EQ(files_in(root_ / "tmp"), 0);
  }
}

TEST_F(LocalStoreTest, WhatIsUploadedInPartsIsADirectoryOfThem) {
  const std::string first(kMinPartBytes, 'a');
  const ObjectInfo object = upload("t/2026/a.csv", {first, "the end\n"});
  const fs::path path = root_ / "objects/t/2026/a.csv";
  EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_all);
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(path)) {
    names.push_back(entry.path().filename().string());
    EXPECT_EQ(entry.status().permissions(), fs::perms::owner_read | fs::perms::owner_write);
  }
  std::sort(names.begin(), names.end());
  ASSERT_EQ(names.size(), 3U);
  EXPECT_EQ(names[0], "~object");
  EXPECT_THAT(names[1], testing::MatchesRegex("~part-00001-[0-9a-f]{8}"));
  EXPECT_THAT(names[2], testing::MatchesRegex("~part-00002-[0-9a-f]{8}"));
  EXPECT_EQ(slurp(path / "~object"), "longshore-object 1 5242888 2\n" + names[1] + " 5242880\n" + names[2] + " 8\n");
  // What operations.md promises to who has only a shell.
  ASSERT_EQ(std::system(("cat " + path.string() + "/~part-* > " + (directory_.path() / "out").string()).c_str()), 0);
  EXPECT_TRUE(slurp(directory_.path() / "out") == first + "the end\n");

  EXPECT_EQ(store_->head("t/2026/a.csv").value().etag, object.etag);
  const auto listed = store_->list("", "", 10).value();
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].key, "t/2026/a.csv");
  EXPECT_EQ(listed[0].etag, object.etag);
  EXPECT_EQ(listed[0].size, 5242888);
  ASSERT_TRUE(store_->remove("t/2026/a.csv"));
  EXPECT_EQ(files_in(root_ / "objects") + files_in(root_ / "uploads") + files_in(root_ / "tmp"), 0);
}

TEST_F(LocalStoreTest, NoKeyReachesIntoAnObjectOfParts) {
  upload("t/a", {"content"});
  EXPECT_EQ(read("t/a/~object"), "error: bad_object_key");
  EXPECT_EQ(read("t/a/x"), "error: object_not_found");
  EXPECT_TRUE(store_->list("t/a/", "", 10).value().empty());
  const auto below = store_->put("t/a/x", "1", {});
  ASSERT_FALSE(below);
  EXPECT_EQ(below.error().code, "store_denied");
  EXPECT_THAT(below.error().message, HasSubstr("t/a/x"));
  EXPECT_TRUE(store_->remove("t/a/x"));
  const auto begun = store_->begin_upload("t/a/y", {}).value();
  const auto refused = store_->complete_upload(begun, std::vector{store_->upload_part(begun, 1, "y").value()});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "store_denied");
  EXPECT_EQ(read("t/a"), "content");
  // Nor does one take the place of the keys below it.
  ASSERT_TRUE(store_->put("t/dir/x", "x", {}));
  const auto above = store_->begin_upload("t/dir", {}).value();
  EXPECT_EQ(store_->complete_upload(above, std::vector{store_->upload_part(above, 1, "y").value()}).error().code,
            "store_denied");
  EXPECT_EQ(read("t/dir/x"), "x");
  ASSERT_TRUE(store_->abort_upload(begun));
  ASSERT_TRUE(store_->abort_upload(above));
  EXPECT_EQ(files_in(root_ / "uploads") + files_in(root_ / "tmp"), 0);
}

TEST_F(LocalStoreTest, ListsObjectsOfPartsWhereTheirKeysSort) {
  for (const char* key : {"l/a0", "l/a", "l/b/x"}) upload(key, {key});
  for (const char* key : {"l/a.b", "l/a-b", "l/b/a"}) ASSERT_TRUE(store_->put(key, key, {}));
  std::vector<std::string> keys;
  for (std::string after;;) {
    const auto page = store_->list("l/", after, 1).value();
    if (page.empty()) break;
    keys.push_back(after = page[0].key);
  }
  EXPECT_THAT(keys, testing::ElementsAre("l/a", "l/a-b", "l/a.b", "l/a0", "l/b/a", "l/b/x"));
  EXPECT_EQ(store_->list("l/a", "", 10).value().size(), 4U);
}

TEST_F(LocalStoreTest, ReadersSeeOneVersionOrTheOtherWhileAnObjectIsReplaced) {
  ASSERT_TRUE(store_->put("t/a", std::string(100, '0'), {}));
  std::atomic<bool> done = false;
  std::atomic<int> torn = 0;
  std::vector<std::jthread> readers;
  readers.reserve(2);
  for (int t = 0; t < 2; ++t) {
    readers.emplace_back([&] {
      while (!done) {
        const std::string found = read("t/a");
        if (found.empty() || found != std::string(found.size(), found[0])) ++torn;
        if (!store_->head("t/a")) ++torn;
        if (store_->list("t/", "", 10).value().size() != 1) ++torn;
      }
    });
  }
  for (int i = 0; i < 60; ++i) {
    const std::string bytes(static_cast<std::size_t>(10 + i), static_cast<char>('a' + i % 26));
    if (i % 3 == 0) {
      ASSERT_TRUE(store_->put("t/a", bytes, {}));
    } else {
      upload("t/a", {bytes});
    }
  }
  done = true;
  readers.clear();
  EXPECT_EQ(torn, 0);
  ASSERT_TRUE(store_->remove_abandoned_writes());
  EXPECT_EQ(files_in(root_ / "tmp"), 0);
}

TEST_F(LocalStoreTest, DamagedObjectsOfPartsAreSaid) {
  const std::string first(kMinPartBytes, 'a');
  upload("t/a", {first, "end"});
  const fs::path path = root_ / "objects/t/a";
  fs::path last;
  for (const auto& entry : fs::directory_iterator(path)) {
    if (entry.path().filename().string().starts_with("~part-00002")) last = entry.path();
  }
  ByteBuffer out;
  fs::resize_file(last, 2);
  const auto shorter = store_->get("t/a", 0, 1 << 30, out);
  ASSERT_FALSE(shorter);
  EXPECT_EQ(shorter.error().code, "store_denied");
  EXPECT_THAT(shorter.error().message, HasSubstr(last.filename().string() + " of the object t/a is damaged"));
  fs::remove(last);
  const auto gone = store_->get("t/a", 0, 1 << 30, out);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, "object_not_found");
  EXPECT_TRUE(store_->get("t/a", 0, kMinPartBytes, out)) << "what is there can be read";

  const std::string index = slurp(path / "~object");
  const std::string name = last.filename().string();
  const std::vector<std::string> bad{"",
                                     "longshore-object 2 3 0\n",
                                     index.substr(0, index.size() - 1),
                                     index + "x",
                                     index + name + " 3\n",
                                     "longshore-object 1 5242883 1\n" + index.substr(index.find('\n') + 1),
                                     "longshore-object 1 3 1\n../../../x 3\n",
                                     "longshore-object 1 3 1\n" + name + " -3\n",
                                     "longshore-object 1 3 1\n" + name + " 99999999999999999999\n",
                                     "longshore-object 1 -3 1\n" + name + " 3\n"};
  for (const std::string& text : bad) {
    SCOPED_TRACE(text);
    std::ofstream(path / "~object") << text;
    const auto refused = store_->get("t/a", 0, 1, out);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "store_denied");
    EXPECT_THAT(refused.error().message, HasSubstr("~object of the object t/a is damaged"));
  }
  ASSERT_TRUE(store_->put("t/a", "new", {}));
  EXPECT_EQ(read("t/a"), "new");
}

TEST_F(LocalStoreTest, APartUploadedAgainByAZombieSpoilsNothing) {
  const auto upload = store_->begin_upload("t/a", {}).value();
  const auto good = store_->upload_part(upload, 1, "good").value();
  const auto other = store_->upload_part(upload, 1, "from a zombie").value();
  ASSERT_NE(good.etag, other.etag);
  ASSERT_TRUE(store_->complete_upload(upload, std::vector{good}));
  EXPECT_EQ(read("t/a"), "good");
  EXPECT_EQ(store_->upload_part(upload, 1, "late").error().code, "upload_not_found");
  EXPECT_EQ(files_in(root_ / "objects/t/a"), 2);
  EXPECT_EQ(files_in(root_ / "uploads") + files_in(root_ / "tmp"), 0);
}

TEST_F(LocalStoreTest, CompletingAgainGoesByTheParts) {
  const auto upload = store_->begin_upload("t/a", {}).value();
  const std::vector parts{store_->upload_part(upload, 1, "content").value()};
  ASSERT_TRUE(store_->complete_upload(upload, parts));
  EXPECT_TRUE(store_->complete_upload(upload, parts));
  ASSERT_TRUE(store_->put("t/a", "contend", {}));
  EXPECT_EQ(store_->complete_upload(upload, parts).error().code, "upload_not_found") << "of the same size";
}

TEST_F(LocalStoreTest, PartsOfEverySizeAreWrittenWhole) {
  // Whole blocks are written past the page cache, the rest through it.
  for (const std::size_t size : {0, 1, 4095, 4096, 4097, 1 << 20, (1 << 20) + 1, (1 << 20) + 4096, (3 << 20) - 1}) {
    std::string content(size, '\0');
    for (std::size_t i = 0; i < size; ++i) content[i] = static_cast<char>(i * 7 + i / 253);
    EXPECT_EQ(upload("t/a", {content}).size, std::ssize(content));
    EXPECT_TRUE(read("t/a") == content) << size;
  }
}

TEST_F(LocalStoreTest, TwoStoresShareADirectory) {
  const auto other = LocalStore::make(root_.string()).value();
  const auto upload = store_->begin_upload("t/a", {}).value();
  const std::string big(kMinPartBytes, 'x');
  const auto a = other->upload_part(upload, 1, big).value();
  const auto b = store_->upload_part(upload, 2, "end").value();
  EXPECT_EQ(other->list_uploads("").value().size(), 1U);
  ASSERT_TRUE(other->complete_upload(upload, std::vector{a, b}));
  EXPECT_EQ(store_->head("t/a").value().size, kMinPartBytes + 3);
  ASSERT_TRUE(store_->complete_upload(upload, std::vector{a, b}));
}

TEST_F(LocalStoreTest, OneCompletesAndTheOtherIsToldToWait) {
  std::latch moving(1);
  std::latch go_on(1);
  std::atomic<bool> first = true;
  const auto slow = LocalStore::make(root_.string(), {.on_step =
                                                          [&](std::string_view step) {
                                                            if (step == "complete.moved" && first.exchange(false)) {
                                                              moving.count_down();
                                                              go_on.wait();
                                                            }
                                                          }})
                        .value();
  const auto upload = store_->begin_upload("t/a", {}).value();
  const std::vector parts{store_->upload_part(upload, 1, std::string(kMinPartBytes, 'x')).value(),
                          store_->upload_part(upload, 2, "end").value()};
  Result<ObjectInfo> completed = fail(internal_error("not_run", ""));
  std::jthread thread([&] { completed = slow->complete_upload(upload, parts); });
  moving.wait();
  const auto refused = store_->complete_upload(upload, parts);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "store_unavailable");
  EXPECT_TRUE(refused.error().retriable);
  go_on.count_down();
  thread.join();
  ASSERT_TRUE(completed);
  EXPECT_TRUE(store_->complete_upload(upload, parts));
  EXPECT_EQ(read("t/a"), std::string(kMinPartBytes, 'x') + "end");
}

TEST_F(LocalStoreTest, AbortingWhileCompletingHarmsNothing) {
  LocalStore* other = store_.get();
  for (const char* when : {"complete.moved", "complete.sorted", "complete.synced"}) {
    SCOPED_TRACE(when);
    UploadRef upload;
    bool first = true;
    const auto slow = LocalStore::make(root_.string(), {.on_step =
                                                            [&](std::string_view step) {
                                                              if (step != when || !std::exchange(first, false)) return;
                                                              ASSERT_TRUE(other->abort_upload(upload));
                                                            }})
                          .value();
    upload = store_->begin_upload("t/a", {}).value();
    const std::vector parts{store_->upload_part(upload, 1, std::string(kMinPartBytes, 'x')).value(),
                            store_->upload_part(upload, 2, "end").value()};
    const auto completed = slow->complete_upload(upload, parts);
    ASSERT_FALSE(completed);
    EXPECT_EQ(completed.error().code, "upload_not_found");
    EXPECT_FALSE(store_->head("t/a"));
    EXPECT_EQ(files_in(root_ / "uploads") + files_in(root_ / "tmp"), 0);
  }
}

TEST_F(LocalStoreTest, WritingAndRemovingNeighboursDoNotDisturbEachOther) {
  // remove() takes away directories that put() is about to use.
  std::vector<std::jthread> threads;
  std::atomic<int> failures = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const std::string key = "shared/deep/" + std::to_string(t);
      for (int i = 0; i < 50; ++i) {
        if (!store_->put(key, "x", {}) || !store_->head(key) || !store_->remove(key)) ++failures;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(failures, 0);
}

TEST_F(LocalStoreTest, ADamagedPartIsNotTaken) {
  const auto upload = store_->begin_upload("t/a", {}).value();
  const auto receipt = store_->upload_part(upload, 1, std::string(1000, 'x')).value();
  fs::resize_file(part_of(upload), 900);
  const auto refused = store_->complete_upload(upload, std::vector{receipt});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "part_mismatch");
  EXPECT_THAT(refused.error().message, HasSubstr("part 1 of upload " + upload.id + " of t/a"));
}

TEST_F(LocalStoreTest, WhatDeadWritersLeftIsSweptAndNothingElse) {
  std::ofstream(root_ / "tmp/left") << "half an object";
  fs::create_directories(root_ / "tmp/0192f0c4-0000-7000-8000-000000000000.gone/below");
  const int writing = ::open((root_ / "tmp/writing").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  ASSERT_TRUE(file::claim_temporary(writing));
  ASSERT_TRUE(store_->remove_abandoned_writes());
  EXPECT_EQ(files_in(root_ / "tmp"), 1);
  EXPECT_TRUE(fs::exists(root_ / "tmp/writing"));
  ::close(writing);
  ASSERT_TRUE(store_->remove_abandoned_writes());
  EXPECT_EQ(files_in(root_ / "tmp"), 0);
}

TEST_F(LocalStoreTest, SweepingDisturbsNobodyWhoWrites) {
  std::atomic<bool> done = false;
  std::jthread sweeper([&] {
    while (!done) EXPECT_TRUE(store_->remove_abandoned_writes());
  });
  for (int i = 0; i < 200; ++i) {
    const std::string key = "t/" + std::to_string(i);
    ASSERT_TRUE(store_->put(key, "content", {})) << i;
    const auto upload = store_->begin_upload(key, {});
    ASSERT_TRUE(upload) << i << ' ' << upload.error().message;
    const auto receipt = store_->upload_part(*upload, 1, "part");
    ASSERT_TRUE(receipt) << i << ' ' << receipt.error().message;
    ASSERT_TRUE(store_->complete_upload(*upload, std::vector{*receipt})) << i;
  }
  done = true;
}

TEST_F(LocalStoreTest, MakeSaysWhatIsInTheWay) {
  std::ofstream(directory_.path() / "file") << "x";
  const auto made = LocalStore::make((directory_.path() / "file/store").string());
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, "store_denied");
  EXPECT_THAT(made.error().message, HasSubstr((directory_.path() / "file/store").string()));
}

/// A file system of a few MiB that only this process sees; it goes with the process.
class SmallDisk {
 public:
  explicit SmallDisk(const fs::path& at) : at_(at) {
    fs::create_directories(at);
    mounted_ = ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", "none", MS_REC | MS_PRIVATE, nullptr) == 0 &&
               ::mount("tmpfs", at.c_str(), "tmpfs", 0, "size=20m") == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(at_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted() const { return mounted_; }
  bool make_read_only() { return ::mount("none", at_.c_str(), "none", MS_REMOUNT | MS_RDONLY, nullptr) == 0; }

 private:
  fs::path at_;
  bool mounted_ = false;
};

TEST_F(LocalStoreTest, AFullDiskIsSaidAndLeavesNothingBehind) {
  SmallDisk disk(directory_.path() / "disk");
  if (!disk.mounted()) GTEST_SKIP() << "mounting a tmpfs needs root";
  const fs::path root = directory_.path() / "disk/store";
  const auto store = LocalStore::make(root.string()).value();

  const auto put = store->put("t/big", std::string(30 << 20, 'x'), {});
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, "store_full");
  EXPECT_TRUE(put.error().retriable);
  EXPECT_EQ(put.error().source, ErrorSource::external);
  EXPECT_THAT(put.error().message, HasSubstr("write the object t/big in the store " + root.string()));
  EXPECT_THAT(put.error().message, HasSubstr("of 20 MiB"));
  EXPECT_EQ(files_in(root / "tmp"), 0);

  const auto upload = store->begin_upload("t/a", {}).value();
  const std::string first(6 << 20, 'a');
  const std::string second(5 << 20, 'b');
  const std::vector parts{store->upload_part(upload, 1, first).value(), store->upload_part(upload, 2, second).value()};
  const auto third = store->upload_part(upload, 3, std::string(12 << 20, 'c'));
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, "store_full");
  EXPECT_THAT(third.error().message, HasSubstr("write part 3 of upload " + upload.id + " of t/a"));

  // Completing needs room for the index alone. Without it the error says so, and nothing is lost.
  std::ofstream ballast(root / "ballast", std::ios::binary);
  while (ballast.write(std::string(4096, 'z').data(), 4096).flush()) {
  }
  const auto full = store->complete_upload(upload, parts);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, "store_full");
  EXPECT_THAT(full.error().message, HasSubstr("write the index of upload " + upload.id));
  fs::resize_file(root / "ballast", fs::file_size(root / "ballast") - (64U << 10));
  ASSERT_TRUE(store->complete_upload(upload, parts));
  ByteBuffer out;
  ASSERT_TRUE(store->get("t/a", 0, 1 << 30, out));
  EXPECT_TRUE(out.view() == first + second);
  EXPECT_EQ(files_in(root / "uploads") + files_in(root / "tmp"), 0);
}

TEST_F(LocalStoreTest, AReadOnlyDiskIsDenied) {
  SmallDisk disk(directory_.path() / "disk");
  if (!disk.mounted()) GTEST_SKIP() << "mounting a tmpfs needs root";
  const auto store = LocalStore::make((directory_.path() / "disk/store").string()).value();
  ASSERT_TRUE(store->put("t/a", "x", {}));
  ASSERT_TRUE(disk.make_read_only());
  const Status ping = store->ping();
  ASSERT_FALSE(ping);
  EXPECT_EQ(ping.error().code, "store_denied");
  EXPECT_FALSE(ping.error().retriable);
  EXPECT_THAT(ping.error().message, HasSubstr("must be able to write there"));
  EXPECT_EQ(store->put("t/b", "x", {}).error().code, "store_denied");
  EXPECT_TRUE(store->head("t/a"));
}

TEST_F(LocalStoreTest, TheStoreMustLieOnOneFileSystem) {
  const fs::path root = directory_.path() / "split";
  SmallDisk disk(root / "objects");
  if (!disk.mounted()) GTEST_SKIP() << "mounting a tmpfs needs root";
  const auto made = LocalStore::make(root.string());
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, "store_denied");
  EXPECT_THAT(made.error().message, HasSubstr("another file system"));
}

/// Makes renameat2(RENAME_EXCHANGE) fail as on a file system that lacks it, for this thread and for good.
bool forbid_exchange() {
  const auto offset = [](std::size_t argument) {
    return static_cast<std::uint32_t>(offsetof(seccomp_data, args) + argument * sizeof(std::uint64_t));
  };
  std::array<sock_filter, 6> filter{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_renameat2, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset(4)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RENAME_EXCHANGE, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog program{filter.size(), filter.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

TEST_F(LocalStoreTest, ObjectsAreReplacedAlsoWhereEntriesCannotBeExchanged) {
  std::jthread([&] {
    ASSERT_TRUE(forbid_exchange());
    ASSERT_TRUE(store_->put("t/a", "one", {}));
    upload("t/a", {"two"});
    EXPECT_EQ(read("t/a"), "two");
    upload("t/a", {"three"});
    EXPECT_EQ(read("t/a"), "three");
    ASSERT_TRUE(store_->put("t/a", "four", {}));
    EXPECT_EQ(read("t/a"), "four");
  }).join();
  EXPECT_EQ(files_in(root_ / "objects"), 2);
  EXPECT_EQ(files_in(root_ / "uploads") + files_in(root_ / "tmp"), 0);
}

}  // namespace
}  // namespace longshore
