// pdf_bench: the audit rows as a table report, by us and by libharu in turns, on one core. Prints one JSON line for
// each figure; speed per second of CPU time, the median of the rounds. Whole files, from batches: text of values,
// rows, fonts, page tree. libharu sets text by bytes (WinAnsi), which is its fastest way and holds no other scripts
// than Latin. Memory: how far the process grew above its input; libharu keeps the file, we hand it over in parts.
#include <malloc.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "audit_rows.h"
#include "pdf/pdf_format.h"
#include "pdf_reference.h"

namespace longshore {
namespace {

/// As many as a report may have.
constexpr std::size_t kRows = 200'000;
constexpr int kRounds = 3;
constexpr std::size_t kPartSize = std::size_t{8} << 20;

/// Columns of the audit rows, and how wide libharu draws them.
struct Selection {
  std::string name;
  std::vector<std::size_t> columns;
  std::vector<float> widths;
  bool landscape;
};

const std::vector<Selection>& selections() {
  static const std::vector<Selection> all{
      {"5_columns", {0, 2, 3, 4, 8}, {60, 70, 100, 150, 80}, false},
      {"11_columns", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, {50, 42, 42, 60, 108, 60, 125, 125, 42, 32, 30}, true}};
  return all;
}

ExportSpec make_spec(const Selection& selection) {
  ExportSpec spec;
  spec.dataset.name = "audit_logs";
  for (const std::size_t column : selection.columns) spec.columns.push_back(audit_columns()[column]);
  return spec;
}

std::vector<RowBatch> make_batches(const Selection& selection, const ExportSpec& spec) {
  std::vector<DataType> types;
  for (const Column& column : spec.columns) types.push_back(column.type);
  std::vector<RowBatch> batches = make_audit_batches(kRows, 10);
  std::vector<RowBatch> selected;
  for (RowBatch& batch : batches) {
    RowBatch& chosen = selected.emplace_back(types);
    for (std::size_t i = 0; i < types.size(); ++i) chosen.column(i) = std::move(batch.column(selection.columns[i]));
    for (std::size_t row = 0; row < batch.row_count(); ++row) chosen.finish_row();
  }
  return selected;
}

/// The size of the file, 0 when it failed.
std::size_t write_ours(const ExportSpec& spec, const std::vector<RowBatch>& batches) {
  static const PdfFormat format({.max_rows = 0});
  const auto encoder = format.make_encoder(spec, {});
  const auto frame = format.make_frame(spec);
  if (!encoder || !frame) return 0;
  ByteBuffer part;
  EncodedPartition partition;
  const auto hand_over = [&](const Result<std::optional<ChunkSummary>>& chunk) {
    if (*chunk) partition.summary.append(**chunk);
    if (part.size() < kPartSize) return;
    partition.bytes += static_cast<std::int64_t>(part.size());
    part.clear();
  };
  for (const RowBatch& batch : batches) hand_over((*encoder)->encode(batch, part));
  hand_over((*encoder)->finish(part));
  partition.bytes += static_cast<std::int64_t>(part.size());
  ByteBuffer ends;
  if (!(*frame)->prologue({partition}, ends)) return 0;
  const auto offset = static_cast<std::int64_t>(ends.size());
  if (!(*frame)->epilogue({partition}, {offset}, ends)) return 0;
  return static_cast<std::size_t>(partition.bytes) + ends.size();
}

double cpu_seconds(const std::function<void()>& work) {
  const std::clock_t begin = std::clock();
  work();
  return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

/// A line of /proc/self/status in MB.
double status_megabytes(const std::string& name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name)) return std::stod(line.substr(name.size() + 1)) * 1024 / 1e6;
  }
  return 0;
}

double peak_growth(const std::function<void()>& work) {
  malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << 5;  // forgets the peak so far (proc(5))
  const double before = status_megabytes("VmRSS");
  work();
  return std::max(0.0, status_megabytes("VmHWM") - before);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void print(const std::string& name, double value, const std::string& unit, double reference) {
  std::printf(R"({"name": "%s", "value": %.3f, "unit": "%s", "reference": %.3f, "ratio": %.2f})"
              "\n",
              name.c_str(), value, unit.c_str(), reference, reference > 0 ? value / reference : 0);
}

int run() {
  for (const Selection& selection : selections()) {
    const ExportSpec spec = make_spec(selection);
    const std::vector<RowBatch> batches = make_batches(selection, spec);
    const ReferenceTable table{spec.columns, batches, selection.widths, selection.landscape};
    std::vector<double> our_seconds, their_seconds;
    std::size_t our_bytes = 0, their_bytes = 0;
    const auto ours = [&] { our_bytes = write_ours(spec, batches); };
    const auto theirs = [&] { their_bytes = draw_with_libharu(table); };
    const double our_memory = peak_growth(ours);
    const double their_memory = peak_growth(theirs);
    for (int round = 0; round < kRounds; ++round) {
      our_seconds.push_back(cpu_seconds(ours));
      their_seconds.push_back(cpu_seconds(theirs));
    }
    if (our_bytes == 0 || their_bytes == 0) return 1;
    const std::string name = "encode_pdf_" + selection.name;
    constexpr double kMillionRows = kRows / 1e6;
    print(name + "_rows", kMillionRows / median(our_seconds), "Mrows/s", kMillionRows / median(their_seconds));
    print(name + "_file", static_cast<double>(our_bytes) / 1e6, "MB", static_cast<double>(their_bytes) / 1e6);
    print(name + "_memory", our_memory, "MB", their_memory);
  }
  return 0;
}

}  // namespace
}  // namespace longshore

int main() {
  return longshore::run();
}
