#include "base/random.h"

#include <set>

namespace longshore {
namespace {

const Timestamp kNow = Timestamp{std::chrono::milliseconds{0x019a2b3c4d5e}};

TEST(RandomBytes, HasTheLengthAskedForAndDiffers) {
  EXPECT_EQ(random_bytes(0), "");
  EXPECT_EQ(random_bytes(5).size(), 5U);
  EXPECT_EQ(random_bytes(100'000).size(), 100'000U);
  EXPECT_NE(random_bytes(16), random_bytes(16));
}

TEST(UuidV7, HasTimeVersionAndVariantInTheirPlaces) {
  for (int i = 0; i < 100; ++i) {
    const std::string id = uuid_v7(kNow);
    EXPECT_THAT(id, testing::MatchesRegex("019a2b3c-4d5e-7000-[89ab]...-............"));
    EXPECT_TRUE(is_uuid(id));
  }
}

TEST(UuidV7, SortsByTimeDownToTheMicrosecond) {
  std::string before = uuid_v7(kNow);
  for (int micros = 1; micros <= 3000; ++micros) {
    const std::string id = uuid_v7(kNow + Duration{micros});
    ASSERT_LT(before, id) << micros;
    before = id;
  }
  EXPECT_LT(before, uuid_v7(kNow + std::chrono::years{50}));
}

TEST(UuidV7, IsUniqueWithinOneMicrosecond) {
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(uuid_v7(kNow));
  EXPECT_EQ(ids.size(), 1000U);
}

TEST(UuidV7, TimesBefore1970CountAs1970) {
  EXPECT_THAT(uuid_v7(Timestamp{Duration{-5}}), testing::StartsWith("00000000-0000-7000-"));
}

TEST(IsUuid, TakesOnlyTheLowerCaseFormWithDashes) {
  EXPECT_TRUE(is_uuid("0192f0c4-0000-7abc-8def-0123456789ab"));
  for (const char* text : {"", "0192f0c4", "0192F0C4-0000-7abc-8def-0123456789ab", "0192f0c400007abc8def0123456789ab",
                           "0192f0c4-0000-7abc-8def-0123456789ag", "0192f0c4-0000-7abc-8def-0123456789abc",
                           "0192f0c4_0000_7abc_8def_0123456789ab", "-192f0c4-0000-7abc-8def-0123456789ab",
                           "../../../../../../../../../etc/passwd"}) {
    EXPECT_FALSE(is_uuid(text)) << text;
  }
}

}  // namespace
}  // namespace longshore
