#include "yaml/yaml_fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace longshore {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

std::vector<std::string> lines_of(YamlFindings& findings) {
  std::vector<std::string> lines;
  for (const ErrorDetail& detail : findings.take()) {
    lines.push_back(detail.where + " " + detail.code + " " + detail.message);
  }
  return lines;
}

TEST(YamlFields, ReadsEveryKind) {
  YamlFindings findings("f.yaml");
  const YamlNode root =
      parse_yaml("name: 42\ncount: 7\non: true\nwait: 5s\nsize: 1MiB\nmode: b\nlist: [x, y]\n", findings);
  YamlFields fields(root, "the file", findings);
  EXPECT_EQ(fields.text("name"), "42");
  EXPECT_EQ(fields.integer("count", 0, 9), 7);
  EXPECT_EQ(fields.boolean("on"), true);
  EXPECT_EQ(fields.duration("wait", 0s, 1h), 5s);
  EXPECT_EQ(fields.byte_size("size", 0, 1 << 30), 1 << 20);
  EXPECT_EQ(fields.choice("mode", {"a", "b"}), "b");
  EXPECT_EQ(fields.texts("list")->size(), 2U);
  EXPECT_EQ(fields.text("absent"), std::nullopt);
  fields.finish();
  EXPECT_TRUE(findings.empty());
}

TEST(YamlFields, ReportsAllThatIsWrong) {
  YamlFindings findings("f.yaml");
  const YamlNode root = parse_yaml(
      "name: [a]\ncount: \"7\"\non: yes\nmode: c\nlist: x\nitems: [a, [b], '']\nlisten:\nnmae: 1\nempty: ''\n",
      findings);
  YamlFields fields(root, "the file", findings);
  fields.text("name");
  fields.integer("count", 0, 9);
  fields.boolean("on");
  fields.choice("mode", {"a", "b"});
  fields.texts("list");
  EXPECT_EQ(fields.texts("items")->size(), 1U);
  fields.find("listen");
  fields.require("listen");
  fields.require("must");
  fields.text("empty");
  fields.finish();
  EXPECT_THAT(lines_of(findings),
              ElementsAre("f.yaml:1:1 missing_field the file needs \"must\"",
                          "f.yaml:1:7 wrong_type \"name\" must be a text, not a list",
                          "f.yaml:2:8 wrong_type \"count\" must be written without quotes",
                          "f.yaml:3:5 bad_value \"on\": \"yes\" is not true or false",
                          "f.yaml:4:7 bad_value \"mode\": \"c\" is not known; use \"a\" or \"b\"",
                          "f.yaml:5:7 wrong_type \"list\" must be a list, not a single value",
                          "f.yaml:6:12 wrong_type an item of \"items\" must be a text, not a list",
                          "f.yaml:6:17 bad_value an item of \"items\" must not be empty",
                          "f.yaml:7:1 wrong_type \"listen\" has no value; give it one or remove the line",
                          "f.yaml:8:1 unknown_key the file has no key \"nmae\"; did you mean \"name\"?",
                          "f.yaml:9:8 bad_value \"empty\" must not be empty"));
}

TEST(YamlFields, WhatIsNoMapIsReportedOnce) {
  YamlFindings findings("f.yaml");
  const YamlNode root = parse_yaml("- a\n", findings);
  YamlFields fields(root, "the file", findings);
  fields.require("name");
  fields.finish();
  EXPECT_THAT(lines_of(findings), ElementsAre("f.yaml:1:1 wrong_type the file must be a map of keys, not a list"));
}

}  // namespace
}  // namespace longshore
