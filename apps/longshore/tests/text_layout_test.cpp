#include "cli/text_layout.h"

#include <gtest/gtest.h>

namespace longshore {
namespace {

TEST(Printable, KeepsTextOfEveryScript) {
  EXPECT_EQ(printable("Zoë 東京 😀 שלום"), "Zoë 東京 😀 שלום");
}

TEST(Printable, TakesAwayWhatCouldSteerTheTerminal) {
  EXPECT_EQ(printable("a\x1b[2Jb\tc\nd\x7f"), "a?[2Jb c d?");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "?31m");                                           // C1 CSI
  EXPECT_EQ(printable("x\xe2\x80\xaey"), "x?y");               // right-to-left override
  EXPECT_EQ(printable("\xff\xc0\x80\xed\xa0\x80"), "??????");  // not UTF-8, overlong, surrogate
}

TEST(DisplayWidth, CountsCells) {
  EXPECT_EQ(display_width("abc"), 3);
  EXPECT_EQ(display_width("東京"), 4);
  EXPECT_EQ(display_width("e\u0301"), 1);
  EXPECT_EQ(display_width("😀"), 2);
}

TEST(CutToWidth, NeverSplitsACharacter) {
  EXPECT_EQ(cut_to_width("abcdef", 6), "abcdef");
  EXPECT_EQ(cut_to_width("abcdef", 4), "abc…");
  EXPECT_EQ(cut_to_width("abcdef", 4, false), "abc~");
  EXPECT_EQ(cut_to_width("東京都", 4), "東…");
}

TEST(Numbers, AreShortAndReadable) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1234567), "1,234,567");
  EXPECT_EQ(format_count(-1234), "-1,234");
  EXPECT_EQ(format_short_count(987), "987");
  EXPECT_EQ(format_short_count(12345), "12.3k");
  EXPECT_EQ(format_short_count(999'499), "999k");
  EXPECT_EQ(format_short_count(999'700), "1.00M");
  EXPECT_EQ(format_bytes(987), "987 B");
  EXPECT_EQ(format_bytes(52'345'678), "52.3 MB");
  EXPECT_EQ(format_bytes(20'000'000'000), "20.0 GB");
  EXPECT_EQ(format_duration(8.04, true), "8.0 s");
  EXPECT_EQ(format_duration(59.4), "59 s");
  EXPECT_EQ(format_duration(59.6), "1:00");
  EXPECT_EQ(format_duration(3723), "1:02:03");
}

TextTable jobs() {
  TextTable table;
  table.headings = {{"EXPORT", false, 12, 0}, {"STATE"}, {"DATASET", false, 8, 0}, {"ROWS", true}, {"BY", false, 0, 1}};
  table.rows = {{"exp_0192f0c4-aaaa-7bbb-8ccc-dddddddddddd", "RUNNING", "audit_logs", "654,000", "usr_1"},
                {"exp_0192f0c4-aaaa-7bbb-8ccc-eeeeeeeeeeee", "SUCCEEDED", "東京", "12", "Zoë"}};
  return table;
}

TEST(Table, IsAlignedByCells) {
  EXPECT_EQ(render_table(jobs(), 0),
            "EXPORT                                    STATE      DATASET        ROWS  BY\n"
            "exp_0192f0c4-aaaa-7bbb-8ccc-dddddddddddd  RUNNING    audit_logs  654,000  usr_1\n"
            "exp_0192f0c4-aaaa-7bbb-8ccc-eeeeeeeeeeee  SUCCEEDED  東京             12  Zoë\n");
}

TEST(Table, ShrinksThenDropsColumns) {
  EXPECT_EQ(render_table(jobs(), 50),
            "EXPORT        STATE      DATASET       ROWS  BY\n"
            "exp_0192f0c…  RUNNING    audit_lo…  654,000  usr_1\n"
            "exp_0192f0c…  SUCCEEDED  東京            12  Zoë\n");
  EXPECT_EQ(render_table(jobs(), 42, false),
            "EXPORT        STATE      DATASET      ROWS\n"
            "exp_0192f0c~  RUNNING    audit_l~  654,000\n"
            "exp_0192f0c~  SUCCEEDED  東京           12\n");
}

}  // namespace
}  // namespace longshore
