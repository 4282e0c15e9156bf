#include "batch/row_batch.h"

#include <cstring>
#include <optional>

namespace longshore {
namespace {

const DataType kInt64{.logical = LogicalType::int64};
const DataType kInt32{.logical = LogicalType::int32};
const DataType kText{.logical = LogicalType::text};
const DataType kBool{.logical = LogicalType::boolean};
const DataType kUuid{.logical = LogicalType::uuid};

DataType decimal(int precision, int scale) {
  return {.logical = LogicalType::decimal, .precision = precision, .scale = scale};
}

TEST(PhysicalType, DecimalsThatFitAreIntegersAndOthersText) {
  EXPECT_EQ(physical_type(decimal(12, 2)), PhysicalType::decimal128);
  EXPECT_EQ(physical_type(decimal(38, 38)), PhysicalType::decimal128);
  EXPECT_EQ(physical_type(decimal(1, 0)), PhysicalType::decimal128);
  EXPECT_EQ(physical_type(decimal(39, 2)), PhysicalType::bytes);
  EXPECT_EQ(physical_type(decimal(0, 0)), PhysicalType::bytes) << "unbounded";
  EXPECT_EQ(physical_type(decimal(5, -2)), PhysicalType::bytes);
  EXPECT_EQ(physical_type(decimal(3, 5)), PhysicalType::bytes);
}

TEST(PhysicalType, EveryLogicalTypeHasOneAndItsWidth) {
  const std::vector<std::tuple<LogicalType, PhysicalType, std::size_t>> types{
      {LogicalType::boolean, PhysicalType::boolean, 1}, {LogicalType::int16, PhysicalType::int32, 4},
      {LogicalType::int32, PhysicalType::int32, 4},     {LogicalType::int64, PhysicalType::int64, 8},
      {LogicalType::float32, PhysicalType::float32, 4}, {LogicalType::float64, PhysicalType::float64, 8},
      {LogicalType::text, PhysicalType::bytes, 0},      {LogicalType::uuid, PhysicalType::fixed16, 16},
      {LogicalType::date, PhysicalType::int32, 4},      {LogicalType::time, PhysicalType::int64, 8},
      {LogicalType::timestamp, PhysicalType::int64, 8}, {LogicalType::timestamptz, PhysicalType::int64, 8},
      {LogicalType::interval, PhysicalType::bytes, 0},  {LogicalType::json, PhysicalType::bytes, 0},
      {LogicalType::bytea, PhysicalType::bytes, 0},     {LogicalType::array, PhysicalType::bytes, 0},
  };
  for (const auto& [logical, physical, width] : types) {
    EXPECT_EQ(physical_type({.logical = logical}), physical);
    EXPECT_EQ(value_width(physical), width);
  }
  EXPECT_EQ(value_width(PhysicalType::decimal128), sizeof(Int128));
}

TEST(ColumnVector, HasNoBitmapBeforeTheFirstNull) {
  ColumnVector column(kInt64);
  column.append(std::int64_t{7});
  EXPECT_EQ(column.validity(), nullptr);
  EXPECT_FALSE(column.is_null(0));
  column.append_null();
  ASSERT_NE(column.validity(), nullptr);
  EXPECT_FALSE(column.is_null(0));
  EXPECT_TRUE(column.is_null(1));
  EXPECT_EQ(column.values<std::int64_t>()[1], 0);
}

TEST(ColumnVector, TheFirstNullMayComeAtAnyPlaceInAByte) {
  for (std::size_t first_null = 0; first_null < 40; ++first_null) {
    for (const std::size_t period : {1U, 2U, 7U, 100U}) {
      ColumnVector column(kInt32);
      std::vector<std::optional<std::int32_t>> expected;
      for (std::size_t row = 0; row < 67; ++row) {
        if (row >= first_null && (row - first_null) % period == 0) {
          column.append_null();
          expected.emplace_back();
        } else {
          column.append(static_cast<std::int32_t>(row));
          expected.emplace_back(static_cast<std::int32_t>(row));
        }
      }
      ASSERT_EQ(column.size(), expected.size());
      for (std::size_t row = 0; row < expected.size(); ++row) {
        ASSERT_EQ(column.is_null(row), !expected[row].has_value()) << first_null << "/" << period << " row " << row;
        ASSERT_EQ(column.values<std::int32_t>()[row], expected[row].value_or(0));
        const bool bit = (column.validity()[row / 8] >> (row % 8) & 1) != 0;
        ASSERT_EQ(bit, expected[row].has_value());
      }
      // Arrow asks that the bits after the last row are zero.
      EXPECT_EQ(column.validity()[66 / 8] >> 3, 0) << first_null << "/" << period;
    }
  }
}

TEST(ColumnVector, TextKeepsEmptyAndNullApart) {
  ColumnVector column(kText);
  column.append_text("one");
  column.append_text("");
  column.append_null();
  column.append_bytes("a\0b", 3);
  std::memcpy(column.reserve_bytes(100), "in place", 8);
  column.finish_bytes(8);

  ASSERT_EQ(column.size(), 5U);
  EXPECT_EQ(column.text(0), "one");
  EXPECT_EQ(column.text(1), "");
  EXPECT_FALSE(column.is_null(1));
  EXPECT_EQ(column.text(2), "");
  EXPECT_TRUE(column.is_null(2));
  EXPECT_EQ(column.text(3), std::string_view("a\0b", 3));
  EXPECT_EQ(column.text(4), "in place");
  EXPECT_THAT(std::vector<std::int32_t>(column.offsets(), column.offsets() + 6),
              testing::ElementsAre(0, 3, 3, 3, 6, 14));
  EXPECT_EQ(column.byte_size(), 14U);
  EXPECT_EQ(column.null_count(), 1U);
}

TEST(ColumnVector, WideValuesAreKeptExactly) {
  ColumnVector amounts(decimal(38, 4));
  Int128 largest = 1;
  for (int i = 0; i < 38; ++i) largest *= 10;
  --largest;
  amounts.append(largest);
  amounts.append_null();
  amounts.append(-largest);
  EXPECT_TRUE(amounts.values<Int128>()[0] == largest);
  EXPECT_TRUE(amounts.values<Int128>()[1] == 0);
  EXPECT_TRUE(amounts.values<Int128>()[2] == -largest);

  ColumnVector ids(kUuid);
  const std::array<char, 16> id{'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};
  ids.append(id);
  EXPECT_EQ(std::string_view(ids.values<char>(), 16), "0123456789abcdef");
}

TEST(ColumnVector, ClearForgetsRowsAndNullsAndKeepsTheMemory) {
  ColumnVector column(kText);
  column.append_null();
  column.append_text("something long enough to need memory of its own");
  const char* memory = column.bytes();
  column.clear();
  EXPECT_EQ(column.size(), 0U);
  EXPECT_FALSE(column.has_nulls());
  EXPECT_EQ(column.byte_size(), 0U);
  column.append_text("x");
  EXPECT_FALSE(column.is_null(0));
  EXPECT_EQ(column.text(0), "x");
  EXPECT_EQ(column.bytes(), memory);
  column.append_null();
  EXPECT_FALSE(column.is_null(0));
  EXPECT_TRUE(column.is_null(1));
}

/// A row of `id, name, paid`; no name is a null.
void append_row(RowBatch& batch, std::int64_t id, std::optional<std::string_view> name, bool paid) {
  batch.column(0).append(id);
  if (name) {
    batch.column(1).append_text(*name);
  } else {
    batch.column(1).append_null();
  }
  batch.column(2).append(static_cast<std::uint8_t>(paid));
  batch.finish_row();
}

TEST(RowBatch, CountsTheBytesOfAllColumnsAfterEveryRow) {
  RowBatch batch({kInt64, kText, kBool});
  EXPECT_EQ(batch.byte_size(), 0U);
  append_row(batch, 1, "four", true);
  EXPECT_EQ(batch.byte_size(), 8U + 4U + 1U);
  append_row(batch, 2, std::nullopt, false);
  EXPECT_EQ(batch.byte_size(), 13U + 9U);

  std::size_t sum = 0;
  for (std::size_t i = 0; i < batch.column_count(); ++i) sum += batch.column(i).byte_size();
  EXPECT_EQ(batch.byte_size(), sum);
}

TEST(RowBatch, IsFullByRowsOrByBytesWhicheverComesFirst) {
  RowBatch batch({kInt64, kText, kBool});
  const BatchLimits by_rows{.rows = 2, .bytes = 1 << 20};
  const BatchLimits by_bytes{.rows = 5000, .bytes = 26};
  append_row(batch, 1, "four", true);
  EXPECT_FALSE(batch.full(by_rows));
  EXPECT_FALSE(batch.full(by_bytes));
  append_row(batch, 2, "four", true);
  EXPECT_TRUE(batch.full(by_rows));
  EXPECT_TRUE(batch.full(by_bytes)) << "exactly at the limit";
}

TEST(RowBatch, TheSameRowsMakeTheSameBatchesInAUsedBatch) {
  const BatchLimits limits{.rows = 100, .bytes = 700};
  const auto cut = [&](RowBatch& batch) {
    std::vector<std::size_t> sizes;
    for (std::int64_t id = 0; id < 500; ++id) {
      append_row(batch, id,
                 id % 3 == 0 ? std::optional<std::string_view>() : std::string_view("abcdefghij", id % 11 % 10), false);
      if (!batch.full(limits)) continue;
      sizes.push_back(batch.row_count());
      batch.clear();
    }
    return sizes;
  };
  RowBatch fresh({kInt64, kText, kBool});
  RowBatch used({kInt64, kText, kBool});
  append_row(used, 99, std::string(5000, 'x'), true);
  used.clear();
  const auto expected = cut(fresh);
  EXPECT_GT(expected.size(), 5U);
  EXPECT_EQ(cut(used), expected);
}

TEST(RowBatch, ClearForgetsTheKeyToo) {
  RowBatch batch({kInt64, kText, kBool});
  append_row(batch, 1, "a", true);
  batch.set_last_key({"1"});
  EXPECT_THAT(batch.last_key(), testing::ElementsAre("1"));
  batch.clear();
  EXPECT_TRUE(batch.last_key().empty());
  EXPECT_EQ(batch.row_count(), 0U);
  EXPECT_EQ(batch.byte_size(), 0U);
}

TEST(RowBatch, MayHaveNoColumnsOfVariableLengthOrNoneAtAll) {
  RowBatch numbers({kInt64, kInt32});
  numbers.column(0).append(std::int64_t{1});
  numbers.column(1).append(std::int32_t{1});
  numbers.finish_row();
  EXPECT_EQ(numbers.byte_size(), 12U);

  RowBatch none({});
  none.finish_row();
  EXPECT_EQ(none.byte_size(), 0U);
  EXPECT_EQ(none.row_count(), 1U);
}

}  // namespace
}  // namespace longshore
