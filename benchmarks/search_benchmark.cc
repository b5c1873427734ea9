// The cost of searching: a step of each strategy, an execution of a small
// program, and the overhead of observation.
//
//   tools/bazel run --config=opt //benchmarks:search_benchmark
//
// Each figure is the time of one item: a step, an execution, an access. Compare
// figures of the same run; between runs, the machine's noise is larger than
// most changes.

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "benchmark/benchmark.h"
#include "clotho/benchmarks/workloads.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/report/trace_recorder.h"
#include "clotho/sim/search/explore.h"
#include "clotho/sim/strategies/by_name.h"
#include "clotho/sim/strategies/random.h"
#include "clotho/sim/tracked.h"

namespace clotho {
namespace {

// ---- A step, by strategy and number of candidates. ----

Coro<void> SwitchAmong(std::int64_t tasks, std::int64_t switches) {
  std::vector<Coro<void>> all;
  for (std::int64_t i = 0; i < tasks; ++i) {
    all.push_back(GiveWay(switches / tasks));
  }
  co_await Gather(std::move(all));
}

// The executions from which a strategy learns come first, and are included:
// there are more executions for such strategies, unless that takes minutes.
void BM_Step(benchmark::State& state, std::string_view name,
             std::string_view parameters) {
  constexpr std::int64_t kSwitches = 20'000;
  const std::uint64_t schedules = state.range(0) > 1'000 ? 2 : 100;
  absl::StatusOr<sim::StrategyMaker> make =
      sim::StrategyByName(name, parameters);
  if (!make.ok()) {
    state.SkipWithError("there is no such strategy");
    return;
  }
  sim::Search search;
  search.strategy = name;
  search.strategy_parameters = parameters;
  search.make_strategy = *std::move(make);
  const std::uint64_t warm_up = search.make_strategy()->warm_up();
  search.schedules = warm_up + schedules;
  search.steps_max = 1'000'000;
  for (auto round : state) {
    (void)round;
    const sim::Report report = sim::RunSearch(
        [&state] { return SwitchAmong(state.range(0), kSwitches); }, search,
        "");
    if (!report.passed()) state.SkipWithError("the search failed");
  }
  state.SetItemsProcessed(state.iterations() *
                          static_cast<std::int64_t>(search.schedules) *
                          kSwitches);
}
BENCHMARK_CAPTURE(BM_Step, fifo, "fifo", "")->Arg(3)->Arg(100)->Arg(10'000);
BENCHMARK_CAPTURE(BM_Step, random, "random", "")->Arg(3)->Arg(100)->Arg(10'000);
BENCHMARK_CAPTURE(BM_Step, role_random, "role_random", "")
    ->Arg(3)
    ->Arg(100)
    ->Arg(10'000);
BENCHMARK_CAPTURE(BM_Step, pct, "pct", "3")->Arg(3)->Arg(100)->Arg(10'000);
BENCHMARK_CAPTURE(BM_Step, pos, "pos", "")->Arg(3)->Arg(100)->Arg(10'000);
BENCHMARK_CAPTURE(BM_Step, urw, "urw", "")->Arg(3)->Arg(100)->Arg(10'000);
BENCHMARK_CAPTURE(BM_Step, surw, "surw", "")->Arg(3)->Arg(100)->Arg(10'000);
BENCHMARK_CAPTURE(BM_Step, delay_bounded, "delay_bounded", "")
    ->Arg(3)
    ->Arg(100)
    ->Arg(10'000);

// ---- An execution. ----

void SearchRandomly(benchmark::State& state, Coro<void> (*body)()) {
  constexpr std::uint64_t kSchedules = 10'000;
  for (auto round : state) {
    (void)round;
    const sim::Report report =
        sim::Explore(body, sim::Random{.schedules = kSchedules});
    if (!report.passed()) state.SkipWithError("the search failed");
  }
  state.SetItemsProcessed(state.iterations() * kSchedules);
}

void BM_RandomExecutionOfRace(benchmark::State& state) {
  SearchRandomly(state, &RaceBody);
}
BENCHMARK(BM_RandomExecutionOfRace);

void BM_RandomExecutionOfLockedRace(benchmark::State& state) {
  SearchRandomly(state, &LockedRace);
}
BENCHMARK(BM_RandomExecutionOfLockedRace);

// Runs until there are no further executions: a round is the whole search.
void SearchAll(benchmark::State& state, Coro<void> (*body)()) {
  std::uint64_t executions = 0;
  for (auto round : state) {
    (void)round;
    const sim::Report report = sim::Explore(body, sim::Exhaustive());
    if (!report.passed()) state.SkipWithError("the search failed");
    executions += report.search.executions;
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(executions));
}

void BM_AllExecutionsOfRace(benchmark::State& state) {
  SearchAll(state, &RaceBody);
}
BENCHMARK(BM_AllExecutionsOfRace);

void BM_AllExecutionsOfLockedRace(benchmark::State& state) {
  SearchAll(state, &LockedRace);
}
BENCHMARK(BM_AllExecutionsOfLockedRace);

// ---- The overhead of observation. ----

// One execution of the race: plain, and with the recorder for report traces.
void RunAgain(benchmark::State& state, bool recorded) {
  sim::internal::Simulator simulator;
  sim::RandomStrategy random;
  const sim::internal::Body body = &RaceBody;
  std::uint64_t seed = 0;
  for (auto round : state) {
    (void)round;
    std::optional<sim::internal::TraceRecorder> recorder;
    if (recorded) recorder.emplace(simulator);
    const sim::internal::Execution& execution =
        simulator.Run(body, random, {.strategy = ++seed, .program = 0},
                      recorder.has_value() ? &*recorder : nullptr);
    if (execution.failure.has_value()) {
      state.SkipWithError("the execution failed");
    }
  }
  state.SetItemsProcessed(state.iterations());
}

void BM_Execution(benchmark::State& state) {
  RunAgain(state, /*recorded=*/false);
}
BENCHMARK(BM_Execution);

void BM_ExecutionRecorded(benchmark::State& state) {
  RunAgain(state, /*recorded=*/true);
}
BENCHMARK(BM_ExecutionRecorded);

constexpr std::int64_t kAccesses = 10'000;

Coro<void> ReadOften(const sim::Tracked<std::int64_t>& value) {
  for (std::int64_t i = 0; i < kAccesses; ++i) {
    benchmark::DoNotOptimize(value.Read());
  }
  co_return;
}

Coro<void> Accesses() {
  const sim::Tracked<std::int64_t> value("value", 1);
  co_await ReadOften(value);
}

void BM_TrackedAccess(benchmark::State& state) {
  constexpr std::uint64_t kSchedules = 10;
  for (auto round : state) {
    (void)round;
    const sim::Report report =
        sim::Explore(&Accesses, sim::Random{.schedules = kSchedules});
    if (!report.passed()) state.SkipWithError("the search failed");
  }
  state.SetItemsProcessed(state.iterations() * kSchedules * kAccesses);
}
BENCHMARK(BM_TrackedAccess);

}  // namespace
}  // namespace clotho
