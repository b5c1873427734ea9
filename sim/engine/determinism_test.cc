// The same seed yields the same execution, to the last event: in every run and
// in every build.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/examples/bank.h"
#include "clotho/examples/job_queue.h"
#include "clotho/examples/job_queue_race.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/engine/hash.h"
#include "clotho/sim/engine/random.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/engine/strategy.h"
#include "clotho/sim/report/trace_recorder.h"
#include "clotho/sim/strategies/fifo.h"
#include "clotho/sim/strategies/random.h"
#include "gtest/gtest.h"

namespace clotho::sim {
namespace {

using examples::Account;
using examples::FixedJobQueue;
using examples::JobQueue;
using examples::OrderedTransfer;
using examples::Transfer;
using examples::TwoWorkersTwoJobs;
using internal::Simulator;
using internal::TraceRecorder;

constexpr int kRuns = 1'000;
constexpr std::uint64_t kSeeds = 20;

template <bool kOrdered>
Coro<void> TransfersInBothDirections() {
  Account a("A", 100);
  Account b("B", 100);
  Coro<void> to_b =
      kOrdered ? OrderedTransfer(a, b, 10, true) : Transfer(a, b, 10);
  Task<void> a_to_b = CreateTask(std::move(to_b), {.name = "a-to-b"});
  co_await Sleep(absl::Milliseconds(6));
  Coro<void> to_a =
      kOrdered ? OrderedTransfer(b, a, 20, false) : Transfer(b, a, 20);
  Task<void> b_to_a = CreateTask(std::move(to_a), {.name = "b-to-a"});
  co_await Gather(a_to_b, b_to_a);
}

// Everything else that a trace can contain: timeouts, queues, callbacks,
// shields, cancellations, exceptions, tasks without a name.
Coro<void> Variety() {
  Queue<int> queue(1);
  const auto produce = [](Queue<int>& to) -> Coro<void> {
    for (int i = 0; i < 3; ++i) co_await to.Put(i);
  };
  const auto consume = [](Queue<int>& from) -> Coro<int> {
    int sum = 0;
    for (int i = 0; i < 3; ++i) {
      const int item = co_await from.Get();
      sum += item;
    }
    co_return sum;
  };
  const auto throws = []() -> Coro<void> {
    co_await Sleep(absl::Milliseconds(3));
    throw ValueError("bad");
  };
  Task<void> producer = CreateTask(produce(queue));
  Task<int> consumer = CreateTask(consume(queue));
  Task<void> sleeper = CreateTask(Sleep(absl::Seconds(1)));
  Event called("called");
  GetRunningLoop().CallSoon([] {});
  GetRunningLoop().CallLater(absl::Milliseconds(2),
                             [&called] { called.Set(); });
  auto shielded = Shield(consumer);
  try {
    co_await WaitFor(shielded, absl::Milliseconds(1));
  } catch (const TimeoutError&) {
  }
  co_await called.Wait();
  auto outcomes = Gather(kReturnExceptions, throws(), producer, consumer);
  co_await outcomes;
  sleeper.Cancel();
  try {
    co_await sleeper;
  } catch (const CancelledError&) {
  }
}

using Program = Coro<void> (*)();

// A hash of the events in FIFO order and under each of the seeds.
std::uint64_t HashOfTraces(Program program, Simulator& simulator) {
  StreamHash hash;
  const auto add = [&](Strategy& strategy, std::uint64_t seed) {
    TraceRecorder recorder(simulator);
    const internal::Execution& execution = simulator.Run(
        program, strategy, {.strategy = seed, .program = 0}, &recorder);
    hash.Add(recorder.trace().Hash());
    hash.Add(execution.trace_hash);
    hash.Add(execution.steps);
    hash.Add(std::uint64_t{execution.check});
    hash.Add(std::uint64_t{execution.failure.has_value()});
  };
  FifoStrategy fifo;
  add(fifo, 0);
  RandomStrategy random;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) add(random, seed);
  return hash.Finish();
}

struct Expected {
  std::string_view name;
  Program program;
  std::uint64_t hash;  // The same in all builds, by all compilers.
};

class DeterminismTest : public testing::TestWithParam<Expected> {};

TEST_P(DeterminismTest, EveryRunHasTheSameTraceInEveryBuild) {
  Simulator reused;
  // Addresses differ from run to run.
  std::vector<std::unique_ptr<char[]>> in_the_way;
  for (int run = 0; run < kRuns; ++run) {
    in_the_way.push_back(std::make_unique<char[]>(16 + 8 * (run % 60)));
    if (run % 3 == 0) in_the_way.erase(in_the_way.begin());
    std::uint64_t hash = 0;
    if (run % 10 == 0) {
      Simulator fresh;
      hash = HashOfTraces(GetParam().program, fresh);
    } else {
      hash = HashOfTraces(GetParam().program, reused);
    }
    ASSERT_EQ(hash, GetParam().hash) << "in run " << run;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Examples, DeterminismTest,
    testing::Values(Expected{"JobQueue", &TwoWorkersTwoJobs<JobQueue>,
                             2581759913136799060u},
                    Expected{"FixedJobQueue", &TwoWorkersTwoJobs<FixedJobQueue>,
                             4632541168212485559u},
                    Expected{"Bank", &TransfersInBothDirections<false>,
                             12780048188831189383u},
                    Expected{"OrderedBank", &TransfersInBothDirections<true>,
                             4834978647857776912u},
                    Expected{"Variety", &Variety, 14479318016334566413u}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace clotho::sim
