// Connects a loop to other threads.
//
//   std::string text = co_await ToThread(ReadFile, path);  // Blocks no task.
//
//   // In another thread:
//   ConcurrentFuture<int> answer = RunCoroutineThreadsafe(Ask(), loop);
//   int n = answer.Result();                               // Blocks the
//   thread.
//
// `ToThread` and `EventLoop::RunInExecutor` call a function on an executor.
// `RunCoroutineThreadsafe` passes a coroutine to a loop from outside.
// `WrapFuture` awaits the result of another thread. All of them build on
// `EventLoop::CallSoonThreadsafe`. Section X of the rules.

#ifndef CLOTHO_RUNTIME_THREADS_H_
#define CLOTHO_RUNTIME_THREADS_H_

#include <exception>
#include <memory>
#include <source_location>
#include <tuple>
#include <type_traits>
#include <utility>

#include "clotho/runtime/concurrent_future.h"
#include "clotho/runtime/context.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/executor.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/internal/frame_pool.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/thread_link.h"

namespace clotho {

namespace internal {

// A future of `loop` that gets the outcome of `source`. Cancelling it cancels
// `source`.
template <typename T>
Future<T> WrapIn(EventLoop& loop, const ConcurrentFuture<T>& source,
                 bool is_only_user) {
  const Future<T> future(loop);
  ThreadLink* const thread_link =
      new ResultLink<T>(loop, *future.state(), source.state(), is_only_user);
  new CancelRelay(*thread_link, source.state());
  NotifyWhenDone(*source.state(), *thread_link);
  return future;
}

// A coroutine on its way to a loop.
template <typename T>
class CoroutineStarter {
 public:
  using State = TypedConcurrentState<T>;

  CoroutineStarter(Coro<T> coro, EventLoop& loop, std::shared_ptr<State> state,
                   std::source_location location)
      : coro_(std::move(coro)),
        loop_(&loop),
        state_(std::move(state)),
        location_(location) {}
  CoroutineStarter(CoroutineStarter&&) = default;
  ~CoroutineStarter() {
    if (state_ == nullptr) return;
    // The loop was closed first.
    coro_.Close();
    state_->Cancel();
  }

  void operator()() {
    thread_frame_pool.GiveBackSurplus();  // Other threads' frames end here.
    try {
      const Task<T> task =
          CreateTaskIn(*loop_, std::move(coro_), {}, location_);
      ThreadLink* const thread_link = new CancelLink(*loop_, *task.state());
      new OutcomeRelay<T>(*thread_link, state_);
      NotifyWhenDone(*std::exchange(state_, nullptr), *thread_link);
    } catch (const CriticalException&) {
      throw;
    } catch (...) {
      const std::shared_ptr<State> state = std::exchange(state_, nullptr);
      if (state != nullptr && state->SetRunningOrNotifyCancel()) {
        state->SetException(std::current_exception());
      }
      throw;
    }
  }

 private:
  Coro<T> coro_;
  EventLoop* loop_;
  std::shared_ptr<State> state_;
  std::source_location location_;
};

// A function that runs in a copy of another thread's context.
template <typename Function, typename... Args>
class CallInContext {
 public:
  CallInContext(DetachedContext context, Function function, Args... args)
      : context_(std::move(context)),
        function_(std::move(function)),
        args_(std::move(args)...) {}

  std::invoke_result_t<Function, Args...> operator()() {
    ContextSlot slot = context_.Attach();
    const ContextScope scope(slot);
    return std::apply(std::move(function_), std::move(args_));
  }

 private:
  DetachedContext context_;
  Function function_;
  std::tuple<Args...> args_;
};

template <typename Function, typename... Args>
Coro<std::invoke_result_t<Function, Args...>> CallInThread(
    std::source_location location, Function function, Args... args) {
  CallInContext<Function, Args...> call(DetachedContext(CurrentContextSlot()),
                                        std::move(function),
                                        std::move(args)...);
  auto future =
      GetRunningLoop().RunInExecutor(nullptr, std::move(call), location);
  co_return co_await std::move(future);
}

}  // namespace internal

// From another thread, makes `coro` a task of `loop` and returns the future of
// its result. Cancelling that future cancels the task, and cancelling
// the task cancels the future. A `Result` call that times out does not affect
// the task. If the loop is closed first, the future is cancelled. Throws
// RuntimeError if the loop is already closed. Do not call `Result` in the
// loop's own thread: it would block the loop forever.
template <typename T>
ConcurrentFuture<T> RunCoroutineThreadsafe(
    Coro<T> coro, EventLoop& loop,
    std::source_location location = std::source_location::current()) {
  const ConcurrentFuture<T> future;
  loop.CallSoonThreadsafe(internal::CoroutineStarter<T>(
                              std::move(coro), loop, future.state(), location),
                          std::nullopt, location);
  return future;
}

// A future of the running loop that gets the outcome of `future`. Cancelling it
// cancels `future` unless work on that has started.
template <typename T>
Future<T> WrapFuture(const ConcurrentFuture<T>& future) {
  return internal::WrapIn(GetRunningLoop(), future, /*is_only_user=*/false);
}

// Calls `function(args...)` in a thread of the loop's default executor, in a
// copy of the current context, and returns or throws its outcome.
// Nothing happens before the `co_await`. The function and its arguments are
// moved to that thread. If the awaiting task is cancelled, a function that has
// not started is not called; one that has started continues, and its result is
// discarded.
template <typename Function>
Coro<std::invoke_result_t<Function>> ToThread(
    Function function,
    std::source_location location = std::source_location::current()) {
  return internal::CallInThread(location, std::move(function));
}
template <typename Function, typename First, typename... Args>
Coro<std::invoke_result_t<Function, First, Args...>> ToThread(Function function,
                                                              First first,
                                                              Args... args) {
  return internal::CallInThread(std::source_location(), std::move(function),
                                std::move(first), std::move(args)...);
}

template <typename Function>
Future<std::invoke_result_t<Function&>> EventLoop::RunInExecutor(
    Executor* executor, Function function, std::source_location location) {
  CheckOpen();
  Executor& chosen = executor != nullptr ? *executor : DefaultExecutor();
  return internal::WrapIn(*this, chosen.Submit(std::move(function), location),
                          /*is_only_user=*/true);
}

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_THREADS_H_
