// Each way in which a test can fail, once, as small as possible: reports/ shows
// the reports. Every test of this program is meant to fail.

#include <cstdint>
#include <cstdlib>
#include <deque>
#include <exception>
#include <memory>
#include <ostream>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "clotho/properties/clients.h"
#include "clotho/properties/property.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/after_every_step.h"
#include "clotho/sim/history.h"
#include "clotho/sim/options.h"
#include "clotho/sim/testing.h"
#include "clotho/sim/tracked.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"

namespace clotho::examples {
namespace {

// ---- A claim that is false under some schedule. ----

// Reads, waits and writes: concurrent writes are lost.
Coro<void> Deposit(sim::Tracked<int>& balance, int amount) {
  const int before = balance.Read();
  co_await Sleep(absl::Milliseconds(1));
  balance.Write() = before + amount;
}

CLOTHO_TEST(Violation, AlwaysIsFalse, sim::Random()) {
  sim::Tracked<int> balance("balance", 0);
  Task<void> first = CreateTask(Deposit(balance, 1), {.name = "first"});
  co_await Sleep(absl::Milliseconds(2));
  Task<void> second = CreateTask(Deposit(balance, 2), {.name = "second"});
  co_await first;
  co_await second;
  Always(balance.Read() == 3, "no deposit is lost");
}

// ---- A broken invariant: checked after every step of any task. ----

Coro<void> Enter(int& inside) {
  ++inside;
  co_await Sleep(absl::Milliseconds(1));
  --inside;
}

Coro<void> EnterLater(int& inside) {
  co_await Sleep(absl::Milliseconds(2));
  co_await Enter(inside);
}

CLOTHO_TEST(Violation, InvariantIsBroken, sim::Random()) {
  int inside = 0;
  const auto check =
      sim::AfterEveryStep("one at a time inside", [&] { return inside <= 1; });
  Task<void> early = CreateTask(Enter(inside), {.name = "early"});
  Task<void> late = CreateTask(EnterLater(inside), {.name = "late"});
  co_await early;
  co_await late;
}

// ---- GoogleTest's expectations, and their equivalents for coroutines. ----

Coro<void> Append(std::string& log, char name) {
  log.push_back(name);
  co_await Sleep(absl::ZeroDuration());
  log.push_back(name);
}

CLOTHO_TEST(Expectation, Fails, sim::Random()) {
  std::string log;
  Task<void> a = CreateTask(Append(log, 'a'), {.name = "a"});
  Task<void> b = CreateTask(Append(log, 'b'), {.name = "b"});
  co_await a;
  co_await b;
  EXPECT_EQ(log, "abab") << "in turns";
}

Coro<int> Front(std::deque<int>& queue) {
  CLOTHO_ASSERT_FALSE(queue.empty()) << "nobody takes from an empty queue";
  const int front = queue.front();
  queue.pop_front();
  co_return front;
}

CLOTHO_TEST(Expectation, AssertionFails, sim::Random()) {
  std::deque<int> queue = {1};
  Task<int> first = CreateTask(Front(queue), {.name = "first"});
  Task<int> second = CreateTask(Front(queue), {.name = "second"});
  co_await first;
  co_await second;
}

// ---- Exceptions. ----

Coro<void> Connect() {
  co_await Sleep(absl::Milliseconds(3));
  throw TimeoutError("no answer");
}

CLOTHO_TEST(Exception, LeavesTheBody, sim::Random()) {
  co_await WaitFor(Connect(), absl::Seconds(1));
}

CLOTHO_TEST(Exception, IsNeverRetrieved, sim::Random()) {
  Task<void> prefetch = CreateTask(Connect(), {.name = "prefetch"});
  // Waits, but ignores the outcome.
  co_await Wait(std::vector<Task<void>>{prefetch});
}

CLOTHO_TEST(Exception, LeavesACallback, sim::Random()) {
  GetRunningLoop().CallSoon([] { throw std::runtime_error("no handler"); });
  co_await Sleep(absl::Milliseconds(1));
}

// ---- No task can continue. ----

Coro<void> LockBoth(Lock& first, Lock& second) {
  auto outer = co_await first.Acquire();
  co_await Sleep(absl::Milliseconds(1));
  auto inner = co_await second.Acquire();
}

CLOTHO_TEST(Deadlock, InACircle, sim::Random()) {
  Lock a("A");
  Lock b("B");
  Task<void> a_then_b = CreateTask(LockBoth(a, b), {.name = "a-then-b"});
  co_await Sleep(absl::Milliseconds(1));
  Task<void> b_then_a = CreateTask(LockBoth(b, a), {.name = "b-then-a"});
  co_await a_then_b;
  co_await b_then_a;
}

// Notifies the current waiters. Later waiters wait forever.
class Bell {
 public:
  Coro<void> Wait() {
    Future<void> rung;
    waiting_.push_back(rung);
    co_await rung;
  }
  void Ring() {
    for (Future<void>& waiting : std::exchange(waiting_, {})) {
      waiting.SetResult();
    }
  }

