// A work-stealing queue whose owner reuses a slot too early.
//
// The owner pushes and pops at the tail, without a lock unless the
// queue looks empty or full; a thief steals at the head, with it. A
// thief claims an item by moving the head, and takes it afterwards.
//
// Breaks: the thief moves the head; the owner finds a free slot, and
// pushes into the slot that the thief has not read yet. One item is
// lost, and another is taken twice. Depth 3: two preemptions. The
// fixed owner keeps one slot free. Source: SCTBench (`WorkStealQueue`,
// and `InterlockedWorkStealQueue`, whose lock is a spin lock), from
// CHESS; the protocol is Cilk-5's (Frigo, Leiserson and Randall, PLDI
// 1998).

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "clotho/examples/races/programs.h"
#include "clotho/examples/races/races.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/tracked.h"

namespace clotho::examples {
namespace {

constexpr int kItems = 4;
constexpr int kSteals = 2;

enum class LockKind { kMutex, kSpin };

class WorkStealQueue {
 public:
  WorkStealQueue(LockKind kind, Form form, bool fixed)
      : kind_(kind), form_(form), spare_(fixed ? 1 : 0) {}

  // The owner's.
  Coro<void> Push(int item) {
    const int tail = co_await Read(tail_);
    const int head = co_await Read(head_);
    if (tail < head + size_ - spare_) {
      co_await Store(tail, item);
      co_await Write(tail_, tail + 1);
    } else {
      co_await PushAlone(item);
    }
  }
  Coro<std::optional<int>> Pop() {
    const int tail = co_await Read(tail_) - 1;
    co_await Write(tail_, tail);
    if (co_await Read(head_) <= tail) co_return co_await Load(tail);
    // It is empty, or a thief is at the last item.
    co_await Write(tail_, tail + 1);
    co_return co_await PopAlone();
  }

  // The thief's.
  Coro<std::optional<int>> Steal() {
    co_await Acquire();
    const int head = co_await Read(head_);
    co_await Write(head_, head + 1);
    std::optional<int> item;
    if (head < co_await Read(tail_)) {
      item = co_await Load(head);
    } else {
      co_await Write(head_, head);
    }
    co_await Release();
    co_return item;
  }

 private:
  using Number = sim::Tracked<int>;
  static constexpr int kSlots = 8;

  Coro<int> Read(const Number& number) {
    co_await GiveWay(form_);
    co_return number.Read();
  }
  Coro<void> Write(Number& number, int value) {
    co_await GiveWay(form_);
    number.Write() = value;
  }
  Coro<int> Load(int place) {
    co_await GiveWay(form_);
    co_return slots_.Read()[place % size_];
  }
  Coro<void> Store(int place, int item) {
    co_await GiveWay(form_);
    slots_.Write()[place % size_] = item;
  }

  Coro<void> Acquire() {
    co_await GiveWay(form_);
    if (kind_ == LockKind::kMutex) {
      Lock::Guard guard = co_await mutex_.Acquire();
      guard.Detach();
      co_return;
    }
    while (std::exchange(spin_lock_.Write(), 1) != 0) co_await GiveWay(form_);
  }
  Coro<void> Release() {
    co_await GiveWay(form_);
    if (kind_ == LockKind::kMutex) {
      mutex_.Release();
    } else {
      spin_lock_.Write() = 0;
    }
  }

  // With the lock, so that no task steals meanwhile.
  Coro<std::optional<int>> PopAlone() {
    co_await Acquire();
    const int tail = co_await Read(tail_) - 1;
    co_await Write(tail_, tail);
    std::optional<int> item;
    if (co_await Read(head_) <= tail) {
      item = co_await Load(tail);
    } else {
      co_await Write(head_, 0);
      co_await Write(tail_, 0);
    }
    co_await Release();
    co_return item;
  }
  // Makes room first.
  Coro<void> PushAlone(int item) {
    co_await Acquire();
    const int head = co_await Read(head_);
    const int count = co_await Read(tail_) - head;
    co_await GiveWay(form_);
    std::array<int, kSlots>& slots = slots_.Write();
    const std::array<int, kSlots> old = slots;
    for (int i = 0; i < count; ++i) slots[i] = old[(head + i) % size_];
    if (count >= size_ - 1) size_ *= 2;
    co_await Write(head_, 0);
    co_await Store(count, item);
    co_await Write(tail_, count + 1);
    co_await Release();
  }

  const LockKind kind_;
  const Form form_;
  const int spare_;
  Number head_{"head", 0};  // The first item.
  Number tail_{"tail", 0};  // After the last.
  sim::Tracked<std::array<int, kSlots>> slots_{"slots"};
  int size_ = 2;  // Slots in use; the owner's.
  Lock mutex_{"queue"};
  Number spin_lock_{"spin lock", 0};
};

struct Work {
  Work(LockKind kind, Form form, bool fixed) : queue(kind, form, fixed) {}

  void Do(std::optional<int> item) {
    if (item.has_value()) ++times[*item];
  }

  WorkStealQueue queue;
  std::array<int, kItems> times{};  // How often each item was taken.
};

Coro<void> Own(Work& work) {
  for (int i = 0; i < kItems; i += 2) {
    co_await work.queue.Push(i);
    co_await work.queue.Push(i + 1);
    work.Do(co_await work.queue.Pop());
  }
  for (int i = 0; i < kItems / 2; ++i) work.Do(co_await work.queue.Pop());
}

Coro<void> StealSome(Work& work) {
  for (int i = 0; i < kSteals; ++i) work.Do(co_await work.queue.Steal());
}

Coro<void> OwnerAndThief(LockKind kind, Form form, bool fixed) {
  Work work(kind, form, fixed);
  Coro<void> steal = StealSome(work);
  Task<void> thief = CreateTask(std::move(steal), {.name = "thief"});
  Coro<void> own = Own(work);
  Task<void> owner = CreateTask(std::move(own), {.name = "owner"});
  co_await Gather(thief, owner);
  for (const int times : work.times) {
    Always(times == 1, "each item is taken once");
  }
}

}  // namespace

std::vector<Race> WorkStealQueueRaces() {
  std::vector<Race> races =
      InBothForms({.name = "work_steal_queue",
                   .depth = 3,
                   .says = "each item is taken once",
                   .published = {.surw = Figure{6},
                                 .pct3 = Figure{48},
                                 .pct10 = Figure{16},
                                 .pos = Figure{12},
                                 .rff = Figure{10}}},
                  [](Form form, bool fixed) {
                    return OwnerAndThief(LockKind::kMutex, form, fixed);
                  });
  // A spinning task takes no time, so the spin lock has no strict form.
  races.push_back(
      InForm(Form::kPortable,
             {.name = "work_steal_queue_spin",
              .depth = 3,
              .says = "each item is taken once",
              .published = {.surw = Figure{6},
                            .pct3 = Figure{907},
                            .pct10 = Figure{204},
                            .pos = Figure{5},
                            .random = Figure{26},
                            .rff = Figure{7},
                            .note = "of InterlockedWorkStealQueueWithState"}},
             [](Form form, bool fixed) {
               return OwnerAndThief(LockKind::kSpin, form, fixed);
             }));
  return races;
}

}  // namespace clotho::examples
