// SafeStack: a lock-free stack of indices that is not safe.
//
// A pop takes the head's successor out of the node, swings the head to it, and
// restores the successor if the head has moved meanwhile. Three tasks pop and
// push twice each; a task that has popped a node owns it.
//
// Breaks: the head moves away and comes back (ABA) while a task is between the
// two, so that two tasks own a node. At least five preemptions: depth 6 or
// more. Of the published strategies only SURW finds it within a million
// executions. The fixed stack counts the changes of its head, in the head, and
// leaves the successors of nodes alone (Treiber). Source: SCTBench
// (`SafeStack`), by Dmitry Vyukov.

#include <array>
#include <vector>

#include "clotho/examples/races/programs.h"
#include "clotho/examples/races/races.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/tracked.h"

namespace clotho::examples {
namespace {

constexpr int kTasks = 3;
constexpr int kRounds = 2;
constexpr int kNobody = -1;

class SafeStack {
 public:
  explicit SafeStack(Form form) : form_(form) {
    for (int i = 0; i < kTasks; ++i) {
      next_[i].Write() = i + 1 < kTasks ? i + 1 : kNobody;
    }
  }

  // A node, or kNobody. The last one stays.
  Coro<int> Pop(bool fixed) {
    for (;;) {
      co_await GiveWay(form_);
      if (count_.Read() <= 1) co_return kNobody;
      co_await GiveWay(form_);
      const Head head = head_.Read();
      co_await GiveWay(form_);
      int next = kNobody;
      if (fixed) {
        next = next_[head.index].Read();
      } else {
        next = std::exchange(next_[head.index].Write(), kNobody);
      }
      if (next < 0) continue;
      co_await GiveWay(form_);
      if (Swing(head, next, fixed)) {
        co_await GiveWay(form_);
        --count_.Write();
        co_return head.index;
      }
      if (fixed) continue;
      co_await GiveWay(form_);
      next_[head.index].Write() = next;
    }
  }

  Coro<void> Push(int index, bool fixed) {
    for (;;) {
      co_await GiveWay(form_);
      const Head head = head_.Read();
      co_await GiveWay(form_);
      next_[index].Write() = head.index;
      co_await GiveWay(form_);
      if (Swing(head, index, fixed)) break;
    }
    co_await GiveWay(form_);
    ++count_.Write();
  }

 private:
  struct Head {
    int index = 0;
    int changes = 0;  // Stays 0 in the one with the mistake.
    friend bool operator==(const Head&, const Head&) = default;
  };

  // Compare and swap.
  bool Swing(const Head& expected, int index, bool fixed) {
    Head& head = head_.Write();
    if (head != expected) return false;
    head = {index, expected.changes + (fixed ? 1 : 0)};
    return true;
  }

  const Form form_;
  sim::Tracked<Head> head_{"head"};
  sim::Tracked<int> count_{"count", kTasks};
  std::array<sim::Tracked<int>, kTasks> next_{sim::Tracked<int>{"next"},
                                              sim::Tracked<int>{"next"},
                                              sim::Tracked<int>{"next"}};
};

struct Nodes {
  explicit Nodes(Form form) : stack(form) {}

  SafeStack stack;
  std::array<sim::Tracked<int>, kTasks> owner{sim::Tracked<int>{"owner"},
                                              sim::Tracked<int>{"owner"},
                                              sim::Tracked<int>{"owner"}};
};

Coro<void> PopAndPush(Nodes& nodes, int self, Form form, bool fixed) {
  for (int i = 0; i < kRounds; ++i) {
    int node = kNobody;
    do {
      node = co_await nodes.stack.Pop(fixed);
    } while (node == kNobody);
    co_await GiveWay(form);
    nodes.owner[node].Write() = self;
    co_await GiveWay(form);
    Always(nodes.owner[node].Read() == self, "a node has one owner");
    co_await nodes.stack.Push(node, fixed);
  }
}

Coro<void> ThreeTasks(Form form, bool fixed) {
  Nodes nodes(form);
  std::vector<Coro<void>> tasks;
  for (int i = 0; i < kTasks; ++i) {
    tasks.push_back(PopAndPush(nodes, i, form, fixed));
  }
  co_await Gather(std::move(tasks));
}

}  // namespace

std::vector<Race> SafeStackRaces() {
  // A task that waits for a node spins, which takes no time.
  return {
      InForm(Form::kPortable,
             {.name = "safe_stack",
              .depth = 6,
              .says = "a node has one owner",
              .published = {.surw = Figure{368921, 19},
                            .pct3 = kNever,
                            .pct10 = kNever,
                            .pos = kNever,
                            .random = kNever,
                            .rff = kNever,
                            .note = "the artefact of SURW: limit 1,000,000"}},
             &ThreeTasks)};
}

}  // namespace clotho::examples
