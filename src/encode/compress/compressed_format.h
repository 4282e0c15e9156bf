#pragma once

#include <memory>

#include "encode/compress/compressor.h"
#include "encode/encoder.h"

namespace longshore {

/// An encoder whose chunks are those of `inner`, compressed one by one.
std::unique_ptr<PartitionEncoder> make_compressed_encoder(std::unique_ptr<PartitionEncoder> inner,
                                                          std::unique_ptr<Compressor> compressor);

/// The frame of the compressed file around that of `inner`. REQUIRES: compression is not `none`.
std::unique_ptr<FileFrame> make_compressed_frame(std::unique_ptr<FileFrame> inner, Compression compression);

}  // namespace longshore
