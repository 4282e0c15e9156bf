#include "jobs/estimate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace longshore {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

FormatTraits traits(const std::string& name) {
  FormatTraits traits;
  traits.name = name;
  return traits;
}

FormatTraits xlsx() {
  FormatTraits made = traits("xlsx");
  made.sheet_rows = 1'048'575;
  made.max_rows = 10 * made.sheet_rows;
  made.size_factor = 0.25;
  return made;
}

TEST(MakeEstimate, CountsBytesAsTheFormatWritesThem) {
  ExportSpec spec;
  EXPECT_EQ(make_estimate({1000, true, 300}, spec, traits("csv"), 500).bytes, 300'000);
  EXPECT_EQ(make_estimate({1000, true, 300}, spec, traits("csv"), 300).seconds, 4);
  EXPECT_EQ(make_estimate({1000, true, 300}, spec, xlsx(), 500).bytes, 75'000);
  spec.compression = Compression::gzip;
  EXPECT_EQ(make_estimate({1000, true, 300}, spec, traits("csv"), 500).bytes, 100'000);
  EXPECT_EQ(make_estimate({100'000'000'000, false, 3000}, {}, traits("csv"), 1).bytes, 300'000'000'000'000);
}

TEST(MakeEstimate, FormatsWithoutLimitsHoldEverything) {
  const Estimate estimate = make_estimate({1'000'000'000, false, 300}, {}, traits("csv"), 100'000);
  EXPECT_EQ(estimate.max_rows, std::nullopt);
  EXPECT_EQ(estimate.sheets, std::nullopt);
  EXPECT_THAT(estimate.limits_hit, IsEmpty());
}

TEST(MakeEstimate, SaysHowManySheetsAWorkbookNeeds) {
  const auto sheets = [](std::int64_t rows) { return make_estimate({rows, true, 10}, {}, xlsx(), 1).sheets; };
  EXPECT_EQ(sheets(0), 1);
  EXPECT_EQ(sheets(1'048'575), 1);
  EXPECT_EQ(sheets(1'048'576), 2);
  EXPECT_EQ(sheets(2'500'000), 3);
}

TEST(MakeEstimate, SaysWhatTheFormatCannotHold) {
  const Estimate fits = make_estimate({10'485'750, true, 10}, {}, xlsx(), 1);
  EXPECT_EQ(fits.max_rows, 10'485'750);
  EXPECT_THAT(fits.limits_hit, IsEmpty());
  EXPECT_THAT(make_estimate({10'485'751, true, 10}, {}, xlsx(), 1).limits_hit,
              ElementsAre("xlsx holds at most 10485750 rows (10 sheets of 1048575) and 10485751 are selected; take "
                          "fewer by a filter, e.g. a shorter time range, or another format, e.g. csv"));
  FormatTraits pdf = traits("pdf");
  pdf.max_rows = 200'000;
  EXPECT_THAT(make_estimate({5'000'000, false, 10}, {}, pdf, 1).limits_hit,
              ElementsAre("pdf holds at most 200000 rows and about 5000000 are selected; take fewer by a filter, e.g. "
                          "a shorter time range, or another format, e.g. csv"));
}

}  // namespace
}  // namespace longshore
