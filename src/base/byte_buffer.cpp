#include "base/byte_buffer.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

namespace longshore {

ByteBuffer::~ByteBuffer() {
  std::free(data_);
}

ByteBuffer::ByteBuffer(ByteBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

ByteBuffer& ByteBuffer::operator=(ByteBuffer&& other) noexcept {
  if (this != &other) {
    std::free(data_);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
  }
  return *this;
}

void ByteBuffer::drop_front(std::size_t n) {
  size_ -= n;
  if (size_ > 0) std::memmove(data_, data_ + n, size_);
}

void ByteBuffer::release() {
  std::free(data_);
  data_ = nullptr;
  size_ = capacity_ = 0;
}

void ByteBuffer::enlarge(std::size_t n) {
  // Doubles while small; grows by an eighth once large, so that a buffer of a few parts wastes little of the budget.
  constexpr std::size_t kDoubleUntil = 1 << 20;
  const std::size_t step = capacity_ < kDoubleUntil ? capacity_ : capacity_ / 8;
  const std::size_t wanted = std::max({size_ + n, capacity_ + step, std::size_t{64}});
  void* grown = std::realloc(data_, wanted);
  if (grown == nullptr) throw std::bad_alloc();
  data_ = static_cast<char*>(grown);
  capacity_ = wanted;
}

}  // namespace longshore
