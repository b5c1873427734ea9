#include "clotho/sim/report/findings_text.h"

#include <source_location>
#include <string>

#include "clotho/sim/report/findings.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::sim::internal {
namespace {

using testing::HasSubstr;

TEST(RaceTextTest, NamesTheThreeAccesses) {
  Race race = {.object = "stock",
               .before = {.step = 3, .task = "a", .write = false},
               .between = {.step = 4, .task = "bob", .write = true},
               .after = {.step = 12, .task = "a", .write = true}};
  EXPECT_EQ(RaceText(race),
            "on stock\n"
            "step 3  a    reads \n"
            "step 4  bob  writes   <- in the gap\n"
            "step 12  a    writes   overwrites it");
  race.after.write = false;
  EXPECT_THAT(RaceText(race),
              HasSubstr("a    reads    leans on what was before it"));
  race.between.location = std::source_location::current();
  EXPECT_THAT(RaceText(race),
              HasSubstr("bob  writes  sim/report/findings_text_test.cc:"));
}

TEST(TurningPointTextTest, CountsContinuations) {
  EXPECT_EQ(TurningPointText({.step = 4,
                              .continuations = 200,
                              .failures_after = 135,
                              .failures_before = 20}),
            "step 4: 135 of 200 random continuations fail after it, 20 before "
            "it");
}

TEST(NearestPassTextTest, LeavesOutALongReplayString) {
  NearestPass pass = {
      .replay = "c1/0/4:2", .step = 4, .instead = "ran worker-1 (a.cc:3)"};
  EXPECT_EQ(NearestPassText(pass),
            "nearest pass  c1/0/4:2: at step 4 ran worker-1 (a.cc:3)");
  pass.replay = std::string(60, '1');
  EXPECT_THAT(NearestPassText(pass), HasSubstr(pass.replay));
  pass.replay += "1";
  EXPECT_EQ(NearestPassText(pass),
            "nearest pass  the same deviations before it: at step 4 ran "
            "worker-1 (a.cc:3)");
}

TEST(ReachabilityTextTest, SaysWhatAsyncioDoes) {
  EXPECT_EQ(ReachabilityText({.reachable = true}),
            "reachable under asyncio today");
  EXPECT_EQ(ReachabilityText({.reachable = true, .replay = "c1/0/2:d"}),
            "reachable under asyncio today, with c1/0/2:d");
  EXPECT_EQ(
      ReachabilityText({.reachable = false, .tried = 1, .exhausted = true}),
      "needs a reordering that asyncio does not do today");
  EXPECT_EQ(
      ReachabilityText({.reachable = false, .tried = 3, .exhausted = true}),
      "needs a reordering that asyncio does not do today (in none of the 3 "
      "FIFO executions)");
  EXPECT_EQ(ReachabilityText({.reachable = false, .tried = 300}),
            "needs a reordering that asyncio does not do today (in none of 300 "
            "FIFO executions)");
}

TEST(SavedTextTest, LeavesOutWhatIsUnknown) {
  EXPECT_EQ(SavedText({.replay = "c1/0/4:1"}), "the saved schedule c1/0/4:1");
  EXPECT_EQ(SavedText({.replay = "c1/0/4:1",
                       .note = "issue 212",
                       .place = "Cart.Fills.saved:3"}),
            "the saved schedule c1/0/4:1 of Cart.Fills.saved:3, issue 212");
}

TEST(OtherFailuresTextTest, IsALineForEach) {
  EXPECT_EQ(OtherFailuresText({}), "");
  EXPECT_EQ(OtherFailuresText({{.number = 2,
                                .hits = 1,
                                .signature = "always a.cc:3",
                                .replay = "c1/0/4:1"},
                               {.number = 3,
                                .hits = 7,
                                .signature = "deadlock",
                                .replay = std::string(101, '1')}}),
            "#2  1 hit  always a.cc:3  c1/0/4:1\n"
            "#3  7 hits  deadlock  (a long schedule)");
}

TEST(FilesTextTest, SaysWhereTheyAre) {
  Files files = {.folder = "out",
                 .below = "Suite.Name",
                 .names = {"report.txt", "trace.json"}};
  EXPECT_EQ(FilesText(files), "out/Suite.Name/  report.txt  trace.json");
  files.folder = std::string(80, 'x');
  EXPECT_THAT(FilesText(files),
              HasSubstr("x/Suite.Name/\nreport.txt  trace.json"));
  files.bazel_logs = "shop/cart_test";
  EXPECT_EQ(FilesText(files),
            "Suite.Name/  report.txt  trace.json\n"
            "in outputs.zip below bazel-testlogs/shop/cart_test/");
}

TEST(FilesTextTest, SaysWhatWentWrong) {
  Files files = {
      .folder = "out", .below = "Suite.Name", .names = {}, .error = "no disk"};
  EXPECT_EQ(FilesText(files), "none: no disk");
  files.names = {"report.txt"};
  EXPECT_EQ(FilesText(files), "incomplete: no disk");
}

}  // namespace
}  // namespace clotho::sim::internal
