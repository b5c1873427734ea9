// Fixtures for the runtime's own tests: programs on a clock that stands still,
// and a log of what happened when.
//
//   class LockTest : public internal::RuntimeTest {};
//
//   TEST_F(LockTest, WakesTheFirstInLine) {
//     Lock lock;
//     const auto main = [&]() -> Coro<void> {
//       auto guard = co_await lock.Acquire();
//       Log("taken");
//     };
//     Run(main());
//     EXPECT_THAT(log_, ElementsAre("i1 t=0 taken"));
//   }
//
// The lambdas of a test are named variables in its body: they must outlive the
// coroutines they create.

#ifndef CLOTHO_RUNTIME_TESTING_FIXTURES_H_
#define CLOTHO_RUNTIME_TESTING_FIXTURES_H_

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "clotho/runtime/clock.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/internal/frame_pool.h"
#include "clotho/runtime/task.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::internal {

// Advances only when a loop waits, and then straight to the deadline.
class JumpingClock final : public Clock {
 public:
  JumpingClock() : Clock(Kind::kStandsStill) {}
  bool Wait(std::optional<std::int64_t> deadline_ns) override {
    if (!deadline_ns.has_value()) return false;
    if (*deadline_ns > now_ns_) now_ns_ = *deadline_ns;
    return true;
  }
  void Block(std::int64_t duration_ns) override { now_ns_ += duration_ns; }
  // As if a step had taken `duration`.
  void Advance(absl::Duration duration) {
    Block(absl::ToInt64Nanoseconds(duration));
  }
};

// Runs a coroutine to its end on its own loop and clock, and returns or throws
// its outcome.
template <typename T>
T RunVirtual(Coro<T> coro) {
  JumpingClock clock;
  EventLoop loop({.clock = &clock});
  return loop.RunUntilComplete(std::move(coro));
}

// Python's repr of the exception: "TimeoutError()", "CancelledError('m')".
inline std::string Repr(const std::exception_ptr& exception) {
  if (exception == nullptr) return "None";
  const std::string type = ExceptionClass(exception);
  std::string text = DescribeException(exception);
  text.erase(0, type.size() + 2);  // "Type: "
  try {
    std::rethrow_exception(exception);
  } catch (const CancelledError& e) {
    // An empty message is different from no message.
    return e.message().has_value() ? absl::StrCat(type, "('", text, "')")
                                   : absl::StrCat(type, "()");
  } catch (...) {
  }
  return text.empty() ? absl::StrCat(type, "()")
                      : absl::StrCat(type, "('", text, "')");
}

// The exception `function` throws, as "RuntimeError: text"; "nothing" if it
// returns.
template <typename Function>
std::string Thrown(Function function) {
  try {
    function();
  } catch (...) {
    return DescribeException(std::current_exception());
  }
  return "nothing";
}

// A loop on a virtual clock. Reports to its exception handler are logged, and
// fail the test unless the test takes them; so does memory that is still
// allocated when the loop is closed.
class RuntimeTest : public testing::Test {
 protected:
  RuntimeTest() {
    loop_.SetExceptionHandler([this](EventLoop&, const ExceptionContext& c) {
      Log("handler", c.message, Repr(c.exception));
      reports_.push_back(
          c.exception == nullptr
              ? c.message
              : absl::StrCat(c.message, ": ", DescribeException(c.exception)));
    });
  }

  void SetUp() override { live_at_start_ = thread_frame_pool.live(); }
  void TearDown() override {
    loop_.Close();
    EXPECT_THAT(reports_, testing::IsEmpty()) << "what no test has asked for";
  }

  template <typename T>
  T Run(Coro<T> coro) {
    return loop_.RunUntilComplete(std::move(coro));
  }

  // Starts a task on the loop from outside.
  template <typename T>
  Task<T> Start(Coro<T> coro, const TaskOptions& options = {}) {
    return CreateTaskIn(loop_, std::move(coro), options,
                        std::source_location::current());
  }

  // Runs `count` iterations. The clock does not move.
  void Iterate(int count = 1) {
    for (; count > 0; --count) {
      loop_.Stop();
      loop_.RunForever();
    }
  }

  // The Repr of the exception that awaiting `awaitable` throws; "None" if it
  // returns.
  template <typename A>
  static Coro<std::string> Raised(A awaitable) {
    try {
      static_cast<void>(co_await std::move(awaitable));
    } catch (...) {
      co_return Repr(std::current_exception());
    }
    co_return "None";
  }

  // Runs until nothing can happen any more.
  void RunToStandstill() { EXPECT_THROW(loop_.RunForever(), DeadlockError); }

  // Logs "i2 t=0.5 one two": the iteration, the time in seconds, and the
  // arguments.
  template <typename... Args>
  void Log(const Args&... args) {
    log_.push_back(absl::StrCat("i", CoreOf(loop_).iterations(),
                                " t=", absl::ToDoubleSeconds(loop_.Time()), " ",
                                Words(args...)));
  }
  // Logs only the arguments.
  template <typename... Args>
  void Note(const Args&... args) {
    log_.push_back(Words(args...));
  }

  // The reports to the exception handler since the last call.
  std::vector<std::string> TakeReports() { return std::exchange(reports_, {}); }

  // True if memory is allocated now that was not when the test started. Always
  // false where the pool does not count.
  bool HoldsMemory() const {
    return !kFramePoolIsMalloc && thread_frame_pool.live() != live_at_start_;
  }

 private:
  // Once everything else is gone, nothing must be left in the pool.
  struct LeakCheck {
    ~LeakCheck() {
      if (kFramePoolIsMalloc) return;
      EXPECT_EQ(thread_frame_pool.live(), live_before) << "not released";
    }
    const std::int64_t live_before = thread_frame_pool.live();
  } leak_check_;
  std::int64_t live_at_start_ = 0;

 protected:
  JumpingClock clock_;
  EventLoop loop_{{.clock = &clock_}};
  std::vector<std::string> log_;

 private:
  template <typename T>
  static std::string Word(const T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      return value ? "True" : "False";
    } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
      return std::string(std::string_view(value));
    } else {
      return absl::StrCat(value);
    }
  }
  template <typename... Args>
  static std::string Words(const Args&... args) {
    const std::vector<std::string> words = {Word(args)...};
    return absl::StrJoin(words, " ");
  }

  std::vector<std::string> reports_;
};

}  // namespace clotho::internal

#endif  // CLOTHO_RUNTIME_TESTING_FIXTURES_H_
