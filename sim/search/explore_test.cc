#include "clotho/sim/search/explore.h"

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/choice.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/strategy.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/findings.h"
#include "clotho/sim/report/report.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::sim {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// ---- Programs. ----

Coro<void> Append(std::shared_ptr<std::string> log, char name, int steps) {
  for (int i = 0; i < steps; ++i) {
    log->push_back(name);
    co_await Sleep(absl::ZeroDuration());
  }
}

// Fails if the second task overtakes the first.
Coro<void> Overtaking() {
  auto log = std::make_shared<std::string>();
  Task<void> a = CreateTask(Append(log, 'a', 2), {.name = "a"});
  Task<void> b = CreateTask(Append(log, 'b', 2), {.name = "b"});
  co_await a;
  co_await b;
  Always(log->find("bb") == std::string::npos, "b never goes twice in a row");
}

// Two bugs in one body: which one is found depends on the seed.
Coro<void> TwoMistakes() {
  auto log = std::make_shared<std::string>();
  std::vector<Task<void>> tasks;
  for (const char name : {'a', 'b', 'c', 'd'}) {
    tasks.push_back(CreateTask(Append(log, name, 3)));
  }
  for (const Task<void>& task : tasks) co_await task;
  const std::size_t b = log->find("bbb");
  Always(b == std::string::npos, "no bbb");
  const std::size_t d = log->find("ddd");
  Always(d == std::string::npos, "no ddd");
}

Coro<void> Harmless() {
  auto log = std::make_shared<std::string>();
  auto all = Gather(Append(log, 'a', 3), Append(log, 'b', 3));
  co_await all;
}

// Its executions differ because of a static.
Coro<void> Counting() {
  static int executions = 0;
  ++executions;
  auto log = std::make_shared<std::string>();
  Task<void> a = CreateTask(Append(log, 'a', 1), {.name = "a"});
  co_await a;
  if (executions % 2 == 1) co_await Sleep(absl::Milliseconds(1));
  Task<void> b = CreateTask(Append(log, 'b', 1), {.name = "b"});
  co_await b;
}

std::string ReplayOf(const Report& report) {
  return FormatReplay(report.replay);
}

// ---- The search. ----

TEST(ExploreTest, WithoutOptionsABodyRunsOnceInFifoOrder) {
  const Report report = Explore(Overtaking);
  EXPECT_TRUE(report.passed());
  EXPECT_EQ(report.search.strategy, "fifo");
  EXPECT_EQ(report.search.executions, 1);
  EXPECT_EQ(report.Text(), "no failure in 1 execution (fifo, base seed 1)\n");
}

