#include "clotho/sim/report/trace_bytes.h"

#include <cstddef>
#include <optional>
#include <string>

#include "clotho/sim/engine/trace.h"
#include "gtest/gtest.h"

namespace clotho::sim::internal {
namespace {

Trace Sample() {
  Trace trace;
  trace.lanes = {"main", "worker \n 1", ""};
  trace.events.emplace_back().text = "starts";
  trace.events.push_back({.step = 1ull << 60,
                          .time_ns = -5,
                          .lane = 2,
                          .kind = TraceEvent::Kind::kFailure,
                          .text = std::string("a\0b", 3),
                          .file = "bank.cc",
                          .line = 17,
                          .other = 1});
  trace.deviations.push_back(
      {.step = 4, .taken = "ran worker", .fifo = "FIFO order runs main"});
  trace.steps.push_back({.step = 4,
                         .candidates = 2,
                         .taken = "worker",
                         .named = {"main", "worker"},
                         .why = {"ready since step 1", "ready since step 3"},
                         .since = 3,
                         .by = 1});
  trace.steps.push_back({.step = 5, .taken = "main"});
  trace.stacks = {{{"Transfer", "bank.cc", 12}, {"Main", "bank.cc", 30}}};
  trace.events.back().stack = 1;
  trace.waits.push_back({.task = "a",
                         .background = true,
                         .what = "Lock",
                         .since_step = 3,
                         .since_ns = 4,
                         .stack = {{"Transfer", "bank.cc", 12}},
                         .created = {"Main", "bank.cc", 29},
                         .holders = {1, 0},
                         .taken = true,
                         .held = {"Transfer", "bank.cc", 11}});
  trace.cycle = {0};
  return trace;
}

TEST(TraceBytesTest, AreReadAsTheyWereWritten) {
  const std::optional<Trace> trace = ReadTrace(WriteTrace(Sample()));
  ASSERT_TRUE(trace.has_value());
  EXPECT_EQ(trace->lanes, Sample().lanes);
  EXPECT_EQ(trace->events, Sample().events);
  ASSERT_EQ(trace->deviations.size(), 1);
  EXPECT_EQ(trace->deviations[0].step, 4);
  EXPECT_EQ(trace->deviations[0].taken, "ran worker");
  EXPECT_EQ(trace->deviations[0].fifo, "FIFO order runs main");
  EXPECT_EQ(trace->Hash(), Sample().Hash());
  ASSERT_EQ(trace->steps.size(), 2u);
  EXPECT_EQ(trace->steps[0].named, Sample().steps[0].named);
  EXPECT_EQ(trace->steps[0].why, Sample().steps[0].why);
  EXPECT_EQ(trace->steps[0].since, 3u);
  EXPECT_EQ(trace->steps[0].by, 1u);
  EXPECT_FALSE(trace->steps[1].by.has_value());
  EXPECT_EQ(trace->stacks, Sample().stacks);
  ASSERT_EQ(trace->waits.size(), 1u);
  const TraceWait& wait = trace->waits[0];
  EXPECT_EQ(wait.task, "a");
  EXPECT_TRUE(wait.background);
  EXPECT_EQ(wait.what, "Lock");
  EXPECT_EQ(wait.since_step, 3u);
  EXPECT_EQ(wait.since_ns, 4);
  EXPECT_EQ(wait.stack, Sample().waits[0].stack);
  EXPECT_EQ(wait.created, Sample().waits[0].created);
  EXPECT_EQ(wait.holders, Sample().waits[0].holders);
  EXPECT_TRUE(wait.taken);
  EXPECT_EQ(wait.held, Sample().waits[0].held);
  EXPECT_EQ(trace->cycle, Sample().cycle);
}

TEST(TraceBytesTest, PartOfATraceIsNone) {
  const std::string bytes = WriteTrace(Sample());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(ReadTrace(bytes.substr(0, size)).has_value()) << size;
  }
  EXPECT_FALSE(ReadTrace(bytes + "x").has_value());
}

TEST(TraceBytesTest, SizesThatCannotBeAreNone) {
  EXPECT_FALSE(ReadTrace(std::string(24, '\xff')).has_value());
}

}  // namespace
}  // namespace clotho::sim::internal
