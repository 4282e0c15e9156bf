#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_buffer.h"
#include "pdf/stream_compressor.h"

namespace longshore {

/// Number of an indirect object; its generation is always 0.
using ObjectNumber = std::int64_t;

/// `12 0 R`.
std::string reference(ObjectNumber number);

/// Appends a stream object: `entries` are those of its dictionary besides the length.
void append_stream_object(ObjectNumber number, std::string_view entries, std::string_view data, ByteBuffer& out);

/// The last bytes of a PDF: objects, small ones packed into compressed object streams (ISO 32000-1, 7.5.7), and the
/// cross-reference stream that says where everything is (7.5.8).
class ObjectWriter {
 public:
  /// `offset`: where in the file the next byte of `out` stands.
  ObjectWriter(std::int64_t offset, ByteBuffer& out);

  /// Declares an object that stands in the file already. REQUIRES: numbers from 1 on, in order, before any allocate().
  void add_written(std::int64_t offset);
  ObjectNumber allocate() { return allocate(1); }
  /// `count` numbers in a row; returns the first.
  ObjectNumber allocate(std::int64_t count);

  /// A stream, compressed.
  void stream(ObjectNumber number, std::string_view entries, std::string_view data);
  /// A stream that programs look for without reading PDF, as XMP.
  void plain_stream(ObjectNumber number, std::string_view entries, std::string_view data);
  /// Any other object.
  void object(ObjectNumber number, std::string_view text);
  /// Writes what is pending, the cross-reference stream with `trailer`'s entries, and the end of the file.
  /// REQUIRES: every allocated number was written.
  void finish(std::string_view trailer);

 private:
  struct Place {
    bool packed = false;
    std::int64_t where = 0;  ///< offset, or the object stream's number
    std::int64_t index = 0;  ///< in the object stream
  };

  std::int64_t here() const;
  void place(ObjectNumber number, const Place& place) { places_[static_cast<std::size_t>(number)] = place; }
  void flush_pack();

  std::int64_t offset_;
  std::size_t begin_;
  ByteBuffer& out_;
  std::vector<Place> places_;  ///< by number
  std::string pack_index_;
  std::string pack_;
  std::vector<ObjectNumber> packed_;
  StreamCompressor compressor_;
};

}  // namespace longshore
