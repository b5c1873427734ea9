// Actions for gMock whose mocked functions are coroutines.
//
//   class MockStore : public Store {
//    public:
//     MOCK_METHOD(Coro<std::string>, Get, (std::string key), (override));
//   };
//
//   EXPECT_CALL(store, Get("k"))
//       .WillOnce(sim::CoReturnAfter(absl::Seconds(10), "late"))
//       .WillOnce(sim::CoThrow(IoError("down")))
//       .WillRepeatedly(
//           sim::CoInvoke([&](std::string key) -> Coro<std::string> {
//             co_await Sleep(absl::Milliseconds(1));
//             co_return key + "!";
//           }));
//
// The call counts when it is made; the action runs when the coroutine is
// awaited. Take arguments by value: the coroutine outlives the call. (gMock
// runs a copy of an action that is destroyed when the call returns: a lambda
// that is itself a coroutine, with captures, would dangle at its first
// suspension. CoInvoke keeps it alive.) The names are those of folly.

#ifndef CLOTHO_SIM_ACTIONS_H_
#define CLOTHO_SIM_ACTIONS_H_

#include <array>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#include "clotho/runtime/coro.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/sleep.h"
#include "clotho/sim/choice.h"
#include "gmock/gmock.h"

namespace clotho::sim {

namespace internal {

template <typename T, typename Value>
Coro<T> ReturnAfter(Delay delay, bool sleeps, Value value) {
  if (sleeps) co_await Sleep(delay);
  co_return T(std::move(value));
}

inline Coro<void> ReturnNothingAfter(Delay delay, bool sleeps) {
  if (sleeps) co_await Sleep(delay);
}

template <typename T, typename Exception>
Coro<T> Throw(Exception exception) {
  throw exception;
  co_return co_await Throw<T>(exception);  // Makes it a coroutine.
}

template <typename T, typename Function, typename... Args>
Coro<T> InvokeIn(Function function, Args... args) {
  co_return co_await function(std::move(args)...);
}

template <typename Value>
class CoReturnAction {
 public:
  CoReturnAction(Delay delay, bool sleeps, Value value)
      : delay_(delay), sleeps_(sleeps), value_(std::move(value)) {}

  template <typename T, typename... Args>
  operator testing::Action<Coro<T>(Args...)>() const {  // NOLINT: converts.
    return [action = *this](Args...) -> Coro<T> {
      return ReturnAfter<T>(action.delay_, action.sleeps_, action.value_);
    };
  }

 private:
  Delay delay_;
  bool sleeps_;
  Value value_;
};

class CoReturnNothingAction {
 public:
  CoReturnNothingAction(Delay delay, bool sleeps)
      : delay_(delay), sleeps_(sleeps) {}

  template <typename... Args>
  operator testing::Action<Coro<void>(Args...)>() const {  // NOLINT: as above.
    return [action = *this](Args...) -> Coro<void> {
      return ReturnNothingAfter(action.delay_, action.sleeps_);
    };
  }

 private:
  Delay delay_;
  bool sleeps_;
};

template <typename Exception>
class CoThrowAction {
 public:
  explicit CoThrowAction(Exception exception)
      : exception_(std::move(exception)) {}

  template <typename T, typename... Args>
  operator testing::Action<Coro<T>(Args...)>() const {  // NOLINT: as above.
    return [exception = exception_](Args...) -> Coro<T> {
      return Throw<T>(exception);
    };
  }

 private:
  Exception exception_;
};

template <typename Function>
class CoInvokeAction {
 public:
  explicit CoInvokeAction(Function function) : function_(std::move(function)) {}

  template <typename T, typename... Args>
  operator testing::Action<Coro<T>(Args...)>() const {  // NOLINT: as above.
    return [function = function_](Args... args) -> Coro<T> {
      return InvokeIn<T, Function, std::decay_t<Args>...>(
          function, std::forward<Args>(args)...);
    };
  }

 private:
  Function function_;
};

template <typename... Actions>
class CoChooseAction {
 public:
  explicit CoChooseAction(Actions... actions)
      : actions_(std::move(actions)...) {}

  template <typename T, typename... Args>
  operator testing::Action<Coro<T>(Args...)>() const {  // NOLINT: as above.
    using One = testing::Action<Coro<T>(Args...)>;
    return [actions = std::apply(
                [](const Actions&... all) {
                  return std::array<One, sizeof...(Actions)>{One(all)...};
                },
                actions_)](Args... args) -> Coro<T> {
      return actions[Choose(actions.size())].Perform(
          std::forward_as_tuple(std::forward<Args>(args)...));
    };
  }

 private:
  std::tuple<Actions...> actions_;
};

}  // namespace internal

// Returns `value`.
template <typename Value>
auto CoReturn(Value value) {
  return internal::CoReturnAction<Value>({}, /*sleeps=*/false,
                                         std::move(value));
}
inline auto CoReturn() {
  return internal::CoReturnNothingAction({}, /*sleeps=*/false);
}

// Returns `value` after `delay`.
template <typename Value>
auto CoReturnAfter(Delay delay, Value value) {
  return internal::CoReturnAction<Value>(delay, /*sleeps=*/true,
                                         std::move(value));
}
inline auto CoReturnAfter(Delay delay) {
  return internal::CoReturnNothingAction(delay, /*sleeps=*/true);
}

// Throws a copy of `exception`.
template <typename Exception>
auto CoThrow(Exception exception) {
  return internal::CoThrowAction<Exception>(std::move(exception));
}

// Awaits `function(arguments...)`. The function and the arguments live as long
// as the coroutine.
template <typename Function>
auto CoInvoke(Function function) {
  return internal::CoInvokeAction<Function>(std::move(function));
}

// One of these actions: the explorer chooses (see choice.h). In FIFO order it
// is the first one.
template <typename... Actions>
auto CoChoose(Actions... actions) {
  static_assert(sizeof...(Actions) > 0);
  return internal::CoChooseAction<Actions...>(std::move(actions)...);
}

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_ACTIONS_H_
