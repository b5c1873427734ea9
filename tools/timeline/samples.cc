// Failures to draw: a lost update with a race, a circle of twenty who wait for
// each other, a history that has no order, and one that takes long. Every test
// of this program is meant to fail; testdata/ has the traces.

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/history.h"
#include "clotho/sim/options.h"
#include "clotho/sim/testing.h"
#include "clotho/sim/tracked.h"
#include "gtest/gtest.h"

namespace clotho::timeline {
namespace {

// A counter that is read, and written only after others have had their turn.
Coro<int> Load(sim::Tracked<int>& counter) {
  const int value = counter.Read();
  co_await Sleep(absl::Milliseconds(3));
  co_return value;
}

Coro<void> Increment(sim::Tracked<int>& counter) {
  const int value = co_await Load(counter);
  counter.Write() = value + 1;
}

CLOTHO_TEST(Sample, LostUpdate, sim::Random{.schedules = 1'000}) {
  sim::Tracked<int> counter("counter", 0);
  Task<void> first = CreateTask(Increment(counter), {.name = "first"});
  // By then the first one is done, unless it is slow.
  co_await Sleep(absl::Milliseconds(4));
  Task<void> second = CreateTask(Increment(counter), {.name = "second"});
  co_await second;
  co_await first;
  Sometimes(counter.Read() == 2, "both count");
  Always(counter.Read() == 2, "no update is lost");
}

// ---- Twenty who dine. ----

Coro<void> Dine(Lock& left, Lock& right) {
  Lock::Guard first = co_await left.Acquire();
  co_await Sleep(absl::Milliseconds(1));
  Lock::Guard second = co_await right.Acquire();
}

CLOTHO_TEST(Sample, TwentyDine) {
  constexpr int kCount = 20;
  std::vector<std::unique_ptr<Lock>> forks;
  for (int i = 0; i < kCount; ++i) {
    forks.push_back(std::make_unique<Lock>("fork " + std::to_string(i)));
  }
  std::vector<Task<void>> guests;
  for (int i = 0; i < kCount; ++i) {
    guests.push_back(CreateTask(Dine(*forks[i], *forks[(i + 1) % kCount]),
                                {.name = "guest-" + std::to_string(i)}));
  }
  for (Task<void>& guest : guests) co_await guest;
}

// ---- A register that forgets. ----

struct Register {
  using State = int;
  struct Operation {
    bool is_write = false;
    int value = 0;
    friend std::ostream& operator<<(std::ostream& out, const Operation& op) {
      return op.is_write ? out << "Write(" << op.value << ")" : out << "Read";
    }
  };
  using Result = int;
  static Result Apply(State& state, const Operation& operation) {
    if (operation.is_write) state = operation.value;
    return state;
  }
};

// Two copies; a write goes to one after the other, and a read asks either.
class Copies {
 public:
  Coro<int> Write(int value) {
    for (int& copy : copies_) {
      co_await Sleep(absl::Milliseconds(2));
      copy = value;
    }
    co_return value;
  }
  Coro<int> Read(int copy) {
    co_await Sleep(absl::Milliseconds(1));
    co_return copies_[copy];
  }

 private:
  int copies_[2] = {0, 0};
};

CLOTHO_TEST(Sample, StaleRead, sim::Random{.schedules = 1'000}) {
  Copies copies;
  sim::History<Register> history("register");
  const auto writer = [&]() -> Coro<void> {
    for (int value = 1; value <= 3; ++value) {
      co_await history.Do("writer", {.is_write = true, .value = value},
                          copies.Write(value));
    }
  };
  const auto reader = [&](std::string name, int copy) -> Coro<void> {
    for (int i = 0; i < 4; ++i) {
      co_await history.Do(name, {}, copies.Read(copy));
      co_await Sleep(absl::Milliseconds(1));
    }
  };
  Task<void> writes = CreateTask(writer(), {.name = "writer"});
  Task<void> one = CreateTask(reader("reader-0", 0), {.name = "reader-0"});
  Task<void> two = CreateTask(reader("reader-1", 1), {.name = "reader-1"});
  co_await writes;
  co_await one;
  co_await two;
  history.Check();
}

// ---- One that takes long. ----

Coro<void> Relay(Event& from, Event& to, int& rounds) {
  for (;;) {
    co_await from.Wait();
    from.Clear();
    if (++rounds > 6'000) Always(false, "the relay comes to an end");
    co_await Sleep(absl::ZeroDuration());
    to.Set();
  }
}

CLOTHO_TEST(Sample, LongRelay) {
  constexpr int kCount = 12;
  int rounds = 0;
  std::vector<std::unique_ptr<Event>> events;
  for (int i = 0; i < kCount; ++i) events.push_back(std::make_unique<Event>());
  std::vector<Task<void>> runners;
  for (int i = 0; i < kCount; ++i) {
    runners.push_back(
        CreateTask(Relay(*events[i], *events[(i + 1) % kCount], rounds),
                   {.name = "runner-" + std::to_string(i)}));
  }
  events[0]->Set();
  for (Task<void>& runner : runners) co_await runner;
}

}  // namespace
}  // namespace clotho::timeline
