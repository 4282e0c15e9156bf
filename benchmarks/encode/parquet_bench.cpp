// parquet_bench REFERENCE.json: how fast one core turns batches of audit rows into Parquet, and how large the files
// are, beside what parquet_reference.cjs measured of DuckDB with the same rows. Prints one JSON line a figure.
#include <time.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "audit_rows.h"
#include "parquet/parquet_format.h"

namespace longshore {
namespace {

constexpr std::size_t kRows = 250'000;  // as encode_bench writes them for the reference
constexpr int kNullPercent = 10;
constexpr int kRuns = 7;

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

struct Measured {
  double rows_per_second = 0;
  double file_bytes = 0;
};

/// The whole file, footer included. The median run.
Result<Measured> measure(const ExportSpec& spec, const std::vector<RowBatch>& batches) {
  const ParquetFormat format;
  ByteBuffer file;  // keeps its memory, as a part's buffer does
  std::vector<double> seconds;
  for (int run = 0; run < kRuns; ++run) {
    file.clear();
    const double begin = cpu_seconds();
    TRY(const auto frame, format.make_frame(spec));
    CHECK_OK(frame->prologue({}, file));
    const auto prologue = static_cast<std::int64_t>(file.size());
    std::vector<EncodedPartition> partitions(1);
    TRY(const auto encoder, format.make_encoder(spec, {}));
    for (const RowBatch& batch : batches) {
      TRY(const auto chunk, encoder->encode(batch, file));
      if (chunk) partitions[0].summary.append(*chunk);
    }
    TRY(const auto chunk, encoder->finish(file));
    if (chunk) partitions[0].summary.append(*chunk);
    partitions[0].bytes = static_cast<std::int64_t>(file.size()) - prologue;
    CHECK_OK(frame->epilogue(partitions, {prologue}, file));
    seconds.push_back(cpu_seconds() - begin);
  }
  std::ranges::sort(seconds);
  return Measured{static_cast<double>(kRows) / seconds[kRuns / 2], static_cast<double>(file.size())};
}

void print_figure(const std::string& name, double value, const char* unit, double reference) {
  if (reference > 0) {
    std::printf(R"({"name": "%s", "value": %.3f, "unit": "%s", "reference": %.3f, "ratio": %.2f})", name.c_str(), value,
                unit, reference, value / reference);
  } else {
    std::printf(R"({"name": "%s", "value": %.3f, "unit": "%s", "reference": null, "ratio": null})", name.c_str(), value,
                unit);
  }
  std::printf("\n");
}

/// What DuckDB measured; empty if there is no DuckDB.
boost::json::object read_reference(const char* path) {
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return boost::json::parse(text).as_object();
}

double reference_of(const boost::json::object& reference, const std::string& kind, const char* field) {
  const auto* of_kind = reference.if_contains(kind);
  return of_kind == nullptr ? 0 : of_kind->at(field).to_number<double>();
}

struct Kind {
  const char* name;
  ParquetCodec codec;
  ParquetProfile profile;
};

int run(const char* reference_path) {
  const boost::json::object reference = read_reference(reference_path);
  const std::vector<RowBatch> batches = make_audit_batches(kRows, kNullPercent);
  ExportSpec spec;
  spec.format = "parquet";
  spec.columns = audit_columns();
  for (const Kind& kind : {Kind{"zstd", ParquetCodec::zstd, ParquetProfile::standard},
                           Kind{"zstd_modern", ParquetCodec::zstd, ParquetProfile::modern},
                           Kind{"snappy", ParquetCodec::snappy, ParquetProfile::standard},
                           Kind{"none", ParquetCodec::none, ParquetProfile::standard}}) {
    spec.parquet.codec = kind.codec;
    spec.parquet.profile = kind.profile;
    const auto measured = measure(spec, batches);
    if (!measured) {
      std::fprintf(stderr, "parquet_bench: %s\n", measured.error().message.c_str());
      return 1;
    }
    const std::string name = std::string("encode_parquet_") + kind.name;
    print_figure(name + "_rows", measured->rows_per_second / 1e6, "Mrows/s",
                 reference_of(reference, kind.name, "rows_per_second") / 1e6);
    print_figure(name + "_file", measured->file_bytes / 1e6, "MB",
                 reference_of(reference, kind.name, "file_bytes") / 1e6);
  }
  return 0;
}

}  // namespace
}  // namespace longshore

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: parquet_bench REFERENCE.json\n");
    return 2;
  }
  return longshore::run(argv[1]);
}
