// Nothing is left over: an abandoned wait leaves no callback, task or frame;
// every failure is seen; and a seed always gives the same execution. Also code
// that breaks these promises.

#include <cstddef>
#include <exception>
#include <memory>
#include <ostream>
#include <stdexcept>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/properties/runtime/invariant.h"
#include "clotho/properties/runtime/random_pause.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/run_until_idle.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"

namespace clotho::properties {
namespace {

// ---- Abandoned waits. ----

enum class Kind { kShield, kWait, kWaitFor, kGather, kTaskGroup, kCallback };

struct Attempt {
  Kind kind = Kind::kShield;
  int timeout_ms = 0;  // For Wait and WaitFor.
  Pause until_cancel;
};

struct Attempts {
  std::vector<Attempt> attempts;

  static rc::Gen<Attempts> Any();
};

std::ostream& operator<<(std::ostream& out, const Attempts& input) {
  for (const Attempt& attempt : input.attempts) {
    switch (attempt.kind) {
      case Kind::kShield:
        out << "{Shield";
        break;
      case Kind::kWait:
        out << "{Wait for " << attempt.timeout_ms << " ms";
        break;
      case Kind::kWaitFor:
        out << "{WaitFor " << attempt.timeout_ms << " ms";
        break;
      case Kind::kGather:
        out << "{Gather";
        break;
      case Kind::kTaskGroup:
        out << "{TaskGroup";
        break;
      case Kind::kCallback:
        out << "{done callback";
        break;
    }
    out << ", cancelled after " << attempt.until_cancel << "} ";
  }
  return out;
}

rc::Gen<Attempts> Attempts::Any() {
  return rc::gen::build<Attempts>(rc::gen::set(
      &Attempts::attempts,
      UpTo(6, rc::gen::build<Attempt>(
                  rc::gen::set(
                      &Attempt::kind,
                      rc::gen::element(Kind::kShield, Kind::kWait,
                                       Kind::kWaitFor, Kind::kGather,
                                       Kind::kTaskGroup, Kind::kCallback)),
                  rc::gen::set(&Attempt::timeout_ms, rc::gen::inRange(0, 4)),
                  rc::gen::set(&Attempt::until_cancel, Pauses())))));
}

// The system under test.
struct RealWaits {
  static Future<int> Protect(const Future<int>& future) {
    return Shield(future);
  }
  static auto WaitForResult(Future<int> future, Delay timeout) {
    return WaitFor(std::move(future), timeout);
  }
};

// Its frame holds `kept`.
template <typename W>
Coro<void> AwaitProtected(Future<int> future, std::shared_ptr<int>) {
  co_await W::Protect(future);
}

template <typename W>
Coro<void> AttemptToWait(Attempt attempt, Future<int> future,
                         std::shared_ptr<int> kept) {
  const Delay timeout = absl::Milliseconds(attempt.timeout_ms);
  switch (attempt.kind) {
    case Kind::kShield:
      co_await W::Protect(future);
      break;
    case Kind::kWait: {
      const std::vector<Future<int>> futures = {future};
      co_await Wait(futures, {.timeout = timeout});
      break;
    }
    case Kind::kWaitFor:
      try {
        co_await W::WaitForResult(W::Protect(future), timeout);
      } catch (const TimeoutError&) {
      }
      break;
    case Kind::kGather: {
      auto one = AwaitProtected<W>(future, kept);
      co_await Gather(std::move(one), W::Protect(future));
      break;
    }
    case Kind::kTaskGroup: {
      TaskGroup group;
      auto run = group.Run([&]() -> Coro<void> {
        auto one = AwaitProtected<W>(future, kept);
        group.CreateTask(std::move(one));
        co_await W::Protect(future);
      });
      co_await std::move(run);
      break;
    }
    case Kind::kCallback: {
      const auto number = future.AddDoneCallback([kept] {});
      co_await Sleep(absl::ZeroDuration());
      future.RemoveDoneCallback(number);
      break;
    }
  }
}

// W-03, SH-03, S-03, F-09, TG-05; I-5, I-6.
template <typename W>
Coro<void> NothingIsLeftOfAWaitThatIsGivenUp(const Attempts& input) {
  const Future<int> future;
  const auto kept = std::make_shared<int>();
  for (const Attempt& attempt : input.attempts) {
    {
      auto wait = AttemptToWait<W>(attempt, future, kept);
      const Task<void> task = CreateTask(std::move(wait));
      co_await Take(attempt.until_cancel);
      // The task itself removes a callback.
      if (attempt.kind != Kind::kCallback) task.Cancel();
      const std::vector<Task<void>> tasks = {task};
      co_await Wait(tasks);
    }
    co_await sim::RunUntilIdle();
    Always(AllTasks().size() == 1, "no task is left");
    Always(future.state()->waiters().empty(), "nobody is left at the future");
    Always(kept.use_count() == 1, "no frame and no callback is left");
  }
  Always(!future.Done(), "what was waited for is not touched");
}

CLOTHO_INVARIANT(ResidueProperty, NothingIsLeftOfAWaitThatIsGivenUp, Attempts,
                 NothingIsLeftOfAWaitThatIsGivenUp<RealWaits>)

// ---- Failures. ----

struct Failing {
  Pause pause;
  bool fails = false;
  enum class Look { kAwait, kException, kNever } look = Look::kAwait;
};

struct Failures {
  std::vector<Failing> tasks;

