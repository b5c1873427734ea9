// StaggeredRace: tries alternatives one after another, and takes the first that
// succeeds.
//
//   std::vector<absl::AnyInvocable<Coro<Connection>()>> attempts = ...;
//   auto race = co_await StaggeredRace(std::move(attempts),
//                                      absl::Milliseconds(250));
//   if (race.winner_index.has_value()) Use(*race.winner_result);
//
// The first function is called at once; each further one as soon as the
// previous one fails, or after `delay`. The first to return wins, and the
// others are cancelled. This is how to connect to one of several addresses
// ("happy eyeballs", RFC 8305). The semantics are those of CPython's
// asyncio.staggered.

#ifndef CLOTHO_RUNTIME_STAGGERED_RACE_H_
#define CLOTHO_RUNTIME_STAGGERED_RACE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <optional>
#include <ranges>
#include <source_location>
#include <type_traits>
#include <utility>
#include <vector>

#include "clotho/runtime/coro.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/event.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/frame_pool.h"
#include "clotho/runtime/internal/lifetimes.h"
#include "clotho/runtime/internal/ref.h"
#include "clotho/runtime/task.h"

namespace clotho {

template <typename T>
struct StaggeredRaceResult {
  // The winner's result and index; nullopt if all failed.
  std::optional<internal::Stored<T>> winner_result;
  std::optional<std::size_t> winner_index;
  // One for each function that was started; null for the winner. CancelledError
  // for one that was cancelled because another won.
  std::vector<std::exception_ptr> exceptions;
};

namespace internal {

// The state shared by a race's tasks. They may outlive the awaiter, since a
// cancelled race does not wait for them.
class StaggeredRaceBase : public Pooled {
 public:
  StaggeredRaceBase(std::optional<Delay> delay, std::source_location location)
      : delay_(delay), location_(location) {}
  StaggeredRaceBase(const StaggeredRaceBase&) = delete;

  void AddRef() noexcept { ++references_; }
  void Release() noexcept {
    if (--references_ == 0) delete this;
  }

  // Ends when all tasks of the race have ended.
  static Coro<void> Run(Ref<StaggeredRaceBase> self);

  std::optional<std::size_t> winner_index() const { return winner_index_; }
  std::vector<std::exception_ptr> TakeExceptions() {
    return std::move(exceptions_);
  }

 protected:
  virtual ~StaggeredRaceBase() = default;
  // The next attempt, if there is one. The attempt stores its own result.
  virtual std::optional<Coro<void>> Next() = 0;

 private:
  // A task of the race: waits for its turn, then starts the next task.
  static Coro<void> TakePart(Ref<StaggeredRaceBase> self,
                             Event* previous_failed);
  void Start(Event* previous_failed);

  std::uint32_t references_ = 0;
  const std::optional<Delay> delay_;
  const std::source_location location_;
  std::vector<Task<void>> tasks_;
  std::deque<Event> failed_;  // One for each attempt.
  std::vector<std::exception_ptr> exceptions_;
  std::optional<std::size_t> winner_index_;
};

template <std::ranges::input_range Functions>
class StaggeredRaceOf final : public StaggeredRaceBase {
 public:
  using Function = std::ranges::range_value_t<Functions>;
  using T = AwaitResult<std::invoke_result_t<Function&>>;

  StaggeredRaceOf(Functions functions, std::optional<Delay> delay,
                  std::source_location location)
      : StaggeredRaceBase(delay, location), functions_(std::move(functions)) {}

  StaggeredRaceResult<T> TakeResult() {
    return {.winner_result = std::move(result_),
            .winner_index = winner_index(),
            .exceptions = TakeExceptions()};
  }

 private:
  std::optional<Coro<void>> Next() override {
    if (!at_.has_value()) {
      at_.emplace(std::ranges::begin(functions_));
    } else if (*at_ != std::ranges::end(functions_)) {
      ++*at_;
    }
    if (*at_ == std::ranges::end(functions_)) return std::nullopt;
    return Try(std::ranges::iter_move(*at_));
  }

  Coro<void> Try(Function function) {
    if constexpr (std::is_void_v<T>) {
      co_await function();
      result_.emplace();
    } else {
      result_.emplace(co_await function());
    }
  }

  Functions functions_;
  std::optional<std::ranges::iterator_t<Functions>> at_;
  std::optional<Stored<T>> result_;
};

template <typename Race>
Coro<StaggeredRaceResult<typename Race::T>> RunStaggeredRace(Ref<Race> race) {
  co_await StaggeredRaceBase::Run(Ref<StaggeredRaceBase>(race.get()));
  co_return race->TakeResult();
}

}  // namespace internal

// Calls and awaits the functions of a range until one succeeds, each in a task.
// The range is advanced only when the next function's turn comes. With `delay`
// nullopt, a function is called only when all previous ones have failed.
//
// Functions must let CancelledError propagate. Critical exceptions propagate,
// as they do from tasks. If the race itself is cancelled, it cancels its tasks
// and does not wait for them.
template <std::ranges::input_range Functions>
  requires Awaitable<
      std::invoke_result_t<std::ranges::range_value_t<Functions>&>>
[[nodiscard]] CLOTHO_CORO_WRAPPER auto StaggeredRace(
    Functions functions, std::optional<Delay> delay,
    std::source_location location = std::source_location::current()) {
  using Race = internal::StaggeredRaceOf<Functions>;
  return internal::RunStaggeredRace(
      internal::Ref<Race>(new Race(std::move(functions), delay, location)));
}

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_STAGGERED_RACE_H_
