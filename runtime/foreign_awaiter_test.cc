#include "clotho/runtime/foreign_awaiter.h"

#include <concepts>
#include <coroutine>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/gather.h"
#include "clotho/runtime/shield.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/testing/fixtures.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace foreign {

// What another library resumes by hand.
class Signal {
 public:
  struct SignalAwaiter {
    Signal& signal;
    bool await_ready() const { return signal.value_.has_value(); }
    void await_suspend(std::coroutine_handle<> handle) const {
      signal.handle_ = handle;
    }
    int await_resume() const {
      signal.handle_ = nullptr;
      if (signal.value_ < 0) throw std::runtime_error("negative");
      return *signal.value_;
    }
    ~SignalAwaiter() { signal.handle_ = nullptr; }
  };
  SignalAwaiter operator co_await() { return {*this}; }

  bool has_waiter() const { return handle_ != nullptr; }
  void Set(int value) {
    value_ = value;
    if (handle_ != nullptr) handle_.resume();
  }

 private:
  std::coroutine_handle<> handle_;
  std::optional<int> value_;
};

// A class with the three members, which can be neither copied nor moved.
template <typename Suspend>
struct Members {
  explicit Members(Suspend s) : suspend(std::move(s)) {}
  Members(const Members&) = delete;
  bool await_ready() const { return false; }
  auto await_suspend(std::coroutine_handle<> handle) { return suspend(handle); }
  std::unique_ptr<int> await_resume() { return std::make_unique<int>(7); }
  Suspend suspend;
};

// With a free operator, and a nested class named as those of this library.
struct Number {
  struct Awaiter {
    int value;
    bool await_ready() const { return true; }
    void await_suspend(std::coroutine_handle<>) const {}
    int await_resume() const { return value; }
  };
  int value;
};
Number::Awaiter operator co_await(const Number& number) {
  return {number.value};
}

