// The awkward table in every text format, read back by Python (csv, json, gzip, zstandard) and by Node (JSON.parse,
// zlib, DuckDB's CSV reader).
#include "awkward_rows.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace longshore {
namespace {

/// What the readers compare with.
std::string expectations(const AwkwardTable& table) {
  boost::json::array columns;
  for (const std::string& column : table.columns) {
    const std::size_t colon = column.rfind(':');
    columns.push_back({{"name", column.substr(0, colon)}, {"type", column.substr(colon + 1)}});
  }
  boost::json::array rows;
  for (const auto& cells : table.cells) {
    boost::json::array row;
    for (const AwkwardValue& value : cells) {
      const bool null = std::holds_alternative<std::monostate>(value.cell);
      row.push_back(null ? boost::json::value() : boost::json::value{{"csv", value.csv}, {"json", value.json}});
    }
    rows.push_back(std::move(row));
  }
  return boost::json::serialize(boost::json::value{{"columns", std::move(columns)}, {"rows", std::move(rows)}});
}

/// Writes the table in all ways and has it read; `batch_rows` small enough that some batches have no NULL.
void expect_read_back(const AwkwardTable& table) {
  const TemporaryDirectory directory;
  const std::string expected = directory.write("expected.json", expectations(table));
  const std::vector<Row> rows = table.rows();
  std::string all;
  std::string by_node;
  for (const std::string format : {"csv", "jsonl", "json"}) {
    for (const Compression compression : {Compression::none, Compression::gzip, Compression::zstd}) {
      for (const std::size_t partitions : {std::size_t{1}, std::size_t{3}}) {
        ExportSpec spec = make_spec(format, table.columns);
        spec.compression = compression;
        spec.csv.profile = CsvProfile::machine;
        const std::string name = std::to_string(partitions) + "." + make_formats().extension(spec);
        const std::string file = directory.write(name, encode_file(spec, rows, partitions, 32).bytes);
        all += " " + file;
        if (compression != Compression::zstd) by_node += " " + file;  // Node 18 cannot
      }
    }
  }
  ExportSpec guarded = make_spec("csv", table.columns);
  all += " " + directory.write("guarded.csv", encode_file(guarded, rows, 2, 32).bytes);

  const CommandResult python =
      run_command("/usr/bin/python3 " LONGSHORE_ENCODE_TESTS "/read_awkward.py " + expected + all);
  EXPECT_EQ(python.status, 0) << python.output << "\nneeds python3 and python3-zstandard: scripts/install.sh test";
  const CommandResult node = run_command(
      "NODE_PATH=" LONGSHORE_READERS " node " LONGSHORE_ENCODE_TESTS "/read_awkward.cjs " + expected + by_node);
  EXPECT_EQ(node.status, 0) << node.output << "\nneeds node (scripts/install.sh test) and scripts/readers.sh";
}

TEST(AwkwardRows, EveryValueOfEveryType) {
  expect_read_back(make_awkward_table(awkward_type_count(), 160));
}

TEST(AwkwardRows, ThreeHundredColumns) {
  expect_read_back(make_awkward_table(300, 40));
}

TEST(AwkwardRows, OneRow) {
  AwkwardTable table = make_awkward_table(awkward_type_count(), 2);
  table.cells.erase(table.cells.begin());
  expect_read_back(table);
}

TEST(AwkwardRows, NoRows) {
  expect_read_back(make_awkward_table(awkward_type_count(), 0));
}

}  // namespace
}  // namespace longshore
