#include "base/clock.h"

namespace longshore {
namespace {

TEST(Rfc3339, WritesMicrosecondsOnlyIfThereAreAny) {
  EXPECT_EQ(to_rfc3339(Timestamp{}), "1970-01-01T00:00:00Z");
  EXPECT_EQ(to_rfc3339(Timestamp{Duration{1}}), "1970-01-01T00:00:00.000001Z");
}

}  // namespace
}  // namespace longshore
