#include "model/data_type.h"

namespace longshore {
namespace {

TEST(DataType, CatalogNamesReadBackAsTheyAreWritten) {
  for (const char* name :
       {"bool",          "int16",         "int32", "int64",  "float32", "float64",       "numeric",   "numeric(12,2)",
        "numeric(38,0)", "numeric(5,-2)", "text",  "uuid",   "date",    "time",          "timestamp", "timestamptz",
        "interval",      "json",          "bytea", "text[]", "int64[]", "timestamptz[]", "numeric[]"}) {
    const auto type = parse_data_type(name);
    ASSERT_TRUE(type) << name;
    EXPECT_EQ(to_string(*type), name);
  }
}

TEST(DataType, WhatPeopleAndDatabasesCallTheTypesIsUnderstood) {
  const std::vector<std::pair<std::string, std::string>> aliases{
      {"integer", "int32"},
      {"int", "int32"},
      {"bigint", "int64"},
      {"smallint", "int16"},
      {"boolean", "bool"},
      {"string", "text"},
      {"varchar", "text"},
      {"varchar(40)", "text"},
      {"jsonb", "json"},
      {"real", "float32"},
      {"double", "float64"},
      {"double precision", "float64"},
      {"decimal", "numeric"},
      {"DECIMAL(9)", "numeric(9,0)"},
      {" Numeric( 10 , 3 ) ", "numeric(10,3)"},
      {"timestamp with time zone", "timestamptz"},
      {"varchar(20)[]", "text[]"},
      {"integer[]", "int32[]"},
  };
  for (const auto& [alias, name] : aliases) {
    const auto type = parse_data_type(alias);
    ASSERT_TRUE(type) << alias;
    EXPECT_EQ(to_string(*type), name) << alias;
  }
}

TEST(DataType, AnythingElseIsNoType) {
  for (const char* name : {"", " ", "[]", "money", "int64(3)", "numeric()", "numeric(0)", "numeric(1001)",
                           "numeric(5,)", "numeric(5,2", "numeric(5,2,1)", "numeric(5,x)", "text[][]", "array",
                           "varchar(0)", "uuid)", "(", ")", "numeric(99999999999)"}) {
    EXPECT_FALSE(parse_data_type(name)) << name;
  }
}

}  // namespace
}  // namespace longshore
