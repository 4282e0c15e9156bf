#include "base/byte_buffer.h"

namespace longshore {
namespace {

TEST(ByteBuffer, AppendsAndDropsFromTheFront) {
  ByteBuffer buffer("hello ");
  buffer.append("world");
  buffer.push_back('!');
  EXPECT_EQ(buffer.view(), "hello world!");
  buffer.drop_front(6);
  EXPECT_EQ(buffer.view(), "world!");
  buffer.truncate(5);
  EXPECT_EQ(buffer.view(), "world");
}

}  // namespace
}  // namespace longshore
