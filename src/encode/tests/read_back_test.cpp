// Files read back by readers that nobody here wrote: Python's csv, json, gzip and zstandard, Node's zlib, Java's
// GZIPInputStream, the gzip and zstd commands.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "base/digest.h"
#include "encode/text/digits.h"
#include "encode/text/plain_cells.h"
#include "sample_rows.h"

namespace longshore {
namespace {

const std::vector<std::string> kColumns{"id:int64", "t:text",    "j:json",      "n:numeric(38,4)", "f:float64",
                                        "on:bool",  "raw:bytea", "any:numeric", "d:date"};

std::string awkward_text(std::mt19937_64& random) {
  static const std::vector<std::string> kPieces{"plain",      "\"",
                                                ",",          "\r\n",
                                                "\n",         " ",
                                                "'",          "=",
                                                "+1",         "-",
                                                "@",          "\t",
                                                "ä",          "日本",
                                                "\U0001F600", "\\",
                                                "\x7F",       "\u2028",
                                                "\U0010FFFF", "NULL",
                                                ";",          "a rather long run of quite ordinary words",
                                                "\x01"};
  std::string text;
  for (auto n = random() % 8; n > 0; --n) text += kPieces[random() % kPieces.size()];
  return text;
}

/// Rows, and the text each cell must be read back as (null for NULL), for read_back.py.
struct Sample {
  std::vector<Row> rows;
  boost::json::array expected;
};

Sample make_sample() {
  std::mt19937_64 random(2026);
  Sample sample;
  for (std::int64_t i = 0; i < 4000; ++i) {
    const auto id = static_cast<std::int64_t>(random());
    const std::string text = awkward_text(random);
    const std::string json = boost::json::serialize(boost::json::value{{"k", text}, {"n", {id, nullptr, true}}});
    Int128 decimal = static_cast<Int128>(random()) * static_cast<Int128>(random() >> 32) * (random() % 2 == 0 ? 1 : -1);
    if (random() % 4 == 0) decimal %= 100'000;
    auto number = std::bit_cast<double>(random());
    if (!std::isfinite(number) || i % 3 == 0) number = static_cast<double>(i) / 8;
    const std::string raw = text.substr(0, random() % 12);
    const std::string any = std::to_string(random()) + std::to_string(random()) + "." + std::to_string(random());
    Row row{id, text, json, decimal, number, i % 2 == 0, raw, any, i - 2000};

    char buffer[64];
    const auto string = [&](char* end) { return boost::json::string(std::string(buffer, end)); };
    DayText day;
    boost::json::array cells{string(write_int64(buffer, id)),
                             boost::json::string(text),
                             boost::json::string(json),
                             string(write_decimal(buffer, decimal, 4)),
                             string(write_float(buffer, number)),
                             boost::json::string(i % 2 == 0 ? "true" : "false"),
                             boost::json::string(base64_encode(raw)),
                             boost::json::string(any),
                             string(write_date(buffer, static_cast<std::int32_t>(i - 2000), day))};
    for (std::size_t c = 0; c < row.size(); ++c) {
      if (random() % 9 == 0) {
        row[c] = kNull;
        cells[c] = nullptr;
      }
    }
    sample.rows.push_back(std::move(row));
    sample.expected.push_back(std::move(cells));
  }
  return sample;
}

// A reader that is not there fails its test.
constexpr const char* kInstall = "\nneeds what `scripts/install.sh test` installs";

void read_back(const ExportSpec& spec, const std::string& extension) {
  static const Sample sample = make_sample();
  const TemporaryDirectory directory;
  const std::string expected = directory.write("expected.json", boost::json::serialize(sample.expected));
  for (const std::size_t partitions : {std::size_t{1}, std::size_t{3}}) {
    const std::string file =
        directory.write("file." + extension, encode_file(spec, sample.rows, partitions, 700).bytes);
    const CommandResult result = run_command(
        "/usr/bin/python3 " LONGSHORE_ENCODE_TESTS "/read_back.py " + file + " " + expected +
        (spec.csv.profile == CsvProfile::spreadsheet ? " spreadsheet" : " machine") + " '" + spec.csv.delimiter + "'");
    ASSERT_EQ(result.status, 0) << result.output << kInstall;
  }
}

TEST(ReadBack, CsvByPython) {
  ExportSpec spec = make_spec("csv", kColumns);
  read_back(spec, "csv");
  spec.csv.profile = CsvProfile::machine;
  read_back(spec, "csv");
  spec.csv.delimiter = ';';
  spec.csv.crlf = false;
  spec.csv.bom = true;
  read_back(spec, "csv");
}

TEST(ReadBack, JsonByPython) {
  read_back(make_spec("jsonl", kColumns), "jsonl");
  read_back(make_spec("json", kColumns), "json");
}

TEST(ReadBack, GzipByPython) {
  for (const char* format : {"csv", "jsonl", "json"}) {
    ExportSpec spec = make_spec(format, kColumns);
    spec.compression = Compression::gzip;
    read_back(spec, std::string(format) + ".gz");
  }
}

TEST(ReadBack, ZstdByPython) {
  for (const char* format : {"csv", "jsonl", "json"}) {
    ExportSpec spec = make_spec(format, kColumns);
    spec.compression = Compression::zstd;
    read_back(spec, std::string(format) + ".zst");
  }
}

/// A compressed file of several partitions, and the same file uncompressed.
struct Pair {
  std::string plain;
  std::string compressed;
};

Pair make_pair_of_files(Compression compression) {
  const Sample sample = make_sample();
  ExportSpec spec = make_spec("csv", kColumns);
  Pair pair;
  pair.plain = encode_file(spec, sample.rows, 3, 500).bytes;
  spec.compression = compression;
  pair.compressed = encode_file(spec, sample.rows, 3, 500).bytes;
  return pair;
}

TEST(ReadBack, ZstdByItsCommand) {
  const Pair pair = make_pair_of_files(Compression::zstd);
  const TemporaryDirectory directory;
  const std::string file = directory.write("a.zst", pair.compressed);
  const CommandResult test = run_command("zstd -t " + file);
  EXPECT_EQ(test.status, 0) << test.output << kInstall;
  EXPECT_TRUE(run_command("zstd -dc " + file).output == pair.plain);
  const CommandResult list = run_command("zstd -lv " + file);
  EXPECT_NE(list.output.find("# Zstandard Frames: 1"), std::string::npos) << list.output;
}

TEST(ReadBack, GzipByItsCommand) {
  const Pair pair = make_pair_of_files(Compression::gzip);
  const TemporaryDirectory directory;
  const std::string file = directory.write("a.gz", pair.compressed);
  const CommandResult test = run_command("gzip -tv " + file);
  EXPECT_EQ(test.status, 0) << test.output << kInstall;
  EXPECT_TRUE(run_command("gzip -dc " + file).output == pair.plain);
}

TEST(ReadBack, GzipByNode) {
  const Pair pair = make_pair_of_files(Compression::gzip);
  const TemporaryDirectory directory;
  const std::string file = directory.write("a.gz", pair.compressed);
  const CommandResult result =
      run_command("node -e 'const raw = require(\"zlib\").gunzipSync(require(\"fs\").readFileSync(\"" + file +
                  "\"));"
                  "process.stdout.write(require(\"crypto\").createHash(\"sha256\").update(raw).digest(\"hex\"))'");
  EXPECT_EQ(result.output, sha256_hex(pair.plain)) << kInstall;
}

TEST(ReadBack, GzipByJavaOverASlowStream) {
  const Pair pair = make_pair_of_files(Compression::gzip);
  const TemporaryDirectory directory;
  const std::string file = directory.write("a.gz", pair.compressed);
  // A file of two members shows what this reader does at the end of the first: Java's stopped there until JDK-7036144
  // was mended, which is why our files have one; newer ones go on. Either way ours must come whole.
  const std::string twice = directory.write("twice.gz", pair.compressed + pair.compressed);
  const CommandResult result = run_command("java " LONGSHORE_ENCODE_TESTS "/ReadGzip.java " + file + " " + twice);
  const std::string once = sha256_hex(pair.plain) + "\n";
  EXPECT_THAT(result.output, testing::AnyOf(once + once, once + sha256_hex(pair.plain + pair.plain) + "\n"))
      << kInstall;
}

/// Whatever way the same rows are cut into partitions, batches and encoders, the file is the same.
TEST(ReadBack, TheCutNeverShows) {
  const Sample sample = make_sample();
  for (const char* format : {"csv", "jsonl", "json"}) {
    const ExportSpec spec = make_spec(format, kColumns);
    const EncodedFile whole = encode_file(spec, sample.rows, 1, sample.rows.size());
    for (const std::size_t partitions : {1, 2, 7, 100}) {
      for (const std::size_t batch_rows : {1, 31, 32, 33, 1000}) {
        for (const bool fresh : {false, true}) {
          EncodedFile cut = encode_file(spec, sample.rows, partitions, batch_rows, fresh);
          ASSERT_TRUE(cut.bytes == whole.bytes) << partitions << " partitions, batches of " << batch_rows;
          // The commas between partitions are glue and belong to none.
          if (spec.format == "json") cut.total.raw_bytes += static_cast<std::int64_t>(partitions - 1);
          ASSERT_EQ(cut.total, whole.total);
        }
      }
    }
  }
}

TEST(ReadBack, AFreshEncoderMakesTheSameCompressedBytes) {
  const Sample sample = make_sample();
  for (const char* format : {"jsonl", "json"}) {
    for (const Compression compression : {Compression::gzip, Compression::zstd}) {
      ExportSpec spec = make_spec(format, kColumns);
      spec.compression = compression;
      ASSERT_TRUE(encode_file(spec, sample.rows, 2, 300, false).bytes ==
                  encode_file(spec, sample.rows, 2, 300, true).bytes);
    }
  }
}

}  // namespace
}  // namespace longshore
