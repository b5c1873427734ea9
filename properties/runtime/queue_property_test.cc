// What the three queues promise: every item is handed out once, in the queue's
// order; no task waits for what is available; Join waits for all items. This
// holds whichever task is cancelled or shuts the queue down, and whenever
// (rules ). Also queues that break these promises.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
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

enum class Kind { kPut, kGet, kPutNowait, kGetNowait };

struct Operation {
  Pause before;
  Kind kind = Kind::kPut;
  int item = 0;  // The item to put.
  // Which waiting task is cancelled in the same step. It may have been woken by
  // the operation, and not have run yet.
  std::optional<std::size_t> cancels;
};

using Actor = std::vector<Operation>;

struct Shutdown {
  Pause before;
  bool immediate = false;
};

struct Input {
  std::size_t maxsize = 0;
  std::vector<Actor> actors;
  Pause until_join;
  std::optional<Shutdown> shutdown;
  // For FailureAnywhere: an actor, and when it is cancelled.
  std::optional<std::pair<std::size_t, Pause>> cancelled;

  static rc::Gen<Input> Any();
};

std::ostream& operator<<(std::ostream& out, const Input& input) {
  out << "maxsize " << input.maxsize << "; ";
  for (const Actor& actor : input.actors) {
    out << "{";
    for (const Operation& operation : actor) {
      out << "after " << operation.before;
      switch (operation.kind) {
        case Kind::kPut:
          out << " Put(" << operation.item << "); ";
          break;
        case Kind::kGet:
          out << " Get(); ";
          break;
        case Kind::kPutNowait:
          out << " PutNowait(" << operation.item << "); ";
          break;
        case Kind::kGetNowait:
          out << " GetNowait(); ";
          break;
      }
      if (operation.cancels.has_value()) {
        out << "cancel the " << *operation.cancels << ". that waits; ";
      }
    }
    out << "} ";
  }
  out << "joined after " << input.until_join;
  if (input.shutdown.has_value()) {
    out << ", shut down " << (input.shutdown->immediate ? "at once " : "")
        << "after " << input.shutdown->before;
  }
  return out;
}

// The longest total pause of an actor.
int Longest(const Input& input) {
  int longest = 0;
  for (const Actor& actor : input.actors) {
    int ms = 0;
    for (const Operation& operation : actor) ms += operation.before.ms;
    longest = std::max(longest, ms);
  }
  return longest;
}

// A sequence of operations of some kinds.
rc::Gen<Actor> Actors(const rc::Gen<Kind>& kinds) {
  const auto operation = rc::gen::build<Operation>(
      rc::gen::set(&Operation::before, Pauses()),
      rc::gen::set(&Operation::kind, kinds),
      rc::gen::set(&Operation::item, rc::gen::inRange(0, 5)),
      rc::gen::set(&Operation::cancels,
                   Maybe(rc::gen::inRange<std::size_t>(0, 3))));
  return UpTo(3, operation);
}

rc::Gen<Input> Input::Any() {
  const auto actor = rc::gen::oneOf(
      Actors(rc::gen::just(Kind::kPut)), Actors(rc::gen::just(Kind::kGet)),
      Actors(rc::gen::element(Kind::kPut, Kind::kGet, Kind::kPutNowait,
                              Kind::kGetNowait)));
  const auto shutdown = rc::gen::build<Shutdown>(
      rc::gen::set(&Shutdown::before, Pauses()),
      rc::gen::set(&Shutdown::immediate, rc::gen::arbitrary<bool>()));
  return rc::gen::build<Input>(
      rc::gen::set(&Input::maxsize, rc::gen::inRange<std::size_t>(0, 3)),
      rc::gen::set(&Input::actors, UpTo(5, actor)),
      rc::gen::set(&Input::until_join, Pauses()),
      rc::gen::set(&Input::shutdown,
                   rc::gen::weightedOneOf<std::optional<Shutdown>>(
                       {{3, rc::gen::just(std::optional<Shutdown>())},
                        {1, Maybe(shutdown)}})));
}

constexpr char kInOrder[] = "items come in the queue's order";

// Which item comes next.
struct FirstIn {
  static std::size_t Next(const std::vector<int>&) { return 0; }
};
struct LastIn {
  static std::size_t Next(const std::vector<int>& items) {
    return items.size() - 1;
  }
};
struct Least {
  static std::size_t Next(const std::vector<int>& items) {
    return static_cast<std::size_t>(
        std::min_element(items.begin(), items.end()) - items.begin());
  }
};

