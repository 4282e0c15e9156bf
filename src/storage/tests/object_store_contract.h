#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "storage/multipart_rules.h"
#include "storage/object_store.h"

namespace longshore {

/// What every object store must do. A store takes part by a harness, default-constructed for each test:
///
///   struct MyHarness { ObjectStore& store(); };
///   INSTANTIATE_TYPED_TEST_SUITE_P(My, ObjectStoreContract, MyHarness);
///
/// Keys begin with `contract/`, so a store that outlives the tests can tell them apart.
template <class Harness>
class ObjectStoreContract : public testing::Test {
 protected:
  ObjectStore& store() { return harness_.store(); }

  static std::string bytes(std::size_t size, unsigned seed) {
    std::string out(size, '\0');
    unsigned state = seed * 2654435761U + 1;
    for (char& c : out) {
      state = state * 1664525U + 1013904223U;
      c = static_cast<char>(state >> 24);
    }
    return out;
  }
  std::string read(const std::string& key, std::int64_t offset = 0, std::int64_t length = 1LL << 40) {
    ByteBuffer out;
    const Status got = store().get(key, offset, length, out);
    return got ? std::string(out.view()) : "error: " + got.error().code;
  }
  std::vector<std::string> keys(const std::string& prefix, const std::string& after = "", int limit = 1000) {
    std::vector<std::string> out;
    const auto found = store().list(prefix, after, limit);
    if (!found) return {"error: " + found.error().code};
    for (const ObjectInfo& info : *found) out.push_back(info.key);
    return out;
  }
  UploadRef begin(const std::string& key) { return store().begin_upload(key, {}).value(); }
  PartReceipt upload(const UploadRef& upload, int number, const std::string& content) {
    return store().upload_part(upload, number, content).value();
  }
  std::set<std::string> uploads(const std::string& prefix) {
    std::set<std::string> ids;
    const auto found = store().list_uploads(prefix).value();
    for (const UploadInfo& info : found) ids.insert(info.upload.id);
    return ids;
  }
  template <class T>
  static std::string code(const Result<T>& result) {
    return result ? "ok" : result.error().code;
  }

  Harness harness_;
};

TYPED_TEST_SUITE_P(ObjectStoreContract);

TYPED_TEST_P(ObjectStoreContract, GivesBackWhatWasPut) {
  const auto put = this->store().put("contract/tenant/2026/a.csv", "one,two\n", {"text/csv"});
  ASSERT_TRUE(put) << put.error().message;
  EXPECT_EQ(put->key, "contract/tenant/2026/a.csv");
  EXPECT_EQ(put->size, 8);
  EXPECT_FALSE(put->etag.empty());
  EXPECT_EQ(put->etag.find('"'), std::string::npos);
  EXPECT_EQ(this->read("contract/tenant/2026/a.csv"), "one,two\n");
  const auto head = this->store().head("contract/tenant/2026/a.csv");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->size, 8);
  EXPECT_EQ(head->etag, put->etag);
  EXPECT_GT(head->modified.time_since_epoch().count(), 0);
}

TYPED_TEST_P(ObjectStoreContract, PutReplacesAndChangesTheEtag) {
  const auto first = this->store().put("contract/x", "aaaa", {}).value();
  const auto second = this->store().put("contract/x", "bbbb", {}).value();
  EXPECT_NE(first.etag, second.etag);
  EXPECT_EQ(this->read("contract/x"), "bbbb");
  EXPECT_THAT(this->keys("contract/"), testing::ElementsAre("contract/x"));
}

TYPED_TEST_P(ObjectStoreContract, HoldsEmptyObjects) {
  EXPECT_EQ(this->store().put("contract/empty", "", {}).value().size, 0);
  EXPECT_EQ(this->read("contract/empty"), "");
  EXPECT_EQ(this->store().head("contract/empty").value().size, 0);
}

