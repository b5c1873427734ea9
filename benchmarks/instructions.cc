// Small programs whose instructions are counted: instructions.py runs them
// under Valgrind. One process runs one program, at the given size:
//
//   instructions switch 100000
//
//   switch  that many switches among 100 tasks that are always ready
//   spawn   that many tasks: spawned, all alive at once, gathered
//   call    that many awaited calls, in chains of ten
//   race    that many random executions of a race
//   lock    that many of its locked twin

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "clotho/benchmarks/workloads.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/engine/virtual_clock.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/explore.h"

namespace clotho {
namespace {

void Check(bool condition, std::string_view what) {
  if (condition) return;
  std::cerr << "instructions: " << what << "\n";
  std::abort();
}

void RunVirtually(Coro<void> coroutine) {
  sim::VirtualClock clock;
  EventLoop loop({.clock = &clock});
  loop.RunUntilComplete(std::move(coroutine));
}

Coro<void> Switch(std::int64_t switches) {
  constexpr std::int64_t kTasks = 100;
  std::vector<Task<void>> all;
  for (std::int64_t i = 0; i < kTasks; ++i) {
    all.push_back(CreateTask(GiveWay(switches / kTasks)));
  }
  co_await Gather(std::move(all));
}

Coro<void> Spawn(std::int64_t tasks) {
  std::vector<Task<std::int64_t>> all;
  for (std::int64_t i = 0; i < tasks; ++i) all.push_back(CreateTask(Return(i)));
  const std::vector<std::int64_t> results = co_await Gather(std::move(all));
  std::int64_t sum = 0;
  for (const std::int64_t result : results) sum += result;
  Check(sum == tasks * (tasks - 1) / 2, "a result is lost");
}

Coro<void> Call(std::int64_t calls) {
  constexpr std::int64_t kDepth = 10;
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < calls / kDepth; ++i) {
    sum += co_await Chain(kDepth - 1);
  }
  Check(sum == calls, "a call is lost");
}

void Search(Coro<void> (*body)(), std::int64_t schedules) {
  const sim::Report report = sim::Explore(
      body, sim::Random{.schedules = static_cast<std::uint64_t>(schedules)});
  Check(report.passed() &&
            report.search.executions == static_cast<std::uint64_t>(schedules),
        "the search failed");
}

int Main(int argc, char** argv) {
  std::int64_t size = 0;
  if (argc != 3 || !absl::SimpleAtoi(argv[2], &size) || size < 1) {
    std::cerr << "instructions: expected a program and a size\n";
    return 2;
  }
  const std::string_view program = argv[1];
  if (program == "switch") {
    RunVirtually(Switch(size));
  } else if (program == "spawn") {
    RunVirtually(Spawn(size));
  } else if (program == "call") {
    RunVirtually(Call(size));
  } else if (program == "race") {
    Search(&RaceBody, size);
  } else if (program == "lock") {
    Search(&LockedRace, size);
  } else {
    std::cerr << "instructions: there is no program " << program << "\n";
    return 2;
  }
  return 0;
}

}  // namespace
}  // namespace clotho

int main(int argc, char** argv) { return clotho::Main(argc, argv); }
