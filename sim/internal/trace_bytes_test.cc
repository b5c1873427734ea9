#include "clotho/sim/internal/trace_bytes.h"

#include <cstddef>
#include <optional>
#include <string>

#include "clotho/sim/trace.h"
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
  trace.departures.push_back(
      {.step = 4, .taken = "ran worker", .plain = "plain order runs main"});
  return trace;
}

TEST(TraceBytesTest, AreReadAsTheyWereWritten) {
  const std::optional<Trace> trace = ReadTrace(WriteTrace(Sample()));
  ASSERT_TRUE(trace.has_value());
  EXPECT_EQ(trace->lanes, Sample().lanes);
  EXPECT_EQ(trace->events, Sample().events);
  ASSERT_EQ(trace->departures.size(), 1);
  EXPECT_EQ(trace->departures[0].step, 4);
  EXPECT_EQ(trace->departures[0].taken, "ran worker");
  EXPECT_EQ(trace->departures[0].plain, "plain order runs main");
  EXPECT_EQ(trace->Hash(), Sample().Hash());
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
