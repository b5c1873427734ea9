// TaskGroup: tasks that end together.
//
//   TaskGroup group;
//   co_await group.Run([&]() -> Coro<void> {
//     group.CreateTask(Fetch("a"));
//     group.CreateTask(Fetch("b"));
//     co_return;
//   });  // The body and all the tasks have ended.
//
// (g++ 12 destroys the captures of a lambda in a co_await expression twice:
// there, name the lambda on the line before. See coro.h.)
//
// When a task fails, the other tasks and the body are cancelled. Once all have
// ended, an ExceptionGroup with all failures is thrown. A cancelled task is not
// a failure. Cancelling the task that awaits `Run` cancels the group's tasks.
// Section TG of the rules.

#ifndef CLOTHO_RUNTIME_TASK_GROUP_H_
#define CLOTHO_RUNTIME_TASK_GROUP_H_

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>
#include <vector>

#include "clotho/runtime/coro.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/frame_pool.h"
#include "clotho/runtime/internal/lifetimes.h"
#include "clotho/runtime/internal/list.h"
#include "clotho/runtime/internal/ref.h"
#include "clotho/runtime/internal/runnable.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/task_base.h"

namespace clotho {

namespace internal {

// The state shared by a group, its body and its tasks.
class TaskGroupState : public Pooled {
 public:
  TaskGroupState() = default;
  TaskGroupState(const TaskGroupState&) = delete;

  void AddRef() noexcept { ++references_; }
  void Release() noexcept {
    if (--references_ == 0) delete this;
  }

  // The reason why no task can be added now, or null (TG-02).
  const char* Refusal() const;
  void Add(FutureBase& task);
  // Cancels the tasks and the body, now or as soon as there is a body.
  void Cancel();

  // Makes the running task the parent. Throws RuntimeError the second time.
  void Enter();
  // Waits for the tasks after the body has ended; `error` is the body's
  // exception or null. Throws the group's outcome (TG-05); returns if there is
  // none, even if `error` is the CancelledError that `Cancel` has caused.
  static Coro<void> Exit(Ref<TaskGroupState> self, std::exception_ptr error);

 private:
  class ChildNode : public ListNode {};

  // Waits for a task of the group. Holds both until it has run.
  class Child final : public Runnable, public ChildNode, public Pooled {
   public:
    Child(TaskGroupState& group, FutureBase& task)
        : Runnable(RunnableKind::kInternal), group_(&group), task_(&task) {}
    void Run() override;
    void Drop() noexcept override { delete this; }
    Runnable* EventualStep() override;
    FutureBase& task() const { return *task_; }

   private:
    Ref<TaskGroupState> group_;
    Ref<FutureBase> task_;
  };

  // The future that the parent waits for once its body has ended.
  class AllDone final : public FutureBase {
   public:
    AllDone(EventLoop& loop, TaskGroupState& group)
        : FutureBase(loop, Storage::kCounted), group_(group) {}
    void Finish() { FinishWithValue(); }
    void Explain(WaitInfo& info) const override;

   private:
    const TaskGroupState& group_;  // Held by the awaiter.
  };

  void ChildIsDone(FutureBase& task);
  void Abort();

  std::uint32_t references_ = 0;
  bool entered_ = false;
  bool exiting_ = false;
  bool aborting_ = false;
  bool parent_cancel_requested_ = false;
  bool cancel_requested_ = false;  // By `Cancel`.
  int cancelling_before_ = 0;      // Of the parent, when it entered.
  Ref<FutureBase> parent_;
  IntrusiveList<Child, ChildNode> children_;  // In the order of creation.
  Ref<AllDone> all_done_;                     // While the parent waits.
  std::vector<std::exception_ptr> errors_;
  std::exception_ptr critical_error_;  // The first.
};

// Runs the body of a group, then waits for its tasks.
template <Awaitable A>
Coro<AwaitResult<A>> RunInGroup(Ref<TaskGroupState> group, A body) {
  using Result = AwaitResult<A>;
  group->Enter();
  std::optional<Stored<Result>> result;
  std::exception_ptr error;
  try {
    if constexpr (std::is_void_v<Result>) {
      co_await std::move(body);
      result.emplace();
    } else {
      result.emplace(co_await std::move(body));
    }
  } catch (...) {
    error = std::current_exception();
  }
  co_await TaskGroupState::Exit(group, error);
  if constexpr (!std::is_void_v<Result>) {
    // The group was cancelled before the body had a result.
    if (error != nullptr) std::rethrow_exception(error);
    co_return *std::move(result);
  }
}

template <typename Function>
Coro<AwaitResult<std::invoke_result_t<Function&>>> CallInGroup(
    Ref<TaskGroupState> group, Function function) {
  auto body = RunInGroup(std::move(group), CallInCoro(std::move(function)));
  co_return co_await std::move(body);
}

}  // namespace internal

class TaskGroup {
 public:
  TaskGroup() : state_(new internal::TaskGroupState()) {}
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // Awaits the body, then all tasks of the group; returns the body's result.
  // Can be used only once.
  template <Awaitable A>
  [[nodiscard]] CLOTHO_CORO_WRAPPER Coro<AwaitResult<A>> Run(A body) {
    return internal::RunInGroup(state_, std::move(body));
  }
  // Like `Run`, for a function that returns the body. The function is kept
  // alive while the body runs.
  template <typename Function>
    requires(!Awaitable<Function> && Awaitable<std::invoke_result_t<Function&>>)
  [[nodiscard]] CLOTHO_CORO_WRAPPER auto Run(Function function) {
    return internal::CallInGroup(state_, std::move(function));
  }

  // Cancels the tasks and the body, as `TaskGroup.cancel` of Python 3.15 does.
  // When they have ended, `Run` ends without an exception of its own: it throws
  // only what fails meanwhile, and CancelledError if its own task was
  // cancelled. Before `Run`, the body is cancelled at its first await. Further
  // calls, and calls after `Run`, do nothing.
  //
  // If the body returns a value and was cut off, `Run` throws CancelledError.
  // Catch it in the body to return a partial value.
  void Cancel() { state_->Cancel(); }

  // Creates a task in the group. Throws RuntimeError, without creating a task,
  // before and after `Run` and while the group is being cancelled.
  template <Awaitable A>
    requires(!IsFuture<A>)
  auto CreateTask(
      A awaitable, const TaskOptions& options = {},
      std::source_location location = std::source_location::current()) {
    if (const char* const refusal = state_->Refusal()) {
      if constexpr (requires { awaitable.Close(); }) awaitable.Close();
      throw RuntimeError(refusal);
    }
    auto task = clotho::CreateTask(std::move(awaitable), options, location);
    state_->Add(*task.state());
    return task;
  }
  template <typename Function>
    requires(!Awaitable<Function> && Awaitable<std::invoke_result_t<Function&>>)
  auto CreateTask(
      Function function, const TaskOptions& options = {},
      std::source_location location = std::source_location::current()) {
    return CreateTask(internal::CallInCoro(std::move(function)), options,
                      location);
  }

 private:
  internal::Ref<internal::TaskGroupState> state_;
};

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_TASK_GROUP_H_
