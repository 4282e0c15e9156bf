#include "assemble/file_layout.h"

#include <charconv>
#include <utility>

#include "plan/export_plan.h"

namespace longshore {

namespace {

/// Gathers glue and heads until they may become a part.
class LayoutBuilder {
 public:
  explicit LayoutBuilder(FileLayout& layout) : layout_(layout) {}

  std::int64_t carried() const { return carried_; }
  std::int64_t position() const { return layout_.size + carried_; }

  void add_bytes(ByteBuffer bytes) {
    if (bytes.empty()) return;
    GlueSegment segment;
    segment.size = static_cast<std::int64_t>(bytes.size());
    segment.bytes = std::move(bytes);
    carry(std::move(segment));
  }
  void add_head(const Part& head) {
    GlueSegment segment;
    segment.head_key = head.etag;
    segment.size = head.bytes;
    carry(std::move(segment));
  }
  void flush(int number) {
    FilePart part;
    part.number = number;
    part.offset = layout_.size;
    part.size = carried_;
    part.segments = std::move(segments_);
    segments_.clear();
    carried_ = 0;
    layout_.size += part.size;
    layout_.parts.push_back(std::move(part));
  }
  void add_uploaded(const Part& uploaded) {
    FilePart part;
    part.number = uploaded.number;
    part.offset = layout_.size;
    part.size = uploaded.bytes;
    part.uploaded = &uploaded;
    layout_.size += part.size;
    layout_.parts.push_back(std::move(part));
  }

 private:
  void carry(GlueSegment segment) {
    carried_ += segment.size;
    segments_.push_back(std::move(segment));
  }

  FileLayout& layout_;
  std::vector<GlueSegment> segments_;
  std::int64_t carried_ = 0;
};

}  // namespace

Result<FileLayout> make_layout(const std::vector<FinishedPartition>& partitions, const FileFrame& frame,
                               std::size_t column_count, std::int64_t part_size) {
  std::vector<EncodedPartition> encoded(partitions.size());
  ChunkSummary total;
  total.fidelity.resize(column_count);
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    for (const Part& part : partitions[i].parts) {
      encoded[i].summary.append(part.summary);
      encoded[i].bytes += part.bytes;
    }
    total.append(encoded[i].summary);
  }

  FileLayout layout;
  layout.rows = total.rows;
  layout.fidelity = total.fidelity;
  LayoutBuilder builder(layout);
  ByteBuffer frame_bytes;
  CHECK_OK(frame.prologue(encoded, frame_bytes));
  builder.add_bytes(std::exchange(frame_bytes, ByteBuffer()));
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    if (i > 0) {
      CHECK_OK(frame.glue(encoded, i, frame_bytes));
      builder.add_bytes(std::exchange(frame_bytes, ByteBuffer()));
    }
    layout.partition_offsets.push_back(builder.position());
    const auto& [partition, parts] = partitions[i];
    if (parts.empty()) continue;
    builder.add_head(parts.front());
    if (parts.size() > 1 || builder.carried() >= part_size) builder.flush(partition.base_part_number);
    for (std::size_t k = 1; k < parts.size(); ++k) builder.add_uploaded(parts[k]);
  }
  CHECK_OK(frame.epilogue(encoded, layout.partition_offsets, frame_bytes));
  builder.add_bytes(std::move(frame_bytes));
  if (builder.carried() > 0 || layout.parts.empty()) builder.flush(kLastPartNumber);
  return layout;
}

std::string staging_prefix(const JobId& job) {
  return kStagingRoot + job.str() + "/";
}

std::string staged_head_key(const JobId& job, int partition, std::int64_t epoch) {
  return staging_prefix(job) + "head-" + std::to_string(partition) + "-" + std::to_string(epoch);
}

JobId job_of_staged_key(const std::string& key) {
  const std::string root = kStagingRoot;
  if (!key.starts_with(root)) return JobId();
  return JobId(key.substr(root.size(), key.find('/', root.size()) - root.size()));
}

std::int64_t epoch_of_staged_key(const std::string& key) {
  const std::size_t at = key.rfind('-') + 1;
  std::int64_t epoch = 0;
  const auto [end, error] = std::from_chars(key.data() + at, key.data() + key.size(), epoch);
  return error == std::errc() && end == key.data() + key.size() && job_of_staged_key(key) != JobId() ? epoch : 0;
}

}  // namespace longshore
