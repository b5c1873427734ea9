// Visitors: tasks that queue up for a lock or a semaphore, hold it for a while,
// and leave; some are cancelled meanwhile. Also the model of the queue that
// they are checked against.
//
//   Coro<void> body = KeepsTheLine<Lock>(input);

#ifndef CLOTHO_PROPERTIES_RUNTIME_QUEUE_MODEL_H_
#define CLOTHO_PROPERTIES_RUNTIME_QUEUE_MODEL_H_

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <ostream>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/properties/runtime/random_pause.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/run_until_idle.h"
#include "rapidcheck.h"

namespace clotho::properties {

struct Visit {
  Pause before;
  Pause inside;
};

struct Visitor {
  std::vector<Visit> visits;
  std::optional<Pause> until_cancel;
};

inline std::ostream& operator<<(std::ostream& out, const Visitor& visitor) {
  out << "{";
  for (const Visit& visit : visitor.visits) {
    out << "before " << visit.before << ", inside " << visit.inside << "; ";
  }
  if (visitor.until_cancel.has_value()) {
    out << "cancelled after " << *visitor.until_cancel;
  }
  return out << "}";
}

struct Visitors {
  int permits = 1;
  std::vector<Visitor> visitors;

  static rc::Gen<Visitors> Any();
};

inline std::ostream& operator<<(std::ostream& out, const Visitors& input) {
  out << input.permits << " permits";
  for (const Visitor& visitor : input.visitors) out << " " << visitor;
  return out;
}

inline rc::Gen<Visitors> Visitors::Any() {
  const auto visit =
      rc::gen::build<Visit>(rc::gen::set(&Visit::before, Pauses()),
                            rc::gen::set(&Visit::inside, Pauses()));
  const auto visitor = rc::gen::build<Visitor>(
      rc::gen::set(&Visitor::visits, UpTo(3, visit)),
      rc::gen::set(&Visitor::until_cancel, Maybe(Pauses())));
  return rc::gen::build<Visitors>(
      rc::gen::set(&Visitors::permits, rc::gen::inRange(1, 4)),
      rc::gen::set(&Visitors::visitors, UpTo(5, visitor)));
}

// The tasks in the queue and the number inside, according to the rules: FIFO
// order, and no more inside than there are permits.
class LineModel {
 public:
  explicit LineModel(int permits) : permits_(permits) {}

  // The time a task spends inside, from entering.
  class Stay {
   public:
    Stay(LineModel& model, int who) : model_(model) { model.Enters(who); }
    ~Stay() { --model_.inside_; }
    Stay(const Stay&) = delete;

   private:
    LineModel& model_;
  };

  void Asks(int who) { line_.push_back({who, false}); }
  // The task has been cancelled, and may notice it later.
  void IsCancelled(int who) {
    for (Waiter& waiter : line_) {
      if (waiter.who == who) waiter.cancelled = true;
    }
  }
  void GivesUp(int who) {
    std::erase_if(line_, [who](const Waiter& w) { return w.who == who; });
  }
  // True if a task waits although it could enter.
  bool SomebodyCouldEnter() const {
    return inside_ < permits_ &&
           std::any_of(
               line_.begin(), line_.end(),
               [](const Waiter& waiter) { return !waiter.cancelled; });
  }
  // The number of entries.
  int entered() const { return entered_; }

 private:
  struct Waiter {
    int who;
    bool cancelled;
  };

  // Tasks that have their permits may enter in any order.
  void Enters(int who) {
    const int permits = permits_ - inside_;
    int ahead = 0;
    for (const Waiter& waiter : line_) {
      if (waiter.who == who) break;
      ahead += waiter.cancelled ? 0 : 1;
    }
    ++inside_;
    ++entered_;
    GivesUp(who);
    Always(permits > 0, "no more are inside than there are permits");
    Always(ahead < permits, "first come, first served");
  }

  const int permits_;
  int inside_ = 0;
  int entered_ = 0;
  std::vector<Waiter> line_;
};

// Shared by the tasks, each of which holds a reference: tasks still inside when
// the body has failed leave when the loop is destroyed.
template <typename L>
struct Place {
  explicit Place(int permits) : line(permits), model(permits) {}

  L line;
  LineModel model;
};

template <typename L>
Coro<void> Visiting(std::shared_ptr<Place<L>> place, Visitor visitor, int who) {
  LineModel* const model = &place->model;
  try {
    for (const Visit& visit : visitor.visits) {
      co_await Take(visit.before);
      model->Asks(who);
      auto guard = co_await place->line.Acquire();
      const LineModel::Stay stay(*model, who);
      co_await Take(visit.inside);
    }
  } catch (const CancelledError&) {
    model->GivesUp(who);
    throw;
  }
}

inline Coro<void> CancelAfter(Pause pause, Task<void> task, int who,
                              LineModel* model) {
  co_await Take(pause);
  const bool in_time = task.Cancel();
  if (in_time) model->IsCancelled(who);
  Sometimes(in_time, "a visitor is cancelled in time");
}

// The visitors enter and leave as the model says, no task waits for what is
// free, and in the end everything is free. `L` is constructed from the number
// of permits, at most `L::kPermitsMax`, and has `Acquire` and `Locked`. I-2,
// I-3, I-4, I-6, I-9.
template <typename L>
Coro<void> KeepsTheLine(const Visitors& input) {
  const int permits = std::min(input.permits, L::kPermitsMax);
  const auto place = std::make_shared<Place<L>>(permits);
  L& line = place->line;
  LineModel& model = place->model;
  std::vector<Task<void>> tasks;
  for (std::size_t i = 0; i < input.visitors.size(); ++i) {
    const int who = static_cast<int>(i);
    auto visiting = Visiting(place, input.visitors[i], who);
    tasks.push_back(CreateTask(std::move(visiting)));
    if (const auto& pause = input.visitors[i].until_cancel) {
      auto cancel = CancelAfter(*pause, tasks.back(), who, &model);
      tasks.push_back(CreateTask(std::move(cancel)));
    }
  }
  const auto all_done = [&] {
    return std::all_of(tasks.begin(), tasks.end(),
                       [](const Task<void>& task) { return task.Done(); });
  };
  // At the end of each millisecond there is a moment at which nothing is ready.
  // A task that could enter before it has had the chance.
  bool could_enter = false;
  int entered = 0;
  while (!all_done()) {
    co_await sim::Advance(absl::Milliseconds(1));
    Always(!could_enter || !model.SomebodyCouldEnter() ||
               model.entered() != entered,
           "nobody waits for what is free");
    could_enter = model.SomebodyCouldEnter();
    entered = model.entered();
  }
  std::vector<AwaitResult<decltype(line.Acquire())>> guards;
  for (int i = 0; i < permits; ++i) {
    Always(!line.Locked(), "every permit is there in the end");
    auto guard = co_await line.Acquire();
    guards.push_back(std::move(guard));
  }
  Always(line.Locked(), "there are no more permits than at first");
}

// For FailureAnywhere.
inline std::optional<Visitors> VisitorIsCancelled(Visitors input,
                                                  std::size_t who, int turns) {
  if (who >= input.visitors.size()) return std::nullopt;
  for (Visitor& visitor : input.visitors) {
    visitor.until_cancel.reset();
    for (Visit& visit : visitor.visits) visit.before.ms = visit.inside.ms = 0;
  }
  input.visitors[who].until_cancel = Pause{.yields = turns};
  return input;
}

}  // namespace clotho::properties

#endif  // CLOTHO_PROPERTIES_RUNTIME_QUEUE_MODEL_H_
