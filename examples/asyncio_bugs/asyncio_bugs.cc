#include "clotho/examples/asyncio_bugs/asyncio_bugs.h"

#include <cstdint>
#include <iterator>
#include <span>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/examples/asyncio_bugs/bug_programs.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/choice.h"

namespace clotho::examples {
namespace {

// The number of turns a driver may wait before it cancels.
constexpr std::uint64_t kTurnsMax = 2;

std::vector<Race> MakeBugs() {
  std::vector<Race> all;
  for (const auto make : {&WaitForBugs, &CallbackBugs, &TaskGroupBugs,
                          &TimeoutBugs, &SemaphoreBugs, &ConditionBugs,
                          &QueueBugs, &LockBugs, &GatherBugs, &TaskBugs}) {
    std::vector<Race> bugs = make();
    std::move(bugs.begin(), bugs.end(), std::back_inserter(all));
  }
  return all;
}

}  // namespace

Coro<bool> CancelSometime(Task<void> task) {
  const std::uint64_t turn = sim::Choose(kTurnsMax + 1);
  if (turn == 0) co_return false;
  for (std::uint64_t i = 1; i < turn; ++i) {
    co_await Sleep(absl::ZeroDuration());
  }
  co_return task.Cancel(kCancelMessage);
}

Coro<void> Join(std::vector<Task<void>> tasks) {
  co_await Wait(tasks);
  for (const Task<void>& task : tasks) {
    if (!task.Cancelled()) static_cast<void>(task.Result());
  }
}

Delay HalfASecondOrTwo() {
  return sim::Choose(2) == 0 ? absl::Milliseconds(500) : absl::Seconds(2);
}

Race Bug(Race about, Coro<void> (*program)(bool fixed)) {
  about.form = Form::kPortable;
  about.buggy = [program] { return program(/*fixed=*/false); };
  about.fixed = [program] { return program(/*fixed=*/true); };
  return about;
}

std::span<const Race> AsyncioBugs() {
  static const auto* const bugs = new std::vector<Race>(MakeBugs());
  return *bugs;
}

}  // namespace clotho::examples
