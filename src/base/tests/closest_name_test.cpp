#include "base/closest_name.h"

#include <gtest/gtest.h>

namespace longshore {
namespace {

TEST(ClosestName, FindsWhatWasMeant) {
  const std::vector<std::string> names = {"createdAt", "userId", "ipAddress", "status"};
  EXPECT_EQ(closest_name("created_at", names), "createdAt");
  EXPECT_EQ(closest_name("CREATEDAT", names), "createdAt");
  EXPECT_EQ(closest_name("stauts", names), "status");
  EXPECT_EQ(closest_name("userid", names), "userId");
  EXPECT_EQ(did_you_mean("usrId", names), "; did you mean \"userId\"?");
}

TEST(ClosestName, SaysNothingWhenNoneIsNear) {
  EXPECT_EQ(closest_name("total", {"createdAt", "userId"}), "");
  EXPECT_EQ(closest_name("a", {"b"}), "");
  EXPECT_EQ(closest_name("", {"b"}), "");
  EXPECT_EQ(closest_name("x", {}), "");
  EXPECT_EQ(closest_name(std::string(100'000, 'x'), {std::string(100'000, 'x')}), "");
  EXPECT_EQ(did_you_mean("total", {"userId"}), "");
}

}  // namespace
}  // namespace longshore
