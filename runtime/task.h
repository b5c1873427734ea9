// Task<T>: a coroutine that runs by itself, and the future of its result.
//
//   Task<int> task = CreateTask(Fetch("a"), {.name = "fetch a"});
//   ...                                  // It starts in the next iteration.
//   int n = co_await task;
//
// Section T of the rules. The loop keeps a pending task alive; dropping the
// last Task object does not end it. `Cancel` makes the await at which the task
// is suspended throw CancelledError. The coroutine may catch it to clean up,
// and should rethrow it.

#ifndef CLOTHO_RUNTIME_TASK_H_
#define CLOTHO_RUNTIME_TASK_H_

#include <coroutine>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "clotho/runtime/coro.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/lifetimes.h"
#include "clotho/runtime/internal/sync.h"
#include "clotho/runtime/task_base.h"
#include "clotho/runtime/task_options.h"

namespace clotho {

namespace internal {

template <typename T>
class TaskState final : public ValueFuture<T, TaskBase> {
 public:
  TaskState(EventLoop& loop, CoroPromise<T>& root, const TaskOptions& options,
            std::source_location created_at)
      : ValueFuture<T, TaskBase>(loop, root, options, created_at) {}

 private:
  void TakeValue(CoroPromiseBase& root) override {
    this->Emplace(static_cast<CoroPromise<T>&>(root).value());
  }
};

// What a Task and an AnyTask can do.
template <typename Derived>
class TaskMethods {
 public:
  // Requests cancellation: CancelledError is thrown at the current await, or at
  // the next one if the task is not waiting (T-10 to T-13). Returns false if
  // the task was done. The message reaches the first retriever of the
  // CancelledError (T-17).
  bool Cancel(std::optional<std::string_view> message = std::nullopt) const {
    return base().Cancel(MakeText(message));
  }

  // The number of cancellation requests that were not taken back (T-14).
  int Cancelling() const {
    SyncRead(static_cast<const FutureBase*>(&base()));
    return base().cancelling();
  }
  // Takes one request back. Returns the number that remain (T-15).
  int Uncancel() const { return base().Uncancel(); }

  std::string GetName() const { return base().name(); }
  void SetName(std::string_view name) const { base().set_name(name); }

  // Where its coroutines are suspended, innermost last; at most the innermost
  // `limit` of them. Empty before the first step, while the task runs, and
  // after its end (T-22).
  std::vector<std::source_location> GetStack(
      std::optional<std::size_t> limit = std::nullopt) const {
    return base().Stack(limit);
  }
  // Prints the stack to `file`, and the exception if the task failed.
  void PrintStack(std::optional<std::size_t> limit = std::nullopt,
                  std::FILE* file = stderr) const {
    std::fputs(base().StackText(limit).c_str(), file);
  }

 private:
  TaskBase& base() const { return static_cast<const Derived&>(*this).base(); }
};

}  // namespace internal

template <typename T>
class Task : public Future<T>, public internal::TaskMethods<Task<T>> {
 public:
  using value_type = T;

  using internal::TaskMethods<Task>::Cancel;

  template <typename... U>
  void SetResult(U&&...) const = delete;  // T-08.
  template <typename... U>
  void SetException(U&&...) const = delete;

  // For the runtime and for tools.
  explicit Task(internal::Ref<internal::FutureBase> state)
      : Future<T>(std::move(state)) {}
  internal::TaskBase& base() const {
    return static_cast<internal::TaskBase&>(*this->state());
  }

 private:
  friend class AnyTask;
};

// A task of any result type: what `CurrentTask` and `AllTasks` return.
class AnyTask : public internal::TaskMethods<AnyTask> {
 public:
  template <typename T>
  AnyTask(const Task<T>& task)  // NOLINT: converts.
      : state_(task.state()) {}
  explicit AnyTask(internal::TaskBase& task) : state_(&task) {}

  [[nodiscard]] bool Done() const {
    internal::SyncRead(state_.get());
    return state_->done();
  }
  [[nodiscard]] bool Cancelled() const {
    return state_->state() == internal::FutureBase::State::kCancelled;
  }
  [[nodiscard]] std::exception_ptr GetException() const {
    return state_->GetException();
  }
  // True if both refer to the same task.
  bool operator==(const AnyTask& other) const { return state_ == other.state_; }

  // For the runtime and for tools.
  internal::TaskBase& base() const { return *state_->AsTask(); }
  const internal::Ref<internal::FutureBase>& state() const { return state_; }

