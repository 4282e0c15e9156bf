#include "assemble/manifest.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "assemble/verify.h"
#include "base/digest.h"

namespace longshore {
namespace {

namespace fs = std::filesystem;

std::string temporary_directory() {
  std::string path = (fs::temp_directory_path() / "longshore-manifest-XXXXXX").string();
  if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("mkdtemp");
  return path;
}

/// A file of two partitions, `head0 more0 head1`, and the manifest of it.
class ManifestTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string bytes[] = {"head0,", "more0,", "head1"};
    content_ = bytes[0] + bytes[1] + bytes[2];
    job_.id = JobId("0192f0c4-0000-7000-8000-000000000001");
    job_.tenant = TenantId("acme");
    job_.requested_by = UserId("ann");
    job_.spec.dataset.name = "orders";
    job_.spec.format = "csv";
    job_.spec.columns.resize(1);
    job_.spec.columns[0].name = "id";
    partitions_.resize(2);
    for (int i = 0; i < 2; ++i) {
      partitions_[static_cast<std::size_t>(i)].partition.index = i;
      partitions_[static_cast<std::size_t>(i)].partition.base_part_number = 1 + 10 * i;
    }
    partitions_[0].partition.range.upto = KeyTuple{"500"};
    partitions_[1].partition.range = {KeyTuple{"500"}, KeyTuple{"900"}, false};
    partitions_[0].parts = {part(0, 0, bytes[0], 2), part(1, 2, bytes[1], 3)};
    partitions_[1].parts = {part(0, 0, bytes[2], 4)};
    file_.rows = 9;
    file_.bytes = static_cast<std::int64_t>(content_.size());
    file_.crc32c = crc32c(content_);
    file_.partition_offsets = {0, 12};
    file_.fidelity = {{1, 2, 3, 4}};
    add_file_part(1, 0, bytes[0]);
    add_file_part(2, 6, bytes[1]);
    add_file_part(10'000, 12, bytes[2]);
    auto made = make_manifest(job_, partitions_, file_, "app", Timestamp(std::chrono::seconds(1'780'000'000)), key_);
    ASSERT_TRUE(made) << made.error().message;
    manifest_ = *made;
    directory_ = temporary_directory();
    write(content_);
  }
  void TearDown() override { fs::remove_all(directory_); }

  static Part part(int sequence, int number, const std::string& bytes, std::int64_t rows) {
    Part part;
    part.sequence = sequence;
    part.number = number;
    part.bytes = static_cast<std::int64_t>(bytes.size());
    part.sha256 = sha256_hex(bytes);
    part.crc32c = crc32c(bytes);
    part.summary.rows = rows;
    return part;
  }
  void add_file_part(int number, std::int64_t offset, const std::string& bytes) {
    file_.parts.push_back({number, offset, static_cast<std::int64_t>(bytes.size()), sha256_hex(bytes), crc32c(bytes)});
  }
  void write(const std::string& bytes) { std::ofstream(path(), std::ios::binary) << bytes; }
  std::string path() const { return directory_ + "/file.csv"; }
  /// The problems that verification finds, joined.
  std::string problems(const std::string& manifest, const std::string& trusted = "") {
    const auto report = verify_file(path(), manifest, trusted);
    if (!report) return report.error().code;
    std::string all;
    for (const std::string& problem : report->problems) all += problem + "\n";
    return all;
  }
  std::string edited(const std::string& from, const std::string& to) const {
    std::string manifest = manifest_;
    const auto at = manifest.find(from);
    if (at == std::string::npos) throw std::runtime_error("no " + from);
    return manifest.replace(at, from.size(), to);
  }

  ManifestKey key_ = *ManifestKey::generate();
  ExportJob job_;
  std::vector<FinishedPartition> partitions_;
  AssembledFile file_;
  std::string content_;
  std::string manifest_;
  std::string directory_;
};

TEST_F(ManifestTest, ItDeclaresWhatBelongsTogether) {
  EXPECT_NE(manifest_.find(
                R"("consistency":{"mode":"best_effort","snapshotId":null,"lsn":null,"takenAt":null,"source":"app",)"
                R"("server":null,"systemIdentifier":null,"epochs":1,"guarantee":"every row that was there)"),
            std::string::npos)
      << manifest_;
  job_.spec.consistency = Consistency::snapshot;
  job_.snapshot = ExportSnapshot{.id = "00000003-0000001B-1",
                                 .lsn = "0/3000148",
                                 .server = "replica1:5432/app",
                                 .system_identifier = "7301234567890123456",
                                 .taken_at = Timestamp(std::chrono::seconds(1'780'000'000))};
  job_.snapshot_losses = 2;
  const auto made = make_manifest(job_, partitions_, file_, "app", Timestamp(), key_);
  ASSERT_TRUE(made);
  EXPECT_NE(
      made->find(R"("consistency":{"mode":"snapshot","snapshotId":"00000003-0000001B-1","lsn":"0/3000148",)"
                 R"("takenAt":"2026-05-28T20:26:40Z","source":"app","server":"replica1:5432/app",)"
                 R"("systemIdentifier":"7301234567890123456","epochs":3,"guarantee":"every row that the snapshot)"),
      std::string::npos)
      << *made;
}

TEST_F(ManifestTest, AWholeFileVerifies) {
  const auto report = verify_file(path(), manifest_, key_.public_key());
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->whole()) << problems(manifest_);
  EXPECT_EQ(report->rows, 9);
  EXPECT_EQ(report->bytes, 17);
  EXPECT_EQ(report->export_id, "exp_0192f0c4-0000-7000-8000-000000000001");
  EXPECT_TRUE(report->key_pinned);
  EXPECT_EQ(report->key_id, key_.id());
}

TEST_F(ManifestTest, FidelityIsReadBack) {
  const auto fidelity = manifest_fidelity(manifest_);
  ASSERT_TRUE(fidelity);
  EXPECT_EQ(*fidelity, file_.fidelity);
}

TEST_F(ManifestTest, OneChangedByteIsFound) {
  std::string changed = content_;
  changed[8] = 'X';
  write(changed);
  const std::string found = problems(manifest_);
  EXPECT_NE(found.find("part 2 (bytes 6 to 12) is not what was exported"), std::string::npos) << found;
  EXPECT_NE(found.find("CRC-32C"), std::string::npos) << found;
}

TEST_F(ManifestTest, ACutFileIsFound) {
  write(content_.substr(0, 14));
  EXPECT_NE(problems(manifest_).find("the file has 14 bytes, the manifest says 17"), std::string::npos);
}

TEST_F(ManifestTest, AnEditedManifestIsFound) {
  const std::string found = problems(edited("\"rowCount\":9", "\"rowCount\":8"));
  EXPECT_NE(found.find("changed after it was signed"), std::string::npos) << found;
  EXPECT_NE(found.find("the partitions hold 9 rows, the manifest says 8"), std::string::npos) << found;
}

TEST_F(ManifestTest, AMissingRangeIsFound) {
  EXPECT_NE(problems(edited("\"after\":[\"500\"]", "\"after\":[\"501\"]")).find("rows may be missing"),
            std::string::npos);
}

TEST_F(ManifestTest, AnotherSignerIsFound) {
  const auto other = ManifestKey::generate();
  ASSERT_TRUE(other);
  EXPECT_NE(problems(manifest_, other->public_key()).find("not the key you trust"), std::string::npos);
}

TEST_F(ManifestTest, GarbageIsAnError) {
  for (const char* garbage : {"", "{}", "[1]", "{\"exportId\":1}", "nul"}) {
    EXPECT_EQ(problems(garbage), "bad_manifest") << garbage;
  }
  fs::remove(path());
  EXPECT_EQ(problems(manifest_), "file_unreadable");
}

TEST(ManifestKey, KeepsItsIdentity) {
  const auto key = ManifestKey::generate();
  ASSERT_TRUE(key);
  const auto again = ManifestKey::from_seed(key->seed());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->public_key(), key->public_key());
  EXPECT_EQ(*manifest_key_id(key->public_key()), key->id());
  const auto signature = key->sign("message");
  ASSERT_TRUE(signature);
  EXPECT_TRUE(signature_holds(key->public_key(), "message", *signature));
  EXPECT_FALSE(signature_holds(key->public_key(), "messagf", *signature));
}

TEST(ManifestKey, KnowsTheRfcVector) {
  // RFC 8032 section 7.1, test 1: an empty message.
  const std::string seed =
      "\x9d\x61\xb1\x9d\xef\xfd\x5a\x60\xba\x84\x4a\xf4\x92\xec\x2c\xc4\x44\x49\xc5\x69\x7b\x32\x69\x19\x70\x3b\xac\x03"
      "\x1c\xae\x7f\x60";
  const auto key = ManifestKey::from_seed(base64url_encode(seed));
  ASSERT_TRUE(key);
  const auto public_key = base64url_decode(key->public_key());
  ASSERT_TRUE(public_key);
  EXPECT_EQ(to_hex(*public_key), "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
}

TEST(ManifestKey, RefusesGarbage) {
  for (const char* seed : {"", "short", "!!!!"}) {
    const auto key = ManifestKey::from_seed(seed);
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().code, "bad_manifest_key");
  }
}

}  // namespace
}  // namespace longshore
