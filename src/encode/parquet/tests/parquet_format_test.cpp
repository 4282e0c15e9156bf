#include "parquet/parquet_format.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "base/digest.h"
#include "parquet/row_group_encoder.h"
#include "parquet/row_group_record.h"
#include "parquet_files.h"

namespace longshore {
namespace {

TEST(ParquetFormat, Traits) {
  const ParquetFormat format;
  EXPECT_EQ(format.traits().name, "parquet");
  EXPECT_EQ(format.traits().extension, "parquet");
  EXPECT_EQ(format.traits().content_type, "application/vnd.apache.parquet");
  EXPECT_TRUE(format.traits().parallel);
  EXPECT_TRUE(format.traits().streamable);
  EXPECT_FALSE(format.traits().compressible);
  EXPECT_EQ(format.traits().max_rows, 0);
}

TEST(ParquetFormat, AFileOfTwoRowsByteForByte) {
  ExportSpec spec = parquet_spec({"id:int32", "name:text", "ok:bool"}, ParquetCodec::none);
  spec.dataset.key = {"id"};
  const std::string file = parquet_file(spec, {{std::int64_t{7}, "Ada", true}, {std::int64_t{8}, kNull, false}}).bytes;
  EXPECT_EQ(to_hex(file),
            // magic
            "50415231"
            // id: header, levels, 7 and 8
            "1500151c151c2c150415001506150600000200000004010700000008000000"
            // name: one null, "Ada"
            "1500151a151a2c1504150015061506000002000000030103000000416461"
            // ok: one bit each
            "1500150e150e2c1504150015061506000002000000040101"
            // column indexes
            "191102191804070000001918040800000015021916000019110219180341646119180341646115021916020019110219"
            "18010019180101150219160000"
            // offset indexes
            "191c1608153e16000000191c1646153c16000000191c168201153016000000"
            // footer
            "1502194c4806736368656d61150600150225021802696400150c250218046e616d6525004c1c0000001500250218026f"
            "6b001604191c193c26001c150219250006191802696415001604163e163e26083c360028040800000018040700000011"
            "1100191c150015001502000016ac02151416b201152e0026001c150c192500061918046e616d6515001604163c163c26"
            "463c360228034164611803416461111100191c150015001502000016c002151416e001152a0026001c15001925000619"
            "18026f6b15001604163016302682013c3600280101180100111100191c150015001502000016d4021516168a02152200"
            "16aa011604191c1500121200160816aa01140000191c18166c6f6e6773686f72652e7265717565737465645f61741814"
            "313937302d30312d30315430303a30303a30305a0018256c6f6e6773686f72652076657273696f6e20302e312e302028"
            "6275696c6420302e312e3029193c1c00001c00001c000000"
            // its length, and the magic number again
            "6801000050415231");
}

std::string option_error(std::vector<std::string> bloom_filters) {
  ExportSpec spec = parquet_spec({"id:int64", "f:float64", "on:bool", "tags:text[]"});
  spec.parquet.bloom_filters = std::move(bloom_filters);
  const auto frame = ParquetFormat().make_frame(spec);
  const auto encoder = ParquetFormat().make_encoder(spec, {});
  EXPECT_EQ(frame.has_value(), encoder.has_value());
  if (frame) return "";
  EXPECT_EQ(frame.error().code, "bad_parquet_option");
  EXPECT_EQ(frame.error().source, ErrorSource::user);
  return frame.error().message;
}

TEST(ParquetFormat, BloomFiltersAreChecked) {
  EXPECT_EQ(option_error({"id"}), "");
  EXPECT_EQ(option_error({"di"}), "parquet.bloomFilters names 'di', which is not among the exported columns");
  for (const std::string name : {"f", "on", "tags"}) {
    EXPECT_EQ(option_error({"id", name}), "parquet.bloomFilters names '" + name +
                                              "'; columns of bool, floating-point and array types have no bloom "
                                              "filter");
  }
}

TEST(ParquetFormat, ABatchOfAnotherShapeIsAnError) {
  const auto encoder = ParquetFormat().make_encoder(parquet_spec({"a:int64", "b:text"}), {}).value();
  ByteBuffer out;
  EXPECT_EQ(encoder->encode(RowBatch({DataType{LogicalType::int64}}), out).error().code, "batch_shape");
  EXPECT_EQ(encoder->encode(RowBatch({DataType{LogicalType::int64}, DataType{LogicalType::json}}), out).error().code,
            "batch_shape");
}

TEST(ParquetFormat, WhatParquetCannotHoldIsNullAndCounted) {
  const ExportSpec spec = parquet_spec(
      {"day:date", "at:timestamptz", "hour:time", "price:numeric(3,1)", "t:text", "big:numeric(20,0)", "id:int64"});
  const std::vector<Row> rows{{std::int64_t{kDateInfinity}, kTimestampInfinity, std::int64_t{86'400'000'000},
                               Int128{1000}, "a\xFF", int128("100000000000000000000"), std::int64_t{1}},
                              {std::int64_t{kDateMinusInfinity}, kTimestampMinusInfinity, std::int64_t{-1},
                               Int128{-1000}, "\xC3", int128("-100000000000000000000"), std::int64_t{2}},
                              {std::int64_t{0}, std::int64_t{0}, std::int64_t{86'399'999'999}, Int128{-999}, "é",
                               int128("99999999999999999999"), std::int64_t{3}},
                              {kNull, kNull, kNull, kNull, kNull, kNull, std::int64_t{4}}};
  const EncodedFile file = parquet_file(spec, rows);
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(file.total.fidelity.at(i).replaced, 2) << spec.columns[i].name;
  EXPECT_TRUE(file.total.fidelity.at(6).clean());
  std::string_view detail = file.total.detail;
  const auto record = parquet::take_record(detail).value();
  for (const std::size_t i : {0, 1, 2, 3, 5}) EXPECT_EQ(record.columns[i].nulls(), 3) << spec.columns[i].name;
  EXPECT_EQ(record.columns[4].nulls(), 1);
}

/// Bytes that are UTF-8 together and not one by one.
TEST(ParquetFormat, ACharacterCutInTwoIsNoCharacter) {
  const EncodedFile file = parquet_file(parquet_spec({"t:text"}), {{"\xC3"}, {"\xA9"}, {"é"}});
  EXPECT_EQ(file.total.fidelity.at(0).replaced, 2);
}

TEST(ParquetFormat, BoundsLeaveNanOutAndTakeBothZerosIn) {
  const ExportSpec spec = parquet_spec({"a:float64", "b:float64", "c:float32", "n:float64"}, ParquetCodec::none);
  const std::vector<Row> rows{{0.0, -0.0, 0.0, NAN}, {NAN, NAN, -1.0, NAN}, {-0.0, 2.0, kNull, kNull}};
  const EncodedFile file = parquet_file(spec, rows);
  std::string_view detail = file.total.detail;
  const auto record = parquet::take_record(detail).value();
  const auto bits = [](double value) { return std::string(reinterpret_cast<const char*>(&value), 8); };
  EXPECT_EQ(record.columns[0].bounds.min, bits(-0.0));
  EXPECT_EQ(record.columns[0].bounds.max, bits(0.0));
  EXPECT_EQ(record.columns[1].bounds.min, bits(-0.0));
  EXPECT_EQ(record.columns[1].bounds.max, bits(2.0));
  EXPECT_EQ(record.columns[2].bounds.max, std::string(4, '\0'));
  EXPECT_FALSE(record.columns[3].bounds.present);
}

ExportSpec sorted_spec(const std::vector<std::string>& columns, const std::vector<std::string>& key) {
  ExportSpec spec = parquet_spec(columns);
  spec.dataset.key = key;
  spec.dataset.tenant_column = "tenant";
  return spec;
}

std::string sorted_by(const ExportSpec& spec, const std::vector<Row>& rows, std::size_t batch_rows = 2) {
  const EncodedFile file = parquet_file(spec, rows, 1, batch_rows);
  std::string_view detail = file.total.detail;
  if (!parquet::take_record(detail).value().sorted) return "nothing";
  std::string names;
  for (const int column : parquet::sorting_columns(spec))
    names += spec.columns[static_cast<std::size_t>(column)].name + " ";
  return names;
}

TEST(ParquetFormat, OnlyWhatIsSortedIsSaidToBe) {
  const auto row = [](std::int64_t a, std::int64_t b) { return Row{"t", a, b}; };
  const std::vector<std::string> columns{"tenant:text", "a:int32", "b:timestamptz"};
  const std::vector<Row> ascending{row(1, 5), row(1, 6), row(2, 0), row(2, 0), row(3, -1)};
  EXPECT_EQ(sorted_by(sorted_spec(columns, {"tenant", "a", "b"}), ascending), "a b ");
  EXPECT_EQ(sorted_by(sorted_spec(columns, {"a", "b"}), ascending, 1), "a b ");
  EXPECT_EQ(sorted_by(sorted_spec(columns, {"a", "elsewhere", "b"}), ascending), "a ");
  EXPECT_EQ(sorted_by(sorted_spec(columns, {"elsewhere", "a"}), ascending), "nothing");
  EXPECT_EQ(sorted_by(sorted_spec(columns, {"b"}), ascending), "nothing");
  EXPECT_EQ(sorted_by(sorted_spec(columns, {}), ascending), "nothing");
  // Infinity becomes null, which sorts elsewhere.
  EXPECT_EQ(sorted_by(sorted_spec(columns, {"a", "b"}), {row(1, 1), row(1, kTimestampInfinity)}), "nothing");
  // Text follows a collation, whatever its bytes.
  EXPECT_EQ(sorted_by(sorted_spec({"name:text"}, {"name"}), {{"a"}, {"b"}}), "nothing");
}

std::vector<Row> mixed_rows(std::size_t rows) {
  std::mt19937_64 random(11);
  std::vector<Row> made;
  for (std::size_t i = 0; i < rows; ++i) {
    made.push_back({static_cast<std::int64_t>(i), "user " + std::to_string(random() % 5000),
                    random() % 3 == 0 ? Cell(kNull) : Cell(std::to_string(random())),
                    "[" + std::to_string(random() % 7) + ",\"" + std::to_string(i / 1000) + "\"]",
                    static_cast<Int128>(random() % 1'000'000), random() % 4 == 0});
  }
  return made;
}

ExportSpec mixed_spec() {
  ExportSpec spec = parquet_spec({"id:int64", "user:text", "note:text", "tags:text[]", "sum:numeric(20,2)", "ok:bool"});
  spec.dataset.key = {"id"};
  spec.parquet.bloom_filters = {"user"};
  return spec;
}

TEST(ParquetFormat, AFreshEncoderAfterAnyRowGroupMakesTheSameFile) {
  const std::vector<Row> rows = mixed_rows(300'000);
  for (const ParquetProfile profile : {ParquetProfile::standard, ParquetProfile::modern}) {
    ExportSpec spec = mixed_spec();
    spec.parquet.profile = profile;
    const EncodedFile straight = parquet_file(spec, rows, 2, 5000);
    const EncodedFile resumed = parquet_file(spec, rows, 2, 5000, true);
    EXPECT_TRUE(straight.bytes == resumed.bytes);
    EXPECT_EQ(straight.total, resumed.total);
    EXPECT_TRUE(straight.bytes == parquet_file(spec, rows, 2, 5000).bytes);
  }
}

TEST(ParquetFormat, RowGroupsEndAtBatchesBeforeTheyHaveTooManyRows) {
  const ExportSpec spec = parquet_spec({"id:int64"});
  std::vector<Row> rows;
  for (std::int64_t i = 0; i < 250'000; ++i) rows.push_back({i});
  const EncodedRows encoded = encode_partition(spec, rows, 5000);
  ASSERT_EQ(encoded.chunks.size(), 3U);
  EXPECT_EQ(encoded.chunks[0].rows, 120'000);
  EXPECT_EQ(encoded.chunks[1].rows, 120'000);
  EXPECT_EQ(encoded.chunks[2].rows, 10'000);
}

/// What the store keeps with each checkpoint, and what the encoder holds, stay bounded whatever the columns.
void expect_bounded(std::size_t columns, const std::string& type, const std::function<Cell(std::mt19937_64&)>& make) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < columns; ++i) names.push_back("c" + std::to_string(i) + ":" + type);
  const ExportSpec spec = parquet_spec(names);
  std::mt19937_64 random(12);
  const std::size_t batch_rows = 64;
  std::vector<Row> rows(batch_rows);
  for (Row& row : rows) {
    for (std::size_t i = 0; i < columns; ++i) row.push_back(make(random));
  }
  const RowBatch batch = make_batch(spec, rows);
  const auto encoder = ParquetFormat().make_encoder(spec, {}).value();
  ByteBuffer out;
  std::optional<ChunkSummary> chunk;
  std::size_t fed = 0;
  for (; !chunk; fed += batch.byte_size()) chunk = encoder->encode(batch, out).value();
  EXPECT_LE(fed, std::size_t{34} << 20) << columns << " columns of " << type;
  EXPECT_LE(out.size(), std::size_t{12} << 20) << columns << " columns of " << type;
  EXPECT_LE(chunk->detail.size(), std::size_t{20} << 10) << columns << " columns of " << type;
}

TEST(ParquetFormat, RowGroupsAreBoundedInBytes) {
  const auto text = [](std::size_t size) {
    return [size](std::mt19937_64& random) {
      std::string value;
      while (value.size() < size) value += std::to_string(random());
      return Cell(value);
    };
  };
  const auto bytes = [](std::mt19937_64& random) {
    std::string value(100, '\0');
    for (char& byte : value) byte = static_cast<char>(random());
    return Cell(value);
  };
  expect_bounded(1, "text", text(5000));
  expect_bounded(18, "text", text(200));
  expect_bounded(18, "bytea", bytes);
  expect_bounded(300, "text", text(100));
  expect_bounded(300, "int64", [](auto& random) { return Cell(static_cast<std::int64_t>(random())); });
}

}  // namespace
}  // namespace longshore
