// xlsx_bench SCRATCH: the audit rows as a workbook, by us and by libxlsxwriter in turns, on one core. Prints one JSON
// line for each figure; per second of CPU time, the median of the rounds. Whole files: rows, small parts, directory.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "audit_rows.h"
#include "xlsx/xlsx_format.h"
#include "xlsx_reference.h"

namespace longshore {
namespace {

constexpr std::size_t kRows = 100'000;
constexpr int kRounds = 5;

/// A workbook of one partition, with or without numbers for its rows; its bytes, 0 when it failed.
std::size_t write_ours(const std::vector<RowBatch>& batches, bool numbered) {
  ExportSpec spec;
  spec.columns = audit_columns();
  spec.dataset.name = "audit";
  const XlsxFormat format;
  const auto encoder = numbered ? format.make_encoder_at(spec, {}, {}) : format.make_encoder(spec, {});
  const auto frame = format.make_frame(spec);
  if (!encoder || !frame) return 0;
  ByteBuffer body;
  EncodedPartition partition;
  for (const RowBatch& batch : batches) {
    const auto chunk = (*encoder)->encode(batch, body);
    if (!chunk) return 0;
    partition.summary.append(**chunk);
  }
  partition.bytes = static_cast<std::int64_t>(body.size());
  ByteBuffer ends;
  if (!(*frame)->prologue({partition}, ends)) return 0;
  const auto offset = static_cast<std::int64_t>(ends.size());
  if (!(*frame)->epilogue({partition}, {offset}, ends)) return 0;
  return body.size() + ends.size();
}

double cpu_seconds(const std::function<void()>& work) {
  const std::clock_t begin = std::clock();
  work();
  return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void print(const std::string& name, double value, const std::string& unit, double reference, double ratio) {
  std::printf(R"({"name": "%s", "value": %.3f, "unit": "%s", "reference": %.3f, "ratio": %.2f})"
              "\n",
              name.c_str(), value, unit.c_str(), reference, ratio);
}

struct Workbooks {
  std::vector<double> seconds;
  double bytes = 0;
};

int run(const std::string& scratch) {
  const double cells = static_cast<double>(kRows) * static_cast<double>(audit_columns().size());
  const std::string path = scratch + "/reference.xlsx";
  for (const int nulls : {0, 10}) {
    const std::vector<RowBatch> batches = make_audit_batches(kRows, nulls);
    Workbooks plain;
    Workbooks numbered;
    Workbooks theirs;
    const auto ours = [&](Workbooks& books, bool with_numbers) {
      books.seconds.push_back(
          cpu_seconds([&] { books.bytes = static_cast<double>(write_ours(batches, with_numbers)); }));
      return books.bytes > 0;
    };
    for (int round = 0; round < kRounds; ++round) {
      bool written = ours(plain, false) && ours(numbered, true);
      theirs.seconds.push_back(cpu_seconds([&] { written = written && write_with_libxlsxwriter(path, batches); }));
      if (!written) return 1;
    }
    theirs.bytes = static_cast<double>(std::filesystem::file_size(path));
    const auto report = [&](const std::string& name, const Workbooks& books) {
      const double speed = cells / median(books.seconds) / 1e6;
      const double reference = cells / median(theirs.seconds) / 1e6;
      print(name + "_cells", speed, "Mcells/s", reference, speed / reference);
      print(name + "_file", books.bytes / 1e6, "MB", theirs.bytes / 1e6, books.bytes / theirs.bytes);
    };
    report("encode_xlsx_nulls_" + std::to_string(nulls), plain);
    report("encode_xlsx_numbered_nulls_" + std::to_string(nulls), numbered);
  }
  return 0;
}

}  // namespace
}  // namespace longshore

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: xlsx_bench SCRATCH_DIRECTORY\n", stderr);
    return 2;
  }
  return longshore::run(argv[1]);
}
