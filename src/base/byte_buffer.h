#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace longshore {

/// A growable run of bytes that is never zero-filled: `reserve_back(n)` gives room, `grow(n)` claims what was written.
/// `clear()` keeps the memory. Movable, not copyable. Not thread-safe. Allocation failure throws std::bad_alloc.
class ByteBuffer {
 public:
  ByteBuffer() = default;
  explicit ByteBuffer(std::string_view bytes) { append(bytes); }
  ~ByteBuffer();
  ByteBuffer(ByteBuffer&& other) noexcept;
  ByteBuffer& operator=(ByteBuffer&& other) noexcept;
  ByteBuffer(const ByteBuffer&) = delete;
  ByteBuffer& operator=(const ByteBuffer&) = delete;

  char* data() { return data_; }
  const char* data() const { return data_; }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  bool empty() const { return size_ == 0; }
  std::string_view view() const { return {data_, size_}; }

  /// Room for at least `n` more bytes; returns where they begin. Write there, then `grow(written)`.
  char* reserve_back(std::size_t n) {
    if (capacity_ - size_ < n) enlarge(n);
    return data_ + size_;
  }
  /// REQUIRES: `n` bytes were reserved and written.
  void grow(std::size_t n) { size_ += n; }
  void append(const void* bytes, std::size_t n) {
    if (n == 0) return;
    std::memcpy(reserve_back(n), bytes, n);
    size_ += n;
  }
  void append(std::string_view bytes) { append(bytes.data(), bytes.size()); }
  void push_back(char byte) {
    *reserve_back(1) = byte;
    ++size_;
  }
  /// Shortens to `n` bytes. REQUIRES: n <= size().
  void truncate(std::size_t n) { size_ = n; }
  /// Removes the first `n` bytes, moving the rest to the front. REQUIRES: n <= size().
  void drop_front(std::size_t n);
  void clear() { size_ = 0; }
  /// Gives the memory back.
  void release();

 private:
  void enlarge(std::size_t n);

  char* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace longshore
