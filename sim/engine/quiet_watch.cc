#include "clotho/sim/engine/quiet_watch.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "clotho/runtime/internal/runnable.h"
#include "clotho/runtime/internal/timer_queue.h"
#include "clotho/runtime/loop_core.h"
#include "clotho/runtime/task_base.h"

namespace clotho::sim::internal {

using clotho::internal::FutureBase;
using clotho::internal::Runnable;
using clotho::internal::TaskBase;
using clotho::internal::Timer;

void QuietWatch::Begin() {
  since_ = 0;
  steps_.clear();
}

std::optional<Quiet> QuietWatch::Look(std::uint64_t step,
                                      const FutureBase& main,
                                      std::span<const Chain> chains) {
  std::optional<Quiet> quiet = FindQuiet(main, chains);
  if (!quiet.has_value()) {
    since_ = step;
    steps_.clear();
    for (const Chain& chain : chains) steps_.push_back(chain.steps);
  }
  return quiet;
}

std::optional<Quiet> QuietWatch::FindQuiet(
    const FutureBase& main, std::span<const Chain> chains) const {
  // The common case: the body has run.
  const TaskBase* const body = main.AsTask();
  if (body == nullptr || HasRun(body->chain(), chains)) return std::nullopt;
  bool sleeps = false;
  CoreOf(loop_).ForEachTimer([&](const Timer& timer) {
    // Whom it wakes, or whose callback it is. If that is unknown: anybody.
    // (The step could be changed; the timer is not.)
    const Runnable* const step = const_cast<Timer&>(timer).EventualStep();
    sleeps = sleeps || step == nullptr || !HasRun(step->chain(), chains);
  });
  if (sleeps) return std::nullopt;

  std::vector<const TaskBase*> tasks;
  CoreOf(loop_).ForEachTask(
      [&tasks](TaskBase& task) { tasks.push_back(&task); });
  Quiet quiet = {.graph = BuildWaitGraph(loop_), .ran = {}};
  for (const TaskBase* const task : tasks) {
    quiet.ran.push_back(HasRun(task->chain(), chains));
  }
  // Everything that the body waits for.
  std::vector<std::size_t> awaited = {
      static_cast<std::size_t>(std::ranges::find(tasks, body) - tasks.begin())};
  std::vector<bool> seen(tasks.size(), false);
  while (!awaited.empty()) {
    const std::size_t index = awaited.back();
    awaited.pop_back();
    if (index >= tasks.size() || seen[index]) continue;
    seen[index] = true;
    if (quiet.ran[index] || tasks[index]->waiting_on() == nullptr) {
      return std::nullopt;
    }
    for (const std::size_t holder : quiet.graph.waits[index].holders) {
      awaited.push_back(holder);
    }
  }
  return quiet;
}

}  // namespace clotho::sim::internal
