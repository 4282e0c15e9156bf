// Files read back by readers that nobody here wrote: DuckDB, hyparquet and parquet-wasm (arrow-rs).
#include <gtest/gtest.h>

#include <bit>
#include <functional>
#include <boost/json.hpp>
#include <cmath>
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
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(least) + (range == UINT64_MAX ? random() : random() % (range + 1)));
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
  if (single) value = random() % 3 == 0 ? static_cast<float>(value) : std::bit_cast<float>(static_cast<std::uint32_t>(random()));
  std::string text = "NaN";
  if (std::isinf(value)) text = value > 0 ? "Infinity" : "-Infinity";
  if (std::isfinite(value)) {
    text = single ? text_of([](char* out, float v) { return write_float(out, v); }, static_cast<float>(value))
                  : text_of([](char* out, double v) { return write_float(out, v); }, value);
  }
  return {value, json::string(text), std::isfinite(value) ? text : json_string(text)};
}

Sample text(std::mt19937_64& random) {
  static const std::vector<std::string> kPieces{"plain", "", "\"", "\\", "/", "\b\f\n\r\t", std::string("\0", 1),
                                                "\x01", "ä", "日本", "\U0001F600", "\x7F", "\u2028", "\U0010FFFF",
                                                "עברית", "e\u0301", "NULL", "{}", "[]", ",",
                                                "a rather long run of quite ordinary words"};
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

}  // namespace
}  // namespace longshore
