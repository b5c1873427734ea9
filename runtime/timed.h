// Timed: reports when a coroutine starts and ends, and how long it took.
//
//   const auto fetch = Timed("fetch", Fetch);    // A coroutine function.
//   co_await fetch("a");
//   co_await Timed("delay", Sleep(absl::Seconds(2)));  // Or an awaitable.
//
// prints
//
//   starting fetch
//   finished fetch in 0.25 second(s)
//   starting delay
//   finished delay in 2 second(s)
//
// The time is that of the loop's clock, exact to the nanosecond. The end is
// also reported if the coroutine throws or is cancelled, but not if it is
// destroyed with its loop.

#ifndef CLOTHO_RUNTIME_TIMED_H_
#define CLOTHO_RUNTIME_TIMED_H_

#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "clotho/runtime/coro.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/lifetimes.h"
#include "clotho/runtime/to_be_awaited.h"

namespace clotho {

// Receives one line, without a newline. Null: standard output.
using TimedSink = std::function<void(std::string_view line)>;

// Awaits `awaitable` and reports its start and end. Returns or throws its
// outcome.
template <Awaitable A>
[[nodiscard]] CLOTHO_CORO_WRAPPER Coro<AwaitResult<A>> Timed(
    std::string name, A awaitable, TimedSink sink = nullptr);

namespace internal {

class TimedReport {
 public:
  // Reports the start. Throws RuntimeError without a running loop.
  TimedReport(std::string name, TimedSink sink);
  // Reports the end.
  void Finished() const;

 private:
  void Say(const std::string& line) const;

  const std::string name_;
  const TimedSink sink_;
  const std::int64_t begun_ns_;
};

template <Awaitable A>
Coro<AwaitResult<A>> AwaitTimed(std::string name, ToBeAwaited<A> inner,
                                TimedSink sink) {
  using Result = AwaitResult<A>;
  TimedReport report(std::move(name), std::move(sink));
  std::optional<Stored<Result>> result;
  std::exception_ptr error;
  try {
    if constexpr (std::is_void_v<Result>) {
      co_await std::move(inner.awaitable);
    } else {
      result.emplace(co_await std::move(inner.awaitable));
    }
  } catch (...) {
    error = std::current_exception();
  }
  report.Finished();
  if (error != nullptr) std::rethrow_exception(error);
  if constexpr (!std::is_void_v<Result>) co_return *std::move(result);
}

// A coroutine function whose coroutines are timed.
template <typename Function>
class TimedFunction {
 public:
  TimedFunction(std::string name, Function function, TimedSink sink)
      : name_(std::move(name)),
        function_(std::move(function)),
        sink_(std::move(sink)) {}

  template <typename... Args>
    requires Awaitable<std::invoke_result_t<const Function&, Args...>>
  [[nodiscard]] CLOTHO_CORO_WRAPPER auto operator()(Args&&... args) const {
    return Timed(name_, std::invoke(function_, std::forward<Args>(args)...),
                 sink_);
  }

 private:
  std::string name_;
  Function function_;
  TimedSink sink_;
};

}  // namespace internal

template <Awaitable A>
[[nodiscard]] CLOTHO_CORO_WRAPPER Coro<AwaitResult<A>> Timed(std::string name,
                                                             A awaitable,
                                                             TimedSink sink) {
  return internal::AwaitTimed(std::move(name),
                              internal::ToBeAwaited<A>(std::move(awaitable)),
                              std::move(sink));
}

// Times every coroutine that `function` creates. The result takes the same
// arguments as `function`.
template <typename Function>
  requires(!Awaitable<Function>)
[[nodiscard]] auto Timed(std::string name, Function function,
                         TimedSink sink = nullptr) {
  return internal::TimedFunction<Function>(std::move(name), std::move(function),
                                           std::move(sink));
}

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_TIMED_H_
