#include "metadata/sql.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "metadata/dialect.h"
#include "metadata/records.h"

namespace longshore {
namespace {

using sql::Cell;
using sql::expand;
using sql::Param;
using sql::Row;
using sql::Rows;

/// Shows which word was called with what.
class EchoDialect final : public sql::Dialect {
 public:
  std::string now() const override { return "NOW"; }
  std::string later(std::string_view time, std::string_view micros) const override {
    return "LATER(" + std::string(time) + "," + std::string(micros) + ")";
  }
  std::string micros(std::string_view time) const override { return "MICROS(" + std::string(time) + ")"; }
  std::string time(std::string_view micros) const override { return "TIME(" + std::string(micros) + ")"; }
  std::string greatest(std::string_view a, std::string_view b) const override {
    return "GREATEST(" + std::string(a) + "," + std::string(b) + ")";
  }
  std::string json(std::string_view text) const override { return "JSON(" + std::string(text) + ")"; }
  std::string text_array(std::string_view json) const override { return "ARRAY(" + std::string(json) + ")"; }
  std::string uuids(std::string_view json) const override { return "UUIDS(" + std::string(json) + ")"; }
  std::string lock() const override { return "LOCK"; }
  std::string keep() const override { return "KEEP"; }
  std::string lock_kept() const override { return "LOCK_KEPT"; }
  std::string skip_locked() const override { return "SKIP"; }
  std::string share_skip_locked() const override { return "SHARE"; }
  std::string migration_lock() const override { return {}; }
};

TEST(DialectTest, WordsAreReplacedAndTheRestStays) {
  const EchoDialect dialect;
  EXPECT_EQ(expand(dialect, "SELECT 'a|b', $1 FROM t"), "SELECT 'a|b', $1 FROM t");
  EXPECT_EQ(expand(dialect, "WHERE at <= {now} AND b = {time $2}{lock}"), "WHERE at <= NOW AND b = TIME($2)LOCK");
  EXPECT_EQ(expand(dialect, "{keep} {lock_kept}"), "KEEP LOCK_KEPT");
  EXPECT_EQ(expand(dialect, "{skip_locked}"), "SKIP");
  EXPECT_EQ(expand(dialect, "{share_skip_locked}"), "SHARE");
  EXPECT_EQ(expand(dialect, "{uuids $1}{json $2}{text_array $3}{micros a.b}"), "UUIDS($1)JSON($2)ARRAY($3)MICROS(a.b)");
}

TEST(DialectTest, WordsNestAndTakeWholeExpressions) {
  const EchoDialect dialect;
  EXPECT_EQ(expand(dialect, "{later {now} | -$1}"), "LATER(NOW,-$1)");
  EXPECT_EQ(expand(dialect, "{greatest a | (SELECT sum({greatest b | c}) FROM t\n)}"),
            "GREATEST(a,(SELECT sum(GREATEST(b,c)) FROM t\n))");
}

TEST(DialectTest, MistakesInOurOwnSqlAreBugs) {
  const EchoDialect dialect;
  EXPECT_THROW(expand(dialect, "{nonsense}"), std::logic_error);
  EXPECT_THROW(expand(dialect, "{now 1}"), std::logic_error);
  EXPECT_THROW(expand(dialect, "{later a}"), std::logic_error);
  EXPECT_THROW(expand(dialect, "{now"), std::logic_error);
}

TEST(RowTest, FieldsAreFoundByName) {
  const Rows rows({"n", "t", "z"},
                  {Cell(std::int64_t{7}), Cell("seven"), Cell(), Cell("42"), Cell(""), Cell("1000001")}, 0);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].integer("n"), 7);
  EXPECT_EQ(rows[0].text("n"), "7");
  EXPECT_EQ(rows[0].text("t"), "seven");
  EXPECT_TRUE(rows[0].is_null("z"));
  EXPECT_EQ(rows[0].integer("z"), 0);
  EXPECT_EQ(rows[0].text("z"), "");
  EXPECT_EQ(rows[0].optional_time("z"), std::nullopt);
  EXPECT_EQ(rows[1].integer("n"), 42) << "drivers may hand over digits";
  EXPECT_EQ(rows[1].time("z"), Timestamp{Duration{1'000'001}});
}

TEST(RowTest, WrongColumnsAndTypesAreBugs) {
  const Rows rows({"t"}, {Cell("seven")}, 0);
  EXPECT_THROW(rows[0].integer("t"), std::logic_error);
  EXPECT_THROW(rows[0].text("missing"), std::logic_error);
  const Rows nulls({"t"}, {Cell()}, 0);
  EXPECT_THROW(nulls[0].time("t"), std::logic_error);
}

TEST(ParamTest, ValuesBecomeIntegersTextOrNull) {
  EXPECT_EQ(std::get<std::int64_t>(Param(true).value()), 1);
  EXPECT_EQ(std::get<std::int64_t>(Param(Timestamp{Duration{5}}).value()), 5);
  EXPECT_EQ(std::get<std::string>(Param("text").value()), "text");
  EXPECT_TRUE(std::holds_alternative<std::monostate>(Param(std::optional<int>()).value()));
  EXPECT_EQ(std::get<std::int64_t>(Param(std::optional<int>(3)).value()), 3);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(sql::null_if_empty("").value()));
}

TEST(RecordsTest, TextIsCutByCharactersAndNeverInsideOne) {
  EXPECT_EQ(records::shorten("äöü", 2), "äö");
  EXPECT_EQ(records::shorten("äöü", 3), "äöü");
  EXPECT_EQ(records::shorten("a€😀b", 3), "a€😀");
  EXPECT_EQ(records::shorten("", 3), "");
}

TEST(RecordsTest, RangesThatNobodyWroteAreErrors) {
  for (const char* text : {"", "[]", "{}", R"({"after":1,"upto":null})", R"({"after":["1"]})", R"({"empty":"yes"})"}) {
    const auto range = records::range_from_json(text);
    ASSERT_FALSE(range.has_value()) << text;
    EXPECT_EQ(range.error().code, "bad_stored_range");
  }
}

}  // namespace
}  // namespace longshore