// A queue without waiting.
template <typename Order>
class QueueModel {
 public:
  explicit QueueModel(std::size_t maxsize) : maxsize_(maxsize) {}

  bool empty() const { return items_.empty(); }
  bool full() const { return maxsize_ > 0 && items_.size() >= maxsize_; }
  bool shut_down() const { return shut_down_; }
  std::size_t size() const { return items_.size(); }
  std::size_t unfinished() const { return unfinished_; }
  int changes() const { return changes_; }
  // How often every item that was put had been processed.
  int times_finished() const { return times_finished_; }

  void Put(int item) {
    Always(!full(), "nothing is put into a full queue");
    Always(!shut_down_, "nothing is put into a queue that is shut down");
    items_.push_back(item);
    ++unfinished_;
    ++changes_;
  }
  int Get() {
    Always(!empty(), "nothing is got from an empty queue");
    const auto next =
        items_.begin() + static_cast<std::ptrdiff_t>(Order::Next(items_));
    const int item = *next;
    items_.erase(next);
    ++changes_;
    return item;
  }
  void Done(std::size_t count = 1) {
    unfinished_ -= count;
    if (count > 0 && unfinished_ == 0) ++times_finished_;
  }
  void ShutDown(bool immediate) {
    shut_down_ = true;
    ++changes_;
    if (!immediate) return;
    Done(items_.size());
    items_.clear();
  }

 private:
  const std::size_t maxsize_;
  std::vector<int> items_;
  std::size_t unfinished_ = 0;
  bool shut_down_ = false;
  int changes_ = 0;
  int times_finished_ = 0;
};

template <typename Q, typename Order>
struct World {
  explicit World(const Input& input)
      : queue(input.maxsize),
        model(input.maxsize),
        waiting(input.actors.size(), nullptr) {}

  void Begins(std::size_t actor, int& count) {
    waiting[actor] = &count;
    ++count;
  }
  void Ends(std::size_t actor) {
    if (waiting[actor] != nullptr) --*waiting[actor];
    waiting[actor] = nullptr;
  }
  // Among the tasks that wait, or were woken and have not run yet.
  void Cancel(std::size_t nth) {
    std::vector<std::size_t> candidates;
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      if (waiting[i] != nullptr) candidates.push_back(i);
    }
    if (candidates.empty()) return;
    const std::size_t actor = candidates[nth % candidates.size()];
    if (actors[actor].Cancel()) Ends(actor);
  }

  Q queue;
  QueueModel<Order> model;
  std::vector<Task<void>> actors;
  // The waiting tasks that were not cancelled: their number, and for each the
  // count it is in.
  int getters = 0;
  int putters = 0;
  std::vector<int*> waiting;
};

template <typename Q, typename Order>
Coro<void> Operate(World<Q, Order>* world, Operation operation,
                   std::size_t actor) {
  auto& model = world->model;
  bool refused = false;
  bool got = false;
  try {
    switch (operation.kind) {
      case Kind::kPut:
        world->Begins(actor, world->putters);
        co_await world->queue.Put(operation.item);
        model.Put(operation.item);
        break;
      case Kind::kPutNowait:
        world->queue.PutNowait(operation.item);
        model.Put(operation.item);
        break;
      case Kind::kGet: {
        world->Begins(actor, world->getters);
        const int item = co_await world->queue.Get();
        Always(item == model.Get(), kInOrder);
        got = true;
        break;
      }
      case Kind::kGetNowait: {
        const int item = world->queue.GetNowait();
        Always(item == model.Get(), kInOrder);
        got = true;
        break;
      }
    }
  } catch (const QueueShutDown&) {
    Always(model.shut_down(), "only a queue that is shut down refuses");
    refused = true;
  } catch (const QueueEmpty&) {
    Always(model.empty() && !model.shut_down(), "only an empty queue is empty");
    refused = true;
  } catch (const QueueFull&) {
    Always(model.full() && !model.shut_down(), "only a full queue is full");
    refused = true;
  } catch (const CancelledError&) {
    world->Ends(actor);
    throw;
  }
  world->Ends(actor);
  Always(world->queue.Qsize() == model.size(), "it holds what it was given");
  if (refused || !got) co_return;
  world->queue.TaskDone();
  model.Done();
}

