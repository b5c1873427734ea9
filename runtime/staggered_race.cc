#include "clotho/runtime/staggered_race.h"

#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/timeout.h"
#include "clotho/runtime/wait.h"

namespace clotho::internal {

void StaggeredRaceBase::Start(Event* previous_failed) {
  // Never eager, whatever the loop's task factory does: a task relies on being
  // in the list when it runs (CD-06).
  tasks_.push_back(
      CreateTask(TakePart(Ref<StaggeredRaceBase>(this), previous_failed),
                 TaskOptions{.eager_start = false}, location_));
}

Coro<void> StaggeredRaceBase::TakePart(Ref<StaggeredRaceBase> self,
                                       Event* previous_failed) {
  StaggeredRaceBase& race = *self;
  if (previous_failed != nullptr) {
    auto turn = WaitFor(previous_failed->Wait(), race.delay_);
    try {
      co_await std::move(turn);
    } catch (const TimeoutError&) {
    }
  }
  std::optional<Coro<void>> attempt = race.Next();
  if (!attempt.has_value()) co_return;
  const std::size_t index = race.exceptions_.size();
  race.exceptions_.emplace_back();
  Event& failed = race.failed_.emplace_back();
  race.Start(&failed);

  std::exception_ptr error;
  try {
    co_await *std::move(attempt);
  } catch (const CriticalException&) {
    throw;
  } catch (...) {
    error = std::current_exception();
  }
  if (error != nullptr) {
    race.exceptions_[index] = std::move(error);
    failed.Set();
    co_return;
  }
  if (race.winner_index_.has_value()) {
    throw RuntimeError(
        "a function of a StaggeredRace has succeeded after another had won: "
        "let CancelledError pass");
  }
  race.winner_index_ = index;
  // The task at `index` is the current one.
  for (std::size_t i = 0; i < race.tasks_.size(); ++i) {
    if (i != index) race.tasks_[i].Cancel();
  }
}

Coro<void> StaggeredRaceBase::Run(Ref<StaggeredRaceBase> self) {
  StaggeredRaceBase& race = *self;
  race.Start(nullptr);
  try {
    // More tasks may be started meanwhile.
    std::size_t done = 0;
    while (done != race.tasks_.size()) {
      auto wait = Wait(race.tasks_);
      const auto result = co_await std::move(wait);
      done = result.done.size();
      for (const Task<void>& task : result.done) {
        if (task.Cancelled()) continue;
        // An exception of the race itself: those of the functions are stored.
        if (std::exception_ptr error = task.GetException()) {
          std::rethrow_exception(std::move(error));
        }
      }
    }
  } catch (...) {
    for (const Task<void>& task : race.tasks_) task.Cancel();
    throw;
  }
}

}  // namespace clotho::internal
