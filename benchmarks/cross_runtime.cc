// Seven workloads that every runtime can run, W1 to W7, in the same form as in
// its peers (peers/). One process runs one workload:
//
//   tools/bazel run --config=opt //benchmarks:cross_runtime -- W1
//
// and prints a line `key<TAB>value<TAB>unit` for each figure. compare.py runs
// them side by side; a single figure means little.
//
//   W1  switches among 1, 100 and 10,000 tasks that are always ready
//   W2  a million tasks: spawned, all alive at once, gathered
//   W3  timers on the virtual clock: a million tasks that sleep three times up
//       to a second, a thousand that sleep 300 times up to 100 seconds
//   W4  a queue of one: one producer, and a thousand
//   W5  100,000 tasks blocked three frames deep, cancelled; and destroyed
//   W6  chains of awaited calls, 1,000 and 10 deep
//   W7  executions of a race and of its locked twin: random, and exhaustive

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "clotho/benchmarks/workloads.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/engine/virtual_clock.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/explore.h"

namespace clotho {
namespace {

// The real time, in nanoseconds.
double Now() {
  return static_cast<double>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(
          std::chrono::steady_clock::now().time_since_epoch())
          .count());
}

// The resident memory of this process, in bytes.
double ResidentBytes() {
  long pages = 0;
  if (FILE* const file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%*d %ld", &pages) != 1) pages = 0;
    std::fclose(file);
  }
  return static_cast<double>(pages) *
         static_cast<double>(sysconf(_SC_PAGESIZE));
}

void Emit(std::string_view key, double value, std::string_view unit) {
  absl::FPrintF(stdout, "%s\t%.6g\t%s\n", key, value, unit);
  std::fflush(stdout);
}

// A figure for incorrect work is worse than no figure.
void Check(bool condition, std::string_view what) {
  if (condition) return;
  std::cerr << "cross_runtime: " << what << "\n";
  std::abort();
}

template <typename T>
T RunVirtually(Coro<T> coroutine) {
  sim::VirtualClock clock;
  EventLoop loop({.clock = &clock});
  return loop.RunUntilComplete(std::move(coroutine));
}

Coro<double> SwitchAmong(std::int64_t tasks, std::int64_t switches) {
  std::vector<Task<void>> all;
  all.reserve(tasks);
  for (std::int64_t i = 0; i < tasks; ++i) {
    all.push_back(CreateTask(GiveWay(switches / tasks)));
  }
  const double begin = Now();
  co_await Gather(std::move(all));
  co_return Now() - begin;
}

void W1() {
  constexpr std::int64_t kSwitches = 20'000'000;
  for (const std::int64_t tasks : {1, 100, 10'000}) {
    Emit(absl::StrFormat("W1.switch.N=%d", tasks),
         RunVirtually(SwitchAmong(tasks, kSwitches)) / kSwitches, "ns/switch");
  }
}

struct Spawned {
  double ns;
  double bytes;
};

Coro<Spawned> SpawnAndGather(std::int64_t tasks) {
  const double bytes_before = ResidentBytes();
  const double begin = Now();
  std::vector<Task<std::int64_t>> all;
  all.reserve(tasks);
  for (std::int64_t i = 0; i < tasks; ++i) all.push_back(CreateTask(Return(i)));
  const double bytes = ResidentBytes() - bytes_before;
  const std::vector<std::int64_t> results = co_await Gather(std::move(all));
  std::int64_t sum = 0;
  for (const std::int64_t result : results) sum += result;
  const double ns = Now() - begin;
  Check(sum == tasks * (tasks - 1) / 2, "W2: a result is lost");
  co_return Spawned{.ns = ns, .bytes = bytes};
}

void W2() {
  constexpr std::int64_t kTasks = 1'000'000;
  const Spawned spawned = RunVirtually(SpawnAndGather(kTasks));
  Emit("W2.spawn.cold", spawned.ns / kTasks, "ns/task");
  Emit("W2.bytes", spawned.bytes / kTasks, "B/task");
}

Coro<double> SleepAll(std::int64_t tasks, std::int64_t times,
                      std::uint32_t most_ms) {
  const double begin = Now();
  std::vector<Task<void>> all;
  all.reserve(tasks);
  for (std::int64_t i = 0; i < tasks; ++i) {
    all.push_back(
        CreateTask(SleepOften(static_cast<std::uint32_t>(i), times, most_ms)));
  }
  co_await Gather(std::move(all));
  co_return Now() - begin;
}

void W3() {
  Emit("W3.timer.dense",
       RunVirtually(SleepAll(1'000'000, 3, 1'000)) / 3'000'000, "ns/event");
  Emit("W3.timer.sparse", RunVirtually(SleepAll(1'000, 300, 100'000)) / 300'000,
       "ns/event");
}

Coro<double> Channel(std::int64_t producers, std::int64_t messages) {
  Queue<std::int64_t> queue(1);
  const std::int64_t each = messages / producers;
  const double begin = Now();
  Task<std::int64_t> sum = CreateTask(SumOf(queue, messages));
  std::vector<Task<void>> all;
  for (std::int64_t i = 0; i < producers; ++i) {
    all.push_back(CreateTask(PutAll(queue, each)));
  }
  co_await Gather(std::move(all));
  const std::int64_t got = co_await sum;
  const double ns = Now() - begin;
  Check(got == producers * (each * (each - 1) / 2), "W4: a message is lost");
  co_return ns;
}

void W4() {
  constexpr std::int64_t kMessages = 1'000'000;
  Emit("W4.chan.1p1c", RunVirtually(Channel(1, kMessages)) / kMessages,
       "ns/msg");
  Emit("W4.chan.1000p1c", RunVirtually(Channel(1'000, kMessages)) / kMessages,
       "ns/msg");
}

class CountsItsEnd {
 public:
  explicit CountsItsEnd(std::int64_t& count) : count_(count) {}
  CountsItsEnd(const CountsItsEnd&) = delete;
  CountsItsEnd& operator=(const CountsItsEnd&) = delete;
  ~CountsItsEnd() { ++count_; }

 private:
  std::int64_t& count_;
};

Coro<std::int64_t> Leaf(Future<std::int64_t> gate, std::int64_t& ends) {
  const CountsItsEnd end(ends);
  co_return co_await gate;
}

Coro<std::int64_t> Middle(Future<std::int64_t> gate, std::int64_t& ends) {
  const CountsItsEnd end(ends);
  co_return co_await Leaf(std::move(gate), ends);
}

Coro<std::int64_t> Top(Future<std::int64_t> gate, std::int64_t& ends) {
  const CountsItsEnd end(ends);
  co_return co_await Middle(std::move(gate), ends);
}

Coro<double> CancelAll(std::int64_t tasks) {
  std::int64_t ends = 0;
  std::vector<Task<std::int64_t>> all;
  all.reserve(tasks);
  for (std::int64_t i = 0; i < tasks; ++i) {
    all.push_back(CreateTask(Top(Future<std::int64_t>(), ends)));
  }
  co_await Sleep(absl::ZeroDuration());
  const double begin = Now();
  for (Task<std::int64_t>& task : all) task.Cancel();
  const auto outcomes = co_await Gather(kReturnExceptions, std::move(all));
  const double ns = Now() - begin;
  Check(ends == 3 * tasks && std::ssize(outcomes) == tasks,
        "W5: a task was not cancelled");
  co_return ns;
}

Coro<void> Block(std::vector<Task<std::int64_t>>& all, std::int64_t tasks,
                 std::int64_t& ends) {
  for (std::int64_t i = 0; i < tasks; ++i) {
    all.push_back(CreateTask(Top(Future<std::int64_t>(), ends)));
  }
  co_await Sleep(absl::ZeroDuration());
}

// Destroys the loop together with the suspended tasks, as at the end of an
// execution of a search.
double TearDown(std::int64_t tasks) {
  std::int64_t ends = 0;
  sim::VirtualClock clock;
  auto loop = std::make_unique<EventLoop>(EventLoopOptions{.clock = &clock});
  std::vector<Task<std::int64_t>> all;
  all.reserve(tasks);
  loop->RunUntilComplete(Block(all, tasks, ends));
  loop->SetExceptionHandler([](EventLoop&, const ExceptionContext&) {});
  const double begin = Now();
  loop.reset();
  all.clear();
  const double ns = Now() - begin;
  Check(ends == 3 * tasks, "W5: a task was not destroyed");
  return ns;
}

void W5() {
  constexpr std::int64_t kTasks = 100'000;
  Emit("W5.cancel", RunVirtually(CancelAll(kTasks)) / kTasks, "ns/cancel");
  Emit("W5.destroy", TearDown(kTasks) / kTasks, "ns/task");
}

Coro<double> RunChain(std::int64_t depth, std::int64_t times) {
  std::int64_t sum = 0;
  const double begin = Now();
  for (std::int64_t i = 0; i < times; ++i) sum += co_await Chain(depth);
  const double ns = Now() - begin;
  Check(sum == times * (depth + 1), "W6: a call is lost");
  co_return ns;
}

void W6() {
  for (const std::int64_t depth : {1'000, 10}) {
    const std::int64_t times = 3'000'000 / depth;
    Emit(absl::StrFormat("W6.chain.d=%d", depth),
         RunVirtually(RunChain(depth, times)) /
             static_cast<double>(times * (depth + 1)),
         "ns/call");
  }
}

void Search(std::string_view name, Coro<void> (*body)()) {
  constexpr std::uint64_t kSchedules = 1'000'000;
  double begin = Now();
  sim::Report report = sim::Explore(body, sim::Random{.schedules = kSchedules});
  Check(report.passed() && report.search.executions == kSchedules,
        "W7: the random search failed");
  Emit(absl::StrFormat("W7.random.%s", name),
       kSchedules / ((Now() - begin) * 1e-9), "schedules/s");
  begin = Now();
  report = sim::Explore(body, sim::Exhaustive());
  Check(report.passed(), "W7: the exhaustive search failed");
  Emit(absl::StrFormat("W7.dfs.time.%s", name), (Now() - begin) * 1e-3, "us");
  Emit(absl::StrFormat("W7.dfs.count.%s", name),
       static_cast<double>(report.search.executions), "schedules");
}

void W7() {
  Search("race", &RaceBody);
  Search("lock", &LockedRace);
}

int Main(int argc, char** argv) {
  struct Workload {
    std::string_view name;
    void (*run)();
  };
  constexpr Workload kWorkloads[] = {{"W1", W1}, {"W2", W2}, {"W3", W3},
                                     {"W4", W4}, {"W5", W5}, {"W6", W6},
                                     {"W7", W7}};
  const std::string_view asked = argc == 2 ? argv[1] : "";
  for (const Workload& workload : kWorkloads) {
    if (workload.name != asked) continue;
    workload.run();
    return 0;
  }
  std::cerr << "cross_runtime: expected one of W1, W2, ..., W7\n";
  return 2;
}

}  // namespace
}  // namespace clotho

int main(int argc, char** argv) { return clotho::Main(argc, argv); }
