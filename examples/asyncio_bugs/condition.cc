// Conditions that lose a notification, the reason of a cancellation, or the
// lock.
//
// condition_loses_notification (gh-112202; Python 3.6 to 3.12): a task that is
// notified, and cancelled before it has the lock, takes the lock and leaves.
// Breaks: two tasks wait; one notification goes to the first; it is cancelled
// before it runs. There is something to do, but the second task sleeps.
//
// condition_loses_message (gh-111693; Python 3.9 to 3.12): a task that is
// cancelled while it reacquires the lock gets a new CancelledError once it has
// it, without the message of the cancellation. Breaks: a task is notified,
// runs, finds the lock taken, and is cancelled.
//
// condition_leaves_without_lock (bpo-22970; before Python 3.6.15): a task that
// is cancelled while it reacquires the lock leaves without it, and the
// enclosing block releases a lock that another task holds. Breaks: as above;
// then a third task takes the lock while the second works.
//
// The test: consumers, one of which may be cancelled, take a job each, under a
// lock with other users. There are two of them where they may lose something to
// each other. The fixed twin is this runtime's Condition (rules CN-02 and
// CN-05).

#include <deque>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/examples/asyncio_bugs/bug_programs.h"
#include "clotho/examples/races/races.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/engine/failure.h"

namespace clotho::examples {
namespace {

enum class Mistake { kNotification, kMessage, kLock };

template <Mistake mistake>
class OldCondition {
 public:
  Coro<void> Acquire() {
    Lock::Guard guard = co_await lock_.Acquire();
    guard.Detach();
  }
  void Release() { lock_.Release(); }
  bool Locked() const { return lock_.Locked(); }

  Coro<void> Wait() {
    Release();
    Future<void> notified;
    waiters_.push_back(notified);
    std::exception_ptr error;
    try {
      co_await notified;
    } catch (const CancelledError&) {
      error = std::current_exception();
    }
    std::erase(waiters_, notified);
    while (true) {
      try {
        co_await Acquire();
        break;
      } catch (const CancelledError&) {
        if (mistake == Mistake::kLock) {
          Notify();
          throw;
        }
        error = mistake == Mistake::kMessage
                    ? std::make_exception_ptr(CancelledError())
                    : std::current_exception();
      }
    }
    if (error == nullptr) co_return;
    if (mistake != Mistake::kNotification) Notify();
    std::rethrow_exception(error);
  }

  void Notify() {
    for (const Future<void>& waiter : waiters_) {
      if (waiter.Done()) continue;
      waiter.SetResult();
      return;
    }
  }

 private:
  Lock lock_;
  std::deque<Future<void>> waiters_;
};

class NewCondition {
 public:
  Coro<void> Acquire() {
    Lock::Guard guard = co_await condition_.Acquire();
    guard.Detach();
  }
  void Release() { condition_.Release(); }
  bool Locked() const { return condition_.Locked(); }
  Coro<void> Wait() { co_await condition_.Wait(); }
  void Notify() { condition_.Notify(); }

 private:
  Condition condition_;
};

struct Shop {
  int jobs = 0;
  int owners = 0;
};

// Has the lock of a condition as long as it lives.
template <typename AnyCondition>
class Inside {
 public:
  Inside(AnyCondition& condition, Shop& shop)
      : condition_(condition), shop_(shop) {
    Enter();
  }
  Inside(const Inside&) = delete;
  ~Inside() {
    Leave();
    if (condition_.Locked()) condition_.Release();
  }
  void Enter() {
    Always(++shop_.owners == 1, "one task at a time has the lock");
  }
  void Leave() { --shop_.owners; }

 private:
  AnyCondition& condition_;
  Shop& shop_;
};

template <typename AnyCondition>
Coro<void> Consume(AnyCondition& condition, Shop& shop) {
  co_await condition.Acquire();
  Inside inside(condition, shop);
  while (shop.jobs == 0) {
    inside.Leave();
    std::exception_ptr error;
    try {
      co_await condition.Wait();
    } catch (const CancelledError& cancelled) {
      Always(cancelled.message() == kCancelMessage,
             "a cancellation keeps its message");
      error = std::current_exception();
    }
    inside.Enter();
    if (error != nullptr) std::rethrow_exception(error);
  }
  --shop.jobs;
}

template <typename AnyCondition>
Coro<void> PutJob(AnyCondition& condition, Shop& shop) {
  co_await condition.Acquire();
  Inside inside(condition, shop);
  ++shop.jobs;
  condition.Notify();
  co_await Sleep(absl::ZeroDuration());
}

template <typename AnyCondition>
Coro<void> Consumers(std::vector<const char*> names) {
  AnyCondition condition;
  Shop shop;
  std::vector<Task<void>> consumers;
  for (const char* const name : names) {
    Coro<void> consume = Consume(condition, shop);
    consumers.push_back(CreateTask(std::move(consume), {.name = name}));
  }
  co_await Sleep(absl::ZeroDuration());
  Task<bool> canceller =
      CreateTask(CancelSometime(consumers[0]), {.name = "canceller"});
  co_await PutJob(condition, shop);
  // Unless one of them has left without a job, there is another one to do.
  bool gone = false;
  if (co_await canceller) {
    co_await Wait(std::vector{consumers[0]});
    gone = consumers[0].Cancelled();
  }
  if (!gone) co_await PutJob(condition, shop);
  co_await Join(consumers);
}

template <Mistake mistake>
Coro<void> RunConsumers(bool fixed) {
  std::vector<const char*> names = {"consumer-1"};
  if (mistake == Mistake::kNotification) names.push_back("consumer-2");
  return fixed ? Consumers<NewCondition>(names)
               : Consumers<OldCondition<mistake>>(names);
}

}  // namespace

std::vector<Race> ConditionBugs() {
  return {Bug({.name = "condition_loses_notification",
               .failure = sim::FailureKind::kDeadlock,
               .published = {.note = "gh-112202, 3.6 to 3.12"}},
              &RunConsumers<Mistake::kNotification>),
          Bug({.name = "condition_loses_message",
               .says = "a cancellation keeps its message",
               .published = {.note = "gh-111693, 3.9 to 3.12"}},
              &RunConsumers<Mistake::kMessage>),
          Bug({.name = "condition_leaves_without_lock",
               .says = "one task at a time has the lock",
               .published = {.note = "bpo-22970, before 3.6.15"}},
              &RunConsumers<Mistake::kLock>)};
}

}  // namespace clotho::examples
