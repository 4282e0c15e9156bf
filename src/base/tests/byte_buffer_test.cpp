#include "base/byte_buffer.h"

#include <cstring>
#include <utility>

namespace longshore {
namespace {

TEST(ByteBuffer, AppendsShortensAndDropsFromTheFront) {
  ByteBuffer buffer("hello ");
  buffer.append("world");
  buffer.push_back('!');
  EXPECT_EQ(buffer.view(), "hello world!");
  buffer.drop_front(6);
  EXPECT_EQ(buffer.view(), "world!");
  buffer.truncate(5);
  EXPECT_EQ(buffer.view(), "world");
  buffer.drop_front(5);
  EXPECT_TRUE(buffer.empty());
}

TEST(ByteBuffer, ReservedRoomIsWrittenInPlaceAndThenClaimed) {
  ByteBuffer buffer("ab");
  char* room = buffer.reserve_back(100);
  std::memcpy(room, "cdef", 4);
  EXPECT_EQ(buffer.view(), "ab");
  buffer.grow(3);
  EXPECT_EQ(buffer.view(), "abcde");
  EXPECT_GE(buffer.capacity(), 102U);
}

TEST(ByteBuffer, ClearKeepsTheMemoryAndReleaseGivesItBack) {
  ByteBuffer buffer;
  buffer.append(std::string(10'000, 'x'));
  const std::size_t capacity = buffer.capacity();
  buffer.clear();
  EXPECT_EQ(buffer.capacity(), capacity);
  buffer.release();
  EXPECT_EQ(buffer.capacity(), 0U);
  buffer.append("again");
  EXPECT_EQ(buffer.view(), "again");
}

TEST(ByteBuffer, MovingLeavesAnEmptyBufferThatCanBeUsed) {
  ByteBuffer first("content");
  ByteBuffer second(std::move(first));
  EXPECT_EQ(second.view(), "content");
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): that it is empty is what this proves
  first.append("new");
  second = std::move(first);
  EXPECT_EQ(second.view(), "new");
}

TEST(ByteBuffer, GrowsByAnEighthOnceItIsLarge) {
  ByteBuffer buffer;
  const std::string piece(64 << 10, 'p');
  while (buffer.size() < std::size_t{16} << 20) buffer.append(piece);
  EXPECT_LE(buffer.capacity(), buffer.size() + buffer.size() / 4);
  EXPECT_EQ(buffer.view().substr(buffer.size() - 3), "ppp");
}

TEST(ByteBuffer, AppendingNothingIsAllowedFromNowhere) {
  ByteBuffer buffer;
  buffer.append(nullptr, 0);
  buffer.append(std::string_view());
  EXPECT_TRUE(buffer.empty());
}

}  // namespace
}  // namespace longshore