// A lazy coroutine of another library, which goes on with who awaits it.
struct Lazy {
  struct promise_type {
    std::coroutine_handle<> parent;
    int value = 0;
    Lazy get_return_object() {
      return {std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    auto final_suspend() noexcept {
      struct Final {
        bool await_ready() noexcept { return false; }
        std::coroutine_handle<> await_suspend(
            std::coroutine_handle<promise_type> self) noexcept {
          return self.promise().parent;
        }
        void await_resume() noexcept {}
      };
      return Final{};
    }
    void return_value(int v) { value = v; }
    void unhandled_exception() {}
  };

  bool await_ready() const { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> parent) const {
    handle.promise().parent = parent;
    return handle;
  }
  int await_resume() const {
    const int value = handle.promise().value;
    handle.destroy();
    return value;
  }
  std::coroutine_handle<promise_type> handle;
};
Lazy Double(Signal& signal) { co_return 2 * co_await signal; }

}  // namespace foreign

namespace clotho {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

static_assert(Awaitable<foreign::Signal&>);
static_assert(Awaitable<foreign::Number>);
static_assert(Awaitable<foreign::Lazy>);
static_assert(std::same_as<AwaitResult<foreign::Signal&>, int>);

class ForeignAwaiterTest : public internal::RuntimeTest {
 protected:
  foreign::Signal signal_;
};

TEST_F(ForeignAwaiterTest, TheTaskGoesOnInTheNextIteration) {
  const auto main = [&]() -> Coro<void> {
    Log("waits");
    Log("has", co_await signal_);
  };
  const auto task = Start(main());
  Iterate();
  loop_.CallLater(absl::Seconds(1), [&] {
    signal_.Set(3);
    Log("set");
  });
  loop_.RunUntilComplete(task);
  EXPECT_THAT(log_, ElementsAre("i1 t=0 waits", "i2 t=1 set", "i3 t=1 has 3"));
}

TEST_F(ForeignAwaiterTest, WhatIsReadyDoesNotSuspend) {
  const auto main = [&]() -> Coro<void> {
    signal_.Set(1);
    Log(co_await signal_, co_await foreign::Number{2});
    co_await std::suspend_never();
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("i1 t=0 1 2"));
}

TEST_F(ForeignAwaiterTest, ItsExceptionComesOutOfTheAwait) {
  const auto main = [&]() -> Coro<void> { co_await signal_; };
  loop_.CallSoon([&] { loop_.CallSoon([&] { signal_.Set(-1); }); });
  EXPECT_THROW(Run(main()), std::runtime_error);
}

TEST_F(ForeignAwaiterTest, EveryReturnTypeOfAwaitSuspend) {
  const auto resume_at_once = [](std::coroutine_handle<> handle) {
    handle.resume();
  };
  const auto no = [](std::coroutine_handle<>) { return false; };
  const auto yes = [&](std::coroutine_handle<> handle) {
    loop_.CallSoon([handle] { handle.resume(); });
    return true;
  };
  const auto itself = [](std::coroutine_handle<> handle) { return handle; };
  const auto throws = [](std::coroutine_handle<>) {
    throw ValueError("cannot wait");
  };
  const auto main = [&]() -> Coro<void> {
    Log(*co_await foreign::Members(resume_at_once));
    Log(*co_await foreign::Members(no));
    Log(*co_await foreign::Members(yes));
    Log(*co_await foreign::Members(itself));
    try {
      co_await foreign::Members(throws);
    } catch (const ValueError& e) {
      Log(e.what());
    }
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre("i2 t=0 7", "i3 t=0 7", "i5 t=0 7", "i6 t=0 7",
                                "i7 t=0 cannot wait"));
}

TEST_F(ForeignAwaiterTest, CoroutinesOfAnotherLibrary) {
  const auto main = [&]() -> Coro<int> {
    co_return co_await foreign::Double(signal_);
  };
  loop_.CallLater(absl::Seconds(1), [&] { signal_.Set(21); });
  EXPECT_EQ(Run(main()), 42);
}

TEST_F(ForeignAwaiterTest, TheLibrarysFunctionsTakeThem) {
  class Page {
   public:
    foreign::Number Await() { return {5}; }
  };
  const auto main = [&]() -> Coro<void> {
    auto [a, b] = co_await Gather(foreign::Number{1}, Page());
    Log(a, b, co_await CreateTask(foreign::Number{2}), co_await Page());
  };
  Run(main());
  EXPECT_THAT(log_, ElementsAre(HasSubstr("1 5 2 5")));
}

TEST_F(ForeignAwaiterTest, AnotherThreadMayResume) {
  EventLoop loop;  // On the real clock.
  std::thread thread;
  const auto suspend = [&](std::coroutine_handle<> handle) {
    thread = std::thread([handle] { handle.resume(); });
  };
  std::thread::id resumed_in;
  const auto main = [&]() -> Coro<void> {
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(*co_await foreign::Members(suspend), 7);
      resumed_in = std::this_thread::get_id();
      thread.join();
    }
  };
  loop.RunUntilComplete(main());
  EXPECT_EQ(resumed_in, std::this_thread::get_id());
}

TEST_F(ForeignAwaiterTest, CancellationIsDeliveredWhenItResumes) {
  const auto main = [&]() -> Coro<void> {
    try {
      Log("has", co_await signal_);
    } catch (const CancelledError& e) {
      Log("cancelled", e.message().value_or("no message"));
      throw;
    }
  };
  for (const int value : {3, -1}) {  // Its result is dropped, or its exception.
    signal_ = foreign::Signal();
    log_.clear();
    const auto task = Start(main());
    Iterate();
    EXPECT_TRUE(task.Cancel("stop"));
    Iterate(2);
    EXPECT_FALSE(task.Done());
    EXPECT_TRUE(signal_.has_waiter());
    signal_.Set(value);
    EXPECT_THROW(loop_.RunUntilComplete(task), CancelledError);
    EXPECT_TRUE(task.Cancelled());
    EXPECT_THAT(log_, ElementsAre(HasSubstr("cancelled stop")));
  }
}

TEST_F(ForeignAwaiterTest, CancelledBeforeItWaitsItStillWaits) {
  const auto main = [&]() -> Coro<void> {
    CurrentTask()->Cancel();
    co_await signal_;
  };
  const auto task = Start(main());
  Iterate(3);
  EXPECT_FALSE(task.Done());
  signal_.Set(1);
  EXPECT_THROW(loop_.RunUntilComplete(task), CancelledError);
}

TEST_F(ForeignAwaiterTest, UncancelledInTimeItGetsTheResult) {
  const auto main = [&]() -> Coro<int> { co_return co_await signal_; };
  const auto task = Start(main());
  Iterate();
  task.Cancel();
  task.Uncancel();
  signal_.Set(3);
  EXPECT_EQ(loop_.RunUntilComplete(task), 3);
}

TEST_F(ForeignAwaiterTest, ShieldLetsTheCancelledTaskGoOnAtOnce) {
  const auto main = [&]() -> Coro<void> {
    const auto wait = [&]() -> Coro<int> { co_return co_await signal_; };
    co_await Shield(CoInvoke(wait));
  };
  const auto task = Start(main());
  Iterate(2);
  task.Cancel();
  EXPECT_THROW(loop_.RunUntilComplete(task), CancelledError);
  EXPECT_TRUE(signal_.has_waiter());
  signal_.Set(1);
  Iterate(3);
}

TEST_F(ForeignAwaiterTest, ClosingTheLoopDestroysWhatWaits) {
  const auto main = [&]() -> Coro<void> { co_await signal_; };
  {
    const auto task = Start(main());
    Iterate();
    EXPECT_TRUE(signal_.has_waiter());
  }
  loop_.Close();
  EXPECT_FALSE(signal_.has_waiter());
  TakeReports();  // That the task was pending.
}

TEST_F(ForeignAwaiterTest, ATaskSaysThatItWaitsForOne) {
  const auto main = [&]() -> Coro<void> { co_await signal_; };
  const auto task = Start(main());
  EXPECT_THROW(loop_.RunForever(), DeadlockError);
  internal::WaitInfo info;
  task.base().waiting_on()->Explain(info);
  EXPECT_EQ(info.what, "an awaitable of another library");
  signal_.Set(1);
  loop_.RunUntilComplete(task);
}

}  // namespace
}  // namespace clotho
