#include "base/random.h"

namespace longshore {
namespace {

TEST(RandomBytes, HasTheLengthAskedForAndDiffers) {
  EXPECT_EQ(random_bytes(0), "");
  EXPECT_EQ(random_bytes(5).size(), 5U);
  EXPECT_NE(random_bytes(16), random_bytes(16));
}

}  // namespace
}  // namespace longshore
