#include "scan/tests/scan_contract.h"

// Planning and describing.

namespace longshore {

std::vector<std::size_t> PlanContract::sizes(SourceDatabase& source, const ExportSpec& spec,
                                             const PartitionPlan& plan) {
  std::vector<std::size_t> sizes;
  std::vector<TextRow> all;
  for (std::size_t i = 0; i < plan.ranges.size(); ++i) {
    EXPECT_EQ(plan.ranges[i].after, i == 0 ? std::nullopt : plan.ranges[i - 1].upto);
    const auto reading = read_range(source, spec, plan.ranges[i]);
    if (!reading) {
      ADD_FAILURE() << reading.error().message;
      return {};
    }
    sizes.push_back(reading->rows.size());
    all.insert(all.end(), reading->rows.begin(), reading->rows.end());
  }
  const auto whole = read_range(source, spec, {});
  EXPECT_TRUE(whole && whole->rows == all);
  if (whole && !whole->rows.empty() && !plan.ranges.empty()) {
    EXPECT_EQ(plan.ranges.back().upto, whole->last_keys.back());
  }
  return sizes;
}

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_P(PlanContract, NothingToCut) {
  make_rows(0);
  const auto source = open();
  const ExportSpec whole = spec(*source, "t", {"id"});
  for (const PartitionRequest& request : {PartitionRequest{.partitions = 4}, PartitionRequest{.max_rows = 10}}) {
    const auto plan = source->plan_partitions(whole, request, {});
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_THAT(plan->ranges, IsEmpty());
    EXPECT_EQ(plan->rows, 0);
  }
  const auto estimate = source->estimate(whole, {});
  ASSERT_TRUE(estimate) << estimate.error().message;
  EXPECT_EQ(estimate->rows, 0);
  EXPECT_GE(estimate->bytes_per_row, 1);
}

TEST_P(PlanContract, FewerKeysThanPartitions) {
  make_rows(1);
  const auto source = open();
  const ExportSpec whole = spec(*source, "t", {"id"});
  auto plan = source->plan_partitions(whole, {.partitions = 7}, {});
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_THAT(sizes(*source, whole, *plan), ElementsAre(1));
  add_rows(6, 2);
  plan = source->plan_partitions(whole, {.partitions = 7}, {});
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_THAT(sizes(*source, whole, *plan), ElementsAre(1, 1, 1));
}

TEST_P(PlanContract, SmallSetsAreCutEvenly) {
  make_rows(1001);
  run("UPDATE t SET id = -id * id");
  const auto source = open();
  const ExportSpec whole = spec(*source, "t", {"id"});
  const auto plan = source->plan_partitions(whole, {.partitions = 4}, {});
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_TRUE(plan->exact);
  EXPECT_THAT(sizes(*source, whole, *plan), testing::UnorderedElementsAre(250, 250, 250, 251));
}

TEST_P(PlanContract, RowsThatComeLaterAreInNoRange) {
  make_rows(100);
  const auto source = open();
  const ExportSpec whole = spec(*source, "t", {"id"});
  for (const int partitions : {1, 2}) {
    const auto plan = source->plan_partitions(whole, {.partitions = partitions}, {});
    ASSERT_TRUE(plan) << plan.error().message;
    add_rows(1000 * partitions, 50);
    const auto reading = read_ranges(*source, whole, plan->ranges);
    ASSERT_TRUE(reading) << reading.error().message;
    EXPECT_EQ(reading->rows.size(), 100U + 50U * static_cast<std::size_t>(partitions - 1));
  }
}

TEST_P(PlanContract, LimitsOfPartitionsAreKeptAndRowsCounted) {
  make_rows(1000);
  const auto source = open();
  const ExportSpec whole = spec(*source, "t", {"id"});
  const auto plan = [&](const PartitionRequest& request) {
    auto made = source->plan_partitions(whole, request, {});
    EXPECT_TRUE(made) << made.error().message;
    return made ? *made : PartitionPlan{};
  };
  const PartitionPlan counted = plan({.max_rows = 300});
  EXPECT_EQ(counted.rows, 1000);
  EXPECT_TRUE(counted.exact);
  EXPECT_THAT(sizes(*source, whole, counted), ElementsAre(250, 250, 250, 250));
  EXPECT_EQ(plan({.max_rows = 1000}).ranges.size(), 1U);
  EXPECT_EQ(plan({.partitions = 3, .group_rows = 500}).ranges.size(), 4U) << "evenly filled groups";
  const PartitionPlan fits = plan({.max_total_rows = 1000});
  EXPECT_EQ(fits.rows, 1000);
  EXPECT_EQ(fits.ranges.size(), 1U);
  const PartitionPlan too_many = plan({.max_total_rows = 700});
  EXPECT_GT(too_many.rows, 700);
  EXPECT_THAT(too_many.ranges, IsEmpty());
}

TEST_P(PlanContract, TenantAndFiltersCount) {
  run("CREATE TABLE t (id int PRIMARY KEY, tenant varchar(20), kind int, label varchar(80))");
  std::string values;
  for (int id = 1; id <= 2000; ++id) {
    values += (id == 1 ? "(" : ", (") + std::to_string(id) + ", 't" + std::to_string(id % 4) + "', " +
              std::to_string(id % 5) + ", '" + std::string(50, 'x') + "')";
  }
  run("INSERT INTO t VALUES " + values);
  database_->analyze("t");
  const auto source = open();
  ExportSpec own = spec(*source, "t", {"id"});
  own.dataset.tenant_column = "tenant";
  own.tenant = "t1";
  const auto expect_rows = [&](std::int64_t rows) {
    const auto estimate = source->estimate(own, {});
    ASSERT_TRUE(estimate) << estimate.error().message;
    EXPECT_EQ(estimate->rows, rows);
    EXPECT_TRUE(estimate->exact);
    const auto plan = source->plan_partitions(own, {.partitions = 5, .exact = true}, {});
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_THAT(sizes(*source, own, *plan), testing::Each(static_cast<std::size_t>(rows / 5)));
    const auto total = source->plan_partitions(own, {.max_total_rows = rows}, {});
    ASSERT_TRUE(total) << total.error().message;
    EXPECT_EQ(total->rows, rows);
  };
  expect_rows(500);
  // An id, two short columns, fifty characters, and a separator for each.
  EXPECT_NEAR(static_cast<double>(source->estimate(own, {})->bytes_per_row), 64, 12);
  own.filters = {filter_of("kind", FilterOp::eq, "int32", {"1"})};
  expect_rows(100);
  own.tenant = "nobody";
  EXPECT_EQ(source->estimate(own, {})->rows, 0);
  EXPECT_THAT(source->plan_partitions(own, {.partitions = 3}, {})->ranges, IsEmpty());
}

TEST_P(PlanContract, DescribesColumnsKeysAndWhatIsNotThere) {
  run("CREATE TABLE b (tenant varchar(20) NOT NULL, id int NOT NULL, n decimal(12,2), PRIMARY KEY (tenant, id))");
  run("CREATE TABLE a (id int NOT NULL)");
  run("CREATE UNIQUE INDEX b_by_id ON b (id)");
  run("CREATE INDEX b_by_n ON b (n, id)");
  const auto source = open();
  const auto info = source->describe(database_->relation("b"));
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->name, database_->relation("b"));
  EXPECT_FALSE(info->is_view);
  std::vector<std::string> columns;
  for (const ColumnInfo& column : info->columns) columns.push_back(column.name + (column.nullable ? "?" : ""));
  EXPECT_THAT(columns, ElementsAre("tenant", "id", "n?"));
  EXPECT_EQ(to_string(info->columns[0].type), "text");
  EXPECT_EQ(to_string(info->columns[2].type), "numeric(12,2)");
  std::vector<std::string> indexes;
  for (const IndexInfo& index : info->indexes) {
    std::string text;
    for (const std::string& column : index.columns) text += (text.empty() ? "" : ",") + column;
    indexes.push_back(text + (index.unique ? " unique" : "") + (index.primary ? " primary" : ""));
  }
  EXPECT_THAT(indexes, testing::UnorderedElementsAre("tenant,id unique primary", "id unique", "n,id"));
  const auto missing = source->describe(database_->relation("nothing"));
  expect_error(missing, "relation_not_found", "nothing");

