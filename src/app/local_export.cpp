#include "app/local_export.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

#include "app/formats.h"
#include "batch/column_types.h"
#include "catalog/catalog.h"
#include "catalog/request.h"
#include "encode/encoder.h"
#include "scan/source_database.h"

namespace longshore {

namespace {

/// Where the bytes go: standard output, or a file that gets its name when it is whole.
class Output {
 public:
  static Result<Output> open(const std::string& path) {
    Output output;
    if (path == "-") {
      output.descriptor_ = STDOUT_FILENO;
      return output;
    }
    output.path_ = path;
    output.descriptor_ = ::open(output.partial().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (output.descriptor_ < 0) return fail(output.error("create", output.partial()));
    return output;
  }
  ~Output() {
    if (path_.empty() || descriptor_ < 0) return;
    ::close(descriptor_);
    ::unlink(partial().c_str());
  }
  Output(Output&& other) noexcept
      : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)), written_(other.written_) {}
  Output& operator=(Output&&) = delete;

  std::int64_t written() const { return written_; }

  /// Writes and clears the buffer.
  Status write(ByteBuffer& bytes) {
    std::string_view left = bytes.view();
    while (!left.empty()) {
      const ssize_t wrote = ::write(descriptor_, left.data(), left.size());
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) return fail(error("write", path_.empty() ? "standard output" : partial()));
      left.remove_prefix(static_cast<std::size_t>(wrote));
    }
    written_ += static_cast<std::int64_t>(bytes.size());
    bytes.clear();
    return {};
  }
  Status publish() {
    if (path_.empty()) return {};
    if (::fsync(descriptor_) != 0 && errno != EINVAL) return fail(error("write", partial()));
    if (::rename(partial().c_str(), path_.c_str()) != 0) return fail(error("name", path_));
    ::close(std::exchange(descriptor_, -1));
    return {};
  }

 private:
  Output() = default;
  std::string partial() const { return path_ + ".part"; }
  static Error error(const char* doing, const std::string& what) {
    return external_error("output_failed", std::string("cannot ") + doing + " " + what + ": " + std::strerror(errno),
                          false);
  }

  std::string path_;  ///< empty: standard output
  int descriptor_ = -1;
  std::int64_t written_ = 0;
};

}  // namespace

Result<LocalExportReport> run_local_export(const LocalExportRequest& request,
                                           const std::function<void(const LocalExportProgress&)>& progress,
                                           std::stop_token stop) {
  const auto begun = std::chrono::steady_clock::now();
  TRY(const Catalog catalog, Catalog::load(request.catalog_path));
  const FormatTable formats = make_format_table();
  TRY(const ExportSpec spec, validate_request(request.body, catalog, request.who, format_choices(formats)));
  const Source* const described = catalog.find_source(spec.dataset.source);
  if (described == nullptr) return fail(internal_error("source_unknown", "no source " + spec.dataset.source));
  TRY(const std::unique_ptr<SourceDatabase> source, make_source(*described));
  TRY(const ScanEstimate estimate, source->estimate(spec, stop));
  // One range up to the greatest key of now, so that rows inserted meanwhile do not stretch the export.
  TRY(const PartitionPlan plan, source->plan_partitions(spec, PartitionRequest{}, stop));
  TRY(const std::unique_ptr<PartitionEncoder> encoder, formats.make_encoder(spec, {}));
  TRY(const std::unique_ptr<FileFrame> frame, formats.make_frame(spec));
  TRY(Output output, Output::open(request.output_path));

  ChunkSummary total;
  total.fidelity.resize(spec.columns.size());
  ByteBuffer bytes;
  CHECK_OK(frame->prologue({}, bytes));  // streamed: what follows is not known yet
  const auto offset = static_cast<std::int64_t>(bytes.size());
  CHECK_OK(output.write(bytes));
  if (!plan.ranges.empty()) {
    KeyRange range = plan.ranges.front();
    range.upto = plan.ranges.back().upto;
    TRY(const std::unique_ptr<RowSource> rows, source->open_scan({&spec, range, BatchLimits{}, "local"}, stop));
    RowBatch batch(column_types(spec));
    std::int64_t rows_read = 0;
    for (;;) {
      TRY(const bool more, rows->next(batch));
      if (!more) break;
      TRY(const std::optional<ChunkSummary> closed, encoder->encode(batch, bytes));
      if (closed) total.append(*closed);
      CHECK_OK(output.write(bytes));
      rows_read += static_cast<std::int64_t>(batch.row_count());
      progress({rows_read, output.written(), estimate.rows});
    }
    TRY(const std::optional<ChunkSummary> closed, encoder->finish(bytes));
    if (closed) total.append(*closed);
  }
  const std::int64_t body = output.written() + static_cast<std::int64_t>(bytes.size()) - offset;
  CHECK_OK(frame->epilogue({{total, body}}, {offset}, bytes));
  CHECK_OK(output.write(bytes));
  CHECK_OK(output.publish());

  LocalExportReport report;
  report.rows = total.rows;
  report.bytes = output.written();
  report.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
  report.columns.reserve(spec.columns.size());
  for (const Column& column : spec.columns) report.columns.push_back(column.name);
  report.fidelity = std::move(total.fidelity);
  return report;
}

}  // namespace longshore
