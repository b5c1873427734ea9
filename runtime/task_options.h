// TaskOptions: what can be said about a task when it is created (see task.h).
//
//   CreateTask(Fetch("a"), {.name = "fetch a"});

#ifndef CLOTHO_RUNTIME_TASK_OPTIONS_H_
#define CLOTHO_RUNTIME_TASK_OPTIONS_H_

#include <optional>
#include <string_view>

#include "clotho/runtime/context.h"

namespace clotho {

struct TaskOptions {
  // Empty: "Task-1", "Task-2", ... in the order of creation.
  std::string_view name = {};
  // The context to run in, not copied. Null: a copy of the current context.
  const Context* context = nullptr;
  // Takes its first step inside `CreateTask`, if the loop is running (E-01,
  // E-02). nullopt: the loop's task factory decides; without one, the task does
  // not start eagerly.
  std::optional<bool> eager_start = std::nullopt;
  // The task may still be pending when a test ends (see sim/).
  bool background = false;
};

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_TASK_OPTIONS_H_