 private:
  internal::Ref<internal::FutureBase> state_;
};

namespace internal {

// A coroutine that awaits an awaitable which is not itself a coroutine.
template <Awaitable A>
Coro<AwaitResult<A>> AwaitInCoro(A awaitable) {
  co_return co_await std::move(awaitable);
}

template <typename T>
CLOTHO_CORO_WRAPPER Coro<T> ToCoro(Coro<T> coro) {
  return coro;
}
template <Awaitable A>
CLOTHO_CORO_WRAPPER auto ToCoro(A awaitable) {
  return AwaitInCoro<A>(std::move(awaitable));
}

template <typename Function>
Coro<AwaitResult<std::invoke_result_t<Function&>>> CallInCoro(
    Function function) {
  co_return co_await function();
}

template <typename T>
Ref<FutureBase> NewTaskOf(EventLoop& loop, Coro<T>& coro,
                          const TaskOptions& options,
                          std::source_location location) {
  CoreOf(loop).CheckOpen();
  const bool eagerly =
      options.eager_start.value_or(false) && StartsEagerly(loop, options);
  auto* const state = new TaskState<T>(loop, *coro.Take(), options, location);
  Ref<FutureBase> task(state);
  if (eagerly) [[unlikely]] {
    state->StartEagerly();
  } else {
    CoreOf(loop).Push(*state);
  }
  return task;
}

template <typename T>
class TypedCoro;

// Asks the task factory of `loop` to create the task for `coro`.
Ref<FutureBase> AskTaskFactory(EventLoop& loop, AnyCoro& coro,
                               const TaskOptions& options);

}  // namespace internal

// A coroutine of any result type that is about to become a task. Passed to task
// factories.
class AnyCoro {
 public:
  AnyCoro(const AnyCoro&) = delete;
  AnyCoro& operator=(const AnyCoro&) = delete;

 private:
  template <typename T>
  friend class internal::TypedCoro;
  friend internal::Ref<internal::FutureBase> internal::AskTaskFactory(
      EventLoop& loop, AnyCoro& coro, const TaskOptions& options);
  friend AnyTask NewTask(EventLoop& loop, AnyCoro& coro,
                         const TaskOptions& options);

  AnyCoro() = default;
  ~AnyCoro() = default;
  virtual internal::Ref<internal::FutureBase> MakeTask(
      EventLoop& loop, const TaskOptions& options) = 0;

  internal::Ref<internal::FutureBase> task_;  // Null until the task exists.
};

// Creates the task for a coroutine. A task factory must call this exactly once
// (Python's `Task(coro, loop=loop)`).
//
//   loop.SetTaskFactory([](EventLoop& loop, AnyCoro& coro, TaskOptions options)
//   {
//     options.background = true;
//     return NewTask(loop, coro, options);
//   });
AnyTask NewTask(EventLoop& loop, AnyCoro& coro, const TaskOptions& options);

// The task factory for eager tasks (section E of the rules): each task takes
// its first step inside `CreateTask`, and is already done on return if that
// step does not suspend. `eager_start = false` exempts a single task.
AnyTask EagerTaskFactory(EventLoop& loop, AnyCoro& coro,
                         const TaskOptions& options);

// An eager task factory on top of `factory`.
TaskFactory CreateEagerTaskFactory(TaskFactory factory);

namespace internal {

template <typename T>
class TypedCoro final : public AnyCoro {
 public:
  TypedCoro(Coro<T>& coro, std::source_location location)
      : coro_(coro), location_(location) {}

 private:
  Ref<FutureBase> MakeTask(EventLoop& loop,
                           const TaskOptions& options) override {
    return NewTaskOf(loop, coro_, options, location_);
  }

