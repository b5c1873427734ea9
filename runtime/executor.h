// Executors: who runs functions that block, or compute for long, in place of
// the loop's thread.
//
//   ThreadPoolExecutor pool({.max_workers = 4});
//   ConcurrentFuture<int> size = pool.Submit(CountLines);
//   int n = co_await GetRunningLoop().RunInExecutor(&pool, CountLines);
//
// Mostly `co_await ToThread(function, arguments...)` is all that is needed (see
// threads.h): it uses the loop's own executor.
//
// In a simulation (sim/) the same program uses no thread: a job is an event of
// the simulation, which runs in the loop's thread at a virtual time, and its
// end is another.

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

namespace internal {

// A function to call, and the future of what comes of it.
class Job {
 public:
  explicit Job(std::source_location location) : location_(location) {}
  virtual ~Job() = default;
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  // All of it, unless the future was cancelled.
  void Run() {
    if (!Begin()) return;
    Call();
    Finish();
  }

  // The three parts of `Run`: marks the future as running (false: it was
  // cancelled); calls the function, which is then gone with all that it has
  // captured; completes the future.
  virtual bool Begin() = 0;
  virtual void Call() noexcept = 0;
  virtual void Finish() = 0;

  // Cancels the future of a job that has not begun.
  virtual void Cancel() = 0;

  const std::source_location& location() const { return location_; }

 private:
  std::source_location location_;
};

template <typename Function>
class TypedJob final : public Job {
 public:
  using Result = std::invoke_result_t<Function&>;

  TypedJob(ConcurrentFuture<Result> future, Function function,
           std::source_location location)
      : Job(location),
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
  // Returns when all jobs are done, and not before.
  bool wait = true;
  // Cancels the jobs that have not begun.
  bool cancel_futures = false;
};

class Executor {
 public:
  Executor() = default;
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  virtual ~Executor() = default;

  // Has `function()` called some time, mostly in another thread. Its result or
  // its exception, whichever that is, is the future's. Throws RuntimeError
  // after `Shutdown`. May be called from any thread.
  template <typename Function>
  ConcurrentFuture<std::invoke_result_t<Function&>> Submit(
      Function function,
      std::source_location location = std::source_location::current()) {
    const ConcurrentFuture<std::invoke_result_t<Function&>> future;
    Execute(std::make_unique<internal::TypedJob<Function>>(
        future, std::move(function), location));
    return future;
  }

  // From now on it takes no jobs. It may be called again, with other options.
  virtual void Shutdown(ShutdownOptions options = {}) = 0;

 protected:
  // Takes over a job: calls its `Run`, or its `Cancel`, once, in any thread.
  virtual void Execute(std::unique_ptr<internal::Job> job) = 0;
};

struct ThreadPoolOptions {
  // None: four more than the machine has cores, but 32 at most; in a simulation
  // five, as on the smallest machine.
  std::optional<int> max_workers = std::nullopt;
};

// Runs jobs in threads of its own, in the order in which they come. A thread is
// started when a job finds none that is idle, and stays until the end.
class ThreadPoolExecutor final : public Executor {
 public:
  // Throws ValueError if `max_workers` is less than one.
  explicit ThreadPoolExecutor(ThreadPoolOptions options = {});
  // Shuts it down, and waits: no thread outlives its executor.
  ~ThreadPoolExecutor() override;

  void Shutdown(ShutdownOptions options = {}) override;

  // What was asked for.
  std::optional<int> max_workers() const { return max_workers_; }

  // ---- For the runtime. ----

  // `Shutdown` without waiting. The future is done when the last job is.
  ConcurrentFuture<void> ShutdownInBackground();
  // No job is left after `Shutdown`.
  void Drained();

 private:
  class Threads;

  void Execute(std::unique_ptr<internal::Job> job) override;

  const std::optional<int> max_workers_;
  const ConcurrentFuture<void> drained_;
  const std::unique_ptr<Threads> threads_;
};

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_EXECUTOR_H_