TEST(ExploreTest, FindsWhatFifoOrderNeverShows) {
  const Report report = Explore(Overtaking, Random{.schedules = 1'000});
  ASSERT_FALSE(report.passed());
  EXPECT_EQ(report.failure()->what,
            "Always \"b never goes twice in a row\" is false");
  EXPECT_TRUE(report.shrinking.minimal);
  EXPECT_NE(report.verdict(), Report::Verdict::kNondeterministic);
  EXPECT_EQ(std::get<Deviations>(report.replay.schedule).size(), 1);
  EXPECT_LE(report.search.executions, report.search.schedules);
}

TEST(ExploreTest, StopsAtTheFirstFailure) {
  const Report report = Explore(Overtaking, Random{.schedules = 1'000});
  EXPECT_LT(report.search.executions, 1'000);
}

TEST(ExploreTest, RunsAsManySchedulesAsAskedWhenNothingFails) {
  const Report report = Explore(Harmless, Random{.schedules = 123});
  EXPECT_TRUE(report.passed());
  EXPECT_EQ(report.search.executions, 123);
  EXPECT_EQ(report.Text(),
            "no failure in 123 executions (random, base seed 1)\n");
}

TEST(ExploreTest, TheSameSeedGivesTheSameReport) {
  const Report first = Explore(TwoMistakes, Random{.seed = 3});
  const Report second = Explore(TwoMistakes, Random{.seed = 3});
  EXPECT_EQ(first.Text(), second.Text());
  EXPECT_EQ(first.trace_hash, second.trace_hash);
  EXPECT_EQ(first.search.executions, second.search.executions);
  EXPECT_EQ(first.search.steps, second.search.steps);
}

TEST(ExploreTest, OtherSeedsAndOtherNamesGiveOtherSearches) {
  std::set<std::uint64_t> steps;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    steps.insert(Explore(TwoMistakes, Random{.seed = seed}).search.executions);
  }
  EXPECT_GT(steps.size(), 5);

  std::set<std::uint64_t> by_name;
  const Search search = MakeSearch(Random{.schedules = 1'000});
  for (int i = 0; i < 20; ++i) {
    by_name.insert(RunSearch(TwoMistakes, search, absl::StrCat("T.", i))
                       .search.executions);
  }
  EXPECT_GT(by_name.size(), 5);
}

TEST(ExploreTest, ShrinkingKeepsToTheFailureThatWasFound) {
  int each[2] = {0, 0};
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const Report unshrunk = [seed] {
      Search search = MakeSearch(Random{.seed = seed});
      search.shrink_runs_max = 0;
      return RunSearch(TwoMistakes, search, "");
    }();
    const Report shrunk = Explore(TwoMistakes, Random{.seed = seed});
    ASSERT_FALSE(unshrunk.passed());
    EXPECT_EQ(shrunk.failure()->signature, unshrunk.failure()->signature);
    EXPECT_EQ(shrunk.search.executions, unshrunk.search.executions);
    EXPECT_TRUE(shrunk.shrinking.minimal);
    EXPECT_EQ(unshrunk.shrinking.runs, 0);
    EXPECT_LE(std::get<Deviations>(shrunk.replay.schedule).size(),
              std::get<Deviations>(unshrunk.replay.schedule).size());
    ++each[shrunk.failure()->what.find("bbb") == std::string::npos];
  }
  EXPECT_GT(each[0], 0);  // Both are found by some seed.
  EXPECT_GT(each[1], 0);
}

TEST(ExploreTest, WhatFailsInFifoOrderHasNoDeviations) {
  const auto body = []() -> Coro<void> {
    Task<void> other = CreateTask(Sleep(absl::Milliseconds(1)));
    co_await other;
    Always(false, "fails always");
  };
  const Report report = Explore(body, Random{.schedules = 10});
  EXPECT_EQ(report.search.executions, 1);
  EXPECT_TRUE(report.shrinking.minimal);
  EXPECT_THAT(std::get<Deviations>(report.replay.schedule), IsEmpty());
  EXPECT_THAT(report.Text(), HasSubstr("none: this fails in FIFO order"));
}

TEST(ExploreTest, LimitsHoldForEveryExecution) {
  const auto body = []() -> Coro<void> {
    for (int i = 0; i < 100; ++i) co_await Sleep(absl::Milliseconds(1));
  };
  EXPECT_EQ(Explore(body, Random{.schedules = 2}, Limits{.steps_max = 50})
                .failure()
                ->kind,
            FailureKind::kLivelock);
  EXPECT_EQ(Explore(body, Random{.schedules = 2},
                    Limits{.virtual_time_max = absl::Milliseconds(50)})
                .failure()
                ->kind,
            FailureKind::kVirtualTime);
}

// ---- Custom strategies. ----

TEST(ExploreTest, AUserMayWriteAStrategy) {
  // Runs the youngest first.
  class Youngest final : public Strategy {
   public:
    void BeginExecution(Rng&) override {}
    std::size_t Choose(const ChoicePoint& point) override {
      std::size_t youngest = 0;
      for (std::size_t i = 0; i < point.size(); ++i) {
        if (!point[i].is_timer() &&
            point[i].chain() > point[youngest].chain()) {
          youngest = i;
        }
      }
      return youngest;
    }
  };
  const Report report =
      Explore(Overtaking,
              CustomStrategy{
                  .make_strategy = [] { return std::make_unique<Youngest>(); },
                  .schedules = 1,
                  .name = "youngest"});
  ASSERT_FALSE(report.passed());
  EXPECT_EQ(report.search.strategy, "youngest");
  EXPECT_EQ(report.search.executions, 1);
  EXPECT_THAT(report.Text(), HasSubstr("SEARCH    youngest, base seed 1"));
}

// Leaving out deviations leads from three to none, but two others are enough.
TEST(ExploreTest, TheFewestDeviationsNeedNotBeAmongThoseThatWereFound) {
  const auto body = []() -> Coro<void> {
    std::uint64_t sum = 0;
    for (int i = 0; i < 3; ++i) sum += Choose(2);
    const std::uint64_t a = Choose(7);
    const std::uint64_t b = Choose(7);
    Always(sum < 3 && (a != 6 || b != 6), "nothing comes together");
    co_return;
  };
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Report report =
        Explore(body, Random{.schedules = 1'000, .seed = seed});
    ASSERT_FALSE(report.passed());
    EXPECT_EQ(FormatReplay(report.replay).substr(0, 12), "c1/0/5:6,6:6");
    EXPECT_TRUE(report.shrinking.minimal);
  }
}

// ---- Nondeterminism. ----

TEST(ExploreTest, AProgramThatPassesButIsNotDeterministicIsReported) {
  const Report report = Explore(Counting, Random{.schedules = 10});
  ASSERT_FALSE(report.passed());
  EXPECT_EQ(report.verdict(), Report::Verdict::kNondeterministic);
  EXPECT_EQ(report.failure()->signature, "not deterministic");
  EXPECT_THAT(report.failure()->what,
              AllOf(HasSubstr("Not deterministic: two runs of "),
                    HasSubstr(" part at step "), HasSubstr("\nfirst   "),
                    HasSubstr("\nsecond  ")));
  EXPECT_THAT(report.Text(), AllOf(HasSubstr("SUSPECT   a real clock"),
                                   HasSubstr("a second run differed")));
}

TEST(ExploreTest, AFailureThatDoesNotComeBackIsReportedAsNotDeterministic) {
  static int executions = 0;
  executions = 0;
  const auto body = []() -> Coro<void> {
    co_await Sleep(absl::ZeroDuration());
    Always(++executions != 5, "fails the fifth time");
  };
  Search search = MakeSearch(Random{.schedules = 10});
  search.check_every = 0;
  const Report report = RunSearch(body, search, "");
  ASSERT_FALSE(report.passed());
  EXPECT_EQ(report.verdict(), Report::Verdict::kNondeterministic);
  EXPECT_EQ(report.search.executions, 5);
}

// Each execution leaves something behind, which makes a later one fail.
TEST(ExploreTest, StateThatSurvivesExecutionsIsNamed) {
  static int connections = 0;
  connections = 0;
  const auto body = []() -> Coro<void> {
    ++connections;
    co_await Sleep(absl::Milliseconds(1));
    Always(connections <= 50, "few connections");
  };
  const Report report = Explore(body, Random{.schedules = 1'000});
  ASSERT_FALSE(report.passed());
  EXPECT_EQ(report.verdict(), Report::Verdict::kNondeterministic);
  EXPECT_EQ(
      report.failure()->what,
      "Not deterministic: state survives from one execution to the next\n"
      "execution 1 passed; run again after execution 50, it fails: Always "
      "\"few connections\" is false\n"
      "Each execution must begin with the same state: reset what outlives "
      "the test's body, or create it inside");
  // A replay in another process would pass.
  EXPECT_THAT(report.Text(), Not(HasSubstr("REPLAY")));
}

TEST(ExploreTest, AStateThatEachChoiceLeavesBehindIsNamed) {
  static std::set<std::uint64_t>* const ids = new std::set<std::uint64_t>;
  ids->clear();
  const auto body = []() -> Coro<void> {
    co_await Sleep(absl::Milliseconds(1));
    const bool is_new = ids->insert(Choose(1'000)).second;
    Always(is_new, "an id is used once");
  };
  Search search = MakeSearch(Random{.schedules = 1'000});
  search.check_every = 500;
  const Report report = RunSearch(body, search, "");
  ASSERT_FALSE(report.passed());
  EXPECT_THAT(report.failure()->what, HasSubstr("Not deterministic"));
}

// Nothing fails, but the first execution cannot be repeated.
TEST(ExploreTest, ACacheThatChangesTheStepsIsNamed) {
  static bool is_warm = false;
  static int executions = 0;
  is_warm = false;
  executions = 0;
  const auto body = []() -> Coro<void> {
    if (!is_warm) co_await Sleep(absl::Milliseconds(1));
    is_warm = ++executions >= 5;
    co_await Sleep(absl::Milliseconds(1));
  };
  const Report report = Explore(body, Random{.schedules = 200});
  ASSERT_FALSE(report.passed());
  EXPECT_EQ(report.verdict(), Report::Verdict::kNondeterministic);
  EXPECT_THAT(report.failure()->what,
              HasSubstr("execution 1 passed; run again after execution 200, it "
                        "takes other steps"));
}

// Two mistakes throw the same class: shrinking one does not arrive at the
// other.
TEST(ExploreTest, ExceptionsOfOneClassAreToldApartByTheirMessages) {
  const auto body = []() -> Coro<void> {
    bool first = false;
    const auto early = [](bool& is_first) -> Coro<void> {
      co_await Sleep(absl::ZeroDuration());
      if (is_first) throw std::runtime_error("needs a reordering");
    };
    const auto late = [](bool& is_first) -> Coro<void> {
      co_await Sleep(absl::ZeroDuration());
      is_first = true;
      const bool fails = Choose(4) == 3;
      if (fails) throw std::runtime_error("needs none");
    };
    Task<void> a = CreateTask(early(first));
    Task<void> b = CreateTask(late(first));
    co_await Gather(a, b);
  };
  std::set<std::string> found;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Report report = Explore(body, Fuzz{.seed = seed});
    ASSERT_FALSE(report.passed());
    const bool reordering =
        report.failure()->what.find("needs a reordering") != std::string::npos;
    EXPECT_EQ(report.found.reachability->reachable, !reordering);
    found.insert(report.failure()->signature);
    const auto again = Replay(body, ReplayOf(report));
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(again->failure()->signature, report.failure()->signature);
  }
  EXPECT_EQ(found.size(), 2);
}

// Of many runs only one differs.
TEST(ExploreTest, ARareDifferenceIsLookedForMoreThanOnce) {
  static int executions = 0;
  executions = 0;
  const auto body = []() -> Coro<void> {
    if (++executions % 7 == 2) co_await Sleep(absl::Milliseconds(1));
    co_await Sleep(absl::Milliseconds(2));
  };
  const Report report = Explore(body, Random{.schedules = 10});
  ASSERT_FALSE(report.passed());
  EXPECT_EQ(report.verdict(), Report::Verdict::kNondeterministic);
  EXPECT_THAT(report.failure()->what, HasSubstr(" part at step 1\n"));
}

TEST(ExploreTest, ThePlaceWhereTwoRunsPartIsNamed) {
  static int executions = 0;
  static int line = 0;
  const auto body = []() -> Coro<void> {
    co_await Sleep(absl::ZeroDuration());
    co_await Sleep(absl::ZeroDuration());
    line = __LINE__ + 1;
    if (++executions % 2 == 0) co_await Sleep(absl::Milliseconds(1));
    co_await Sleep(absl::ZeroDuration());
  };
  const Report report = Explore(body);
  ASSERT_EQ(report.verdict(), Report::Verdict::kNondeterministic);
  EXPECT_THAT(
      report.failure()->what,
      AllOf(HasSubstr("two runs of fifo part at step 3"),
            HasSubstr(absl::StrCat("sim/search/explore_test.cc:", line)),
            HasSubstr(absl::StrCat("sim/search/explore_test.cc:", line + 1))));
}

// ---- Replay. ----

TEST(ReplayTest, BringsTheFailureBack) {
  const Report found = Explore(Overtaking, Random{.schedules = 1'000});
  const absl::StatusOr<Report> again = Replay(Overtaking, ReplayOf(found));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->failure()->signature, found.failure()->signature);
  EXPECT_EQ(again->trace_hash, found.trace_hash);
  EXPECT_EQ(again->trace.events, found.trace.events);
  EXPECT_EQ(ReplayOf(*again), ReplayOf(found));
  EXPECT_NE(again->verdict(), Report::Verdict::kDiverged);
}

TEST(ReplayTest, PlainAndWithoutACheckAreGoodEnough) {
  EXPECT_TRUE(Replay(Overtaking, "c1/0/fifo")->passed());
  const Report found = Explore(Overtaking, Random{.schedules = 1'000});
  ReplayString replay = found.replay;
  replay.check.reset();
  EXPECT_EQ(Replay(Overtaking, FormatReplay(replay))->failure()->signature,
            found.failure()->signature);
}

TEST(ReplayTest, AnExecutionOfASearchCanBeNamed) {
  Search search = MakeSearch(Random{.seed = 3});
  search.shrink_runs_max = 0;
  const Report found = RunSearch(TwoMistakes, search, "A.B");
  const absl::StatusOr<Report> again =
      RunReplay(TwoMistakes, search, "A.B",
                absl::StrCat("c1/0/+random:", found.search.executions - 1));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->trace_hash, found.trace_hash);
  EXPECT_EQ(ReplayOf(*again), ReplayOf(found));
}

std::string DivergenceOf(std::string_view replay) {
  const absl::StatusOr<Report> report = Replay(Overtaking, replay);
  if (!report.ok()) return std::string(report.status().message());
  if (report->verdict() != Report::Verdict::kDiverged) return "none";
  return report->failure()->what;
}

TEST(ReplayTest, AScheduleThatDoesNotFitIsRefusedWithItsPart) {
  EXPECT_THAT(DivergenceOf("c1/0/1:1"),
              HasSubstr("deviation 1:1 does not apply: step 1 has no choice"));
  EXPECT_THAT(DivergenceOf("c1/0/2:7"),
              HasSubstr("deviation 2:7 does not apply: step 2 has 2 ready to "
                        "run, numbered from 0"));
  EXPECT_THAT(DivergenceOf("c1/0/2:t"),
              HasSubstr("deviation 2:t does not apply: no timer is set at that "
                        "step"));
  EXPECT_THAT(DivergenceOf("c1/0/999:1"),
              HasSubstr("deviation 999:1 does not apply: the execution ended "
                        "before step 999"));
  EXPECT_THAT(DivergenceOf("c1/0/fifo/0000"),
              HasSubstr("the choices that the program met are not those of the "
                        "replay string"));
  EXPECT_THAT(DivergenceOf("c1/0/fifo/0000"),
              HasSubstr("The replay does not fit the program: "));
}

TEST(ReplayTest, WhatCannotBeRunIsAnError) {
  EXPECT_THAT(DivergenceOf("c1/0/"), HasSubstr("the schedule is missing"));
  EXPECT_THAT(DivergenceOf("c1/0/+clever:118"),
              HasSubstr("unknown strategy \"clever\": expected fifo, random"));
  EXPECT_THAT(DivergenceOf("c1/0/+pct:x:118"),
              HasSubstr("depth \"x\" is not a number from 1 to 1000000"));
  EXPECT_THAT(DivergenceOf("c1/0/+random:2:118"),
              HasSubstr("strategy \"random\" takes no parameters"));
  EXPECT_THAT(DivergenceOf("c1/0/@no/such/file"),
              HasSubstr("cannot read the file \"no/such/file\""));
}

TEST(ReplayTest, AFileHoldsALongReplayString) {
  const Report found = Explore(Overtaking, Random{.schedules = 1'000});
  const std::string path = testing::TempDir() + "overtaking.replay";
  std::ofstream(path) << ReplayOf(found) << "\n";
  EXPECT_EQ(
      Replay(Overtaking, absl::StrCat("c1/0/@", path))->failure()->signature,
      found.failure()->signature);

  std::ofstream(path) << "c1/0/4:x\n";
  EXPECT_THAT(DivergenceOf(absl::StrCat("c1/0/@", path)),
              AllOf(HasSubstr(absl::StrCat("in the file \"", path, "\": ")),
                    HasSubstr("choice \"x\"")));

  std::ofstream(path) << "c1/0/@" << path << "\n";
  EXPECT_THAT(DivergenceOf(absl::StrCat("c1/0/@", path)),
              HasSubstr("names another file"));
}

// Ends with the last of many deviations, so that every one is needed.
Coro<void> NeedsManyDeviations() {
  auto log = std::make_shared<std::string>();
  Task<void> a = CreateTask(Append(log, 'a', 60));
  Task<void> b = CreateTask(Append(log, 'b', 60));
  co_await a;
  co_await b;
  Always(log->find(std::string(60, 'a')) == std::string::npos,
         "a never goes alone");
}

TEST(ReplayTest, TheCheckOfAnExecutionThatIsNamedByItsStrategyCounts) {
  const auto report = Replay(NeedsManyDeviations, "c1/0/+random:3/0000");
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->verdict(), Report::Verdict::kDiverged);
  EXPECT_NE(Replay(NeedsManyDeviations, "c1/0/+random:3")->verdict(),
            Report::Verdict::kDiverged);
}

TEST(ReplayTest, AReplayStringThatIsTooLongForALineGoesToAFile) {
  // Always the candidate that FIFO order would not take.
  class Stay final : public Strategy {
   public:
    void BeginExecution(Rng&) override {}
    std::size_t Choose(const ChoicePoint& point) override {
      for (std::size_t i = 0; i < point.size(); ++i) {
        if (point[i].chain() == 2) return i;
      }
      return 0;
    }
  };
  const CustomStrategy stay{
      .make_strategy = [] { return std::make_unique<Stay>(); }, .schedules = 1};
  // Bazel would remove it before anyone could use it.
  setenv("TEST_UNDECLARED_OUTPUTS_DIR", testing::TempDir().c_str(), 1);
  EXPECT_GT(Explore(NeedsManyDeviations, stay).replay_command.size(), 200);

  unsetenv("TEST_UNDECLARED_OUTPUTS_DIR");
  ASSERT_EQ(chdir(testing::TempDir().c_str()), 0);
  const Report report = Explore(NeedsManyDeviations, stay);
  ASSERT_FALSE(report.passed());
  ASSERT_GT(ReplayOf(report).size(), 200);
  EXPECT_LT(report.replay_command.size(), 400);
  const std::size_t at = report.replay_command.find("c1/0/@");
  ASSERT_NE(at, std::string::npos) << report.replay_command;
  const std::string replay = report.replay_command.substr(
      at, report.replay_command.find('"', at) - at);
  EXPECT_EQ(Replay(NeedsManyDeviations, replay)->failure()->signature,
            report.failure()->signature);
}

// ---- Randomness of the program. ----

TEST(ProgramRngTest, DrawsFromTheProgramSeedInEveryExecution) {
  static std::set<std::uint64_t> drawn;
  drawn.clear();
  const auto body = []() -> Coro<void> {
    drawn.insert(ProgramRng().Next());
    co_return;
  };
  EXPECT_TRUE(Explore(body, Random{.schedules = 20}).passed());
  EXPECT_EQ(drawn.size(), 1);

  Search other = MakeSearch(Random{.schedules = 20});
  other.program_seed = 7;
  EXPECT_TRUE(RunSearch(body, other, "").passed());
  EXPECT_EQ(drawn.size(), 2);
}

TEST(ProgramRngTest, TheReplayStringCarriesItsSeed) {
  const auto body = []() -> Coro<void> {
    const std::uint64_t number = ProgramRng().Uniform(1'000'000);
    co_await Sleep(absl::ZeroDuration());
    throw ValueError(absl::StrCat("drew ", number));
  };
  Search search = MakeSearch(Random());
  search.program_seed = 0xabc;
  const Report found = RunSearch(body, search, "");
  EXPECT_THAT(ReplayOf(found), testing::StartsWith("c1/abc/fifo/"));
  EXPECT_EQ(Replay(body, ReplayOf(found))->failure()->what,
            found.failure()->what);
  EXPECT_NE(Replay(body, "c1/abd/fifo")->failure()->what,
            found.failure()->what);
}

TEST(ProgramRngTest, ThrowsOutsideOfAnExecution) {
  EXPECT_THROW(ProgramRng(), RuntimeError);
}

// ---- The turning point. ----

// The first deviation happens often by chance; the second one decides.
Coro<void> DecidedByTheSecond() {
  std::string order;
  const auto write = [&order](char name) -> Coro<void> {
    order += name;
    co_return;
  };
  Task<void> a = CreateTask(write('a'));
  Task<void> b = CreateTask(write('b'));
  co_await a;
  co_await b;
  Task<void> c = CreateTask(write('c'));
  Task<void> d = CreateTask(write('d'));
  Task<void> e = CreateTask(write('e'));
  co_await c;
  co_await d;
  co_await e;
  Always(order != "baedc", "never like that");
}

TEST(TurningPointTest, IsTheDeviationThatDecides) {
  const Report report =
      Explore(DecidedByTheSecond, Random{.schedules = 10'000});
  ASSERT_FALSE(report.passed());
  ASSERT_GE(report.trace.deviations.size(), 2);
  // Half of the remaining executions, then all or a third: never the first
  // deviation, which raises a twelfth to a sixth.
  ASSERT_TRUE(report.found.turning_point.has_value());
  const TurningPoint& turning_point = *report.found.turning_point;
  EXPECT_EQ(turning_point.continuations, 200);
  EXPECT_GT(turning_point.failures_after, turning_point.failures_before);
  EXPECT_NE(turning_point.step, report.trace.deviations[0].step);
}

TEST(TurningPointTest, ThereIsNoneInFifoOrder) {
  const Report report = Explore([]() -> Coro<void> {
    Always(false, "at once");
    co_return;
  });
  EXPECT_FALSE(report.found.turning_point.has_value());
}

// ---- The nearest pass. ----

TEST(NearestPassTest, PassesAndLeavesTheFailureAsLateAsCanBe) {
  const Report report = Explore(Overtaking, Random{.schedules = 100});
  ASSERT_FALSE(report.passed());
  ASSERT_TRUE(report.found.nearest_pass.has_value());
  const std::string& replay = report.found.nearest_pass->replay;
  const auto pass = Replay(Overtaking, replay);
  ASSERT_TRUE(pass.ok()) << replay;
  EXPECT_TRUE(pass->passed()) << replay;
  EXPECT_NE(pass->verdict(), Report::Verdict::kDiverged) << replay;
  EXPECT_THAT(report.Text(),
              HasSubstr(absl::StrCat("\n          nearest pass  ", replay,
                                     ": at step ")));
}

TEST(NearestPassTest, OfAFailureInFifoOrderIsADeviation) {
  const auto body = []() -> Coro<void> {
    auto log = std::make_shared<std::string>();
    Task<void> a = CreateTask(Append(log, 'a', 1), {.name = "a"});
    Task<void> b = CreateTask(Append(log, 'b', 1), {.name = "b"});
    co_await a;
    co_await b;
    Always(*log == "ba", "b is first");
  };
  const auto pass = Explore(body).found.nearest_pass;
  ASSERT_TRUE(pass.has_value());
  EXPECT_EQ(pass->replay, "c1/0/2:1");
  EXPECT_EQ(pass->step, 2);
  EXPECT_EQ(pass->instead, "ran b (its first step)");
}

TEST(NearestPassTest, IsNoneIfNothingHelps) {
  const auto body = []() -> Coro<void> {
    co_await Gather(Harmless(), Harmless());
    Always(false, "it ends");
  };
  EXPECT_FALSE(Explore(body).found.nearest_pass.has_value());
  EXPECT_FALSE(Explore([]() -> Coro<void> {
                 Always(false, "it begins");
                 co_return;
               }).found.nearest_pass.has_value());
}

// ---- Saved schedules. ----

TEST(AlsoTest, RunsBeforeTheSearch) {
  const Report found = Explore(Overtaking, Random{.schedules = 1'000});
  ASSERT_FALSE(found.passed());
  const std::string saved = FormatReplay(found.replay);
  const Report report =
      Explore(Overtaking, Fifo(), ReplayFirst(saved, "issue 212"));
  ASSERT_FALSE(report.passed());
  EXPECT_EQ(report.failure()->signature, found.failure()->signature);
  EXPECT_EQ(report.search.executions, 1);
  EXPECT_EQ(FormatReplay(report.replay), saved);
  EXPECT_THAT(report.Text(), HasSubstr("SEARCH    the saved schedule " + saved +
                                       ", issue 212; "));
}

TEST(AlsoTest, OneThatNoLongerAppliesIsNoted) {
  const auto body = []() -> Coro<void> { co_return; };
  const Report report = Explore(body, ReplayFirst("c1/0/999:1"));
  EXPECT_TRUE(report.passed());
  ASSERT_EQ(report.drifted.size(), 1);
  EXPECT_THAT(report.drifted[0],
              HasSubstr("c1/0/999:1: deviation 999:1 does not apply"));
}

TEST(AlsoTest, OneThatDoesNotParseFailsTheTest) {
  const auto body = []() -> Coro<void> { co_return; };
  for (const char* bad : {"", "c1/0/x", "c1/0/+random:3", "c1/0/@file"}) {
    const Report report = Explore(body, ReplayFirst(bad));
    EXPECT_EQ(report.verdict(), Report::Verdict::kMisused) << bad;
    EXPECT_THAT(report.Text(), HasSubstr("expected")) << bad;
  }
}

// ---- Support for searches of properties. ----

TEST(ExploreTest, AFirstScheduleIsRunBeforeTheSearch) {
  const Report found = Explore(Overtaking, Random{.schedules = 200});
  ASSERT_FALSE(found.passed());
  Search search = MakeSearch(Fifo());
  EXPECT_TRUE(RunSearch(Overtaking, search, "").passed());
  search.first = std::get<Deviations>(found.replay.schedule);
  const Report again = RunSearch(Overtaking, search, "");
  ASSERT_FALSE(again.passed());
  EXPECT_EQ(again.replay, found.replay);
  // Leniently: deviations that do not apply are ignored.
  search.first = Deviations{{999, 1}};
  EXPECT_TRUE(RunSearch(Overtaking, search, "").passed());
}

TEST(ExploreTest, FailuresOfAnotherSignatureAreNotAskedFor) {
  std::set<std::string> signatures;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Report report = Explore(TwoMistakes, Random{.seed = seed});
    ASSERT_FALSE(report.passed());
    signatures.insert(report.failure()->signature);
  }
  ASSERT_EQ(signatures.size(), 2);
  for (const std::string& signature : signatures) {
    Search search = MakeSearch(Random{.schedules = 10'000});
    search.signature = signature;
    const Report report = RunSearch(TwoMistakes, search, "");
    ASSERT_FALSE(report.passed());
    EXPECT_EQ(report.failure()->signature, signature);
  }
  Search search = MakeSearch(Random{.schedules = 100});
  search.signature = "another";
  const Report report = RunSearch(TwoMistakes, search, "");
  EXPECT_TRUE(report.passed());
  EXPECT_EQ(report.search.executions, 100);
}

// What a property library throws.
struct Thrown {
  FailureKind kind;
};

std::optional<Failure> Judged(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const Thrown& thrown) {
    return Failure{
        .kind = thrown.kind, .what = "judged", .signature = "judged"};
  } catch (...) {
    return std::nullopt;
  }
}

Coro<void> ThrowIf(bool condition, FailureKind kind) {
  if (condition) throw Thrown{kind};
  co_return;
}

// Under some schedules, a task waits forever for a task that throws.
Coro<void> WaitsInVain(FailureKind kind, bool always) {
  auto log = std::make_shared<std::string>();
  Task<void> a = CreateTask(Append(log, 'a', 1), {.name = "a"});
  Task<void> b = CreateTask(Append(log, 'b', 1), {.name = "b"});
  co_await b;
  co_await a;
  const bool throws = always || *log == "ba";
  Task<void> thrower = CreateTask(ThrowIf(throws, kind));
  Event never;
  if (throws) co_await never.Wait();
  co_await thrower;
}

Report SearchJudged(FailureKind kind, bool always = false) {
  Search search = MakeSearch(Random{.schedules = 50});
  search.judge = &Judged;
  return RunSearch([=] { return WaitsInVain(kind, always); }, search, "");
}

TEST(ExploreTest, AnExceptionCanBeAFailureOfItsOwn) {
  const Report report = SearchJudged(FailureKind::kExpectation);
  ASSERT_FALSE(report.passed());
  EXPECT_EQ(report.failure()->what, "judged");
  EXPECT_EQ(report.replay.check.has_value(), true);
}

TEST(ExploreTest, AnExceptionCanEndAnExecutionWithoutAFailure) {
  EXPECT_TRUE(SearchJudged(FailureKind::kSucceeded).passed());
  EXPECT_TRUE(SearchJudged(FailureKind::kSucceeded, /*always=*/true).passed());
  EXPECT_TRUE(SearchJudged(FailureKind::kDiscarded).passed());
  // If the first one does not count, none does.
  const Report report = SearchJudged(FailureKind::kDiscarded, /*always=*/true);
  ASSERT_FALSE(report.passed());
  EXPECT_EQ(report.verdict(), Report::Verdict::kDiscarded);
  EXPECT_EQ(report.search.executions, 1);
}

TEST(ExploreTest, AnInputIsInTheReplayString) {
  Search search = MakeSearch(Random{.schedules = 200});
  search.input = "12.x";
  const Report report = RunSearch(Overtaking, search, "");
  ASSERT_FALSE(report.passed());
  const std::string replay = FormatReplay(report.replay);
  EXPECT_THAT(replay, testing::StartsWith("c1/0.12.x/"));
  EXPECT_THAT(report.replay_command, HasSubstr(replay));
  EXPECT_TRUE(RunReplay(Overtaking, search, "", replay).ok());
  search.input = "13";
  EXPECT_FALSE(RunReplay(Overtaking, search, "", replay).ok());
  search.input.clear();
  EXPECT_FALSE(RunReplay(Overtaking, search, "", replay).ok());
}

}  // namespace
}  // namespace clotho::sim
