#include "yaml/yaml_node.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace longshore {
namespace {

using testing::ElementsAre;

std::vector<std::string> findings_of(std::string_view text) {
  YamlFindings findings("f.yaml");
  parse_yaml(text, findings);
  std::vector<std::string> lines;
  for (const ErrorDetail& detail : findings.take()) {
    lines.push_back(detail.where + " " + detail.code + " " + detail.message);
  }
  return lines;
}

TEST(YamlNode, KnowsThePlaceOfEveryKeyAndValue) {
  YamlFindings findings("f.yaml");
  const YamlNode root =
      parse_yaml("# comment\nserver:\n  listen: \"1\"\n  port: 80\nroles: [a, {b: c}]\nnothing:\n", findings);
  ASSERT_TRUE(findings.empty());
  ASSERT_TRUE(root.is_map());
  ASSERT_EQ(root.children.size(), 3U);
  const YamlNode& server = root.children[0];
  EXPECT_EQ(server.key, "server");
  EXPECT_EQ(server.key_position, (YamlPosition{2, 1}));
  EXPECT_EQ(server.position, (YamlPosition{3, 3}));
  EXPECT_EQ(server.children[0].key_position, (YamlPosition{3, 3}));
  EXPECT_EQ(server.children[0].position, (YamlPosition{3, 11}));
  EXPECT_TRUE(server.children[0].quoted);
  EXPECT_FALSE(server.children[1].quoted);
  EXPECT_EQ(server.children[1].text, "80");
  const YamlNode& roles = root.children[1];
  ASSERT_TRUE(roles.is_sequence());
  EXPECT_EQ(roles.children[0].text, "a");
  EXPECT_EQ(roles.children[1].children[0].key, "b");
  EXPECT_TRUE(root.children[2].is_null());
  EXPECT_EQ(root.children[2].position, (YamlPosition{6, 1}));
}

TEST(YamlNode, AnEmptyDocumentIsNull) {
  YamlFindings findings("f.yaml");
  EXPECT_TRUE(parse_yaml("", findings).is_null());
  EXPECT_TRUE(parse_yaml("# only a comment\n", findings).is_null());
  EXPECT_TRUE(findings.empty());
}

TEST(YamlNode, DuplicateKeysAreFoundEverywhere) {
  EXPECT_THAT(findings_of("a: 1\nb: {c: 1, c: 2}\na: 3\n"),
              ElementsAre("f.yaml:2:11 duplicate_key \"c\" is already set on line 2",
                          "f.yaml:3:1 duplicate_key \"a\" is already set on line 1"));
}

TEST(YamlNode, BrokenYamlSaysWhere) {
  EXPECT_THAT(findings_of("a: [1, 2\nb: 3\n"),
              ElementsAre(testing::StartsWith("f.yaml:2:2 bad_yaml not valid YAML: ")));
  EXPECT_THAT(findings_of("a: 1\n\tb: 2\n"), ElementsAre(testing::StartsWith("f.yaml:2:")));
  EXPECT_THAT(findings_of("a: \"open\n"), ElementsAre("f.yaml:1:4 bad_yaml this quote is never closed"));
  EXPECT_THAT(findings_of("\xEF\xBB\xBF"
                          "a: 'it''s\n"),
              ElementsAre("f.yaml:1:4 bad_yaml this quote is never closed"));
  EXPECT_THAT(findings_of("a: \"\\\"\"\nb: 'it''s'\nc: ''\nd: it's \"so\n"), testing::IsEmpty());
  EXPECT_THAT(findings_of(std::string(100'000, '[')), ElementsAre(testing::HasSubstr("bad_yaml")));
}

TEST(YamlNode, WhatWouldHideMeaningIsRefused) {
  EXPECT_THAT(findings_of("a: &x 1\nb: *x\nc: !secret 3\n"),
              ElementsAre("f.yaml:1:4 unsupported_yaml anchors (&name) are not supported; remove it",
                          "f.yaml:2:4 unsupported_yaml aliases (*name) are not supported; write the value out",
                          "f.yaml:3:4 unsupported_yaml tags (!name) are not supported; remove it"));
  EXPECT_THAT(findings_of("a: 1\n---\nb: 2\n"),
              ElementsAre("f.yaml:3:1 unsupported_yaml a second document; only one is read"));
  EXPECT_THAT(findings_of("? [a, b]\n: 1\n"), ElementsAre("f.yaml:1:3 bad_yaml a key must be a plain word"));
  EXPECT_THAT(findings_of("a: \"x\\0y\"\n"), ElementsAre("f.yaml:1:4 bad_yaml a value cannot hold a NUL character"));
}

TEST(YamlNode, OnlyUtf8) {
  EXPECT_THAT(findings_of("a: ok\nb: caf\xE9\n"),
              ElementsAre("f.yaml:2:7 bad_yaml this is not UTF-8; save the file in that encoding"));
  EXPECT_THAT(findings_of("b: \xC0\xAF"), testing::SizeIs(1));
  EXPECT_THAT(findings_of("b: \xED\xA0\x80"), testing::SizeIs(1));
  EXPECT_THAT(findings_of("b: \xF0\x9F\x98"), testing::SizeIs(1));
  EXPECT_THAT(findings_of("b: \xF0\x9F\x98\x80 Łódź"), testing::IsEmpty());
}

}  // namespace
}  // namespace longshore
