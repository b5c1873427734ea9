// What Condition promises: no notification is lost, and the lock is held
// whenever a wait ends, whichever task is cancelled and whenever (rules CN-01
// to CN-05). Also conditions that break these promises.

#include <algorithm>
#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/properties/runtime/cancel_everywhere.h"
#include "clotho/properties/runtime/invariant.h"
#include "clotho/properties/runtime/random_pause.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/run_until_idle.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"

namespace clotho::properties {
namespace {

using testing::HasSubstr;

// Takers wait for tokens and take one each; some are cancelled. Givers add one
// token per notification, and keep the lock for a while.
struct Taker {
  Pause before;
  std::optional<Pause> until_cancel;
};

struct Giver {
  Pause before;
  Pause inside;
};

struct Input {
  std::vector<Taker> takers;
  std::vector<Giver> givers;

  static rc::Gen<Input> Any();
};

std::ostream& operator<<(std::ostream& out, const Input& input) {
  for (const Taker& taker : input.takers) {
    out << "{takes after " << taker.before;
    if (taker.until_cancel.has_value()) {
      out << ", cancelled after " << *taker.until_cancel;
    }
    out << "} ";
  }
  for (const Giver& giver : input.givers) {
    out << "{gives after " << giver.before << ", inside " << giver.inside
        << "} ";
  }
  return out;
}

rc::Gen<Input> Input::Any() {
  const auto taker = rc::gen::build<Taker>(
      rc::gen::set(&Taker::before, Pauses()),
      rc::gen::set(&Taker::until_cancel, Maybe(Pauses())));
  const auto giver =
      rc::gen::build<Giver>(rc::gen::set(&Giver::before, Pauses()),
                            rc::gen::set(&Giver::inside, Pauses()));
  return rc::gen::build<Input>(rc::gen::set(&Input::takers, UpTo(4, taker)),
                               rc::gen::set(&Input::givers, UpTo(4, giver)));
}

// Shared by the tasks, each of which holds a reference: tasks still inside when
// the body has failed leave when the loop is destroyed.
template <typename C>
struct Table {
  C condition;
  int inside = 0;  // Tasks that believe they hold the lock.
  int tokens = 0;
  int waiting = 0;  // Waiting takers that were not cancelled.
  int entries = 0;  // How often a task has got the lock.
};

// Scope in which a task holds the lock.
template <typename C>
class Inside {
 public:
  explicit Inside(Table<C>& table) : table_(table) { Enter(); }
  ~Inside() { Leave(); }
  Inside(const Inside&) = delete;

  void Enter() {
    ++table_.inside;
    ++table_.entries;
    Always(table_.inside == 1, "one task at a time holds the lock");
    Always(table_.condition.Locked(), "the lock is taken");
  }
  void Leave() { --table_.inside; }