template <typename Q, typename Order>
Coro<void> Act(World<Q, Order>* world, Actor operations, std::size_t actor) {
  for (const Operation& operation : operations) {
    co_await Take(operation.before);
    co_await Operate(world, operation, actor);
    if (operation.cancels.has_value()) world->Cancel(*operation.cancels);
  }
}

template <typename Q, typename Order>
Coro<void> CancelAfter(World<Q, Order>* world, std::size_t actor, Pause pause) {
  co_await Take(pause);
  const bool in_time = world->actors[actor].Cancel();
  if (in_time) world->Ends(actor);
  Sometimes(in_time, "an actor is cancelled in time");
}

template <typename Q, typename Order>
Coro<void> JoinAfter(World<Q, Order>* world, Pause pause) {
  co_await Take(pause);
  const bool waits = world->model.unfinished() > 0;
  const int before = world->model.times_finished();
  co_await world->queue.Join();
  Always(!waits || world->model.times_finished() > before,
         "Join waits until all is dealt with");
}

template <typename Q, typename Order>
Coro<void> ShutDownAfter(World<Q, Order>* world, Shutdown shutdown) {
  co_await Take(shutdown.before);
  world->queue.Shutdown(shutdown.immediate);
  world->model.ShutDown(shutdown.immediate);
}

// I-2, I-3, I-6, I-9.
template <typename Q, typename Order>
Coro<void> HandsOutWhatItWasGiven(const Input& input) {
  World<Q, Order> world(input);
  auto& model = world.model;
  for (std::size_t i = 0; i < input.actors.size(); ++i) {
    auto act = Act(&world, input.actors[i], i);
    world.actors.push_back(CreateTask(std::move(act)));
  }
  std::vector<Task<void>> tasks = world.actors;
  if (input.shutdown.has_value()) {
    auto shutdown = ShutDownAfter(&world, *input.shutdown);
    tasks.push_back(CreateTask(std::move(shutdown)));
  }
  if (input.cancelled.has_value()) {
    const auto& [actor, pause] = *input.cancelled;
    auto cancel = CancelAfter(&world, actor, pause);
    tasks.push_back(CreateTask(std::move(cancel)));
  }
  auto join = JoinAfter(&world, input.until_join);
  const Task<void> joiner = CreateTask(std::move(join));

  // At the end of each millisecond there is a moment at which nothing is ready.
  // A task that did not need to wait before it has had the chance to run.
  const auto somebody_could = [&] {
    return (world.getters > 0 && (!model.empty() || model.shut_down())) ||
           (world.putters > 0 && (!model.full() || model.shut_down()));
  };
  bool could = false;
  int changes = 0;
  const auto all_done = [&] {
    return std::all_of(tasks.begin(), tasks.end(),
                       [](const Task<void>& task) { return task.Done(); });
  };
  const int ms_max = 3 + Longest(input);
  for (int ms = 0; ms < ms_max && !all_done(); ++ms) {
    co_await sim::Advance(absl::Milliseconds(1));
    const bool can = somebody_could();
    Always(!could || !can || model.changes() != changes,
           "nobody waits for what is there");
    could = can;
    changes = model.changes();
  }
  for (const Task<void>& task : tasks) {
    if (!task.Done()) task.Cancel();
  }
  if (!tasks.empty()) co_await Wait(tasks);
  Always(world.queue.Qsize() == model.size(), "what is left is there");
  while (!model.empty()) {
    Always(world.queue.GetNowait() == model.Get(), kInOrder);
  }
  while (model.unfinished() > 0) {
    world.queue.TaskDone();
    model.Done();
  }
  bool refused = false;
  try {
    world.queue.TaskDone();
  } catch (const ValueError&) {
    refused = true;
  }
  Always(refused, "no more is dealt with than was put");
  co_await joiner;
}

CLOTHO_INVARIANT(QueueProperty, HandsOutWhatItWasGiven, Input,
                 HandsOutWhatItWasGiven<Queue<int>, FirstIn>)
CLOTHO_INVARIANT(LifoQueueProperty, HandsOutWhatItWasGiven, Input,
                 HandsOutWhatItWasGiven<LifoQueue<int>, LastIn>)
CLOTHO_INVARIANT(PriorityQueueProperty, HandsOutWhatItWasGiven, Input,
                 HandsOutWhatItWasGiven<PriorityQueue<int>, Least>)

