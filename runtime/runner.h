// Run and Runner: run a program's coroutine from outside of any.
//
//   int main() { return clotho::Run(Main()); }
//
// `Run` makes a loop, runs the coroutine to its end, cancels the tasks that are
// left and waits for them, and for what runs in the loop's default executor,
// and closes the loop (section R of the rules). A
// Runner does the same for several coroutines in a row, which then share the
// loop and the context.

#ifndef CLOTHO_RUNTIME_RUNNER_H_
#define CLOTHO_RUNTIME_RUNNER_H_

#include <memory>
#include <optional>
#include <source_location>
#include <utility>

#include "clotho/runtime/context.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/sigint.h"
#include "clotho/runtime/task.h"

namespace clotho {

struct RunnerOptions {
  // Who makes the loop. Null: one on the real clock, which is the thread's
  // current loop (see current_loop.h) until the Runner is closed.
  std::unique_ptr<EventLoop> (*loop_factory)() = nullptr;
  // See `EventLoop::SetDebug`. None: as the loop is.
  std::optional<bool> debug = std::nullopt;
};

class Runner {
 public:
  explicit Runner(RunnerOptions options = {}) : options_(options) {}
  // Closes it. What that throws goes to standard error; call `Close` to see it.
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  // Runs the coroutine as a task, and returns or throws its outcome. Throws
  // RuntimeError inside a running loop, and after `Close`.
  //
  // Ctrl-C cancels the task, and KeyboardInterrupt comes out unless the task
  // ends otherwise; a second one throws it at once. This holds in the
  // main thread, on a real clock, if nobody else handles SIGINT.
  template <typename T>
  T Run(Coro<T> coro,
        std::source_location location = std::source_location::current()) {
    if (internal::running_loop != nullptr) {
      throw RuntimeError(
          "Runner.Run() cannot be called from a running event loop: co_await "
          "the coroutine, or make a task of it");
    }
    EventLoop& loop = GetLoop();
    const Context& context = *context_;
    Task<T> task = internal::CreateTaskIn(loop, std::move(coro),
                                          {.context = &context}, location);
    internal::SigintScope sigint(loop, *task.state());
    try {
      return loop.RunUntilComplete(task);
    } catch (const CancelledError&) {
      task.state()->MarkRetrieved();
      if (sigint.interrupted() && task.Uncancel() == 0) {
        throw KeyboardInterrupt();
      }
      throw;
    } catch (...) {
      task.state()->MarkRetrieved();  // Here it comes, whichever way it left.
      throw;
    }
  }

  // The loop, which is made at the first call of anything. Throws
  // RuntimeError after `Close`.
  EventLoop& GetLoop();

  // Cancels what is left and waits for it, closes the asynchronous generators
  // that are left, waits for the jobs of the default executor, for five minutes
  // at most, and closes the loop. What those tasks throw goes to the
  // loop's exception handler. The second time it does nothing.
  void Close();

 private:
  RunnerOptions options_;
  bool closed_ = false;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<Context> context_;
};

template <typename T>
T Run(Coro<T> coro, const RunnerOptions& options = {}) {
  Runner runner(options);
  try {
    if constexpr (std::is_void_v<T>) {
      runner.Run(std::move(coro));
      runner.Close();
    } else {
      T result = runner.Run(std::move(coro));
      runner.Close();
      return result;
    }
  } catch (...) {
    runner.Close();  // What that throws counts, as in Python.
    throw;
  }
}

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_RUNNER_H_