TYPED_TEST_P(ObjectStoreContract, ReadsRangesAndAppends) {
  ASSERT_TRUE(this->store().put("contract/r", "0123456789", {}));
  EXPECT_EQ(this->read("contract/r", 2, 3), "234");
  EXPECT_EQ(this->read("contract/r", 8, 100), "89");
  EXPECT_EQ(this->read("contract/r", 10, 5), "");
  EXPECT_EQ(this->read("contract/r", 11, 5), "");
  EXPECT_EQ(this->read("contract/r", 3, 0), "");
  ByteBuffer out("head:");
  ASSERT_TRUE(this->store().get("contract/r", 0, 2, out));
  EXPECT_EQ(out.view(), "head:01");
}

TYPED_TEST_P(ObjectStoreContract, SaysWhatIsNotThere) {
  ByteBuffer out;
  const Status got = this->store().get("contract/none", 0, 1, out);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, "object_not_found");
  EXPECT_EQ(got.error().source, ErrorSource::external);
  EXPECT_FALSE(got.error().retriable);
  EXPECT_THAT(got.error().message, testing::HasSubstr("contract/none"));
  EXPECT_EQ(this->code(this->store().head("contract/none")), "object_not_found");
  EXPECT_EQ(this->code(this->store().remove("contract/none/deeper")), "ok");
}

TYPED_TEST_P(ObjectStoreContract, RemovesOnlyTheObjectNamed) {
  ASSERT_TRUE(this->store().put("contract/d/one", "1", {}));
  ASSERT_TRUE(this->store().put("contract/d/two", "2", {}));
  // The beginning of other keys is not an object.
  EXPECT_TRUE(this->store().remove("contract/d"));
  EXPECT_EQ(this->code(this->store().head("contract/d")), "object_not_found");
  EXPECT_TRUE(this->store().remove("contract/d/one"));
  EXPECT_THAT(this->keys("contract/"), testing::ElementsAre("contract/d/two"));
  EXPECT_TRUE(this->store().remove("contract/d/two"));
  EXPECT_THAT(this->keys("contract/"), testing::IsEmpty());
  EXPECT_TRUE(this->store().put("contract/d/again", "3", {}));
}

TYPED_TEST_P(ObjectStoreContract, RefusesKeysThatAreNone) {
  const std::string long_segment = "contract/" + std::string(256, 'a');
  std::string long_key = "contract";
  while (long_key.size() <= 512) long_key += "/aaaaaaaaa";
  for (const std::string& key :
       {std::string(""), std::string("/"), std::string("/etc/passwd"), std::string("../x"),
        std::string("contract/../../x"), std::string("contract/.."), std::string("contract/./x"), std::string("."),
        std::string("contract//x"), std::string("contract/x/"), std::string("contract\\x"),
        std::string("contract/%2e%2e/x"), std::string("contract/a b"), std::string("contract/a\0b", 12),
        std::string("contract/a\nb"), std::string("contract/\xC3\xA4"), long_segment, long_key}) {
    SCOPED_TRACE(key);
    ByteBuffer out;
    const auto put = this->store().put(key, "x", {});
    ASSERT_FALSE(put);
    EXPECT_EQ(put.error().code, "bad_object_key");
    EXPECT_EQ(put.error().source, ErrorSource::user);
    EXPECT_EQ(put.error().message.find('\n'), std::string::npos);
    EXPECT_EQ(this->code(this->store().get(key, 0, 1, out)), "bad_object_key");
    EXPECT_EQ(this->code(this->store().head(key)), "bad_object_key");
    EXPECT_EQ(this->code(this->store().remove(key)), "bad_object_key");
    EXPECT_EQ(this->code(this->store().begin_upload(key, {})), "bad_object_key");
  }
  EXPECT_EQ(this->code(this->store().list("contract/../", "", 10)), "bad_object_key");
  EXPECT_EQ(this->code(this->store().list_uploads("../")), "bad_object_key");
}

TYPED_TEST_P(ObjectStoreContract, TakesEveryKeyThatIsOne) {
  std::string longest = "contract/" + std::string(255, 'a') + "/" + std::string(512 - 9 - 256, 'b');
  ASSERT_EQ(longest.size(), 512U);
  for (const std::string& key : {std::string("contract/.hidden"), std::string("contract/a=b/c.d_e-f"),
                                 std::string("contract/..."), std::string("contract/..x/y.."), longest}) {
    SCOPED_TRACE(key);
    ASSERT_TRUE(this->store().put(key, key, {}));
    EXPECT_EQ(this->read(key), key);
    EXPECT_THAT(this->keys(key), testing::ElementsAre(key));
    EXPECT_TRUE(this->store().remove(key));
  }
}