std::optional<Input> ActorIsCancelled(Input input, std::size_t who, int turns) {
  if (who >= input.actors.size()) return std::nullopt;
  for (Actor& actor : input.actors) {
    // A later operation often compensates for a loss.
    if (actor.size() > 1) actor.resize(1);
    for (Operation& operation : actor) {
      operation.before.ms = 0;
      operation.cancels.reset();
    }
  }
  input.shutdown.reset();  // It would wake a forgotten task.
  input.until_join.ms = 0;
  input.cancelled = {who, Pause{.yields = turns}};
  return input;
}

constexpr std::uint64_t kModelInputs = 16;

TEST(QueueModel, HoldsWhereverATaskIsCancelled) {
  EXPECT_EQ(FailureAnywhere(HandsOutWhatItWasGiven<Queue<int>, FirstIn>,
                            ActorIsCancelled, kModelInputs),
            "");
}
TEST(LifoQueueModel, HoldsWhereverATaskIsCancelled) {
  EXPECT_EQ(FailureAnywhere(HandsOutWhatItWasGiven<LifoQueue<int>, LastIn>,
                            ActorIsCancelled, kModelInputs),
            "");
}
TEST(PriorityQueueModel, HoldsWhereverATaskIsCancelled) {
  EXPECT_EQ(FailureAnywhere(HandsOutWhatItWasGiven<PriorityQueue<int>, Least>,
                            ActorIsCancelled, kModelInputs),
            "");
}

// ---- Queues that do not keep their promises. ----

enum class Fault {
  kNone,
  kForgetsTheNextGetter,  // H-43: a cancelled task keeps its wake-up.
  kForgetsTheNextPutter,  // H-44.
  kDropsTheItem,          // Of a woken and then cancelled task.
  kHoldsOneMore,          // Than allowed.
  kJoinsEarly,            // When any item is processed.
  kCountsWhatIsDropped,   // An immediate shutdown leaves it unprocessed.
  kLeavesPuttersWaiting,  // When it is shut down.
  kAcceptsAfterwards,     // Items, when it is shut down.
};

// asyncio's algorithm, using futures.
template <Fault kFault>
class FaultyQueue {
 public:
  explicit FaultyQueue(std::size_t maxsize) : maxsize_(maxsize) {
    finished_.Set();
  }

  std::size_t Qsize() const { return items_.size(); }

  Coro<void> Put(int item) {
    while (Full() && !shut_down_) {
      co_await Stand(&putters_, kFault != Fault::kForgetsTheNextPutter,
                     [this] { return !Full(); });
    }
    PutNowait(item);
  }
  void PutNowait(int item) {
    if (shut_down_ && kFault != Fault::kAcceptsAfterwards) {
      throw QueueShutDown();
    }
    if (Full()) throw QueueFull();
    items_.push_back(item);
    ++unfinished_;
    finished_.Clear();
    WakeNext(&getters_);
  }
  Coro<int> Get() {
    while (items_.empty() && !shut_down_) {
      co_await Stand(&getters_, kFault != Fault::kForgetsTheNextGetter,
                     [this] { return !items_.empty(); });
    }
    co_return GetNowait();
  }
  int GetNowait() {
    if (items_.empty() && shut_down_) throw QueueShutDown();
    if (items_.empty()) throw QueueEmpty();
    const int item = items_.front();
    items_.pop_front();
    WakeNext(&putters_);
    return item;
  }
  void TaskDone() {
    if (unfinished_ == 0) throw ValueError("called too many times");
    --unfinished_;
    if (unfinished_ == 0 || kFault == Fault::kJoinsEarly) finished_.Set();
  }
  auto Join() { return finished_.Wait(); }
  void Shutdown(bool immediate) {
    shut_down_ = true;
    if (immediate) {
      if (kFault != Fault::kCountsWhatIsDropped) unfinished_ -= items_.size();
      items_.clear();
      if (unfinished_ == 0) finished_.Set();
    }
    while (!getters_.empty()) WakeNext(&getters_);
    if (kFault == Fault::kLeavesPuttersWaiting) return;
    while (!putters_.empty()) WakeNext(&putters_);
  }

 private:
  using Line = std::deque<Future<void>>;

