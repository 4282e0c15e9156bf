#include <utility>

#include "encode/compress/compressed_format.h"
#include "encode/compress/compressor.h"
#include "encode/encoder.h"

namespace longshore {
namespace {

/// The format of a spec, if it is here and may be compressed as asked.
Result<const Format*> checked_format(const FormatTable& table, const ExportSpec& spec) {
  const Format* format = table.find(spec.format);
  if (format == nullptr) {
    std::string known;
    for (const Format* other : table.all()) known += (known.empty() ? "" : ", ") + other->traits().name;
    return fail(user_error("unknown_format", "there is no format '" + spec.format + "'; choose one of: " + known));
  }
  if (spec.compression != Compression::none && !format->traits().compressible) {
    return fail(user_error("bad_compression", "format '" + spec.format + "' cannot be wrapped in " +
                                                  std::string(to_string(spec.compression)) +
                                                  "; leave `compression` out"));
  }
  return format;
}

Result<std::unique_ptr<PartitionEncoder>> wrapped(std::unique_ptr<PartitionEncoder> encoder, Compression compression) {
  if (compression == Compression::none) return encoder;
  TRY(auto compressor, make_compressor(compression));
  return make_compressed_encoder(std::move(encoder), std::move(compressor));
}

}  // namespace

void FormatTable::add(std::unique_ptr<Format> format) {
  formats_.push_back(std::move(format));
}

const Format* FormatTable::find(const std::string& name) const {
  for (const auto& format : formats_) {
    if (format->traits().name == name) return format.get();
  }
  return nullptr;
}

std::vector<const Format*> FormatTable::all() const {
  std::vector<const Format*> formats;
  formats.reserve(formats_.size());
  for (const auto& format : formats_) formats.push_back(format.get());
  return formats;
}

Result<std::unique_ptr<PartitionEncoder>> FormatTable::make_encoder(const ExportSpec& spec,
                                                                    const ChunkSummary& before) const {
  TRY(const Format* format, checked_format(*this, spec));
  TRY(auto encoder, format->make_encoder(spec, before));
  return wrapped(std::move(encoder), spec.compression);
}

Result<std::unique_ptr<PartitionEncoder>> FormatTable::make_encoder_at(const ExportSpec& spec,
                                                                       const ChunkSummary& before,
                                                                       const PartitionPlace& place) const {
  TRY(const Format* format, checked_format(*this, spec));
  TRY(auto encoder, format->make_encoder_at(spec, before, place));
  return wrapped(std::move(encoder), spec.compression);
}

Result<std::unique_ptr<FileFrame>> FormatTable::make_frame(const ExportSpec& spec) const {
  TRY(const Format* format, checked_format(*this, spec));
  TRY(auto frame, format->make_frame(spec));
  if (spec.compression == Compression::none) return frame;
  return make_compressed_frame(std::move(frame), spec.compression);
}

std::string FormatTable::extension(const ExportSpec& spec) const {
  const Format* format = find(spec.format);
  std::string base = format != nullptr ? format->traits().extension : spec.format;
  switch (spec.compression) {
    case Compression::none:
      return base;
    case Compression::gzip:
      return base + ".gz";
    case Compression::zstd:
      return base + ".zst";
  }
  return base;
}

std::string FormatTable::content_type(const ExportSpec& spec) const {
  switch (spec.compression) {
    case Compression::gzip:
      return "application/gzip";
    case Compression::zstd:
      return "application/zstd";
    case Compression::none:
      break;
  }
  const Format* format = find(spec.format);
  return format != nullptr ? format->traits().content_type : "application/octet-stream";
}

}  // namespace longshore