TYPED_TEST_P(ObjectStoreContract, ListsInKeyOrder) {
  // Not the order of a directory tree walked naively: '-' and '.' sort before '/', digits after it.
  const std::vector<std::string> sorted{"contract/l/a-b", "contract/l/a.b", "contract/l/a/x", "contract/l/a/y/z",
                                        "contract/l/a0",  "contract/l/b",   "contract/m/a"};
  for (auto key = sorted.rbegin(); key != sorted.rend(); ++key) ASSERT_TRUE(this->store().put(*key, "1", {}));
  using testing::ElementsAre;
  EXPECT_EQ(this->keys("contract/"), sorted);
  EXPECT_THAT(this->keys("contract/l/a"),
              ElementsAre("contract/l/a-b", "contract/l/a.b", "contract/l/a/x", "contract/l/a/y/z", "contract/l/a0"));
  EXPECT_THAT(this->keys("contract/l/a/"), ElementsAre("contract/l/a/x", "contract/l/a/y/z"));
  EXPECT_THAT(this->keys("contract/m/a"), ElementsAre("contract/m/a"));
  EXPECT_THAT(this->keys("contract/none/"), ElementsAre());
  EXPECT_THAT(this->keys("contract/l/b/"), ElementsAre());
  // Page by page, from wherever.
  std::vector<std::string> paged;
  for (std::vector<std::string> page;
       !(page = this->keys("contract/", paged.empty() ? "" : paged.back(), 2)).empty();) {
    EXPECT_LE(page.size(), 2U);
    paged.insert(paged.end(), page.begin(), page.end());
  }
  EXPECT_EQ(paged, sorted);
  EXPECT_THAT(this->keys("contract/", "contract/l/a/w"),
              ElementsAre("contract/l/a/x", "contract/l/a/y/z", "contract/l/a0", "contract/l/b", "contract/m/a"));
  EXPECT_THAT(this->keys("contract/l/", "contract/z"), ElementsAre());
  EXPECT_THAT(this->keys("contract/l/a/", "contract/a"), ElementsAre("contract/l/a/x", "contract/l/a/y/z"));
}

TYPED_TEST_P(ObjectStoreContract, AssemblesPartsInOrderOfTheirNumbers) {
  const auto first = this->bytes(kMinPartBytes, 1);
  const auto second = this->bytes(kMinPartBytes + 4321, 2);
  const auto upload = this->begin("contract/up/a.csv");
  // Any order, gaps allowed.
  const auto r9 = this->upload(upload, 900, "the end");
  const auto r2 = this->upload(upload, 20, second);
  const auto r1 = this->upload(upload, 1, first);
  EXPECT_EQ(r2.number, 20);
  EXPECT_EQ(r2.bytes, std::ssize(second));
  EXPECT_EQ(this->code(this->store().head("contract/up/a.csv")), "object_not_found");
  const auto object = this->store().complete_upload(upload, std::vector{r1, r2, r9});
  ASSERT_TRUE(object) << object.error().message;
  EXPECT_EQ(object->size, std::ssize(first) + std::ssize(second) + 7);
  EXPECT_TRUE(this->read("contract/up/a.csv") == first + second + "the end");
  EXPECT_EQ(this->store().head("contract/up/a.csv").value().size, object->size);
  EXPECT_THAT(this->uploads("contract/"), testing::IsEmpty());
}

TYPED_TEST_P(ObjectStoreContract, UploadsOfOnePartMayBeSmall) {
  const auto upload = this->begin("contract/small");
  const auto receipt = this->upload(upload, 1, "tiny");
  ASSERT_TRUE(this->store().complete_upload(upload, std::vector{receipt}));
  EXPECT_EQ(this->read("contract/small"), "tiny");
}

