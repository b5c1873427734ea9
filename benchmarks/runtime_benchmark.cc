// The cost of the runtime, part by part. For the cost of searching, see
// search_benchmark.cc.
//
//   tools/bazel run --config=opt //benchmarks:runtime_benchmark
//
// Each figure is the time of one item: a switch, a task, a call, a message.
// Compare figures of the same run; between runs, the machine's noise is larger
// than most changes.

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "clotho/benchmarks/workloads.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/engine/virtual_clock.h"

namespace clotho {
namespace {

// Runs `make()` once per round on a virtual clock, and counts `items` for each.
template <typename Make>
void RunRounds(benchmark::State& state, std::int64_t items, Make make) {
  sim::VirtualClock clock;
  EventLoop loop({.clock = &clock});
  for (auto round : state) {
    (void)round;
    loop.RunUntilComplete(make());
  }
  state.SetItemsProcessed(state.iterations() * items);
}

Coro<void> SwitchAmong(std::int64_t tasks, std::int64_t switches) {
  std::vector<Coro<void>> all;
  for (std::int64_t i = 0; i < tasks; ++i) {
    all.push_back(GiveWay(switches / tasks));
  }
  co_await Gather(std::move(all));
}

// (For a million tasks, each is created only once.)
void BM_Switch(benchmark::State& state) {
  const std::int64_t switches =
      std::max<std::int64_t>(1'000'000, 20 * state.range(0));
  RunRounds(state, switches,
            [&] { return SwitchAmong(state.range(0), switches); });
}
BENCHMARK(BM_Switch)->Arg(1)->Arg(100)->Arg(1'000)->Arg(10'000)->Arg(1'000'000);

Coro<void> SpawnAndGather(std::int64_t tasks) {
  std::vector<Coro<std::int64_t>> all;
  all.reserve(tasks);
  for (std::int64_t i = 0; i < tasks; ++i) all.push_back(Return(i));
  const std::vector<std::int64_t> results = co_await Gather(std::move(all));
  benchmark::DoNotOptimize(results.data());
}

void BM_SpawnAndGather(benchmark::State& state) {
  RunRounds(state, state.range(0),
            [&] { return SpawnAndGather(state.range(0)); });
}
BENCHMARK(BM_SpawnAndGather)->Arg(100)->Arg(1'000)->Arg(1'000'000);

Coro<void> RunChain(std::int64_t depth) {
  benchmark::DoNotOptimize(co_await Chain(depth));
}

void BM_AwaitChain(benchmark::State& state) {
  RunRounds(state, state.range(0), [&] { return RunChain(state.range(0)); });
}
BENCHMARK(BM_AwaitChain)->Arg(10)->Arg(1'000);

Coro<void> Sleepers(int tasks, int times, std::uint32_t most_ms) {
  std::vector<Coro<void>> all;
  for (int i = 0; i < tasks; ++i) {
    all.push_back(
        SleepOften(static_cast<std::uint32_t>(i) + 1, times, most_ms));
  }
  co_await Gather(std::move(all));
}

// Few of them have the same deadline.
void BM_TimersSparse(benchmark::State& state) {
  const std::int64_t tasks = state.range(0);
  const std::int64_t times = std::max<std::int64_t>(100'000 / tasks, 10);
  RunRounds(state, tasks * times, [&] {
    return Sleepers(static_cast<int>(tasks), static_cast<int>(times),
                    static_cast<std::uint32_t>(100 * tasks));
  });
}
BENCHMARK(BM_TimersSparse)->Arg(1'000)->Arg(1'000'000);

// At least a hundred share each deadline.
void BM_TimersDense(benchmark::State& state) {
  const std::int64_t tasks = state.range(0);
  RunRounds(state, tasks * 3, [&] {
    return Sleepers(static_cast<int>(tasks), 3,
                    static_cast<std::uint32_t>(tasks / 100));
  });
}
BENCHMARK(BM_TimersDense)->Arg(1'000)->Arg(100'000)->Arg(1'000'000);

Coro<void> WaitInTime(std::int64_t times) {
  for (std::int64_t i = 0; i < times; ++i) {
    const std::int64_t value = co_await WaitFor(Return(i), absl::Seconds(10));
    benchmark::DoNotOptimize(value);
  }
}

void BM_WaitForThatIsInTime(benchmark::State& state) {
  RunRounds(state, 10'000, [] { return WaitInTime(10'000); });
}
BENCHMARK(BM_WaitForThatIsInTime);

// More timers stay armed, so that the queue is never empty.
Coro<void> ArmAndCancel(std::int64_t count, std::int64_t times) {
  std::vector<TimerHandle> armed;
  for (std::int64_t i = 0; i < count; ++i) {
    armed.push_back(
        GetRunningLoop().CallLater(absl::Hours(1) + absl::Seconds(i), [] {}));
  }
  for (std::int64_t i = 0; i < times; ++i) {
    armed[i % count].Cancel();
    armed[i % count] =
        GetRunningLoop().CallLater(absl::Hours(1) + absl::Seconds(i), [] {});
    if (i % 100 == 0) co_await Sleep(absl::ZeroDuration());
  }
  for (TimerHandle& handle : armed) handle.Cancel();
}

void BM_TimersArmedThenCancelled(benchmark::State& state) {
  const std::int64_t times =
      std::max<std::int64_t>(100'000, 4 * state.range(0));
  RunRounds(state, times, [&] { return ArmAndCancel(state.range(0), times); });
}
BENCHMARK(BM_TimersArmedThenCancelled)->Arg(1'000)->Arg(1'000'000);

Coro<void> Channel(std::int64_t producers, std::int64_t messages) {
  Queue<std::int64_t> queue(1);
  Task<std::int64_t> sum = CreateTask(SumOf(queue, messages));
  std::vector<Coro<void>> all;
  for (std::int64_t i = 0; i < producers; ++i) {
    all.push_back(PutAll(queue, messages / producers));
  }
  co_await Gather(std::move(all));
  benchmark::DoNotOptimize(co_await sum);
}

void BM_QueueOfOne(benchmark::State& state) {
  RunRounds(state, 100'000, [&] { return Channel(state.range(0), 100'000); });
}
BENCHMARK(BM_QueueOfOne)->Arg(1)->Arg(1'000);

// The holder of the lock yields, so that the other always has to wait.
Coro<void> TakeTurns(Lock& lock, std::int64_t turns) {
  for (std::int64_t i = 0; i < turns; ++i) {
    const Lock::Guard guard = co_await lock.Acquire();
    co_await Sleep(absl::ZeroDuration());
  }
}

Coro<void> Handoff(std::int64_t tasks, std::int64_t turns) {
  Lock lock;
  std::vector<Coro<void>> all;
  for (std::int64_t i = 0; i < tasks; ++i) {
    all.push_back(TakeTurns(lock, turns / tasks));
  }
  co_await Gather(std::move(all));
}

void BM_LockHandoff(benchmark::State& state) {
  RunRounds(state, 100'000, [&] { return Handoff(state.range(0), 100'000); });
}
BENCHMARK(BM_LockHandoff)->Arg(2)->Arg(1'000);

// ---- The end of tasks blocked three frames deep. ----

Coro<void> Leaf(Future<void> gate) { co_await gate; }
Coro<void> Middle(Future<void> gate) { co_await Leaf(std::move(gate)); }
Coro<void> Top(Future<void> gate) { co_await Middle(std::move(gate)); }

Coro<void> Block(std::vector<Task<void>>& all, std::int64_t tasks) {
  for (std::int64_t i = 0; i < tasks; ++i) {
    all.push_back(CreateTask(Top(Future<void>())));
  }
  co_await Sleep(absl::ZeroDuration());
}

Coro<void> CancelAll(std::vector<Task<void>>& all) {
  for (Task<void>& task : all) task.Cancel();
  co_await Gather(kReturnExceptions, std::move(all));
}

// Blocks new tasks for each round, outside the measured time, and ends them
// with `end(loop, tasks)`.
template <typename End>
void EndBlockedTasks(benchmark::State& state, End end) {
  constexpr std::int64_t kTasks = 10'000;
  sim::VirtualClock clock;
  EventLoop loop({.clock = &clock});
  for (auto round : state) {
    (void)round;
    state.PauseTiming();
    std::vector<Task<void>> all;
    loop.RunUntilComplete(Block(all, kTasks));
    state.ResumeTiming();
    end(loop, all);
  }
  state.SetItemsProcessed(state.iterations() * kTasks);
}

void BM_CancelThroughThreeFrames(benchmark::State& state) {
  EndBlockedTasks(state, [](EventLoop& loop, std::vector<Task<void>>& all) {
    loop.RunUntilComplete(CancelAll(all));
  });
}
BENCHMARK(BM_CancelThroughThreeFrames);

void BM_DestroyThreeFrames(benchmark::State& state) {
  EndBlockedTasks(state, [](EventLoop& loop, std::vector<Task<void>>& all) {
    loop.Reset();
    all.clear();
  });
}
BENCHMARK(BM_DestroyThreeFrames);

}  // namespace
}  // namespace clotho