  Coro<T>& coro_;
  const std::source_location location_;
};

template <typename T>
Task<T> CreateTaskIn(EventLoop& loop, Coro<T>&& coro,
                     const TaskOptions& options,
                     std::source_location location) {
  if (loop.GetTaskFactory() != nullptr) [[unlikely]] {
    TypedCoro<T> any(coro, location);
    return Task<T>(AskTaskFactory(loop, any, options));
  }
  return Task<T>(NewTaskOf(loop, coro, options, location));
}

// Creates a task for `awaitable`, which is not a future.
template <Awaitable A>
Task<AwaitResult<A>> EnsureFutureIn(EventLoop& loop, A awaitable,
                                    std::source_location location) {
  auto coro = ToCoro(std::move(awaitable));
  try {
    return CreateTaskIn(loop, std::move(coro), TaskOptions{}, location);
  } catch (const RuntimeError&) {
    coro.Close();  // Already reported by the exception (EF-01).
    throw;
  }
}

template <typename T>
std::true_type IsFutureTest(const Future<T>*);
std::false_type IsFutureTest(const void*);

}  // namespace internal

// True for a future or a task.
template <typename A>
concept IsFuture = decltype(internal::IsFutureTest(
    static_cast<std::remove_cvref_t<A>*>(nullptr)))::value;

// Creates a task in the running loop from a coroutine, or from another
// awaitable that is not a future. Its first step runs in the next iteration, in
// a copy of the current context (T-01). With `.eager_start`, the first step
// runs inside this call, and a critical exception propagates to the caller
// (E-02, E-04).
template <Awaitable A>
  requires(!IsFuture<A>)
auto CreateTask(
    A awaitable, const TaskOptions& options = {},
    std::source_location location = std::source_location::current()) {
  return internal::CreateTaskIn(GetRunningLoop(),
                                internal::ToCoro(std::move(awaitable)), options,
                                location);
}

// Calls `function()` in the task's first step and awaits what it returns. Keeps
// the function alive until then: use this to turn a capturing lambda into a
// task.
template <typename Function>
  requires(!Awaitable<Function> && Awaitable<std::invoke_result_t<Function&>>)
auto CreateTask(
    Function function, const TaskOptions& options = {},
    std::source_location location = std::source_location::current()) {
  return internal::CreateTaskIn(GetRunningLoop(),
                                internal::CallInCoro(std::move(function)),
                                options, location);
}

// A coroutine that moves `function` and `args` into its own frame and awaits
// `function(args...)`, so they live as long as the call runs. If a Coro is
// passed on or stored, use this for a lambda that captures, and for a function
// that takes references:
//
//   co_await Gather(CoInvoke([id]() -> Coro<Page> { ... }),
//                   CoInvoke(Length, std::string("x")));
//
// To pass a reference, pass std::ref(x).
template <typename Function, typename... Args>
Coro<AwaitResult<std::invoke_result_t<Function&, Args...>>> CoInvoke(
    Function function, Args... args) {
  co_return co_await std::invoke(function, std::move(args)...);
}

// Returns a future unchanged; turns any other awaitable into a task (EF-01).
template <typename T>
Future<T> EnsureFuture(const Future<T>& future,
                       std::source_location = std::source_location::current()) {
  return future;
}
template <Awaitable A>
  requires(!IsFuture<A>)
auto EnsureFuture(A awaitable, std::source_location location =
                                   std::source_location::current()) {
  return internal::EnsureFutureIn(GetRunningLoop(), std::move(awaitable),
                                  location);
}

// The task whose step is running; nullopt in a plain callback (T-20). Throws
// RuntimeError without a running loop.
std::optional<AnyTask> CurrentTask();

// The running loop's pending tasks, oldest first (T-21).
std::vector<AnyTask> AllTasks();

template <typename A>
decltype(auto) EventLoop::RunUntilComplete(A awaitable,
                                           std::source_location location) {
  CheckCanRun();
  TakeEarlierMail();
  auto future = [&] {
    if constexpr (IsFuture<A>) {
      return awaitable;
    } else {
      auto task =
          internal::EnsureFutureIn(*this, std::move(awaitable), location);
      task.base().set_belongs_to_library();
      return task;
    }
  }();
  if (future.state()->loop() != this) {
    throw ValueError(
        "the future belongs to another event loop: run that loop instead");
  }
  RunUntilDone(*future.state(), !IsFuture<A>);
  if (!future.Done()) {
    throw RuntimeError("Event loop stopped before Future completed.");
  }
  future.state()->ThrowUnlessValue();
  return internal::ReadValue<typename decltype(future)::value_type>(
      *future.state());
}

}  // namespace clotho

// By the order of creation, not by the address: a set of tasks has the same
// order in each execution of a simulation.
template <typename T>
struct std::hash<clotho::Task<T>> {
  std::size_t operator()(const clotho::Task<T>& task) const noexcept {
    return task.base().chain();
  }
};
template <>
struct std::hash<clotho::AnyTask> {
  std::size_t operator()(const clotho::AnyTask& task) const noexcept {
    return task.base().chain();
  }
};

#endif  // CLOTHO_RUNTIME_TASK_H_