TYPED_TEST_P(ObjectStoreContract, RefusesSmallPartsInTheMiddle) {
  const auto upload = this->begin("contract/small");
  const auto a = this->upload(upload, 1, "tiny");
  const auto b = this->upload(upload, 2, "tiny");
  const auto refused = this->store().complete_upload(upload, std::vector{a, b});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "part_too_small");
  EXPECT_EQ(refused.error().source, ErrorSource::internal);
  // The upload is still there and can be completed rightly.
  EXPECT_TRUE(this->store().complete_upload(upload, std::vector{b}));
  EXPECT_EQ(this->read("contract/small"), "tiny");
}

TYPED_TEST_P(ObjectStoreContract, RefusesBadNumbers) {
  const auto upload = this->begin("contract/numbers");
  EXPECT_EQ(this->code(this->store().upload_part(upload, 0, "x")), "bad_part_number");
  EXPECT_EQ(this->code(this->store().upload_part(upload, -1, "x")), "bad_part_number");
  EXPECT_EQ(this->code(this->store().upload_part(upload, 10'001, "x")), "bad_part_number");
  const auto big = this->bytes(kMinPartBytes, 3);
  const auto a = this->upload(upload, 1, big);
  const auto b = this->upload(upload, 10'000, big);
  EXPECT_EQ(this->code(this->store().complete_upload(upload, std::vector{b, a})), "bad_part_number");
  EXPECT_EQ(this->code(this->store().complete_upload(upload, std::vector{a, a})), "bad_part_number");
  EXPECT_EQ(this->code(this->store().complete_upload(upload, {})), "no_parts");
  EXPECT_EQ(this->code(this->store().complete_upload(upload, std::vector{a, b})), "ok");
}

TYPED_TEST_P(ObjectStoreContract, APartWrittenAgainReplacesTheFirst) {
  const auto upload = this->begin("contract/again");
  const auto stale = this->upload(upload, 1, "first try");
  const auto fresh = this->upload(upload, 1, "other try");
  ASSERT_NE(stale.etag, fresh.etag);
  ASSERT_TRUE(this->store().complete_upload(upload, std::vector{fresh}));
  EXPECT_EQ(this->read("contract/again"), "other try");
}

TYPED_TEST_P(ObjectStoreContract, AStaleReceiptNeverStandsForOtherBytes) {
  const auto upload = this->begin("contract/stale");
  const auto stale = this->upload(upload, 1, "first try");
  this->upload(upload, 1, "other try");
  const auto completed = this->store().complete_upload(upload, std::vector{stale});
  if (completed) {
    EXPECT_EQ(this->read("contract/stale"), "first try");
    return;
  }
  EXPECT_EQ(completed.error().code, "part_mismatch");
  EXPECT_FALSE(completed.error().retriable);
  EXPECT_EQ(this->code(this->store().head("contract/stale")), "object_not_found");
}

TYPED_TEST_P(ObjectStoreContract, UploadsAndPutsReplaceEachOther) {
  const auto complete = [&](const std::string& content) {
    const auto upload = this->begin("contract/replaced");
    const auto object = this->store().complete_upload(upload, std::vector{this->upload(upload, 1, content)});
    ASSERT_TRUE(object) << object.error().message;
    EXPECT_EQ(this->store().head("contract/replaced").value().etag, object->etag);
  };
  ASSERT_TRUE(this->store().put("contract/replaced", "put", {}));
  complete("uploaded");
  EXPECT_EQ(this->read("contract/replaced"), "uploaded");
  complete("uploaded again");
  EXPECT_EQ(this->read("contract/replaced"), "uploaded again");
  ASSERT_TRUE(this->store().put("contract/replaced", "put again", {}));
  EXPECT_EQ(this->read("contract/replaced"), "put again");
  EXPECT_THAT(this->keys("contract/"), testing::ElementsAre("contract/replaced"));
  complete("to be removed");
  EXPECT_TRUE(this->store().remove("contract/replaced"));
  EXPECT_EQ(this->code(this->store().head("contract/replaced")), "object_not_found");
  EXPECT_THAT(this->keys("contract/"), testing::IsEmpty());
}

TYPED_TEST_P(ObjectStoreContract, ReadsRangesAcrossParts) {
  const auto a = this->bytes(kMinPartBytes, 1);
  const auto b = this->bytes(kMinPartBytes + 7, 2);
  const auto upload = this->begin("contract/parts");
  const std::vector parts{this->upload(upload, 1, a), this->upload(upload, 2, b), this->upload(upload, 3, "end")};
  ASSERT_TRUE(this->store().complete_upload(upload, parts));
  const std::string whole = a + b + "end";
  for (const std::int64_t border : {std::ssize(a), std::ssize(a) + std::ssize(b), std::ssize(whole)}) {
    for (std::int64_t offset = border - 2; offset <= border + 1; ++offset) {
      const auto begin = std::min<std::size_t>(static_cast<std::size_t>(offset), whole.size());
      EXPECT_EQ(this->read("contract/parts", offset, 3), whole.substr(begin, 3)) << offset;
    }
  }
  EXPECT_TRUE(this->read("contract/parts", 1, std::ssize(whole) - 2) == whole.substr(1, whole.size() - 2));
}

TYPED_TEST_P(ObjectStoreContract, WritingTheSamePartAgainKeepsItsReceipt) {
  const auto upload = this->begin("contract/same");
  const auto first = this->upload(upload, 1, "same bytes");
  const auto second = this->upload(upload, 1, "same bytes");
  EXPECT_EQ(first.etag, second.etag);
  EXPECT_TRUE(this->store().complete_upload(upload, std::vector{first}));
}

TYPED_TEST_P(ObjectStoreContract, RefusesReceiptsOfPartsThatAreNotThere) {
  // An older object of the same size must not be taken for the result.
  ASSERT_TRUE(this->store().put("contract/missing", "1234567", {}));
  const auto upload = this->begin("contract/missing");
  auto receipt = this->upload(upload, 1, "7654321");
  auto wrong_number = receipt;
  wrong_number.number = 2;
  EXPECT_EQ(this->code(this->store().complete_upload(upload, std::vector{wrong_number})), "part_mismatch");
  auto wrong_etag = receipt;
  wrong_etag.etag = "00000000-7";
  EXPECT_EQ(this->code(this->store().complete_upload(upload, std::vector{wrong_etag})), "part_mismatch");
  EXPECT_EQ(this->read("contract/missing"), "1234567");
  EXPECT_TRUE(this->store().complete_upload(upload, std::vector{receipt}));
  EXPECT_EQ(this->read("contract/missing"), "7654321");
}

TYPED_TEST_P(ObjectStoreContract, ThrowsAwayPartsNotNamed) {
  const auto upload = this->begin("contract/unnamed");
  const auto a = this->upload(upload, 1, this->bytes(kMinPartBytes, 1));
  this->upload(upload, 2, "not wanted");
  const auto c = this->upload(upload, 3, "wanted");
  ASSERT_TRUE(this->store().complete_upload(upload, std::vector{a, c}));
  EXPECT_EQ(this->read("contract/unnamed", kMinPartBytes), "wanted");
  EXPECT_THAT(this->uploads("contract/"), testing::IsEmpty());
}

TYPED_TEST_P(ObjectStoreContract, CompletingAgainSucceeds) {
  const auto upload = this->begin("contract/twice");
  const std::vector parts{this->upload(upload, 1, "content")};
  ASSERT_TRUE(this->store().complete_upload(upload, parts));
  const auto again = this->store().complete_upload(upload, parts);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->size, 7);
  EXPECT_EQ(this->read("contract/twice"), "content");
  // But not once the object is gone or another.
  ASSERT_TRUE(this->store().put("contract/twice", "something else", {}));
  EXPECT_EQ(this->code(this->store().complete_upload(upload, parts)), "upload_not_found");
  ASSERT_TRUE(this->store().remove("contract/twice"));
  EXPECT_EQ(this->code(this->store().complete_upload(upload, parts)), "upload_not_found");
}

TYPED_TEST_P(ObjectStoreContract, AbortLeavesNothing) {
  const auto upload = this->begin("contract/aborted");
  const std::vector parts{this->upload(upload, 1, "content")};
  EXPECT_TRUE(this->store().abort_upload(upload));
  EXPECT_TRUE(this->store().abort_upload(upload));
  EXPECT_THAT(this->uploads("contract/"), testing::IsEmpty());
  const auto late = this->store().upload_part(upload, 2, "late");
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, "upload_not_found");
  EXPECT_FALSE(late.error().retriable);
  EXPECT_EQ(this->code(this->store().complete_upload(upload, parts)), "upload_not_found");
  EXPECT_EQ(this->code(this->store().head("contract/aborted")), "object_not_found");
}

TYPED_TEST_P(ObjectStoreContract, KnowsNoUploadButItsOwn) {
  const auto upload = this->begin("contract/mine");
  for (const UploadRef& other :
       {UploadRef{"contract/other", upload.id}, UploadRef{"contract/mine", "0192f0c4-0000-7000-8000-000000000000"},
        UploadRef{"contract/mine", "../uploads/" + upload.id}, UploadRef{"contract/mine", ""},
        UploadRef{"contract/mine", "."}}) {
    SCOPED_TRACE(other.key + " " + other.id);
    EXPECT_EQ(this->code(this->store().upload_part(other, 1, "x")), "upload_not_found");
    EXPECT_TRUE(this->store().abort_upload(other));
  }
  EXPECT_THAT(this->uploads("contract/"), testing::ElementsAre(upload.id));
  EXPECT_TRUE(this->store().abort_upload(upload));
}

TYPED_TEST_P(ObjectStoreContract, ListsUploadsByPrefix) {
  const auto a = this->begin("contract/u/a");
  const auto a2 = this->begin("contract/u/a");
  const auto b = this->begin("contract/v/b");
  ASSERT_NE(a.id, a2.id);
  EXPECT_THAT(this->uploads("contract/u/"), testing::UnorderedElementsAre(a.id, a2.id));
  EXPECT_THAT(this->uploads("contract/"), testing::UnorderedElementsAre(a.id, a2.id, b.id));
  const auto listed = this->store().list_uploads("contract/v/").value();
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].upload.key, "contract/v/b");
  EXPECT_GT(listed[0].begun.time_since_epoch().count(), 0);
  // Uploads are no objects.
  EXPECT_THAT(this->keys("contract/"), testing::IsEmpty());
  for (const auto& upload : {a, a2, b}) EXPECT_TRUE(this->store().abort_upload(upload));
}

