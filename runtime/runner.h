// Run and Runner: run a program's coroutine from ordinary code.
//
//   int main() { return clotho::Run(Main()); }
//
// `Run` creates a loop, runs the coroutine to its end, cancels the remaining
// tasks, waits for them and for the jobs of the loop's default executor, and
// closes the loop (section R of the rules). A Runner does the same for several
// coroutines in a row, which share the loop and the context.

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
  // Creates the loop. Null: a loop on the real clock, which is the thread's
  // current loop (see current_loop.h) until the Runner is closed.
  std::unique_ptr<EventLoop> (*loop_factory)() = nullptr;
  // See `EventLoop::SetDebug`. nullopt: keeps the loop's setting.
  std::optional<bool> debug = std::nullopt;
};

class Runner {
 public:
  explicit Runner(RunnerOptions options = {}) : options_(options) {}
  // Closes it. Exceptions of `Close` are written to standard error; call
  // `Close` explicitly to handle them.
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  // Runs the coroutine as a task, and returns or throws its outcome. Throws
  // RuntimeError inside a running loop and after `Close`.
  //
  // Ctrl-C cancels the task, and KeyboardInterrupt is thrown unless the task
  // ends otherwise; a second Ctrl-C throws it at once. This applies in
  // the main thread, on a real clock, if no other SIGINT handler is installed.
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
      task.state()->MarkRetrieved();  // Rethrown below.
      throw;
    }
  }

  // The loop, which is created by the first call that needs it. Throws
  // RuntimeError after `Close`.
  EventLoop& GetLoop();

  // Cancels the remaining tasks and waits for them, closes the remaining
  // asynchronous generators, waits at most five minutes for the jobs of the
  // default executor, and closes the loop. Exceptions of those tasks go
  // to the loop's exception handler. A second call does nothing.
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
    runner.Close();  // Its exception takes precedence, as in Python.
    throw;
  }
}

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_RUNNER_H_