 private:
  std::deque<Future<void>> waiting_;
};

Coro<void> RingOnce(Bell& bell) {
  bell.Ring();
  co_return;
}

CLOTHO_TEST(Deadlock, ByALostWakeUp, sim::Random()) {
  Bell bell;
  Task<void> guest = CreateTask(bell.Wait(), {.name = "guest"});
  Task<void> host = CreateTask(RingOnce(bell), {.name = "host"});
  co_await host;
  co_await guest;
}

// ---- No end. ----

Coro<void> Relay(Event& mine, Event& other) {
  while (true) {
    co_await mine.Wait();
    mine.Clear();
    other.Set();
  }
}

CLOTHO_TEST(NoEnd, Livelock, sim::Random()) {
  Event ping;
  Event pong;
  Task<void> left = CreateTask(Relay(ping, pong), {.name = "left"});
  Task<void> right = CreateTask(Relay(pong, ping), {.name = "right"});
  ping.Set();
  co_await left;
  co_await right;
}

Coro<void> Poll(bool& done) {
  while (!done) co_await Sleep(absl::Hours(24));
}

CLOTHO_TEST(NoEnd, InVirtualTime, sim::Random()) {
  bool done = false;
  Task<void> poll = CreateTask(Poll(done), {.name = "poll"});
  co_await poll;
}

// ---- What the body leaves behind. ----

Coro<void> Heartbeat() {
  while (true) co_await Sleep(absl::Seconds(10));
}

CLOTHO_TEST(Forgotten, Task, sim::Random()) {
  CreateTask(Heartbeat(), {.name = "heartbeat"});
  co_await Sleep(absl::Seconds(1));
}

Coro<void> Flush(std::string& written) {
  written += '.';
  co_return;
}

CLOTHO_TEST(Forgotten, Await, sim::Random()) {
  std::string written;
  co_await Flush(written);
  std::ignore = Flush(written);
}

// ---- A history that no order of the operations explains. ----

struct Write {
  int value;
};
struct Read {};
std::ostream& operator<<(std::ostream& out, const Write& write) {
  return out << "Write(" << write.value << ")";
}
std::ostream& operator<<(std::ostream& out, const Read&) {
  return out << "Read()";
}

struct Register {
  using State = int;
  using Operation = std::variant<Write, Read>;
  using Result = int;
  static Result Apply(State& state, const Operation& operation) {
    if (const auto* write = std::get_if<Write>(&operation)) {
      state = write->value;
    }
    return state;
  }
};

// Two copies of a value. The second is written later, and either is read.
struct Store {
  int copies[2] = {0, 0};
};

Coro<int> WriteBoth(Store& store, int value) {
  store.copies[0] = value;
  co_await Sleep(absl::Milliseconds(2));
  store.copies[1] = value;
  co_return value;
}

Coro<int> ReadOne(Store& store, int copy) {
  co_await Sleep(absl::Milliseconds(1));
  co_return store.copies[copy];
}

Coro<void> ReadTwice(Store& store, sim::History<Register>& history) {
  co_await history.Do(1, Read{}, ReadOne(store, 0));
  co_await history.Do(1, Read{}, ReadOne(store, 1));
}

CLOTHO_TEST(History, IsNotLinearizable, sim::Random()) {
  Store store;
  sim::History<Register> history("register");
  Task<void> reader = CreateTask(ReadTwice(store, history), {.name = "reader"});
  co_await history.Do(0, Write{1}, WriteBoth(store, 1));
  co_await reader;
  history.Check();
}

// ---- A search that covers less than requested. ----

CLOTHO_TEST(Incomplete, GoalNeverReached, sim::Random()) {
  int retries = 0;
  co_await Sleep(absl::Milliseconds(1));
  Sometimes(retries > 0, "a request was tried again");
}

CLOTHO_TEST(Incomplete, CutShort, sim::Exhaustive{.schedules = 10}) {
  std::string log;
  co_await Gather(Append(log, 'a'), Append(log, 'b'), Append(log, 'c'));
}

// ---- A program that is not a function of its schedule. ----

Coro<void> Fetch(int& requests) {
  if (++requests % 2 == 0) co_await Sleep(absl::Milliseconds(1));
  co_await Sleep(absl::Milliseconds(2));
}

CLOTHO_TEST(NotDeterministic, AStaticThatSurvives, sim::Random()) {
  static int requests = 0;
  Task<void> fetch = CreateTask(Fetch(requests), {.name = "fetch"});
  co_await fetch;
}

// ---- Properties: an input and a schedule that break a claim. ----

Coro<void> Deliver(std::vector<int>& delivered, int item) {
  co_await Sleep(absl::Milliseconds(1));
  delivered.push_back(item);
}

CLOTHO_PROPERTY(Property, ExpectationFails,
                (const std::vector<int>& items, int version),
                sim::Random{.schedules = 20}) {
  RC_PRE(version != 1);  // Delivers one by one.
  std::vector<int> delivered;
  std::vector<Task<void>> tasks;
  for (const int item : items) {
    tasks.push_back(CreateTask(Deliver(delivered, item)));
  }
  for (const Task<void>& task : tasks) co_await task;
  EXPECT_EQ(delivered, items);
}

// Waits twice as long each time.
Coro<void> Retry() {
  const int failures = *rc::gen::inRange(0, 20).as("failures");
  absl::Duration delay = absl::Milliseconds(1);
  for (int i = 0; i < failures; ++i) {
    co_await Sleep(delay);
    delay *= 2;
  }
  RC_ASSERT(delay < absl::Seconds(1));
}

CLOTHO_PROPERTY(Property, AssertionOfATaskFails, (const std::string& name),
                sim::Random{.schedules = 20}) {
  Task<void> client = CreateTask(Retry(), {.name = "client"});
  RC_LOG() << "connecting to \"" << name << "\"";
  co_await client;
}

using Transfer = std::pair<std::uint8_t, std::uint8_t>;  // From, to.

Coro<void> LockBoth(std::vector<Lock>& accounts, Transfer transfer) {
  const auto from = co_await accounts[transfer.first].Acquire();
  co_await Sleep(absl::Milliseconds(1));
  const auto to = co_await accounts[transfer.second].Acquire();
}

CLOTHO_PROPERTY(Property, Deadlocks, (const std::vector<Transfer>& transfers),
                sim::Random{.schedules = 20}) {
  std::vector<Lock> accounts(256);
  std::vector<Task<void>> tasks;
  for (const Transfer transfer : transfers) {
    RC_PRE(transfer.first != transfer.second);
    tasks.push_back(CreateTask(LockBoth(accounts, transfer)));
  }
  for (const Task<void>& task : tasks) co_await task;
}

// The second copy is written later, as above. What the clients do is drawn.
CLOTHO_PROPERTY(Property, HistoryIsNotLinearizable, (),
                sim::Random{.schedules = 20}) {
  using Operation = Register::Operation;
  const auto operations = rc::gen::oneOf(
      rc::gen::map(rc::gen::inRange(1, 10),
                   [](int value) { return Operation(Write{value}); }),
      rc::gen::just(Operation(Read{})));
  const auto clients =
      *properties::AnyClients<Register>(operations).as("clients");
  Store store;
  int reads = 0;
  co_await clients.Run(
      "register", [&](const Operation& operation) -> Coro<int> {
        const auto* const write = std::get_if<Write>(&operation);
        return write != nullptr ? WriteBoth(store, write->value)
                                : ReadOne(store, reads++ % 2);
      });
}

CLOTHO_PROPERTY(Incomplete, GaveUp, (const std::vector<int>& items)) {
  RC_PRE(items.size() > 1000);
  co_return;
}

// ---- The death of the process. ----

struct Entry {
  int value = 0;
};

Coro<void> ReadEntry(std::unique_ptr<Entry>& entry) {
  co_await Sleep(absl::ZeroDuration());
  volatile Entry* const found = entry.get();
  found->value = 1;
}

Coro<void> Evict(std::unique_ptr<Entry>& entry) {
  entry = nullptr;
  co_return;
}

CLOTHO_TEST(Crash, NullPointer, sim::Random()) {
  auto entry = std::make_unique<Entry>();
  Task<void> reader = CreateTask(ReadEntry(entry), {.name = "reader"});
  co_await Sleep(absl::Milliseconds(1));
  Task<void> evict = CreateTask(Evict(entry), {.name = "evict"});
  co_await reader;
  co_await evict;
}

CLOTHO_TEST(Crash, Terminate, sim::Random()) {
  co_await Sleep(absl::Milliseconds(1));
  std::terminate();
}

CLOTHO_PROPERTY(Crash, OfAProperty, (std::uint8_t size), sim::Random()) {
  auto entry = size < 7 ? std::make_unique<Entry>() : nullptr;
  co_await ReadEntry(entry);
}

CLOTHO_TEST(Crash, Exit, sim::Random()) {
  co_await Sleep(absl::Milliseconds(1));
  std::exit(0);
}

}  // namespace
}  // namespace clotho::examples
