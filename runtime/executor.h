// Executor: runs functions that block, or compute for long, outside the loop's
// thread.
//
//   ThreadPoolExecutor pool({.max_workers = 4});
//   ConcurrentFuture<int> size = pool.Submit(CountLines);
//   int n = co_await GetRunningLoop().RunInExecutor(&pool, CountLines);
//
// In most cases `co_await ToThread(function, arguments...)` is enough (see
// threads.h); it uses the loop's default executor.
//
// A simulation (sim/) uses no threads. There, the start and the end of a job
// are events of the simulation, which run in the loop's thread at a virtual
// time. See internal/thread_model.h.

#ifndef CLOTHO_RUNTIME_EXECUTOR_H_
#define CLOTHO_RUNTIME_EXECUTOR_H_

#include <exception>
#include <memory>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

#include "clotho/runtime/concurrent_future.h"
#include "clotho/runtime/internal/stored.h"

namespace clotho {

// A function that an executor is to call, and the future of its result.
class ExecutorJob {
 public:
  explicit ExecutorJob(std::source_location location) : location_(location) {}
  virtual ~ExecutorJob() = default;
  ExecutorJob(const ExecutorJob&) = delete;
  ExecutorJob& operator=(const ExecutorJob&) = delete;

  // Runs the whole job, unless its future was cancelled.
  void Run() {
    if (!Begin()) return;
    Call();
    Finish();
  }

  // The three parts of `Run`. `Begin` marks the future as running, or returns
  // false if it was cancelled. `Call` calls the function and destroys it
  // together with its captures. `Finish` completes the future.
  virtual bool Begin() = 0;
  virtual void Call() noexcept = 0;
  virtual void Finish() = 0;

  // Cancels the future of a job that has not started.
  virtual void Cancel() = 0;

  const std::source_location& location() const { return location_; }

 private:
  std::source_location location_;
};

namespace internal {

template <typename Function>
class TypedJob final : public ExecutorJob {
 public:
  using Result = std::invoke_result_t<Function&>;

  TypedJob(ConcurrentFuture<Result> future, Function function,
           std::source_location location)
      : ExecutorJob(location),
        future_(std::move(future)),
        function_(std::move(function)) {}

  bool Begin() override { return future_.SetRunningOrNotifyCancel(); }
  void Call() noexcept override {
    try {
      if constexpr (std::is_void_v<Result>) {
        (*function_)();
        value_.emplace();
      } else {
        value_.emplace((*function_)());
      }
    } catch (...) {
      error_ = std::current_exception();
    }
    function_.reset();
  }
  void Finish() override {
    if (error_ != nullptr) {
      future_.SetException(std::move(error_));
    } else {
      future_.SetResult(*std::move(value_));
    }
  }
  void Cancel() override { future_.Cancel(); }

 private:
  ConcurrentFuture<Result> future_;
  std::optional<Function> function_;
  std::optional<Stored<Result>> value_;
  std::exception_ptr error_;
};

}  // namespace internal

struct ShutdownOptions {
  // Return only when all jobs are done.
  bool wait = true;
  // Cancel jobs that have not started.
  bool cancel_futures = false;
};

class Executor {
 public:
  Executor() = default;
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  virtual ~Executor() = default;

  // Schedules a call of `function()`, usually in another thread. The future
  // gets its result or its exception. Throws RuntimeError after `Shutdown`. May
  // be called from any thread.
  template <typename Function>
  ConcurrentFuture<std::invoke_result_t<Function&>> Submit(
      Function function,
      std::source_location location = std::source_location::current()) {
    const ConcurrentFuture<std::invoke_result_t<Function&>> future;
    Execute(std::make_unique<internal::TypedJob<Function>>(
        future, std::move(function), location));
    return future;
  }

  // Makes the executor reject further jobs. May be called again with other
  // options.
  virtual void Shutdown(ShutdownOptions options = {}) = 0;

 protected:
  // Takes ownership of a job: calls either its `Run` or its `Cancel`, once, in
  // any thread.
  virtual void Execute(std::unique_ptr<ExecutorJob> job) = 0;
};

struct ThreadPoolOptions {
  // nullopt: the number of cores plus four, at most 32; in a simulation five,
  // as on a single-core machine.
  std::optional<int> max_workers = std::nullopt;
};

// Runs jobs in its own threads, in the order in which they arrive. A thread is
// started when a job finds no idle one, and stays until shutdown.
class ThreadPoolExecutor final : public Executor {
 public:
  // Throws ValueError if `max_workers` is less than one.
  explicit ThreadPoolExecutor(ThreadPoolOptions options = {});
  // Shuts down and waits: no thread outlives its executor.
  ~ThreadPoolExecutor() override;

  void Shutdown(ShutdownOptions options = {}) override;

  // The requested number.
  std::optional<int> max_workers() const { return max_workers_; }

  // ---- For the runtime. ----

  // `Shutdown` without waiting. The returned future is done when the last job
  // is done.
  ConcurrentFuture<void> ShutdownInBackground();
  // Called when no job is left after `Shutdown`.
  void Drained();

 private:
  class Threads;

  void Execute(std::unique_ptr<ExecutorJob> job) override;

  const std::optional<int> max_workers_;
  const ConcurrentFuture<void> drained_;
  const std::unique_ptr<Threads> threads_;
};

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_EXECUTOR_H_
