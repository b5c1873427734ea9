#include "clotho/runtime/task.h"

#include <optional>
#include <utility>
#include <vector>

#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/ref.h"
#include "clotho/runtime/internal/sync.h"
#include "clotho/runtime/task_base.h"

namespace clotho {
namespace {

TaskOptions Eagerly(TaskOptions options) {
  if (!options.eager_start.has_value()) options.eager_start = true;
  return options;
}

}  // namespace

std::optional<AnyTask> CurrentTask() {
  internal::TaskBase* const task = CoreOf(GetRunningLoop()).current_task();
  if (task == nullptr) return std::nullopt;
  return AnyTask(*task);
}

std::vector<AnyTask> AllTasks() {
  internal::SyncUnknown("AllTasks");
  std::vector<AnyTask> tasks;
  CoreOf(GetRunningLoop()).ForEachTask([&tasks](internal::TaskBase& task) {
    tasks.emplace_back(task);
  });
  return tasks;
}

AnyTask NewTask(EventLoop& loop, AnyCoro& coro, const TaskOptions& options) {
  coro.task_ = coro.MakeTask(loop, options);
  return AnyTask(*coro.task_->AsTask());
}

AnyTask EagerTaskFactory(EventLoop& loop, AnyCoro& coro,
                         const TaskOptions& options) {
  return NewTask(loop, coro, Eagerly(options));
}

TaskFactory CreateEagerTaskFactory(TaskFactory factory) {
  return [factory = std::move(factory)](EventLoop& loop, AnyCoro& coro,
                                        const TaskOptions& options) {
    return factory(loop, coro, Eagerly(options));
  };
}

namespace internal {

Ref<FutureBase> AskTaskFactory(EventLoop& loop, AnyCoro& coro,
                               const TaskOptions& options) {
  CoreOf(loop).CheckOpen();
  // The factory may replace itself while it runs.
  const TaskFactory factory = loop.GetTaskFactory();
  const AnyTask task = factory(loop, coro, options);
  if (task.state() != coro.task_) {
    throw TypeError(
        "the task factory gave a task of something else: it has to return what "
        "NewTask makes of the coroutine that it is given");
  }
  // Applies the name even if the factory ignored the options (EF-02).
  if (!options.name.empty() && !task.base().is_named()) {
    task.SetName(options.name);
  }
  return std::move(coro.task_);
}

}  // namespace internal
}  // namespace clotho
