// How fast one core turns batches of audit rows into bytes. `encode_bench --rows-file=FILE` writes the same rows as CSV
// instead, for another program to be measured with.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <map>
#include <string>
#include <string_view>

#include "audit_rows.h"
#include "encode/csv/csv_format.h"
#include "encode/encoder.h"
#include "encode/json/json_format.h"
#include "encode/json/jsonl_format.h"

namespace longshore {
namespace {

constexpr std::size_t kRows = 50'000;
constexpr std::size_t kPartSize = std::size_t{8} << 20;

const FormatTable& formats() {
  static const FormatTable table = [] {
    FormatTable made;
    made.add(std::make_unique<CsvFormat>());
    made.add(std::make_unique<JsonlFormat>());
    made.add(std::make_unique<JsonFormat>());
    return made;
  }();
  return table;
}

ExportSpec make_spec(const std::string& format, Compression compression, CsvProfile profile,
                     const std::string& time_zone = "UTC") {
  ExportSpec spec;
  spec.time_zone = time_zone;
  spec.format = format;
  spec.compression = compression;
  spec.csv.profile = profile;
  spec.columns = audit_columns();
  return spec;
}

void encode(benchmark::State& state, const ExportSpec& spec) {
  static std::map<int, std::vector<RowBatch>> batches_by_share;
  const int null_percent = static_cast<int>(state.range(0));
  std::vector<RowBatch>& batches = batches_by_share[null_percent];
  if (batches.empty()) batches = make_audit_batches(kRows, null_percent);

  auto encoder = formats().make_encoder(spec, {});
  if (!encoder) {
    state.SkipWithError(encoder.error().message.c_str());
    return;
  }
  ByteBuffer part;
  std::int64_t raw_bytes = 0;
  std::int64_t written = 0;
  std::int64_t rows = 0;
  for (auto _ : state) {
    for (const RowBatch& batch : batches) {
      if (part.size() >= kPartSize) part.clear();
      const std::size_t before = part.size();
      const auto chunk = (*encoder)->encode(batch, part);
      raw_bytes += (*chunk)->raw_bytes;
      rows += (*chunk)->rows;
      written += static_cast<std::int64_t>(part.size() - before);
    }
    benchmark::DoNotOptimize(part.data());
  }
  state.SetBytesProcessed(raw_bytes);
  state.SetItemsProcessed(rows);
  state.counters["ratio"] = static_cast<double>(raw_bytes) / static_cast<double>(written);
}

void register_benchmarks() {
  const auto add = [](const std::string& name, const ExportSpec& spec) {
    return benchmark::RegisterBenchmark(name.c_str(), [spec](benchmark::State& state) { encode(state, spec); })
        ->ArgName("nulls")
        ->Unit(benchmark::kMillisecond);
  };
  constexpr auto kNone = Compression::none;
  for (const int nulls : {0, 10, 50}) {
    add("csv", make_spec("csv", kNone, CsvProfile::spreadsheet))->Arg(nulls);
    add("csv_machine", make_spec("csv", kNone, CsvProfile::machine))->Arg(nulls);
    add("jsonl", make_spec("jsonl", kNone, CsvProfile::machine))->Arg(nulls);
    add("json", make_spec("json", kNone, CsvProfile::machine))->Arg(nulls);
  }
  for (const std::string format : {"csv", "jsonl", "json"}) {
    add(format + "_berlin", make_spec(format, kNone, CsvProfile::spreadsheet, "Europe/Berlin"))->Arg(10);
    add(format + "_gzip", make_spec(format, Compression::gzip, CsvProfile::spreadsheet))->Arg(10);
    add(format + "_zstd", make_spec(format, Compression::zstd, CsvProfile::spreadsheet))->Arg(10);
  }
}

int write_rows(const std::string& path, int null_percent) {
  ExportSpec spec = make_spec("csv", Compression::none, CsvProfile::machine);
  auto encoder = formats().make_encoder(spec, {});
  ByteBuffer bytes;
  for (const RowBatch& batch : make_audit_batches(5 * kRows, null_percent)) {
    if (!(*encoder)->encode(batch, bytes)) return 1;
  }
  FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) return 1;
  const bool written = std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  return std::fclose(file) == 0 && written ? 0 : 1;
}

}  // namespace
}  // namespace longshore

int main(int argc, char** argv) {
  constexpr std::string_view kRowsFile = "--rows-file=";
  if (argc == 2 && std::string_view(argv[1]).starts_with(kRowsFile)) {
    return longshore::write_rows(argv[1] + kRowsFile.size(), 10);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  longshore::register_benchmarks();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
