// The task itself, in asyncio's algorithm: a callback of the loop runs one step
// of a program at a time, and waits for the future that the step returns.
// Cancelling a task cancels that future, or sets a mark for the next step.
//
// task_drops_cancel (no issue known): the mark is set only if there is no
// future to cancel. Breaks: that future is done already, and the task's wake-up
// is on its way. The cancellation is promised, but never delivered.
//
// task_ignores_last_cancel (bpo-30048; before Python 3.6.15): a program that
// ends has ended, marked or not. Breaks: it was cancelled in its last step, as
// by a server that is closed by one of its own tasks.
//
// task_fails_when_cancelled_last (after bpo-30048; 3.6 and 3.7): then it ends
// with CancelledError, but as a failed task, not as a cancelled one.
//
// task_keeps_mark (gh-116720; 3.11 and 3.12): the mark stays when all requests
// are taken back. Breaks: a deadline cancels the running task, and then finds
// that it is in time. The task is cancelled at its next wait.
//
// The fixed twins are the same without the mistake: today's algorithm. The
// test: a task serves a request; it may be cancelled, or close the server from
// inside, or a deadline may cancel it and take that back. A task ends cancelled
// if and only if a cancellation was promised.
//
// generator_is_shared (bpo-30773; 3.6 and 3.7): two tasks can request the next
// value of an asynchronous generator at once, while it awaits. Both get the
// same one. The fixed twin is this runtime's AsyncGenerator, which rejects the
// second (rule AG-03). The test: each value is returned once.

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/examples/asyncio_bugs/bug_programs.h"
#include "clotho/examples/races/races.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/choice.h"

namespace clotho::examples {
namespace {

// ---- The task. ----

enum class Mistake {
  kNone,
  kDropsCancel,
  kIgnoresLastCancel,
  kFailsWhenCancelledLast,
  kKeepsMark,
};

class OldTask : public std::enable_shared_from_this<OldTask> {
 public:
  // A step: takes the exception to throw into the program, or null. Returns the
  // future to wait for; nullopt if the program has ended. An exception it
  // throws fails the program.
  using Program =
      std::function<std::optional<Future<void>>(std::exception_ptr)>;

  explicit OldTask(Mistake mistake) : mistake_(mistake) {}

  void Start(Program program) {
    program_ = std::move(program);
    GetRunningLoop().CallSoon([self = shared_from_this()] { self->Step(); });
  }

  // Returns whether the cancellation is promised.
  bool Cancel() {
    if (outcome_.Done()) return false;
    ++requests_;
    if (waits_for_.has_value()) {
      if (waits_for_->Cancel()) return true;
      if (mistake_ == Mistake::kDropsCancel) return true;
    }
    marked_ = true;
    return true;
  }

  // Takes one request back.
  void Uncancel() {
    --requests_;
    if (requests_ == 0 && mistake_ != Mistake::kKeepsMark) marked_ = false;
  }

  const Future<void>& outcome() const { return outcome_; }

 private:
  void Step() {
    std::exception_ptr thrown;
    if (waits_for_.has_value() && waits_for_->Cancelled()) marked_ = true;
    if (std::exchange(marked_, false)) {
      thrown = std::make_exception_ptr(CancelledError());
    }
    waits_for_.reset();
    try {
      waits_for_ = program_(thrown);
    } catch (const CancelledError&) {
      outcome_.Cancel();
      return;
    }
    if (!waits_for_.has_value()) {
      End();
      return;
    }
    if (marked_ && waits_for_->Cancel()) marked_ = false;
    waits_for_->AddDoneCallback([self = shared_from_this()] { self->Step(); });
  }

  void End() {
    if (!marked_ || mistake_ == Mistake::kIgnoresLastCancel) {
      outcome_.SetResult();
    } else if (mistake_ == Mistake::kFailsWhenCancelledLast) {
      outcome_.SetException(std::make_exception_ptr(CancelledError()));
    } else {
      outcome_.Cancel();
    }
  }

