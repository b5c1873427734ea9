#include "clotho/runtime/task.h"

#include <optional>
#include <vector>

#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/internal/task_base.h"

namespace clotho {

std::optional<AnyTask> CurrentTask() {
  internal::TaskBase* const task = GetRunningLoop().current_task();
  if (task == nullptr) return std::nullopt;
  return AnyTask(*task);
}

std::vector<AnyTask> AllTasks() {
  std::vector<AnyTask> tasks;
  GetRunningLoop().ForEachTask(
      [&tasks](internal::TaskBase& task) { tasks.emplace_back(task); });
  return tasks;
}

}  // namespace clotho
