// What Task::Cancel promises, whatever the task waits for, and however often
// and whenever it is cancelled (rules T-10 to T-18). Also cancellations that
// break these promises.

#include <algorithm>
#include <cstddef>
#include <exception>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/properties/runtime/invariant.h"
#include "clotho/properties/runtime/random_pause.h"
#include "clotho/runtime/runtime.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"

namespace clotho::properties {
namespace {

enum class Kind { kSleep, kFuture, kTask, kGather, kShield, kLock };

const char* NameOf(Kind kind) {
  switch (kind) {
    case Kind::kSleep:
      return "sleep";
    case Kind::kFuture:
      return "future";
    case Kind::kTask:
      return "task";
    case Kind::kGather:
      return "gather";
    case Kind::kShield:
      return "shield";
    case Kind::kLock:
      return "lock";
  }
  return "";
}

// An await, and the reaction to a cancellation there.
struct Step {
  Kind kind = Kind::kSleep;
  Pause pause;  // How long it takes.
  bool swallows = false;
  bool uncancels = false;
};

struct Input {
  std::vector<Step> steps;
  std::vector<Pause> cancels;  // One before each request.

  static rc::Gen<Input> Any();
};

std::ostream& operator<<(std::ostream& out, const Input& input) {
  for (const Step& step : input.steps) {
    out << "{" << NameOf(step.kind) << " for " << step.pause
        << (step.swallows ? ", swallows" : "")
        << (step.uncancels ? ", uncancels" : "") << "} ";
  }
  for (const Pause& pause : input.cancels)
    out << "cancel after " << pause << "; ";
  return out;
}

rc::Gen<Input> Input::Any() {
  const auto step = rc::gen::build<Step>(
      rc::gen::set(&Step::kind,
                   rc::gen::element(Kind::kSleep, Kind::kFuture, Kind::kTask,
                                    Kind::kGather, Kind::kShield, Kind::kLock)),
      rc::gen::set(&Step::pause, Pauses()),
      rc::gen::set(&Step::swallows, rc::gen::arbitrary<bool>()),
      rc::gen::set(&Step::uncancels, rc::gen::arbitrary<bool>()));
  return rc::gen::build<Input>(
      rc::gen::set(&Input::steps, UpTo(4, step)),
      rc::gen::set(&Input::cancels, UpTo(3, Pauses())));
}

// What is known of a cancelled task.
struct Scene {
  int requests = 0;                      // Accepted, and not taken back.
  int lost = 0;                          // By a faulty Cancel.
  std::vector<std::string> undelivered;  // Messages not yet delivered.
  std::optional<Future<void>> awaited;   // If it is a plain future.
  std::vector<Task<void>> others;        // To be awaited at the end.
  Lock lock;
};

Coro<void> SetAfter(Pause pause, Future<void> future) {
  co_await Take(pause);
  if (!future.Done()) future.SetResult();
}

Coro<void> HoldFor(Pause pause, Lock* lock, Future<void> held) {
  auto guard = co_await lock->Acquire();
  held.SetResult();
  co_await Take(pause);
}

Coro<void> Await(Step step, Scene* scene) {
  switch (step.kind) {
    case Kind::kSleep:
      co_await Take(step.pause);
      co_return;
    case Kind::kFuture: {
      const Future<void> future;
      auto set = SetAfter(step.pause, future);
      scene->others.push_back(CreateTask(std::move(set)));
      scene->awaited = future;
      co_await future;
      co_return;
    }
    case Kind::kTask: {
      auto take = Take(step.pause);
      const Task<void> task = CreateTask(std::move(take));
      co_await task;
      co_return;
    }
    case Kind::kGather: {
      auto first = Take(step.pause);
      auto second = Take(Pause{.yields = 1, .ms = 1});
      co_await Gather(std::move(first), std::move(second));
      co_return;
    }
    case Kind::kShield: {
      auto take = Take(step.pause);
      scene->others.push_back(CreateTask(std::move(take)));
      co_await Shield(scene->others.back());
      co_return;
    }
    case Kind::kLock: {
      const Future<void> held;
      auto hold = HoldFor(step.pause, &scene->lock, held);
      scene->others.push_back(CreateTask(std::move(hold)));
      co_await Shield(held);
      auto guard = co_await scene->lock.Acquire();
      co_return;
    }
  }
}

Coro<void> Perform(std::vector<Step> steps, Scene* scene) {
  for (const Step& step : steps) {
    std::exception_ptr error;
    try {
      co_await Await(step, scene);
    } catch (const CancelledError& cancelled) {
      error = std::current_exception();
      Always(!scene->undelivered.empty(),
             "CancelledError comes only of a cancellation");
      Always(cancelled.message().has_value() &&
                 std::count(scene->undelivered.begin(),
                            scene->undelivered.end(), *cancelled.message()) > 0,
             "it carries the message of one that was not delivered before");
      scene->undelivered.clear();
    }
    scene->awaited.reset();
    if (error == nullptr) continue;
    if (step.uncancels) {
      scene->requests = std::max(0, scene->requests - 1);
      Always(CurrentTask()->Uncancel() == scene->requests,
             "Uncancel gives how many are left");
    }
    if (!step.swallows) std::rethrow_exception(error);
  }
}

struct RealCancel {
  static bool Cancel(const Task<void>& task, const std::string& message,
                     Scene&) {
    return task.Cancel(message);
  }
  static int Count(const Task<void>& task, const Scene&) {
    return task.Cancelling();
  }
};

// T-10, T-12 to T-17; I-1, I-8, I-11.
template <typename C>
Coro<void> IsDeliveredAndCounted(const Input& input) {
  Scene scene;
  auto perform = Perform(input.steps, &scene);
  const Task<void> task = CreateTask(std::move(perform));
  int n = 0;
  for (const Pause& pause : input.cancels) {
    co_await Take(pause);
    const bool was_done = task.Done();
    const std::string message = "request " + std::to_string(n++);
    const bool accepted = C::Cancel(task, message, scene);
    Always(accepted == !was_done, "it is accepted unless the task is done");
    Always(!was_done || C::Count(task, scene) == scene.requests,
           "one that is refused does not count");
    if (!accepted) continue;
    ++scene.requests;
    scene.undelivered.push_back(message);
    Always(C::Count(task, scene) == scene.requests, "each request counts once");
  }
  const std::vector<Task<void>> tasks = {task};
  co_await Wait(tasks);
  // Requests the task did not see have ended it from outside: before its first
  // step.
  Always(scene.undelivered.empty() || task.Cancelled(),
         "a cancellation that was accepted is delivered");
  Always(C::Count(task, scene) == scene.requests, "the end leaves the count");
  for (const Task<void>& other : scene.others) co_await other;
}

CLOTHO_INVARIANT(CancellationProperty, IsDeliveredAndCounted, Input,
                 IsDeliveredAndCounted<RealCancel>)

// ---- Cancellations that do not keep their promises. ----

// Requests that count like others, but never reach the task.
struct CancelThatIsLost : RealCancel {
  static int Count(const Task<void>& task, const Scene& scene) {
    return task.Cancelling() + scene.lost;
  }
};

struct CancelThatDoesNothing : CancelThatIsLost {
  static bool Cancel(const Task<void>& task, const std::string&, Scene& scene) {
    if (task.Done()) return false;
    ++scene.lost;
    return true;
  }
};

// H-49: only if the awaited future is already done.
struct CancelThatComesTooLate : CancelThatIsLost {
  static bool Cancel(const Task<void>& task, const std::string& message,
                     Scene& scene) {
    const bool accepted = task.Cancel(message);
    if (accepted && scene.awaited.has_value() && scene.awaited->Done() &&
        !scene.awaited->Cancelled() && task.Uncancel() == 0) {
      ++scene.lost;
    }
    return accepted;
  }
};

struct CancelThatCountsTwice : RealCancel {
  static bool Cancel(const Task<void>& task, const std::string& message,
                     Scene&) {
    task.Cancel(message);
    return task.Cancel(message);
  }
};

struct CancelWithoutMessage : RealCancel {
  static bool Cancel(const Task<void>& task, const std::string&, Scene&) {
    return task.Cancel();
  }
};

struct CancelThatAlwaysAgrees : RealCancel {
  static bool Cancel(const Task<void>& task, const std::string& message,
                     Scene&) {
    task.Cancel(message);
    return true;
  }
};

TEST(CancellationMutants, DoesNothing) {
  EXPECT_EQ(Refutation(IsDeliveredAndCounted<CancelThatDoesNothing>),
            False("a cancellation that was accepted is delivered"));
}
TEST(CancellationMutants, ComesTooLate) {
  EXPECT_EQ(Refutation(IsDeliveredAndCounted<CancelThatComesTooLate>),
            False("a cancellation that was accepted is delivered"));
}
TEST(CancellationMutants, CountsTwice) {
  EXPECT_EQ(Refutation(IsDeliveredAndCounted<CancelThatCountsTwice>),
            False("each request counts once"));
}
TEST(CancellationMutants, LosesTheMessage) {
  EXPECT_EQ(Refutation(IsDeliveredAndCounted<CancelWithoutMessage>),
            False("it carries the message of one that was not delivered "
                  "before"));
}
TEST(CancellationMutants, AlwaysAgrees) {
  EXPECT_EQ(Refutation(IsDeliveredAndCounted<CancelThatAlwaysAgrees>),
            False("it is accepted unless the task is done"));
}

}  // namespace
}  // namespace clotho::properties
