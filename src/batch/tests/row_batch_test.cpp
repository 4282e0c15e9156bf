#include "batch/row_batch.h"

namespace longshore {
namespace {

TEST(ColumnVector, HasNoBitmapBeforeTheFirstNull) {
  ColumnVector column({.logical = LogicalType::int64});
  column.append(std::int64_t{7});
  EXPECT_EQ(column.validity(), nullptr);
  EXPECT_FALSE(column.is_null(0));
  column.append_null();
  ASSERT_NE(column.validity(), nullptr);
  EXPECT_FALSE(column.is_null(0));
  EXPECT_TRUE(column.is_null(1));
  EXPECT_EQ(column.values<std::int64_t>()[1], 0);
}

}  // namespace
}  // namespace longshore
