// Traces as JSON: that it is JSON, that all of the trace is in it, and that its
// parts fit together.

#include "clotho/sim/trace_json.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/choice.h"
#include "clotho/sim/explore.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report.h"
#include "clotho/sim/schedule.h"
#include "clotho/sim/trace.h"
#include "clotho/sim/tracked.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace clotho::sim {
namespace {

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
  ASSERT_EQ(json["departures"].size(), trace.departures.size());
  for (std::size_t i = 0; i < trace.departures.size(); ++i) {
    EXPECT_EQ(json["departures"][i]["step"], trace.departures[i].step);
    EXPECT_EQ(json["departures"][i]["taken"], trace.departures[i].taken);
    EXPECT_EQ(json["departures"][i]["plain"], trace.departures[i].plain);
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
    const bool departs = std::ranges::any_of(
        trace.departures,
        [&](const Departure& d) { return d.step == step.step; });
    EXPECT_EQ(departs, step.choice != 0) << step.step;
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
  trace.departures.push_back({.step = 1, .taken = "\x80", .plain = "\t"});
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
  // The other form has all of it.
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

TEST(ChromeTraceTest, DeparturesFailureAndReadyCountAreThere) {
  const Trace& trace = Failed().trace;
  const Json events = ChromeEvents();
  std::size_t departures = 0;
  std::size_t failures = 0;
  for (const Json& mark : OfPhase(events, "i")) {
    departures += mark["cat"] == "departure";
    failures += mark["cat"] == "failure" && mark["s"] == "g";
  }
  ASSERT_GT(trace.departures.size(), 0u);
  EXPECT_EQ(departures, trace.departures.size());
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
