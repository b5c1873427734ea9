// Traces as JSON: that it is valid JSON, that it contains the whole trace, and
// that its parts are consistent.

#include "clotho/sim/report/trace_json.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/choice.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/trace.h"
#include "clotho/sim/history.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/explore.h"
#include "clotho/sim/tracked.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace clotho::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Json = nlohmann::json;

// Two tasks, a lock, a timer, a choice and a tracked object; fails under some
// schedules.
Coro<void> Busy() {
  struct State {
    Tracked<int> value{"value", 0};
    Lock lock{"gate"};
  } state;
  const auto worker = [](State& s, int delay) -> Coro<void> {
    {
      Lock::Guard guard = co_await s.lock.Acquire();
      co_await Sleep(absl::Milliseconds(delay + Choose(3)));
    }
    const int before = s.value.Read();
    co_await Sleep(absl::ZeroDuration());
    s.value.Write() = before + 1;
  };
  Task<void> a = CreateTask(worker(state, 1), {.name = "a"});
  Task<void> b = CreateTask(worker(state, 5), {.name = "b"});
  co_await a;
  co_await b;
  Always(state.value.Read() == 2, "no update is lost");
}

const Report& Failed() {
  static const Report* const report =
      new Report(Explore(Busy, Random{.schedules = 1'000}));
  return *report;
}

TraceTitle Title() {
  return {.test = "Suite.Name",
          .replay = FormatReplay(Failed().replay),
          .failure = "lost"};
}

TEST(TraceJsonTest, HasAllOfTheTrace) {
  const Trace& trace = Failed().trace;
  ASSERT_FALSE(Failed().passed());
  const Json json = Json::parse(TraceJson(trace, Title()));
  EXPECT_EQ(json["clotho_trace"], 1);
  EXPECT_EQ(json["test"], "Suite.Name");
  EXPECT_EQ(json["replay"], FormatReplay(Failed().replay));
  EXPECT_EQ(json["failure"], "lost");
  EXPECT_EQ(json["lanes"], Json(trace.lanes));
  ASSERT_EQ(json["deviations"].size(), trace.deviations.size());
  for (std::size_t i = 0; i < trace.deviations.size(); ++i) {
    EXPECT_EQ(json["deviations"][i]["step"], trace.deviations[i].step);
    EXPECT_EQ(json["deviations"][i]["taken"], trace.deviations[i].taken);
    EXPECT_EQ(json["deviations"][i]["fifo"], trace.deviations[i].fifo);
  }
  ASSERT_EQ(json["events"].size(), trace.events.size());
  for (std::size_t i = 0; i < trace.events.size(); ++i) {
    const TraceEvent& event = trace.events[i];
    const Json& written = json["events"][i];
    EXPECT_EQ(written["step"], event.step);
    EXPECT_EQ(written["time_ns"], event.time_ns);
    EXPECT_EQ(written["lane"], event.lane);
    EXPECT_EQ(written["text"], event.text);
    EXPECT_EQ(written.contains("line"), event.line != 0);
    if (event.line != 0) {
      EXPECT_EQ(written["line"], event.line);
      EXPECT_EQ(written["file"], event.file);
    }
    EXPECT_EQ(written.contains("other"),
              event.kind == TraceEvent::Kind::kSpawn ||
                  event.kind == TraceEvent::Kind::kWake);
    EXPECT_NE(written["kind"], "");
  }
  ASSERT_EQ(json["steps"].size(), trace.steps.size());
}

TEST(TraceJsonTest, AStepSaysWhatCouldHaveRun) {
  const Trace& trace = Failed().trace;
  ASSERT_FALSE(trace.steps.empty());
  std::uint64_t last = 0;
  std::size_t choices = 0;
  for (const TraceStep& step : trace.steps) {
    EXPECT_GT(step.step, last);
    last = step.step;
    EXPECT_LT(step.choice, step.candidates);
    if (step.candidates == 1) {
      EXPECT_TRUE(step.named.empty());
      continue;
    }
    ++choices;
    ASSERT_EQ(step.named.size(), step.candidates);
    EXPECT_EQ(step.named[step.choice], step.taken);
    const bool deviates = std::ranges::any_of(
        trace.deviations,
        [&](const DeviationText& d) { return d.step == step.step; });
    EXPECT_EQ(deviates, step.choice != 0) << step.step;
  }
  EXPECT_GT(choices, 0u);
  const Json json = Json::parse(TraceJson(trace));
  for (const Json& step : json["steps"]) {
    EXPECT_EQ(step.contains("named"), step.contains("choice"));
    if (step.contains("choice")) {
      EXPECT_EQ(step["named"][step["choice"].get<std::size_t>()],
                step["taken"]);
    }
  }
}

TEST(TraceJsonTest, AStepSaysWhyEachCandidateCouldRun) {
  const Trace& trace = Failed().trace;
  const Json json = Json::parse(TraceJson(trace));
  bool by_task = false;
  bool by_timer = false;
  for (std::size_t i = 0; i < trace.steps.size(); ++i) {
    const TraceStep& step = trace.steps[i];
    ASSERT_EQ(step.why.size(), std::max<std::size_t>(step.named.size(), 1));
    EXPECT_LT(step.since, step.step);
    if (step.since == 0) {
      EXPECT_FALSE(step.by.has_value());
    }
    if (step.by.has_value()) {
      by_task = true;
      // A running task does it: the lane has an event in that step.
      EXPECT_TRUE(std::ranges::any_of(trace.events, [&](const TraceEvent& e) {
        return e.step == step.since && e.lane == *step.by;
      })) << step.step;
    }
    by_timer =
        by_timer || step.why[0].find("its timer was due") != std::string::npos;
    const Json& written = json["steps"][i];
    EXPECT_EQ(written["why"], Json(step.why));
    EXPECT_EQ(written.contains("since"), step.since != 0);
    EXPECT_EQ(written.contains("by"), step.by.has_value());
  }
  EXPECT_TRUE(by_task);
  EXPECT_TRUE(by_timer);
  EXPECT_EQ(trace.steps[0].why[0], "ready from the beginning");
  // The body yields to no other task here: it creates both and waits.
  const auto a =
      std::ranges::find(trace.steps, "a (its first step)", &TraceStep::taken);
  ASSERT_NE(a, trace.steps.end());
  EXPECT_EQ(a->why[a->choice], "ready since step 1, created by main");
}

TEST(TraceJsonTest, WhoIsWokenOverBookkeepingIsWokenByWhoeverSetItOff) {
  const Report report = Explore([]() -> Coro<void> {
    const auto child = []() -> Coro<void> { co_await Sleep(absl::Seconds(1)); };
    Task<void> task = CreateTask(child(), {.name = "child"});
    co_await task;  // Its end passes through the loop's queue.
    GetRunningLoop().CallSoon([] {});
    co_await Sleep(absl::ZeroDuration());
    Always(false, "never");
  });
  std::vector<std::string> why;
  for (const TraceStep& step : report.trace.steps) {
    why.insert(why.end(), step.why.begin(), step.why.end());
  }
  EXPECT_THAT(why,
              ElementsAre("ready from the beginning",
                          "ready since step 1, created by main",
                          "ready since step 2: its timer was due at t = 1 s",
                          "ready since step 3, woken by child",
                          "ready since step 4, scheduled by main",
                          "ready since step 4, where it gave way",
                          "ready since step 4, where it gave way"));
}

TEST(TraceJsonTest, HasFifoOrdersRunBesideIt) {
  const Report& report = Failed();
  ASSERT_TRUE(report.trace.fifo.has_value());
  const FifoRun& fifo = *report.trace.fifo;
  ASSERT_FALSE(report.trace.deviations.empty());
  const std::uint64_t first = report.trace.deviations.front().step;
  std::size_t same = 0;
  for (std::size_t i = 0; i < report.trace.steps.size(); ++i) {
    if (report.trace.steps[i].step >= first) break;
    ASSERT_LT(i, fifo.steps.size());
    EXPECT_EQ(fifo.steps[i].step, report.trace.steps[i].step);
    EXPECT_EQ(fifo.steps[i].taken, report.trace.steps[i].taken);
    ++same;
  }
  EXPECT_GT(same, 0u);
  // It equals the whole schedule of a run in FIFO order.
  const auto alone = Replay(Busy, "c1/0/fifo");
  ASSERT_TRUE(alone.ok());
  EXPECT_EQ(fifo.steps.size(), alone->trace.steps.size());
  EXPECT_EQ(fifo.failure.empty(), alone->passed());
  EXPECT_EQ(fifo.left_out, 0u);
  EXPECT_EQ(fifo.steps[0].task, "main");

  const Json json = Json::parse(TraceJson(report.trace));
  ASSERT_EQ(json["fifo"]["steps"].size(), fifo.steps.size());
  EXPECT_EQ(json["fifo"]["steps"][1]["taken"], fifo.steps[1].taken);
  EXPECT_EQ(json["fifo"]["steps"][1]["task"], fifo.steps[1].task);
  EXPECT_EQ(json["fifo"].contains("failure"), !fifo.failure.empty());
}

TEST(TraceJsonTest, WhatFailsInFifoOrderHasNothingToCompareWith) {
  const Report report = Explore([]() -> Coro<void> {
    Always(false, "always");
    co_return;
  });
  EXPECT_FALSE(report.trace.fifo.has_value());
  EXPECT_FALSE(Json::parse(TraceJson(report.trace)).contains("fifo"));
}

TEST(TraceJsonTest, OfAPlainRunThatGoesOnItHasTheBeginning) {
  const Report report = Explore(
      []() -> Coro<void> {
        bool ended = false;
        const auto other = [](bool& end) -> Coro<void> {
          end = true;
          co_return;
        };
        Task<void> task = CreateTask(other(ended));
        co_await Sleep(absl::ZeroDuration());
        Always(ended, "FIFO order runs the other one first");
        for (int i = 0; i < 3'000; ++i) co_await Sleep(absl::ZeroDuration());
        co_await task;
      },
      Random{.schedules = 100});
  ASSERT_TRUE(report.trace.fifo.has_value());
  const FifoRun& fifo = *report.trace.fifo;
  EXPECT_EQ(fifo.failure, "");
  EXPECT_GT(fifo.left_out, 1'000u);
  EXPECT_LT(fifo.steps.size(), 1'100u);
  EXPECT_EQ(Json::parse(TraceJson(report.trace))["fifo"]["left_out"],
            fifo.left_out);
}

TEST(TraceJsonTest, SaysWhoWaitedForWhom) {
  const Report report = Explore([]() -> Coro<void> {
    Lock a("A");
    Lock b("B");
    const auto inner = [](Lock& lock) -> Coro<void> {
      Lock::Guard guard = co_await lock.Acquire();
    };
    const auto both = [&inner](Lock& first, Lock& second) -> Coro<void> {
      Lock::Guard guard = co_await first.Acquire();
      co_await Sleep(absl::Milliseconds(1));
      co_await inner(second);
    };
    Task<void> ab = CreateTask(both(a, b), {.name = "ab"});
    Task<void> ba = CreateTask(both(b, a), {.name = "ba"});
    co_await ab;
    co_await ba;
  });
  const std::vector<TraceWait>& waits = report.trace.waits;
  ASSERT_EQ(waits.size(), 3u);
  EXPECT_EQ(waits[0].task, "main");
  EXPECT_EQ(waits[0].holders, std::vector<std::size_t>{1});
  EXPECT_EQ(waits[1].task, "ab");
  EXPECT_EQ(waits[1].what, "Lock \"B\"");
  EXPECT_EQ(waits[1].since_ns, 1'000'000);
  EXPECT_EQ(waits[1].stack.size(), 2u);
  EXPECT_EQ(waits[1].holders, std::vector<std::size_t>{2});
  EXPECT_TRUE(waits[1].taken);
  EXPECT_NE(waits[1].held.line, 0u);
  EXPECT_EQ(report.trace.cycle.size(), 2u);

  const Json json = Json::parse(TraceJson(report.trace));
  EXPECT_EQ(json["cycle"], Json(report.trace.cycle));
  const Json& ab = json["waits"][1];
  EXPECT_EQ(ab["task"], "ab");
  EXPECT_EQ(ab["what"], "Lock \"B\"");
  EXPECT_EQ(ab["since_step"], waits[1].since_step);
  EXPECT_EQ(ab["held"]["line"], waits[1].held.line);
  EXPECT_EQ(ab["stack"].size(), 2u);
  // And the event at which that wait began has the same stack.
  const auto began =
      std::ranges::find_if(report.trace.events, [&](const TraceEvent& event) {
        return event.kind == TraceEvent::Kind::kAwait &&
               event.text == "await Lock \"B\"";
      });
  ASSERT_NE(began, report.trace.events.end());
  ASSERT_NE(began->stack, 0u);
  EXPECT_EQ(report.trace.stacks[began->stack - 1], waits[1].stack);
  EXPECT_EQ(json["stacks"].size(), report.trace.stacks.size());
}

TEST(TraceJsonTest, AnExecutionThatPassesHasNoWaits) {
  const auto report = Replay(Busy, "c1/0/fifo");
  ASSERT_TRUE(report.ok());
  ASSERT_TRUE(report->passed());
  EXPECT_TRUE(report->trace.waits.empty());
}

struct Register {
  using State = int;
  struct Operation {
    bool is_write;
    int value;
    friend std::ostream& operator<<(std::ostream& out, const Operation& op) {
      return op.is_write ? out << "Write(" << op.value << ")" : out << "Read()";
    }
  };
  using Result = int;
  static Result Apply(State& state, const Operation& operation) {
    if (operation.is_write) state = operation.value;
    return state;
  }
};

TEST(TraceJsonTest, ShowsAHistoryThatIsNotLinearizable) {
  const Report report = Explore([]() -> Coro<void> {
    History<Register> history("register");
    history.Begin(0, {.is_write = true, .value = 1}).End(1);
    co_await Sleep(absl::Milliseconds(2));
    history.Begin(1, {.is_write = false, .value = 0}).End(0);
    auto unknown = history.Begin(2, {.is_write = false, .value = 0});
    history.Check();
  });
  ASSERT_EQ(report.trace.histories.size(), 1u);
  const TraceHistory& history = report.trace.histories[0];
  EXPECT_EQ(history.name, "register");
  EXPECT_FALSE(history.undecided);
  ASSERT_EQ(history.operations.size(), 3u);
  EXPECT_EQ(history.operations[0].text, "Write(1) -> 1");
  EXPECT_TRUE(history.operations[0].in_part);
  EXPECT_EQ(history.operations[1].client, "c1");
  EXPECT_TRUE(history.operations[1].stuck);
  EXPECT_EQ(history.operations[1].called_ns, 2'000'000);
  EXPECT_EQ(history.operations[2].text, "Read() -> ?");
  EXPECT_FALSE(history.operations[2].in_part);
  EXPECT_FALSE(history.operations[2].returned.has_value());
  EXPECT_EQ(history.state, "1");
  EXPECT_EQ(history.right_results, std::vector<std::string>{"1"});

  const Json json = Json::parse(TraceJson(report.trace))["histories"][0];
  EXPECT_EQ(json["name"], "register");
  EXPECT_FALSE(json.contains("undecided"));
  EXPECT_EQ(json["order"], Json(history.order));
  const Json& read = json["operations"][1];
  EXPECT_EQ(read["text"], "Read() -> 0");
  EXPECT_EQ(read["called"], 2);
  EXPECT_EQ(read["returned"], 3);
  EXPECT_EQ(read["called_step"], 2);
  EXPECT_EQ(read["stuck"], true);
  EXPECT_FALSE(json["operations"][2].contains("returned"));
}

TEST(TraceJsonTest, ShowsAHistoryThatIsUndecided) {
  const Report report = Explore([]() -> Coro<void> {
    History<Register> history("register", {.steps_max = 1});
    for (int i = 0; i < 4; ++i) {
      history.Begin(0, {.is_write = true, .value = i}).End(i);
    }
    history.Check();
    co_return;
  });
  ASSERT_EQ(report.trace.histories.size(), 1u);
  EXPECT_TRUE(report.trace.histories[0].undecided);
  EXPECT_EQ(report.trace.histories[0].operations.size(), 4u);
}

TEST(TraceJsonTest, SaysHowItWasFound) {
  const Report report = Explore(
      []() -> Coro<void> {
        const bool first = Choose(4) == 3;
        Sometimes(!first, "not yet");
        Reachable("the beginning");
        Always(!first, "never three");
        co_return;
      },
      Random{.schedules = 1'000, .seed = 7});
  ASSERT_TRUE(report.failure().has_value());
  const Json json = Json::parse(TraceJson(report.trace, {.report = &report}));
  EXPECT_EQ(json["failed"]["kind"], "always");
  EXPECT_EQ(json["failed"]["step"], report.failure()->step);
  EXPECT_EQ(json["failed"]["line"], report.failure()->line);
  EXPECT_EQ(json["search"]["strategy"], "random");
  EXPECT_EQ(json["search"]["seed"], 7);
  EXPECT_EQ(json["search"]["schedules"], 1'000);
  EXPECT_EQ(json["search"]["executions"], report.search.executions);
  EXPECT_EQ(json["search"]["minimal"], report.shrinking.minimal);
  EXPECT_EQ(json["replay_command"], report.replay_command);
  // Only the search: not the runs that shrink and explain.
  ASSERT_EQ(json["goals"].size(), 2u);
  EXPECT_EQ(json["goals"][0]["goal"], "not yet");
  const std::uint64_t begun = json["goals"][1]["reached"];
  EXPECT_GE(begun, report.search.executions);
  // One is run twice, to compare.
  EXPECT_LE(begun, report.search.executions + 1);
  EXPECT_EQ(json["goals"][0]["reached"], begun - 1);
}

TEST(TraceJsonTest, NamesNoMoreCandidatesThanItSays) {
  const Report report = Explore([]() -> Coro<void> {
    std::vector<Task<void>> tasks;
    for (int i = 0; i < 50; ++i) {
      tasks.push_back(CreateTask(Sleep(absl::ZeroDuration())));
    }
    for (Task<void>& task : tasks) co_await task;
    Always(false, "always");
  });
  std::size_t most = 0;
  for (const TraceStep& step : report.trace.steps) {
    most = std::max(most, step.candidates);
    EXPECT_LE(step.named.size(), 16u);
  }
  EXPECT_GE(most, 50u);
}

TEST(TraceJsonTest, IsTheSameInEveryRun) {
  const Report again = Explore(Busy, Random{.schedules = 1'000});
  EXPECT_EQ(TraceJson(again.trace), TraceJson(Failed().trace));
  EXPECT_EQ(ChromeTraceJson(again.trace), ChromeTraceJson(Failed().trace));
}

TEST(TraceJsonTest, AnEmptyTraceIsJsonToo) {
  const Json json = Json::parse(TraceJson(Trace()));
  EXPECT_EQ(json["clotho_trace"], 1);
  EXPECT_TRUE(json["events"].empty());
  EXPECT_FALSE(json.contains("test"));
  EXPECT_TRUE(Json::parse(ChromeTraceJson(Trace())).contains("traceEvents"));
}

bool IsAscii(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return c == '\n' || (c >= ' ' && c < 127); });
}

TEST(TraceJsonTest, NamesMayHaveAnyBytes) {
  Trace trace;
  trace.lanes = {"\"quoted\\", "z\xc3\xbcrich", "\xff\xfe", "line\nbreak\x01"};
  trace.events.push_back({.step = 1, .lane = 2, .text = "\xc3"});
  trace.deviations.push_back({.step = 1, .taken = "\x80", .fifo = "\t"});
  trace.steps.push_back({.step = 1, .taken = "\xf0\x9f"});
  for (const std::string& text : {TraceJson(trace, {.test = "\xff"}),
                                  ChromeTraceJson(trace, {.test = "\xff"})}) {
    EXPECT_TRUE(IsAscii(text));
    EXPECT_TRUE(Json::accept(text)) << text;
  }
  const Json json = Json::parse(TraceJson(trace));
  EXPECT_EQ(json["lanes"][0], "\"quoted\\");
  EXPECT_EQ(json["lanes"][1], "z\xc3\xbcrich");
  EXPECT_EQ(json["lanes"][2], "\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(json["lanes"][3], "line\nbreak\x01");
}

// ---- Chrome's. ----

Json ChromeEvents() {
  return Json::parse(ChromeTraceJson(Failed().trace, Title()))["traceEvents"];
}

std::vector<Json> OfPhase(const Json& events, std::string_view phase) {
  std::vector<Json> found;
  for (const Json& event : events) {
    if (event["ph"] == phase) found.push_back(event);
  }
  return found;
}

TEST(ChromeTraceTest, EveryEventHasWhatItsPhaseNeeds) {
  for (const Json& event : ChromeEvents()) {
    const std::string phase = event["ph"];
    EXPECT_TRUE(event.contains("pid")) << event;
    EXPECT_TRUE(event.contains("name")) << event;
    if (phase == "M") continue;
    EXPECT_TRUE(event["ts"].is_number()) << event;
    if (phase == "C") continue;
    EXPECT_TRUE(event.contains("tid")) << event;
    EXPECT_THAT("X i s f", HasSubstr(phase));
    if (phase == "i") {
      EXPECT_THAT("t p g", HasSubstr(event["s"]));
    }
  }
}

TEST(ChromeTraceTest, TasksAreThreadsAndStepsSlices) {
  const Trace& trace = Failed().trace;
  const Json events = ChromeEvents();
  std::map<int, std::string> names;
  for (const Json& event : OfPhase(events, "M")) {
    if (event["name"] == "thread_name") {
      names[event["tid"]] = event["args"]["name"];
    }
  }
  ASSERT_EQ(names.size(), trace.lanes.size());
  EXPECT_EQ(names[1], "main");
  const std::vector<Json> slices = OfPhase(events, "X");
  std::size_t begun = 0;
  for (const TraceEvent& event : trace.events) {
    begun += event.kind == TraceEvent::Kind::kStart ||
             event.kind == TraceEvent::Kind::kResume;
  }
  EXPECT_EQ(slices.size(), begun);
  for (const Json& slice : slices) {
    EXPECT_EQ(slice["ts"], slice["args"]["step"]);
    EXPECT_EQ(slice["dur"], 1);
    EXPECT_TRUE(names.contains(slice["tid"]));
    EXPECT_TRUE(slice["args"].contains("virtual_ns"));
  }
}

TEST(ChromeTraceTest, ArrowsLeaveASliceAndEndAtOne) {
  const Json events = ChromeEvents();
  const std::vector<Json> slices = OfPhase(events, "X");
  const auto in_a_slice = [&](const Json& event) {
    return std::ranges::any_of(slices, [&](const Json& slice) {
      const double begin = slice["ts"];
      return slice["tid"] == event["tid"] && begin <= event["ts"] &&
             event["ts"] < begin + 1;
    });
  };
  std::map<int, Json> begun;
  for (const Json& arrow : OfPhase(events, "s")) {
    EXPECT_TRUE(in_a_slice(arrow)) << arrow;
    EXPECT_TRUE(begun.emplace(arrow["id"], arrow).second);
  }
  EXPECT_GE(begun.size(), 3u);
  for (const Json& arrow : OfPhase(events, "f")) {
    EXPECT_TRUE(in_a_slice(arrow)) << arrow;
    ASSERT_TRUE(begun.contains(arrow["id"]));
    const Json& from = begun[arrow["id"]];
    EXPECT_LT(from["ts"], arrow["ts"]);
    EXPECT_EQ(from["name"], arrow["name"]);
    EXPECT_EQ(from["cat"], arrow["cat"]);
    begun.erase(arrow["id"]);
  }
  EXPECT_TRUE(begun.empty());
}

TEST(ChromeTraceTest, OfALongExecutionItHasTheEnd) {
  const auto body = []() -> Coro<void> {
    for (int i = 0; i < 12'000; ++i) co_await Sleep(absl::ZeroDuration());
    Always(false, "never");
  };
  const Report report = Explore(body);
  const std::uint64_t last = report.trace.steps.back().step;
  ASSERT_GT(last, 12'000u);
  const Json json = Json::parse(ChromeTraceJson(report.trace));
  EXPECT_EQ(OfPhase(json["traceEvents"], "X").size(), 10'000u);
  EXPECT_EQ(json["otherData"]["drawn"],
            absl::StrCat("steps ", last - 9'999, " to ", last));
  // The other format has all steps.
  EXPECT_EQ(Json::parse(TraceJson(report.trace))["steps"].size(), last);
}

TEST(ChromeTraceTest, AnArrowWithinAStepGoesForward) {
  const auto body = []() -> Coro<void> {
    const auto child = []() -> Coro<void> { co_return; };
    CreateTask(child(), {.name = "child", .eager_start = true});
    co_await Sleep(absl::ZeroDuration());
    Always(false, "never");
  };
  const Report report = Explore(body);
  const Json events = Json::parse(ChromeTraceJson(report.trace))["traceEvents"];
  const std::vector<Json> begins = OfPhase(events, "s");
  const std::vector<Json> ends = OfPhase(events, "f");
  ASSERT_EQ(begins.size(), 1u);
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_EQ(begins[0]["name"], "spawn");
  EXPECT_LT(begins[0]["ts"], ends[0]["ts"]);
  EXPECT_LT(ends[0]["ts"].get<double>(), begins[0]["ts"].get<double>() + 1);
}

TEST(ChromeTraceTest, DeviationsFailureAndReadyCountAreThere) {
  const Trace& trace = Failed().trace;
  const Json events = ChromeEvents();
  std::size_t deviations = 0;
  std::size_t failures = 0;
  for (const Json& mark : OfPhase(events, "i")) {
    deviations += mark["cat"] == "deviation";
    failures += mark["cat"] == "failure" && mark["s"] == "g";
  }
  ASSERT_GT(trace.deviations.size(), 0u);
  EXPECT_EQ(deviations, trace.deviations.size());
  EXPECT_EQ(failures, 1u);
  const std::vector<Json> counts = OfPhase(events, "C");
  ASSERT_EQ(counts.size(), trace.steps.size());
  for (std::size_t i = 0; i < counts.size(); ++i) {
    EXPECT_EQ(counts[i]["args"]["tasks"],
              trace.steps[i].candidates - trace.steps[i].has_timer);
  }
}

}  // namespace
}  // namespace clotho::sim
