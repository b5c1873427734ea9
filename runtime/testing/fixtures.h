// For the runtime's own tests: programs on a clock that stands still, and a log
// of what happened when.
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
// The lambdas of a test are named, and stand in its body: they must outlive the
// coroutines that they make.

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

// Moves only when a loop waits, and then to the deadline at once.
class JumpingClock final : public Clock {
 public:
  JumpingClock() : Clock(Kind::kStandsStill) {}
  bool Wait(std::optional<std::int64_t> deadline_ns) override {
    if (!deadline_ns.has_value()) return false;
    if (*deadline_ns > now_ns_) now_ns_ = *deadline_ns;
    return true;
  }
  void Block(std::int64_t duration_ns) override { now_ns_ += duration_ns; }
  // As if a step had taken this long.
  void Advance(absl::Duration duration) {
    Block(absl::ToInt64Nanoseconds(duration));
  }
};

// Runs a coroutine to its end on a loop and a clock of its own, and returns or
// throws its outcome.
template <typename T>
T RunVirtual(Coro<T> coro) {
  JumpingClock clock;
  EventLoop loop({.clock = &clock});
  return loop.RunUntilComplete(std::move(coro));
}

// What Python calls the exception: "TimeoutError()", "CancelledError('m')".
inline std::string Repr(const std::exception_ptr& exception) {
  if (exception == nullptr) return "None";
  const std::string type = ExceptionClass(exception);
  std::string text = DescribeException(exception);
  text.erase(0, type.size() + 2);  // "Type: "
  try {
    std::rethrow_exception(exception);
  } catch (const CancelledError& e) {
    // An empty message is not the same as none.
    return e.message().has_value() ? absl::StrCat(type, "('", text, "')")
                                   : absl::StrCat(type, "()");
  } catch (...) {
  }
  return text.empty() ? absl::StrCat(type, "()")
                      : absl::StrCat(type, "('", text, "')");
}

// What `function` throws, as "RuntimeError: text"; "nothing" if it returns.
template <typename Function>
std::string Thrown(Function function) {
  try {
    function();
  } catch (...) {
    return DescribeException(std::current_exception());
  }
  return "nothing";
}

// A loop on a virtual clock. Whatever it reports to its exception handler is
// logged, and fails the test unless the test takes note of it; so does memory
// that is still taken when the loop is closed.
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

  // A task of the loop, from outside of it.
  template <typename T>
  Task<T> Start(Coro<T> coro, const TaskOptions& options = {}) {
    return CreateTaskIn(loop_, std::move(coro), options,
                        std::source_location::current());
  }

  // Runs so many iterations. The clock does not move.
  void Iterate(int count = 1) {
    for (; count > 0; --count) {
      loop_.Stop();
      loop_.RunForever();
    }
  }

  // What awaiting it throws, as Repr has it; "None" if it returns.
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

  // Adds "i2 t=0.5 one two" to the log: the iteration, the time in seconds, and
  // the arguments.
  template <typename... Args>
  void Log(const Args&... args) {
    log_.push_back(absl::StrCat("i", loop_.iterations(),
                                " t=", absl::ToDoubleSeconds(loop_.Time()), " ",
                                Words(args...)));
  }
  // Adds the arguments alone.
  template <typename... Args>
  void Note(const Args&... args) {
    log_.push_back(Words(args...));
  }

  // What was given to the exception handler since the last call.
  std::vector<std::string> TakeReports() { return std::exchange(reports_, {}); }

  // Whether memory is taken now that was not when the test began. Always false
  // where the pool does not know.
  bool HoldsMemory() const {
    return !kFramePoolIsMalloc && thread_frame_pool.live() != live_at_start_;
  }

 private:
  // When everything else is gone, nothing must be left in the pool.
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
