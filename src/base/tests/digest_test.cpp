#include "base/digest.h"

namespace longshore {
namespace {

TEST(Crc32c, PublishedCheckValue) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
}
TEST(Crc32, PublishedCheckValue) {
  EXPECT_EQ(crc32("123456789"), 0xCBF43926U);
}

}  // namespace
}  // namespace longshore
