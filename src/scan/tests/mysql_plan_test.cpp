#include "scan/tests/mysql_fixture.h"

namespace longshore {
namespace {

using testing::ElementsAre;

class MysqlPlanTest : public MysqlTest {
 protected:
  /// The rows of each range.
  std::vector<std::int64_t> sizes(SourceDatabase& source, const ExportSpec& spec, const PartitionPlan& plan) {
    std::vector<std::int64_t> rows;
    for (const KeyRange& range : plan.ranges) {
      const auto reading = read_range(source, spec, range);
      EXPECT_TRUE(reading) << reading.error().message;
      rows.push_back(reading ? static_cast<std::int64_t>(reading->rows.size()) : -1);
    }
    return rows;
  }
};

TEST_F(MysqlPlanTest, LargeSetsAreCutByTheOptimizersEstimates) {
  run("CREATE TABLE t (id int PRIMARY KEY, label varchar(20))");
  // Nine tenths of the rows lie in the lowest tenth of the keys.
  run("INSERT INTO t SELECT IF(seq <= 270000, seq, 270000 + (seq - 270000) * 81), 'x' FROM seq_1_to_300000");
  run("ANALYZE TABLE t");
  const auto source = open();
  ExportSpec whole = spec(*source, "t", {"id"});
  whole.columns.resize(1);
  const auto plan = source->plan_partitions(whole, {.partitions = 4}, {});
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_FALSE(plan->exact);
  ASSERT_EQ(plan->ranges.size(), 4U);
  const auto rows = sizes(*source, whole, *plan);
  EXPECT_EQ(rows[0] + rows[1] + rows[2] + rows[3], 300'000);
  for (const std::int64_t part : rows) {
    // Even would be 75,000; InnoDB's estimates are no better than this. Even cuts of the keys would make one of
    // 280,000.
    EXPECT_GT(part, 20'000);
    EXPECT_LT(part, 180'000);
  }
}

using MysqlSchemaTest = MysqlTest;

TEST_F(MysqlSchemaTest, DescribesColumnsAndIndexes) {
  run(R"(CREATE TABLE orders (tenant_id varchar(20) NOT NULL, id bigint unsigned NOT NULL AUTO_INCREMENT, code varchar(300) NOT NULL,
         total decimal(12,2), doc json, at timestamp(6) NULL, body text, PRIMARY KEY (tenant_id, id), UNIQUE KEY by_id (id),
         KEY prefix (body(10)), KEY by_code (code, id), FULLTEXT KEY words (body)))");
  run("INSERT INTO orders (tenant_id, code) SELECT 'a', seq FROM seq_1_to_100");
  run("ANALYZE TABLE orders");
  const auto source = open();
  const auto info = source->describe("orders");
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_FALSE(info->is_view);
  EXPECT_EQ(info->estimated_rows, 100);
  std::vector<std::string> columns;
  for (const ColumnInfo& column : info->columns) {
    columns.push_back(column.name + " " + to_string(column.type) + " " + column.database_type +
                      (column.nullable ? " null" : ""));
  }
  EXPECT_THAT(columns, ElementsAre("tenant_id text varchar(20)", "id numeric(20,0) bigint(20) unsigned",
                                   "code text varchar(300)", "total numeric(12,2) decimal(12,2) null",
                                   "doc json json null", "at timestamptz timestamp(6) null", "body text text null"));
  std::vector<std::string> indexes;
  for (const IndexInfo& index : info->indexes) {
    std::string text = index.name + (index.unique ? " unique" : "") + (index.primary ? " primary" : "");
    for (const std::string& column : index.columns) text += " " + column;
    indexes.push_back(text);
  }
  EXPECT_THAT(indexes, ElementsAre("PRIMARY unique primary tenant_id id", "by_code code id", "by_id unique id"));
  const auto qualified = source->describe(database() + ".orders");
  ASSERT_TRUE(qualified) << qualified.error().message;
  EXPECT_EQ(qualified->columns.size(), 7U);
  expect_error(source->describe("nothing"), "relation_not_found", "there is no relation nothing");
  run("CREATE VIEW open_orders AS SELECT * FROM orders");
  EXPECT_TRUE(source->describe("open_orders")->is_view);
  run("CREATE TABLE Zebra (id int)");
  EXPECT_THAT(source->list_relations().value(), ElementsAre("Zebra", "orders"));
}

}  // namespace
}  // namespace longshore