 private:
  Table<C>& table_;
};

template <typename C>
Coro<void> Give(std::shared_ptr<Table<C>> table, Giver giver) {
  co_await Take(giver.before);
  auto guard = co_await table->condition.Acquire();
  guard.Detach();
  {
    const Inside<C> inside(*table);
    ++table->tokens;
    table->condition.Notify();
    co_await Take(giver.inside);
  }
  table->condition.Release();
}

template <typename C>
Coro<void> WaitForToken(Table<C>* table, Inside<C>* inside, bool* waits) {
  while (table->tokens == 0) {
    *waits = true;
    ++table->waiting;
    inside->Leave();
    std::exception_ptr cancelled;
    try {
      co_await table->condition.Wait();
    } catch (const CancelledError&) {
      cancelled = std::current_exception();
    }
    inside->Enter();
    if (*waits) --table->waiting;
    *waits = false;
    if (cancelled != nullptr) std::rethrow_exception(cancelled);
  }
}

template <typename C>
Coro<void> TakeToken(std::shared_ptr<Table<C>> table, Pause before,
                     bool* waits) {
  co_await Take(before);
  auto guard = co_await table->condition.Acquire();
  guard.Detach();
  std::exception_ptr cancelled;
  {
    Inside<C> inside(*table);
    try {
      co_await WaitForToken(table.get(), &inside, waits);
      --table->tokens;
    } catch (const CancelledError&) {
      cancelled = std::current_exception();
    }
  }
  table->condition.Release();
  if (cancelled != nullptr) std::rethrow_exception(cancelled);
}

template <typename C>
Coro<void> CancelAfter(std::shared_ptr<Table<C>> table, Pause pause,
                       Task<void> taker, bool* waits) {
  co_await Take(pause);
  const bool in_time = taker.Cancel();
  if (in_time && *waits) {
    *waits = false;
    --table->waiting;
  }
  Sometimes(in_time, "a taker is cancelled in time");
}

// CN-02, CN-03, CN-05; I-2, I-3, I-4.
template <typename C>
Coro<void> LosesNoNotification(const Input& input) {
  const auto shared = std::make_shared<Table<C>>();
  Table<C>& table = *shared;
  std::vector<Task<void>> tasks;
  std::deque<bool> waits(input.takers.size());
  for (std::size_t i = 0; i < input.takers.size(); ++i) {
    const Taker& taker = input.takers[i];
    auto take = TakeToken(shared, taker.before, &waits[i]);
    tasks.push_back(CreateTask(std::move(take)));
    if (taker.until_cancel.has_value()) {
      auto cancel =
          CancelAfter(shared, *taker.until_cancel, tasks.back(), &waits[i]);
      tasks.push_back(CreateTask(std::move(cancel)));
    }
  }
  for (const Giver& giver : input.givers) {
    auto give = Give(shared, giver);
    tasks.push_back(CreateTask(std::move(give)));
  }
  // At the end of each millisecond there is a moment at which nothing is ready.
  // A loss before it is detected at the end of the next millisecond.
  bool could_take = false;
  int entries = 0;
  // Everything takes less time than this.
  int ms_max = 3;
  for (const Taker& taker : input.takers) {
    ms_max = std::max(ms_max, 3 + taker.before.ms);
  }
  for (const Giver& giver : input.givers) {
    ms_max += giver.before.ms + giver.inside.ms;
  }
  for (int ms = 0; ms < ms_max; ++ms) {
    co_await sim::Advance(absl::Milliseconds(1));
    const bool can_take =
        table.waiting > 0 && table.tokens > 0 && !table.condition.Locked();
    Always(!could_take || !can_take || table.entries != entries,
           "nobody waits while there is a token");
    could_take = can_take;
    entries = table.entries;
  }
  for (const Task<void>& task : tasks) {
    if (!task.Done()) task.Cancel();
  }
  if (!tasks.empty()) co_await Wait(tasks);
  Always(!table.condition.Locked(), "the lock is free in the end");
}

// CN-03; I-9, I-11.
template <typename C>
Coro<void> WakesSoManyInTheirOrder(const Input& input) {
  C condition;
  std::vector<int> line;
  std::vector<int> woken;
  const auto wait = [&](int who) -> Coro<void> {
    auto guard = co_await condition.Acquire();
    guard.Detach();
    line.push_back(who);
    co_await condition.Wait();
    woken.push_back(who);
    condition.Release();
  };
  std::vector<Task<void>> tasks;
  for (std::size_t i = 0; i < input.takers.size(); ++i) {
    auto waiting = wait(static_cast<int>(i));
    tasks.push_back(CreateTask(std::move(waiting)));
  }
  co_await sim::Advance(absl::Milliseconds(9));
  auto guard = co_await condition.Acquire();
  guard.Detach();
  condition.Notify(input.givers.size());
  condition.Release();
  co_await sim::Advance(absl::Milliseconds(9));
  const std::size_t expected = std::min(line.size(), input.givers.size());
  Always(woken.size() == expected, "so many are woken");
  // They compete for the lock in any order.
  std::sort(woken.begin(), woken.end());
  std::sort(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(expected));
  line.resize(expected);
  Always(woken == line, "those who came first are woken");
  auto again = co_await condition.Acquire();
  again.Detach();
  condition.NotifyAll();
  condition.Release();
  if (!tasks.empty()) co_await Wait(tasks);
}

CLOTHO_INVARIANT(ConditionProperty, LosesNoNotification, Input,
                 LosesNoNotification<Condition>)
CLOTHO_INVARIANT(ConditionProperty, WakesSoManyInTheirOrder, Input,
                 WakesSoManyInTheirOrder<Condition>)

std::optional<Input> TakerIsCancelled(Input input, std::size_t who, int turns) {
  if (who >= input.takers.size()) return std::nullopt;
  for (Taker& taker : input.takers) {
    taker.before.ms = 0;
    taker.until_cancel.reset();
  }
  for (Giver& giver : input.givers) giver.before.ms = giver.inside.ms = 0;
  input.takers[who].until_cancel = Pause{.yields = turns};
  return input;
}

TEST(ConditionModel, HoldsWhereverATaskIsCancelled) {
  EXPECT_EQ(FailureAnywhere(LosesNoNotification<Condition>, TakerIsCancelled),
            "");
}

// ---- Conditions that do not keep their promises. ----

enum class Fault {
  kNone,
  kLosesTheNotification,  // H-13: of a woken and then cancelled task.
  kLeavesWithoutTheLock,  // H-42: if the task is cancelled meanwhile.
  kKeepsTheLock,          // While it waits for a notification.
  kWakesTheLast,
  kWakesOneMore,
};

// asyncio's algorithm, using futures and a lock.
template <Fault kFault>
class FaultyCondition {
 public:
  auto Acquire() { return lock_.Acquire(); }
  bool Locked() const { return lock_.Locked(); }
  void Release() { lock_.Release(); }