  static rc::Gen<Failures> Any();
};

std::ostream& operator<<(std::ostream& out, const Failures& input) {
  const char* const looks[] = {"awaited", "looked at", "dropped"};
  for (const Failing& task : input.tasks) {
    out << "{" << task.pause << (task.fails ? ", fails, " : ", ")
        << looks[static_cast<int>(task.look)] << "} ";
  }
  return out;
}

rc::Gen<Failures> Failures::Any() {
  return rc::gen::build<Failures>(rc::gen::set(
      &Failures::tasks,
      UpTo(5, rc::gen::build<Failing>(
                  rc::gen::set(&Failing::pause, Pauses()),
                  rc::gen::set(&Failing::fails, rc::gen::arbitrary<bool>()),
                  rc::gen::set(&Failing::look,
                               rc::gen::element(Failing::Look::kAwait,
                                                Failing::Look::kException,
                                                Failing::Look::kNever))))));
}

struct RealLook {
  static void Drop(Task<int>) {}
};

// F-13, T-23; I-7.
template <typename L>
Coro<void> AFailureIsSeenOrReported(const Failures& input) {
  int reported = 0;
  int unseen = 0;
  GetRunningLoop().SetExceptionHandler(
      [&](EventLoop&, const ExceptionContext& context) {
        Always(context.source == ExceptionContext::Source::kNeverRetrieved,
               "nothing else is reported");
        ++reported;
      });
  const auto run = [](Failing task) -> Coro<int> {
    co_await Take(task.pause);
    if (task.fails) throw std::runtime_error("unseen");
    co_return 7;
  };
  for (const Failing& failing : input.tasks) {
    auto running = run(failing);
    Task<int> task = CreateTask(std::move(running));
    const std::vector<Task<int>> tasks = {task};
    if (failing.look == Failing::Look::kAwait) {
      try {
        co_await task;
      } catch (const std::runtime_error&) {
      }
    } else {
      co_await Wait(tasks);
    }
    if (failing.look == Failing::Look::kException) {
      static_cast<void>(task.GetException());
    }
    if (failing.look == Failing::Look::kNever) {
      unseen += failing.fails ? 1 : 0;
      L::Drop(task);
    }
  }
  co_await sim::RunUntilIdle();
  Always(reported == unseen, "a failure that nobody has seen is reported");
  GetRunningLoop().SetExceptionHandler(nullptr);
}

CLOTHO_INVARIANT(ResidueProperty, AFailureIsSeenOrReported, Failures,
                 AFailureIsSeenOrReported<RealLook>)

// ---- Code that breaks the promises. ----

// H-50: leaves a callback at the inner future.
struct ShieldThatStaysBehind : RealWaits {
  static Future<int> Protect(const Future<int>& future) {
    const Future<int> outer;
    future.AddDoneCallback([outer](const Future<int>& inner) {
      if (!outer.Done()) outer.SetResult(inner.Result());
    });
    return outer;
  }
};

// H-04: the cancellation does not reach the inner task.
struct WaitForThatLeavesATask : RealWaits {
  static Coro<int> Forward(Future<int> future) { co_return co_await future; }
  static Coro<int> Run(Future<int> future, Delay timeout) {
    auto forward = Forward(future);
    const Task<int> task = CreateTask(std::move(forward));
    co_return co_await WaitFor(Shield(task), timeout);
  }
  static Coro<int> WaitForResult(Future<int> future, Delay timeout) {
    return Run(std::move(future), timeout);
  }
};

struct LookThatHidesFailures {
  static void Drop(const Task<int>& task) {
    static_cast<void>(task.GetException());
  }
};

// Each execution takes longer than the previous one.
Coro<void> DependsOnTheLastExecution(const Attempts&) {
  static int executions = 0;
  ++executions;
  for (int i = 0; i < executions % 7; ++i) {
    co_await Sleep(absl::ZeroDuration());
  }
}

TEST(ResidueMutants, ShieldStaysBehind) {
  EXPECT_EQ(
      Refutation(NothingIsLeftOfAWaitThatIsGivenUp<ShieldThatStaysBehind>),
      False("nobody is left at the future"));
}
TEST(ResidueMutants, WaitForLeavesATask) {
  EXPECT_EQ(
      Refutation(NothingIsLeftOfAWaitThatIsGivenUp<WaitForThatLeavesATask>),
      False("no task is left"));
}
TEST(ResidueMutants, FailuresAreHidden) {
  EXPECT_EQ(Refutation(AFailureIsSeenOrReported<LookThatHidesFailures>),
            False("a failure that nobody has seen is reported"));
}
TEST(ResidueMutants, IsNotDeterministic) {
  EXPECT_THAT(Refutation(DependsOnTheLastExecution),
              testing::StartsWith("Not deterministic"));
}

}  // namespace
}  // namespace clotho::properties
