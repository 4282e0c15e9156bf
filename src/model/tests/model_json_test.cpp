#include "base/digest.h"
#include "model/chunk_summary.h"
#include "model/export_spec.h"
#include "model/job.h"
#include "model/key.h"

namespace longshore {
namespace {

TEST(Key, SurvivesAnyBytes) {
  const std::vector<KeyTuple> keys{{},
                                   {""},
                                   {"42"},
                                   {"2026-06-06T14:20:00.000001Z", "zażółć \"gęślą\" \\ / \n\t"},
                                   {std::string("nul\0inside", 10)},
                                   {"not utf-8: \xff\xc3"},
                                   {"[1,2]", "null"}};
  for (const KeyTuple& key : keys) {
    const auto back = key_from_json(to_json(key));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, key);
  }
}

TEST(Key, OtherJsonIsRefused) {
  for (const char* text : {"", "{}", "[1]", "[\"a\"", "[null]", "\"a\"", "[\"a\"] x"}) {
    const auto key = key_from_json(text);
    ASSERT_FALSE(key) << text;
    EXPECT_EQ(key.error().code, "bad_key");
  }
}

}  // namespace
}  // namespace longshore
