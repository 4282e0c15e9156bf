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

/// A workbook of one partition; its bytes, 0 when it failed.
std::size_t write_ours(const std::vector<RowBatch>& batches) {
  ExportSpec spec;
  spec.columns = audit_columns();
  spec.dataset.name = "audit";
  const XlsxFormat format;
  const auto encoder = format.make_encoder_at(spec, {}, {});
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

int run(const std::string& scratch) {
  for (const int nulls : {0, 10}) {
    const std::vector<RowBatch> batches = make_audit_batches(kRows, nulls);
    const double cells = static_cast<double>(kRows) * static_cast<double>(audit_columns().size());
    const std::string path = scratch + "/reference.xlsx";
    std::vector<double> ours;
    std::vector<double> theirs;
    std::size_t bytes = 0;
    bool written = true;
    for (int round = 0; round < kRounds; ++round) {
      ours.push_back(cpu_seconds([&] { bytes = write_ours(batches); }));
      theirs.push_back(cpu_seconds([&] { written = written && write_with_libxlsxwriter(path, batches); }));
    }
    if (bytes == 0 || !written) return 1;
    const double our_speed = cells / median(ours) / 1e6;
    const double their_speed = cells / median(theirs) / 1e6;
    const auto their_bytes = static_cast<double>(std::filesystem::file_size(path));
    const std::string name = "encode_xlsx_nulls_" + std::to_string(nulls);
    print(name + "_cells", our_speed, "Mcells/s", their_speed, our_speed / their_speed);
    print(name + "_file", static_cast<double>(bytes) / 1e6, "MB", their_bytes / 1e6,
          static_cast<double>(bytes) / their_bytes);
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