  bool Full() const {
    return maxsize_ > 0 &&
           items_.size() >= maxsize_ + (kFault == Fault::kHoldsOneMore ? 1 : 0);
  }
  static void WakeNext(Line* line) {
    while (!line->empty()) {
      const Future<void> waiter = line->front();
      line->pop_front();
      if (waiter.Done()) continue;
      waiter.SetResult();
      return;
    }
  }
  // Waits in the line. If cancelled after it was woken, wakes the next one.
  Coro<void> Stand(Line* line, bool wakes_the_next,
                   std::function<bool()> is_possible) {
    const Future<void> waiter;
    line->push_back(waiter);
    try {
      co_await waiter;
    } catch (const CancelledError&) {
      const bool was_woken = waiter.Done() && !waiter.Cancelled();
      std::erase(*line, waiter);
      if (was_woken && line == &getters_ && kFault == Fault::kDropsTheItem &&
          !items_.empty()) {
        items_.pop_front();
      }
      if (was_woken && wakes_the_next && is_possible()) WakeNext(line);
      throw;
    }
  }

  const std::size_t maxsize_;
  std::deque<int> items_;
  std::size_t unfinished_ = 0;
  bool shut_down_ = false;
  Line getters_;
  Line putters_;
  Event finished_;
};

template <typename Q, typename Order = FirstIn>
std::string Refuted() {
  return Refutation(HandsOutWhatItWasGiven<Q, Order>);
}

TEST(QueueMutants, WithoutAFaultItHolds) {
  EXPECT_EQ(Refuted<FaultyQueue<Fault::kNone>>(), "");
}
TEST(QueueMutants, ForgetsTheNextGetter) {
  EXPECT_EQ(Refuted<FaultyQueue<Fault::kForgetsTheNextGetter>>(),
            False("nobody waits for what is there"));
}
TEST(QueueMutants, ForgetsTheNextPutter) {
  EXPECT_EQ(Refuted<FaultyQueue<Fault::kForgetsTheNextPutter>>(),
            False("nobody waits for what is there"));
}
TEST(QueueMutants, DropsTheItem) {
  EXPECT_EQ(Refuted<FaultyQueue<Fault::kDropsTheItem>>(),
            False("what is left is there"));
}
TEST(QueueMutants, ModelFindsThoseThatForgetTheNext) {
  // Rare: two tasks must wait in vain, and no other may arrive.
  constexpr std::uint64_t kInputs = 300;
  EXPECT_THAT(
      FailureAnywhere(
          HandsOutWhatItWasGiven<FaultyQueue<Fault::kForgetsTheNextGetter>,
                                 FirstIn>,
          ActorIsCancelled, kInputs),
      HasSubstr(False("nobody waits for what is there")));
  EXPECT_THAT(
      FailureAnywhere(
          HandsOutWhatItWasGiven<FaultyQueue<Fault::kForgetsTheNextPutter>,
                                 FirstIn>,
          ActorIsCancelled, kInputs),
      HasSubstr(False("nobody waits for what is there")));
}
TEST(QueueMutants, HoldsOneMore) {
  EXPECT_EQ(Refuted<FaultyQueue<Fault::kHoldsOneMore>>(),
            False("nothing is put into a full queue"));
}
TEST(QueueMutants, JoinsEarly) {
  EXPECT_EQ(Refuted<FaultyQueue<Fault::kJoinsEarly>>(),
            False("Join waits until all is dealt with"));
}
TEST(QueueMutants, CountsWhatIsDropped) {
  EXPECT_EQ(Refuted<FaultyQueue<Fault::kCountsWhatIsDropped>>(),
            False("no more is dealt with than was put"));
}
TEST(QueueMutants, LeavesPuttersWaiting) {
  EXPECT_EQ(Refuted<FaultyQueue<Fault::kLeavesPuttersWaiting>>(),
            False("nobody waits for what is there"));
}
TEST(QueueMutants, AcceptsAfterwards) {
  EXPECT_EQ(Refuted<FaultyQueue<Fault::kAcceptsAfterwards>>(),
            False("nothing is put into a queue that is shut down"));
}

// Each queue is a faulty version of another kind.
TEST(QueueMutants, OfAnotherOrder) {
  const std::string expected = False(kInOrder);
  EXPECT_EQ((Refuted<LifoQueue<int>, FirstIn>()), expected);
  EXPECT_EQ((Refuted<Queue<int>, LastIn>()), expected);
  EXPECT_EQ((Refuted<PriorityQueue<int, std::greater<>>, Least>()), expected);
}

}  // namespace
}  // namespace clotho::properties