  run("CREATE VIEW v AS SELECT id FROM b");
  EXPECT_TRUE(source->describe(database_->relation("v"))->is_view);
  const auto all = source->list_relations();
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_THAT(*all, testing::IsSupersetOf({database_->relation("a"), database_->relation("b")}));
  EXPECT_THAT(*all, testing::Not(testing::Contains(database_->relation("v"))));
}

TEST_P(PlanContract, ARelationThatIsNotThereCannotBePlanned) {
  make_rows(3);
  const auto source = open();
  const ExportSpec whole = spec(*source, "t", {"id"});
  run("DROP TABLE t");
  for (const std::string& code :
       {source->estimate(whole, {}).error().code, source->plan_partitions(whole, {.partitions = 2}, {}).error().code,
        read_range(*source, whole, {}).error().code}) {
    EXPECT_EQ(code, "source_schema_changed");
  }
}

TEST_P(PlanContract, PlanningCanBeStopped) {
  make_rows(3);
  const auto source = open();
  const ExportSpec whole = spec(*source, "t", {"id"});
  std::stop_source stop;
  stop.request_stop();
  expect_error(source->estimate(whole, stop.get_token()), "scan_stopped", "stopped");
  expect_error(source->plan_partitions(whole, {.partitions = 2}, stop.get_token()), "scan_stopped", "stopped");
}

}  // namespace
}  // namespace longshore
