#include "cli/progress_bar.h"

#include <gtest/gtest.h>

#include "cli/progress_display.h"
#include "cli/text_layout.h"

namespace longshore {
namespace {

ProgressView running() {
  ProgressView view;
  view.label = "audit_logs";
  view.percent = 42.9;
  view.rows = 429'000;
  view.total_rows = 1'000'000;
  view.total_is_estimate = true;
  view.bytes = 52'345'678;
  view.rows_per_second = 212'345;
  view.seconds_left = 3;
  return view;
}

BarStyle wide(int width) {
  return {width, true, false, 0};
}
BarStyle ascii(int width) {
  return {width, false, false, 0};
}

TEST(ProgressBar, Golden) {
  EXPECT_EQ(render_progress_bar(running(), wide(120)),
            "audit_logs  █████████████████▏░░░░░░░░░░░░░░░░░░░░░░   42%  429,000 of ~1,000,000 rows  52.3 MB  212k "
            "rows/s  3 s left");
  EXPECT_EQ(render_progress_bar(running(), wide(80)),
            "audit_logs  ██████████▎░░░░░░░░░░░░░   42%  429,000 rows  212k rows/s  3 s left");
  EXPECT_EQ(render_progress_bar(running(), wide(40)), "audit_logs  ██████▊░░░░░░░░░   42%  3 s");
  EXPECT_EQ(render_progress_bar(running(), ascii(80)),
            "audit_logs  [#########.............]   42%  429,000 rows  212k rows/s  3 s left");
}

TEST(ProgressBar, UnknownTotal) {
  ProgressView view = running();
  view.percent.reset();
  view.total_rows.reset();
  view.seconds_left.reset();
  EXPECT_EQ(render_progress_bar(view, wide(80)),
            "audit_logs  ██████░░░░░░░░░░░░░░░░░░░░░░░░░  429,000 rows  52.3 MB  212k rows/s");
  EXPECT_EQ(render_progress_bar(view, ascii(40)), "audit_logs  [##............]  429k rows");
  BarStyle later = ascii(40);
  later.tick = 5;
  EXPECT_EQ(render_progress_bar(view, later), "audit_logs  [.....##.......]  429k rows");
}

TEST(ProgressBar, NeverSaysDoneBeforeItIs) {
  ProgressView view;
  view.percent = 99.99;
  EXPECT_EQ(render_progress_bar(view, wide(40)), "████████████████████████████████▉   99%");
  view.percent = 100;
  EXPECT_EQ(render_progress_bar(view, wide(40)), "█████████████████████████████████  100%");
}

TEST(ProgressBar, ANoteStandsInPlaceOfRateAndTime) {
  ProgressView view = running();
  view.note = "paused: replica lag 8 s";
  EXPECT_EQ(render_progress_bar(view, wide(80)),
            "audit_logs  █████████▍░░░░░░░░░░░░   42%  429,000 rows  paused: replica lag 8 s");
  EXPECT_EQ(render_progress_bar(view, wide(40)), "██████▍░░░░░░░░   42%  paused: replica…");
}

TEST(ProgressBar, FitsEveryWidth) {
  ProgressView view = running();
  view.label = "請求書の一覧";
  view.total_bytes = 120'000'000;
  for (int width = 16; width <= 200; ++width) {
    EXPECT_LT(display_width(render_progress_bar(view, wide(width))), width);
    EXPECT_LT(display_width(render_progress_bar(view, ascii(width + 2))), width + 2);
  }
}

TEST(ProgressBar, ColoursOnlyTheBar) {
  BarStyle style = wide(60);
  style.colour = true;
  const std::string line = render_progress_bar(running(), style);
  EXPECT_TRUE(line.starts_with("audit_logs  \x1b[32m")) << line;
  EXPECT_NE(line.find("\x1b[0m   42%"), std::string::npos) << line;
}

TEST(ProgressLine, SaysEverything) {
  EXPECT_EQ(render_progress_line(running()),
            "audit_logs: 42%, 429,000 of ~1,000,000 rows, 52.3 MB, 212k rows/s, 3 s left");
  ProgressView queued;
  queued.label = "audit_logs";
  queued.note = "waiting, 2nd in the queue";
  EXPECT_EQ(render_progress_line(queued), "audit_logs: waiting, 2nd in the queue");
}

TEST(RateMeter, ForgetsWhatIsLongAgo) {
  RateMeter meter;
  const RateMeter::TimePoint start{};
  using std::chrono::seconds;
  meter.add(start, 0);
  EXPECT_FALSE(meter.per_second().has_value());
  meter.add(start + seconds(1), 1000);
  EXPECT_DOUBLE_EQ(*meter.per_second(), 1000);
  for (int i = 2; i <= 10; ++i) meter.add(start + seconds(i), 1000);
  EXPECT_DOUBLE_EQ(*meter.per_second(), 0);
}

}  // namespace
}  // namespace longshore
