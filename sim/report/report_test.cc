#include "clotho/sim/report/report.h"

#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "clotho/examples/bank.h"
#include "clotho/examples/job_queue.h"
#include "clotho/examples/job_queue_race.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/options.h"
#include "clotho/sim/search/explore.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::sim {
namespace {

using examples::Account;
using examples::JobQueue;
using examples::Transfer;
using examples::TwoWorkersTwoJobs;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// ---- Whole reports, as files in testdata/. Their line numbers are those of
// the following program, and of the examples. ----

Coro<void> TransfersInBothDirections() {
  Account a("A", 100);
  Account b("B", 100);
  Task<void> a_to_b = CreateTask(Transfer(a, b, 10), {.name = "a-to-b"});
  co_await Sleep(absl::Milliseconds(6));
  Task<void> b_to_a = CreateTask(Transfer(b, a, 20), {.name = "b-to-a"});
  co_await Gather(a_to_b, b_to_a);
}

std::string Contents(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  std::stringstream contents;
  contents << file.rdbuf();
  return contents.str();
}

Report Search1000(const Body& body, const char* name) {
  unsetenv("TEST_TARGET");  // That of this test, not of the one in the report.
  return RunSearch(body, MakeSearch(Random{.schedules = 1'000}), name);
}

std::vector<std::string> Lines(const std::string& text) {
  return absl::StrSplit(text, '\n');
}

void ExpectFitsOnAScreen(const std::string& text) {
  const std::vector<std::string> lines = Lines(text);
  EXPECT_LE(lines.size(), 46);  // 45, and nothing after the last line break.
  for (const std::string& line : lines) {
    EXPECT_LE(line.size(), 100) << line;
    EXPECT_THAT(line, Not(testing::EndsWith(" "))) << line;
    for (const char c : line) EXPECT_TRUE(c >= ' ' && c <= '~') << line;
  }
}

TEST(ReportTest, OfTheJobQueue) {
  const Report report =
      Search1000(TwoWorkersTwoJobs<JobQueue>, "JobQueueTest.NoJobIsLost");
  EXPECT_EQ(report.Text(),
            Contents("sim/report/testdata/job_queue_report.txt"));
  ExpectFitsOnAScreen(report.Text());
}

TEST(ReportTest, OfTheBank) {
  const Report report = Search1000(TransfersInBothDirections,
                                   "BankTest.TransfersInBothDirections");
  EXPECT_EQ(report.Text(), Contents("sim/report/testdata/bank_report.txt"));
  ExpectFitsOnAScreen(report.Text());
}

// ---- Larger reports. ----

Coro<void> Rounds(int rounds) {
  for (int i = 0; i < rounds; ++i) co_await Sleep(absl::ZeroDuration());
}

TEST(ReportTest, OfALongExecutionShowsItsEnd) {
  const auto body = []() -> Coro<void> {
    auto all = Gather(Rounds(200), Rounds(200), Rounds(200));
    co_await all;
    Always(false, "it ends");
  };
  const Report report = Explore(body);
  EXPECT_THAT(report.Text(),
              AllOf(HasSubstr(" steps)\n"), HasSubstr("FAILS:")));
  ExpectFitsOnAScreen(report.Text());
}

TEST(ReportTest, OfManyTasksIsAList) {
  const auto body = []() -> Coro<void> {
    std::vector<Task<void>> tasks;
    for (int i = 0; i < 30; ++i) {
      tasks.push_back(CreateTask(
          Rounds(1), {.name = absl::StrCat("a-worker-with-a-long-name-", i)}));
    }
    for (const Task<void>& task : tasks) co_await task;
    Always(false, "it ends");
  };
  const Report report = Explore(body);
  EXPECT_THAT(report.Text(), HasSubstr("task                      event"));
  ExpectFitsOnAScreen(report.Text());
}

TEST(ReportTest, OfADeadlockOfManyTasksCountsThoseItDoesNotShow) {
  const auto body = []() -> Coro<void> {
    Event never("never");
    std::vector<Task<void>> tasks;
    const auto wait = [](Event& event) -> Coro<void> { co_await event.Wait(); };
    for (int i = 0; i < 40; ++i) {
      tasks.push_back(CreateTask(wait(never)));
    }
    for (const Task<void>& task : tasks) co_await task;
  };
  const Report report = Explore(body);
  EXPECT_THAT(report.Text(), HasSubstr("and 33 more\n"));
  for (const std::string& line : Lines(report.Text())) {
    EXPECT_LE(line.size(), 100) << line;
  }
}

TEST(ReportTest, AnEagerFirstStepStandsInItsOwnColumn) {
  const auto child = []() -> Coro<void> {
    co_await Sleep(absl::ZeroDuration());
  };
  const auto body = [&]() -> Coro<void> {
    Task<void> task =
        CreateTask(child(), {.name = "child", .eager_start = true});
    co_await Sleep(absl::Seconds(1));
    Always(false, "it ends");
  };
  const Report report = Explore(body);
  std::vector<std::string> events;
  for (const auto& event : report.trace.events) {
    events.push_back(absl::StrCat(
        event.step, " ", report.trace.lanes[event.lane], " ", event.text));
  }
  EXPECT_THAT(events, testing::ElementsAre(
                          "1 main starts", "1 main spawn child",
                          "1 child starts", "1 child gives way",
                          "1 main await Sleep(1 s)", "2 child resumes",
                          "2 child returns", "3 main resumes", testing::_));
}

TEST(ReportTest, OfALongInputShowsItsBegin) {
  Report report =
      Explore(TwoWorkersTwoJobs<JobQueue>, Random{.schedules = 100});
  ASSERT_FALSE(report.passed());
  report.input.values = "a = 1\nb = 2";
  EXPECT_THAT(report.Text(),
              HasSubstr("\n\nINPUT     a = 1\n          b = 2\n\n"));
  report.input.tests = 1;
  report.input.shrinks = 7;
  EXPECT_THAT(
      report.Text(),
      HasSubstr("\nINPUT     after 1 test and 7 shrinks\n          a = 1\n"));
  report.input.values.clear();
  for (int i = 0; i < 30; ++i) {
    absl::StrAppend(&report.input.values, "line ", i, "\n");
  }
  EXPECT_THAT(
      report.Text(),
      AllOf(HasSubstr("          line 10\n          ... and 20 lines more: "
                      "input.txt of --clotho_out has all\n\nREPLAY"),
            Not(HasSubstr("line 11"))));
}

TEST(ReportTest, OfAPassIsALine) {
  EXPECT_EQ(Explore([] { return Rounds(3); }, Random{.schedules = 10}).Text(),
            "no failure in 10 executions (random, base seed 1)\n");
}

TEST(ReportTest, AnswersInTheOrderInWhichAReaderAsks) {
  const std::string text = Search1000(TransfersInBothDirections, "A.B").Text();
  std::size_t last = 0;
  EXPECT_THAT(text, StartsWith("WHAT      "));
  for (const char* block : {"\nREPLAY    ", "\nSCHEDULE  ", "\n  step ",
                            "\nWAITS     ", "\nSEARCH    "}) {
    const std::size_t at = text.find(block);
    ASSERT_NE(at, text.npos) << block;
    EXPECT_GT(at, last);
    last = at;
  }
}

}  // namespace
}  // namespace clotho::sim