  Coro<void> Wait() {
    const Future<void> waiter;
    waiters_.push_back(waiter);
    if (kFault != Fault::kKeepsTheLock) lock_.Release();
    std::exception_ptr error;
    try {
      co_await waiter;
    } catch (const CancelledError&) {
      error = std::current_exception();
    }
    std::erase(waiters_, waiter);
    for (bool held = kFault == Fault::kKeepsTheLock; !held;) {
      try {
        auto guard = co_await lock_.Acquire();
        guard.Detach();
        held = true;
      } catch (const CancelledError&) {
        error = std::current_exception();
        held = kFault == Fault::kLeavesWithoutTheLock;
      }
    }
    if (error == nullptr) co_return;
    if (kFault != Fault::kLosesTheNotification) Wake(1);
    std::rethrow_exception(error);
  }

  void Notify(std::size_t count = 1) {
    Wake(count + (kFault == Fault::kWakesOneMore ? 1 : 0));
  }
  void NotifyAll() { Wake(waiters_.size()); }

 private:
  void Wake(std::size_t count) {
    std::deque<Future<void>> line = waiters_;
    if (kFault == Fault::kWakesTheLast) std::reverse(line.begin(), line.end());
    for (const Future<void>& waiter : line) {
      if (count == 0) return;
      if (waiter.Done()) continue;
      waiter.SetResult();
      --count;
    }
  }

  Lock lock_;
  std::deque<Future<void>> waiters_;
};

template <Fault kFault>
std::string RefutedLosesNone() {
  return Refutation(LosesNoNotification<FaultyCondition<kFault>>);
}
template <Fault kFault>
std::string RefutedWakesSoMany() {
  return Refutation(WakesSoManyInTheirOrder<FaultyCondition<kFault>>);
}

TEST(ConditionMutants, WithoutAFaultItHolds) {
  EXPECT_EQ(RefutedLosesNone<Fault::kNone>(), "");
  EXPECT_EQ(RefutedWakesSoMany<Fault::kNone>(), "");
}
TEST(ConditionMutants, LosesTheNotification) {
  EXPECT_EQ(RefutedLosesNone<Fault::kLosesTheNotification>(),
            False("nobody waits while there is a token"));
}
TEST(ConditionMutants, LeavesWithoutTheLock) {
  EXPECT_EQ(RefutedLosesNone<Fault::kLeavesWithoutTheLock>(),
            False("one task at a time holds the lock"));
}
TEST(ConditionMutants, ModelFindsThoseThatLoseTheNotification) {
  EXPECT_THAT(
      FailureAnywhere(
          LosesNoNotification<FaultyCondition<Fault::kLosesTheNotification>>,
          TakerIsCancelled),
      HasSubstr(False("nobody waits while there is a token")));
}
TEST(ConditionMutants, KeepsTheLock) {
  EXPECT_EQ(RefutedWakesSoMany<Fault::kKeepsTheLock>(),
            "Deadlock (lost wake-up) at t = 9 ms, step 4: nothing is ready, no "
            "timer is set, main has not finished");
}
TEST(ConditionMutants, WakesTheLast) {
  EXPECT_EQ(RefutedWakesSoMany<Fault::kWakesTheLast>(),
            False("those who came first are woken"));
}
TEST(ConditionMutants, WakesOneMore) {
  EXPECT_EQ(RefutedWakesSoMany<Fault::kWakesOneMore>(),
            False("so many are woken"));
}

}  // namespace
}  // namespace clotho::properties
