// A bounded buffer with one condition for two kinds of waiting.
//
// A writer waits until the buffer is not full, two readers until it is not
// empty, and each notifies one waiter after its operation.
//
// Breaks: a reader's notification, meant for the writer, wakes the other
// reader, which finds nothing and waits again. The writer waits for a
// notification that never comes: deadlock. Depth 3 or 4. The fixed buffer
// notifies all waiters. Source: Tom Cargill, by way of the blogs of Coyote and
// Shuttle's tests.

#include <deque>
#include <utility>
#include <vector>

#include "clotho/examples/races/programs.h"
#include "clotho/examples/races/races.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/tracked.h"

namespace clotho::examples {
namespace {

constexpr std::size_t kCapacity = 1;
constexpr int kReaders = 2;
constexpr int kTakesEach = 5;

class BoundedBuffer {
 public:
  BoundedBuffer(Form form, bool fixed) : form_(form), fixed_(fixed) {}

  Coro<void> Put(int item) {
    co_await GiveWay(form_);
    Lock::Guard guard = co_await changed_.Acquire();
    while (items_.Read().size() >= kCapacity) co_await changed_.Wait();
    items_.Write().push_back(item);
    Notify();
  }
  Coro<int> Take() {
    co_await GiveWay(form_);
    Lock::Guard guard = co_await changed_.Acquire();
    while (items_.Read().empty()) co_await changed_.Wait();
    const int item = items_.Read().front();
    items_.Write().pop_front();
    Notify();
    co_return item;
  }

 private:
  void Notify() {
    if (fixed_) {
      changed_.NotifyAll();
    } else {
      changed_.Notify();
    }
  }

  const Form form_;
  const bool fixed_;
  Condition changed_{"changed"};
  sim::Tracked<std::deque<int>> items_{"items"};
};

Coro<void> WriteAll(BoundedBuffer& buffer) {
  for (int i = 0; i < kReaders * kTakesEach; ++i) co_await buffer.Put(i);
}

Coro<void> ReadSome(BoundedBuffer& buffer) {
  for (int i = 0; i < kTakesEach; ++i) co_await buffer.Take();
}

Coro<void> TwoReadersOneWriter(Form form, bool fixed) {
  BoundedBuffer buffer(form, fixed);
  Coro<void> read = ReadSome(buffer);
  Task<void> first = CreateTask(std::move(read), {.name = "reader-1"});
  read = ReadSome(buffer);
  Task<void> second = CreateTask(std::move(read), {.name = "reader-2"});
  Coro<void> write = WriteAll(buffer);
  Task<void> writer = CreateTask(std::move(write), {.name = "writer"});
  co_await Gather(first, second, writer);
}

}  // namespace

std::vector<Race> BoundedBufferRaces() {
  return InBothForms({.name = "bounded_buffer",
                      .depth = 4,
                      .failure = sim::FailureKind::kDeadlock,
                      .published = {.note = "Shuttle: within 1,000 (random)"}},
                     &TwoReadersOneWriter);
}

}  // namespace clotho::examples