TYPED_TEST_P(ObjectStoreContract, TakesPartsFromManyThreads) {
  const auto upload = this->begin("contract/threads");
  std::vector<PartReceipt> receipts(8);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = t; i < 8; i += 4) {
          receipts[static_cast<std::size_t>(i)] =
              this->store()
                  .upload_part(upload, i + 1, this->bytes(kMinPartBytes + i, static_cast<unsigned>(i)))
                  .value();
        }
      });
    }
  }
  ASSERT_TRUE(this->store().complete_upload(upload, receipts));
  std::string expected;
  for (unsigned i = 0; i < 8; ++i) expected += this->bytes(kMinPartBytes + i, i);
  EXPECT_TRUE(this->read("contract/threads") == expected);
}

TYPED_TEST_P(ObjectStoreContract, AnswersPing) {
  const Status answer = this->store().ping();
  EXPECT_TRUE(answer) << answer.error().message;
}

REGISTER_TYPED_TEST_SUITE_P(ObjectStoreContract, GivesBackWhatWasPut, PutReplacesAndChangesTheEtag, HoldsEmptyObjects,
                            ReadsRangesAndAppends, SaysWhatIsNotThere, RemovesOnlyTheObjectNamed,
                            RefusesKeysThatAreNone, TakesEveryKeyThatIsOne, ListsInKeyOrder,
                            AssemblesPartsInOrderOfTheirNumbers, UploadsOfOnePartMayBeSmall,
                            RefusesSmallPartsInTheMiddle, RefusesBadNumbers, APartWrittenAgainReplacesTheFirst,
                            WritingTheSamePartAgainKeepsItsReceipt, RefusesReceiptsOfPartsThatAreNotThere,
                            ThrowsAwayPartsNotNamed, AStaleReceiptNeverStandsForOtherBytes,
                            UploadsAndPutsReplaceEachOther, ReadsRangesAcrossParts, CompletingAgainSucceeds,
                            AbortLeavesNothing, KnowsNoUploadButItsOwn, ListsUploadsByPrefix, TakesPartsFromManyThreads,
                            AnswersPing);

}  // namespace longshore