  const Mistake mistake_;
  Program program_;
  Future<void> outcome_;
  std::optional<Future<void>> waits_for_;
  int requests_ = 0;
  bool marked_ = false;
};

template <Mistake mistake>
Coro<void> Serve(bool fixed) {
  const Future<void> request;
  const auto task = std::make_shared<OldTask>(fixed ? Mistake::kNone : mistake);
  bool promised = false;
  bool has_begun = false;
  // Captures a pointer, since the task owns this function.
  task->Start([&, server = task.get()](
                  std::exception_ptr thrown) -> std::optional<Future<void>> {
    if (thrown != nullptr) std::rethrow_exception(thrown);
    if (std::exchange(has_begun, true)) {
      if (sim::Choose(2) == 1) promised = server->Cancel();
      return std::nullopt;
    }
    if (!promised && sim::Choose(2) == 1 && server->Cancel()) {
      server->Uncancel();
    }
    return request;
  });
  co_await Sleep(HalfASecondOrTwo());
  if (!request.Done()) request.SetResult();
  const std::uint64_t turn = sim::Choose(3);
  for (std::uint64_t i = 1; i < turn; ++i) {
    co_await Sleep(absl::ZeroDuration());
  }
  if (turn > 0 && task->Cancel()) promised = true;
  co_await Wait(std::vector{task->outcome()});
  Always(task->outcome().Cancelled() == promised,
         "who is promised a cancellation ends cancelled, and nobody else");
}

// ---- generator_is_shared ----

constexpr int kValues = 3;

// Yields 0, 1, 2, then ends.
class OldTicks {
 public:
  Coro<std::optional<int>> Next() {
    if (next_ == kValues) co_return std::nullopt;
    const int value = next_;
    co_await Sleep(absl::Milliseconds(1));
    next_ = value + 1;
    co_return value;
  }

 private:
  int next_ = 0;
};

AsyncGenerator<int> Ticks() {
  for (int value = 0; value < kValues; ++value) {
    co_await Sleep(absl::Milliseconds(1));
    co_yield value;
  }
}

template <typename Generator>
Coro<void> Consume(Generator& ticks, std::multiset<int>& seen) {
  try {
    while (const std::optional<int> value = co_await ticks.Next()) {
      seen.insert(*value);
    }
  } catch (const RuntimeError&) {
    // Other requests are served.
  }
}

template <typename Generator>
Coro<void> ConsumeTwice(Generator ticks) {
  std::multiset<int> seen;
  Task<void> first = CreateTask(Consume(ticks, seen), {.name = "first"});
  if (sim::Choose(2) == 0) co_await Wait(std::vector{first});
  Task<void> second = CreateTask(Consume(ticks, seen), {.name = "second"});
  co_await Join({first, second});
  Always(seen == std::multiset<int>{0, 1, 2}, "each value comes out once");
}

Coro<void> ShareAGenerator(bool fixed) {
  if (fixed) {
    co_await ConsumeTwice(Ticks());
  } else {
    co_await ConsumeTwice(OldTicks());
  }
}

}  // namespace

std::vector<Race> TaskBugs() {
  constexpr std::string_view kSays = "who is promised a cancellation";
  return {Bug({.name = "task_drops_cancel",
               .says = kSays,
               .published = {.note = "no issue known"}},
              &Serve<Mistake::kDropsCancel>),
          Bug({.name = "task_ignores_last_cancel",
               .depth = 1,
               .says = kSays,
               .published = {.note = "bpo-30048, before 3.6.15"}},
              &Serve<Mistake::kIgnoresLastCancel>),
          Bug({.name = "task_fails_when_cancelled_last",
               .depth = 1,
               .says = kSays,
               .published = {.note = "after bpo-30048, 3.6 and 3.7"}},
              &Serve<Mistake::kFailsWhenCancelledLast>),
          Bug({.name = "task_keeps_mark",
               .depth = 1,
               .says = kSays,
               .published = {.note = "gh-116720, 3.11 and 3.12"}},
              &Serve<Mistake::kKeepsMark>),
          Bug({.name = "generator_is_shared",
               .depth = 1,
               .says = "each value comes out once",
               .published = {.note = "bpo-30773, 3.6 and 3.7"}},
              &ShareAGenerator)};
}

}  // namespace clotho::examples
