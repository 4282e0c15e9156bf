// Files read back by readers that nobody here wrote: DuckDB, hyparquet and parquet-wasm (arrow-rs).
#include <gtest/gtest.h>

#include <bit>
#include <boost/json.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <random>

#include "base/digest.h"
#include "encode/text/calendar.h"
#include "encode/text/digits.h"
#include "encode/text/plain_cells.h"
#include "parquet_files.h"

namespace longshore {
namespace {

namespace json = boost::json;

/// One kind of value: a column type, and how to make cells of it. `expected` is the spelling of readers.mjs; `in_array`
/// how the value stands in a JSON array.
struct Sample {
  Cell cell;
  json::value expected;
  std::string in_array;
};

template <class Write, class... Arguments>
std::string text_of(Write write, Arguments... arguments) {
  char buffer[64];
  return std::string(buffer, write(buffer, arguments...));
}

std::string json_string(std::string_view text) {
  return json::serialize(json::string(text));
}

std::string int128_digits(Int128 value) {
  return text_of(write_decimal, value, 0);
}

std::int64_t any_int(std::mt19937_64& random, std::int64_t least, std::int64_t most) {
  switch (random() % 8) {
    case 0:
      return least;
    case 1:
      return most;
    case 2:
      return 0;
    case 3:
      return -1;
    default:
      break;
  }
  const auto range = static_cast<std::uint64_t>(most) - static_cast<std::uint64_t>(least);
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(least) +
                                   (range == UINT64_MAX ? random() : random() % (range + 1)));
}

Sample integer(std::int64_t value) {
  const std::string digits = std::to_string(value);
  return {value, json::string(digits), digits};
}

Sample decimal(std::mt19937_64& random, int precision) {
  Int128 limit = 1;
  for (int i = 0; i < precision; ++i) limit *= 10;
  const Int128 wide = static_cast<Int128>(random()) << 64 | random();
  const Int128 value = random() % 5 == 0 ? (random() % 2 == 0 ? limit - 1 : 1 - limit) : wide % limit;
  return {value, json::string(int128_digits(value)), ""};
}

Sample floating(std::mt19937_64& random, bool single) {
  constexpr double kSpecial[] = {0.0, -0.0, NAN, INFINITY, -INFINITY, 1.5, 1e-40, 5e-324};
  double value = random() % 3 == 0 ? kSpecial[random() % 8] : std::bit_cast<double>(random());
  if (single)
    value = random() % 3 == 0 ? static_cast<float>(value) : std::bit_cast<float>(static_cast<std::uint32_t>(random()));
  std::string text = "NaN";
  if (std::isinf(value)) text = value > 0 ? "Infinity" : "-Infinity";
  if (std::isfinite(value)) {
    text = single ? text_of([](char* out, float v) { return write_float(out, v); }, static_cast<float>(value))
                  : text_of([](char* out, double v) { return write_float(out, v); }, value);
  }
  return {value, json::string(text), std::isfinite(value) ? text : json_string(text)};
}

Sample text(std::mt19937_64& random) {
  static const std::vector<std::string> kPieces{
      "plain", "",        "\"",   "\\",         "/",    "\b\f\n\r\t", std::string("\0", 1),
      "\x01",  "ä",       "日本", "\U0001F600", "\x7F", "\u2028",     "\U0010FFFF",
      "עברית", "e\u0301", "NULL", "{}",         "[]",   ",",          "a rather long run of quite ordinary words"};
  std::string value;
  for (auto n = random() % 8; n > 0; --n) value += kPieces[random() % kPieces.size()];
  if (random() % 500 == 0) value.append(32'767, 'x');
  return {value, json::string(value), json_string(value)};
}

Sample uuid(std::mt19937_64& random) {
  std::string bytes(16, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  const std::string spelled = text_of(write_uuid, reinterpret_cast<const unsigned char*>(bytes.data()));
  return {bytes, json::string(to_hex(bytes)), json_string(spelled)};
}

Sample date(std::mt19937_64& random) {
  constexpr std::int32_t kFirst = -719'162;  // 0001-01-01
  constexpr std::int32_t kLast = 2'932'896;  // 9999-12-31
  const std::int64_t days = any_int(random, kFirst, kLast);
  DayText day;
  char buffer[40];
  const std::string spelled(buffer, write_date(buffer, static_cast<std::int32_t>(days), day));
  return {days, json::string(std::to_string(days)), json_string(spelled)};
}

Sample time(std::mt19937_64& random) {
  const std::int64_t micros = any_int(random, 0, 86'399'999'999) & ~(std::int64_t{1} << 63);
  const std::int64_t value = micros < 86'400'000'000 ? micros : 0;
  return {value, json::string(std::to_string(value)), json_string(text_of(write_time, value))};
}

Sample timestamp(std::mt19937_64& random, bool utc) {
  constexpr std::int64_t kFirst = -62'135'596'800'000'000;  // 0001-01-01
  constexpr std::int64_t kLast = 253'402'300'799'999'999;   // 9999-12-31
  const std::int64_t micros = any_int(random, kFirst, kLast);
  DayText day;
  char buffer[48];
  const std::string spelled(buffer, write_timestamp(buffer, micros, utc, day));
  return {micros, json::string(std::to_string(micros)), json_string(spelled)};
}

Sample json_text(std::mt19937_64& random) {
  const std::string value = json::serialize(json::value{{"k", "é\"\n"}, {"n", {random(), nullptr, true, 1.5}}});
  return {value, json::string(value), value};
}

Sample bytes(std::mt19937_64& random) {
  std::string value(random() % 20, '\0');
  for (char& byte : value) byte = static_cast<char>(random());
  return {value, json::string(to_hex(value)), json_string(base64_encode(value))};
}

Sample number_text(std::mt19937_64& random) {
  const std::string value = std::to_string(random()) + std::to_string(random()) + "." + std::to_string(random());
  return {value, json::string(value), value};
}

Sample interval(std::mt19937_64& random) {
  const std::string value = "P" + std::to_string(random() % 100) + "DT" + std::to_string(random() % 24) + "H";
  return {value, json::string(value), json_string(value)};
}

Sample boolean(std::mt19937_64& random) {
  const bool value = random() % 3 == 0;
  return {value, json::string(value ? "true" : "false"), value ? "true" : "false"};
}

using MakeSample = std::function<Sample(std::mt19937_64&)>;

struct SampleColumn {
  std::string name;
  std::string type;
  MakeSample make;
};

std::vector<SampleColumn> scalar_columns() {
  const auto ints = [](std::int64_t least, std::int64_t most) {
    return [=](std::mt19937_64& random) { return integer(any_int(random, least, most)); };
  };
  return {{"on", "bool", boolean},
          {"i16", "int16", ints(INT16_MIN, INT16_MAX)},
          {"i32", "int32", ints(INT32_MIN, INT32_MAX)},
          {"i64", "int64", ints(INT64_MIN, INT64_MAX)},
          {"f32", "float32", [](auto& random) { return floating(random, true); }},
          {"f64", "float64", [](auto& random) { return floating(random, false); }},
          {"any", "numeric", number_text},
          {"t", "text", text},
          {"id", "uuid", uuid},
          {"day", "date", date},
          {"hour", "time", time},
          {"local", "timestamp", [](auto& random) { return timestamp(random, false); }},
          {"at", "timestamptz", [](auto& random) { return timestamp(random, true); }},
          {"span", "interval", interval},
          {"doc", "json", json_text},
          {"raw", "bytea", bytes}};
}

/// All types, each also as an array; decimals of every width; columns of few values, and of none.
std::vector<SampleColumn> all_columns() {
  std::vector<SampleColumn> columns = scalar_columns();
  for (const SampleColumn& scalar : scalar_columns()) {
    columns.push_back({scalar.name + "s", scalar.type + "[]", [make = scalar.make](std::mt19937_64& random) {
                         Sample sample;
                         json::array items;
                         std::string list = "[";
                         for (auto n = random() % 4; n > 0; --n) {
                           const bool null = random() % 5 == 0;
                           Sample item = make(random);
                           if (list.size() > 1) list += random() % 2 == 0 ? "," : " , ";
                           list += null ? "null" : item.in_array;
                           items.push_back(null ? json::value() : std::move(item.expected));
                         }
                         return Sample{list + "]", std::move(items), ""};
                       }});
  }
  for (const auto& [precision, scale] : {std::pair{1, 0}, {9, 2}, {10, 10}, {18, 4}, {19, 0}, {28, 5}, {38, 10}}) {
    columns.push_back({"d" + std::to_string(precision),
                       "numeric(" + std::to_string(precision) + "," + std::to_string(scale) + ")",
                       [precision = precision](auto& random) { return decimal(random, precision); }});
  }
  columns.push_back({"prices", "numeric(25,3)", [n = 0](auto&) mutable {
                       const Int128 value = int128("1000000000000000000000") + n++;
                       return Sample{value, json::string(int128_digits(value)), ""};
                     }});
  columns.push_back({"few", "text", [](auto& random) {
                       const std::string value = "value " + std::to_string(random() % 5);
                       return Sample{value, json::string(value), ""};
                     }});
  columns.push_back({"fewIds", "uuid", [](auto& random) {
                       std::mt19937_64 one(random() % 3);
                       return uuid(one);
                     }});
  columns.push_back({"fewPrices", "numeric(30,2)", [](auto& random) {
                       std::mt19937_64 one(random() % 3);
                       return decimal(one, 30);
                     }});
  columns.push_back({"runs", "int32", [n = 0](auto&) mutable { return integer(n++ / 300); }});
  columns.push_back({"none", "text", [](auto&) { return Sample{kNull, nullptr, ""}; }});
  columns.push_back({"noNumber", "int64", [](auto&) { return Sample{kNull, nullptr, ""}; }});
  columns.push_back({"empty", "text", [](auto&) { return Sample{"", "", ""}; }});
  return columns;
}

/// Rows and what readers must find.
struct SampleRows {
  ExportSpec spec;
  std::vector<Row> rows;
  std::string expected;  ///< JSON, see read_back.mjs
};

SampleRows make_samples(std::size_t rows, const std::vector<SampleColumn>& columns) {
  std::mt19937_64 random(2026);
  SampleRows samples;
  std::vector<std::string> types;
  json::array names;
  for (const SampleColumn& column : columns) {
    types.push_back(column.name + ":" + column.type);
    std::string kind = column.type;
    if (kind.ends_with("[]")) kind.resize(kind.size() - 2);
    names.push_back({{"name", column.name}, {"kind", kind}});
  }
  samples.spec = parquet_spec(types);
  json::array expected;
  for (std::size_t row = 0; row < rows; ++row) {
    json::array cells;
    Row& made = samples.rows.emplace_back();
    for (const SampleColumn& column : columns) {
      Sample sample = column.make(random);
      const bool null = random() % 9 == 0;
      made.push_back(null ? Cell(kNull) : std::move(sample.cell));
      cells.push_back(null ? json::value() : std::move(sample.expected));
    }
    expected.push_back(std::move(cells));
  }
  samples.expected = json::serialize(json::object{{"columns", std::move(names)}, {"rows", std::move(expected)}});
  return samples;
}

void expect_read_back(const SampleRows& samples, const std::vector<std::string>& files) {
  const TemporaryDirectory directory;
  std::string arguments = directory.write("expected.json", samples.expected);
  for (std::size_t i = 0; i < files.size(); ++i) {
    arguments += " " + directory.write("file" + std::to_string(i) + ".parquet", files[i]);
  }
  const CommandResult result = run_reader("read_back.mjs", arguments);
  EXPECT_EQ(result.status, 0) << result.output;
}

TEST(ParquetReadBack, EveryTypeInEveryCodecAndProfile) {
  SampleRows samples = make_samples(1500, all_columns());
  std::vector<std::string> files;
  for (const ParquetProfile profile : {ParquetProfile::standard, ParquetProfile::modern}) {
    for (const ParquetCodec codec : {ParquetCodec::zstd, ParquetCodec::snappy, ParquetCodec::none}) {
      samples.spec.parquet.codec = codec;
      samples.spec.parquet.profile = profile;
      files.push_back(parquet_file(samples.spec, samples.rows, files.size() % 3 + 1, 400).bytes);
    }
  }
  expect_read_back(samples, files);
}

TEST(ParquetReadBack, ReadersKnowWhatEachTypeMeans) {
  const ExportSpec spec = parquet_spec(
      {"on:bool",         "i16:int16",         "i32:int32",          "i64:int64",      "f32:float32",   "f64:float64",
       "d9:numeric(9,2)", "d18:numeric(18,4)", "d38:numeric(38,10)", "any:numeric",    "t:text",        "id:uuid",
       "day:date",        "hour:time",         "local:timestamp",    "at:timestamptz", "span:interval", "doc:json",
       "raw:bytea",       "tags:text[]",       "days:date[]"});
  const TemporaryDirectory directory;
  const CommandResult result = run_reader("describe.mjs", directory.write("a.parquet", parquet_file(spec, {}).bytes));
  EXPECT_EQ(result.status, 0);
  // DuckDB's parquet_schema: name, type, length, repetition, converted type, scale, precision, logical type. Then the
  // types of the columns, first DuckDB's, then those of arrow-rs.
  EXPECT_EQ(result.output, R"(schema - - - - - - -
on BOOLEAN - OPTIONAL - - - -
i16 INT32 - OPTIONAL INT_16 - - IntType(bitWidth=16, isSigned=1)
i32 INT32 - OPTIONAL - - - -
i64 INT64 - OPTIONAL - - - -
f32 FLOAT - OPTIONAL - - - -
f64 DOUBLE - OPTIONAL - - - -
d9 INT32 - OPTIONAL DECIMAL 2 9 DecimalType(scale=2, precision=9)
d18 INT64 - OPTIONAL DECIMAL 4 18 DecimalType(scale=4, precision=18)
d38 FIXED_LEN_BYTE_ARRAY 16 OPTIONAL DECIMAL 10 38 DecimalType(scale=10, precision=38)
any BYTE_ARRAY - OPTIONAL UTF8 - - StringType()
t BYTE_ARRAY - OPTIONAL UTF8 - - StringType()
id FIXED_LEN_BYTE_ARRAY 16 OPTIONAL - - - UUIDType()
day INT32 - OPTIONAL DATE - - DateType()
hour INT64 - OPTIONAL - - - TimeType(isAdjustedToUTC=0, unit=MICROS)
local INT64 - OPTIONAL - - - TimestampType(isAdjustedToUTC=0, unit=MICROS)
at INT64 - OPTIONAL TIMESTAMP_MICROS - - TimestampType(isAdjustedToUTC=1, unit=MICROS)
span BYTE_ARRAY - OPTIONAL UTF8 - - StringType()
doc BYTE_ARRAY - OPTIONAL JSON - - JsonType()
raw BYTE_ARRAY - OPTIONAL - - - -
tags - - OPTIONAL LIST - - ListType()
list - - REPEATED - - - -
element BYTE_ARRAY - OPTIONAL UTF8 - - StringType()
days - - OPTIONAL LIST - - ListType()
list - - REPEATED - - - -
element INT32 - OPTIONAL DATE - - DateType()
on: BOOLEAN
i16: SMALLINT
i32: INTEGER
i64: BIGINT
f32: FLOAT
f64: DOUBLE
d9: DECIMAL(9,2)
d18: DECIMAL(18,4)
d38: DECIMAL(38,10)
any: VARCHAR
t: VARCHAR
id: UUID
day: DATE
hour: TIME
local: TIMESTAMP
at: TIMESTAMP WITH TIME ZONE
span: VARCHAR
doc: JSON
raw: BLOB
tags: VARCHAR[]
days: DATE[]
on: Bool
i16: Int16
i32: Int32
i64: Int64
f32: Float32
f64: Float64
d9: Decimal[9e+2]
d18: Decimal[18e+4]
d38: Decimal[38e+10]
any: Utf8
t: Utf8
id: FixedSizeBinary[16]
day: Date32<DAY>
hour: Time64<MICROSECOND>
local: Timestamp<MICROSECOND>
at: Timestamp<MICROSECOND, UTC>
span: Utf8
doc: Utf8
raw: Binary
tags: List<Utf8>
days: List<Date32<DAY>>
)");
}

TEST(ParquetReadBack, NoRowsAndOneRow) {
  for (const std::size_t rows : {0, 1}) {
    SampleRows samples = make_samples(rows, all_columns());
    std::vector<std::string> files{parquet_file(samples.spec, samples.rows, 1).bytes,
                                   parquet_file(samples.spec, samples.rows, 3).bytes};
    if (rows == 0) files.push_back(file_with_gaps(samples.spec, {}, 0));
    samples.spec.parquet.profile = ParquetProfile::modern;
    files.push_back(parquet_file(samples.spec, samples.rows).bytes);
    expect_read_back(samples, files);
  }
}

TEST(ParquetReadBack, ThreeHundredColumns) {
  std::vector<SampleColumn> columns;
  for (std::size_t i = 0; columns.size() < 300; ++i) {
    SampleColumn column = scalar_columns()[i % scalar_columns().size()];
    column.name += std::to_string(i);
    columns.push_back(std::move(column));
  }
  SampleRows samples = make_samples(300, columns);
  expect_read_back(samples, {parquet_file(samples.spec, samples.rows, 2).bytes});
}

/// Parts are uploaded from many places, and a store may keep what lies between them: readers go by the offsets alone.
TEST(ParquetReadBack, PartitionsThatLieApart) {
  SampleRows samples = make_samples(900, all_columns());
  samples.spec.parquet.bloom_filters = {"t", "i64", "id"};
  std::vector<EncodedRows> partitions;
  for (std::size_t begin = 0; begin < samples.rows.size(); begin += 300) {
    const auto first = samples.rows.begin() + static_cast<std::ptrdiff_t>(begin);
    partitions.push_back(encode_partition(samples.spec, {first, first + 300}));
    if (begin == 0) partitions.push_back(encode_partition(samples.spec, {}));
  }
  expect_read_back(samples, {file_with_gaps(samples.spec, partitions, 0), file_with_gaps(samples.spec, partitions, 1),
                             file_with_gaps(samples.spec, partitions, 4097)});
}

/// Rows of several row groups and pages: sorted by id, with a column of every way that values are written.
std::vector<Row> long_rows(std::size_t rows) {
  std::mt19937_64 random(7);
  std::string accents;
  for (int i = 0; i < 80; ++i) accents += "é";
  std::vector<Row> made;
  made.reserve(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    const auto id = static_cast<std::int64_t>(1000 + i);
    const std::string late = i % 100'000 < 20'000 ? "common" : "once " + std::to_string(i);  // outgrows its dictionary
    std::string raw(random() % 60, '\xFF');
    raw += std::to_string(random());
    made.push_back({id, "user " + std::to_string(i * 2'654'435'761 % 1'000'003), late,
                    i / 30'000 % 2 == 0 ? Cell(kNull) : Cell("x" + accents),
                    random() % 50 == 0 ? NAN : std::ldexp(static_cast<double>(random() % 2000) - 1000, -4),
                    int128(std::to_string(random())) * (i % 2 == 0 ? -1 : 1), raw,
                    static_cast<std::int64_t>(i / 7000)});
  }
  return made;
}

ExportSpec long_spec() {
  ExportSpec spec = parquet_spec({"id:int64", "user:text", "late:text", "wide:text", "price:float64",
                                  "sum:numeric(38,10)", "raw:bytea", "day:date"});
  spec.dataset.name = "audit_logs";
  spec.dataset.key = {"tenant", "id"};
  spec.dataset.tenant_column = "tenant";
  spec.title = "Audit, Ørsted";
  return spec;
}

TEST(ParquetReadBack, StatisticsAndIndexesAreTrue) {
  const std::vector<Row> rows = long_rows(150'000);
  const ExportSpec spec = long_spec();
  const TemporaryDirectory directory;
  const CommandResult result =
      run_reader("structure.mjs", directory.write("a.parquet", parquet_file(spec, rows, 1, 5000).bytes));
  EXPECT_EQ(result.status, 0);
  // Data pages of each column and their encoding: 0 plain, 8 dictionary.
  EXPECT_EQ(result.output, R"(120000 rows, sorted by [id], data pages 6x0 6x0 4x0+2x8 2x0+4x8 6x8 6x0 12x0 6x8
30000 rows, sorted by [id], data pages 2x0 2x0 2x0 2x0 2x8 2x0 3x0 2x8
longshore version 0.1.0 (build 0.1.0)
longshore.dataset: audit_logs
longshore.title: Audit, Ørsted
longshore.requested_at: 1970-01-01T00:00:00Z
)");
}

TEST(ParquetReadBack, FiltersSkipRowGroups) {
  const std::vector<Row> rows = long_rows(100'000);
  ExportSpec spec = long_spec();
  const TemporaryDirectory directory;
  const std::string file = directory.write("a.parquet", parquet_file(spec, rows, 4, 5000).bytes);
  CommandResult result = run_reader("skipping.mjs", file + " id 1500");
  EXPECT_EQ(result.output,
            "1 rows in 1 of 4 row groups; hyparquet read less than 20 % of the pages\n"
            "bloom filter excludes: false 4\n");
  spec.parquet.bloom_filters = {"user", "id"};
  const std::string blooming = directory.write("b.parquet", parquet_file(spec, rows, 4, 5000).bytes);
  result = run_reader("skipping.mjs", blooming + " user 'user 0'");
  EXPECT_EQ(result.output,
            "1 rows in 1 of 4 row groups; hyparquet read less than 20 % of the pages\n"
            "bloom filter excludes: false 1\nbloom filter excludes: true 3\n");
}

}  // namespace
}  // namespace longshore
