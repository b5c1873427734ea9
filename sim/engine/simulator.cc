#include "clotho/sim/engine/simulator.h"

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <limits>
#include <optional>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/sync.h"
#include "clotho/runtime/internal/thread_model.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/task_base.h"
#include "clotho/sim/engine/assertion_failed.h"
#include "clotho/sim/engine/format.h"
#include "clotho/sim/engine/stop_requests.h"
#include "clotho/sim/engine/task_table.h"
#include "clotho/sim/engine/wait_graph.h"

namespace clotho::sim::internal {
namespace {

using clotho::internal::FutureBase;
using clotho::internal::Ref;
using clotho::internal::RunnableKind;
using clotho::internal::TaskBase;

thread_local constinit Simulator* current_simulator = nullptr;

// After the body has ended, tasks that are ready may take this many steps in
// total: enough to finish what is almost done, but not to loop forever.
constexpr std::uint64_t kSettlingStepsMax = 1'000;

// How often, at most, an execution looks whether its body waits for nothing
// that runs, and for how many steps that has to be so.
constexpr std::uint64_t kStepsBetweenLooks = 10'000;
constexpr std::uint64_t kStepsOfQuiet = 1'000;

constexpr std::size_t kInitialCapacity = 256;

thread_local constinit std::uint64_t runs = 0;

void SetPlace(Failure& failure, const std::source_location& location) {
  failure.file = ShortFile(location.file_name());
  failure.line = location.line();
}

// The deadline of a callback that a timer has queued.
std::optional<std::int64_t> DeadlineOf(
    const clotho::internal::Runnable& callback) {
  const auto* const handle =
      dynamic_cast<const clotho::internal::HandleState*>(&callback);
  if (handle == nullptr || !handle->is_timer()) return std::nullopt;
  return handle->when_ns();
}

}  // namespace

Simulator* Simulator::Current() { return current_simulator; }

Simulator::Simulator() : loop_({.clock = &clock_}) {
  CoreOf(loop_).set_scheduler(this);
  // Enough for small tests from the first execution.
  execution_.deviations.reserve(kInitialCapacity);
  candidates_.resize(kInitialCapacity);
  chains_.reserve(kInitialCapacity);
  listed_.reserve(kInitialCapacity);
  loop_.SetDefaultExceptionHandler(
      [this](EventLoop&, const ExceptionContext& context) {
        OnException(context);
      });
}

Simulator::~Simulator() = default;

const Execution& Simulator::Run(const Body& body, Strategy& strategy,
                                const Seeds& seeds, Observer* observer) {
  ResetExecution(seeds);
  strategy_ = &strategy;
  observer_ = observer;
  CoreOf(loop_).set_instrument(observer);
  loop_.SetDebug(debug_);

  struct Scope {
    Simulator* outer;
    clotho::internal::ClaimHandler* outer_handler;
    clotho::internal::ThreadModel* outer_threads;
    clotho::internal::SyncListener* outer_listener;
    ~Scope() {
      current_simulator = outer;
      clotho::internal::claim_handler = outer_handler;
      clotho::internal::thread_model = outer_threads;
      clotho::internal::sync_listener = outer_listener;
    }
  } scope{std::exchange(current_simulator, this),
          std::exchange(clotho::internal::claim_handler,
                        static_cast<clotho::internal::ClaimHandler*>(this)),
          std::exchange(clotho::internal::thread_model, &executors_),
          clotho::internal::sync_listener};
  // From here on a signal handler finds this simulator.
  if (stop_requests.tasks.load(std::memory_order_relaxed)) Attend();
  handoffs_.BeginExecution(strategy.wants_handoffs() ? &strategy : nullptr);
  if (handoffs_.active()) clotho::internal::sync_listener = &handoffs_;

  strategy.BeginExecution(strategy_rng_);
  if (StepLog* const log = strategy.log(); log != nullptr && !observer) {
    CoreOf(loop_).set_instrument(&watcher_);
    watcher_.Watch(log);
  }
  {
    Task<void> main = clotho::internal::CreateTaskIn(
        loop_, body(), {.name = "main"}, std::source_location());
    main_ = main.state();
  }
  RunLoop();
  state_.ending = true;
  if (watcher_.watches()) watcher_.Watch(nullptr);
  if (observer_ != nullptr) observer_->End(loop_);
  Finish();
  execution_.steps = state_.step;
  execution_.chains = chains_.size() - 1;
  execution_.time_ns = clock_.NowNs();
  execution_.trace_hash = state_.trace_hash.Finish();
  const std::uint64_t check = state_.check_hash.Finish();
  execution_.check = static_cast<std::uint16_t>(check ^ (check >> 16) ^
                                                (check >> 32) ^ (check >> 48));
  if (profile_ != nullptr) AddToProfile();
  CoreOf(loop_).set_instrument(nullptr);
  observer_ = nullptr;
  if (handoffs_.active()) {  // Teardown hands over nothing.
    handoffs_.BeginExecution(nullptr);
    clotho::internal::sync_listener = scope.outer_listener;
  }
  loop_.Reset();
  executors_.Clear();
  return execution_;
}

void Simulator::ResetExecution(const Seeds& seeds) {
  execution_.Clear();
  execution_.ordering = ordering_;
  state_ = {.run = ++runs, .seeds = seeds, .next_look = kStepsOfQuiet};
  strategy_rng_.Seed(seeds.strategy);
  program_rng_.Seed(seeds.program);
  SetStepLimit();
  quiet_watch_.Begin();
  threads_ = nullptr;
  clock_.Reset();
  chains_.assign(1, Chain());
  objects_.clear();
  idle_waiters_.clear();
  mishaps_.clear();
  profile_steps_.clear();
}

void Simulator::AddToProfile() {
  profile_chains_.clear();
  for (const Chain& chain : chains_) {
    profile_chains_.push_back({.path = chain.path, .parent = chain.parent});
  }
  profile_->Add(profile_steps_, profile_chains_,
                execution_.choice_points - state_.value_choices);
}

void Simulator::RunLoop() {
  try {
    loop_.RunForever();
  } catch (...) {
    // KeyboardInterrupt and the like leave the loop at once (L-27).
    Failure failure;
    failure.kind = FailureKind::kException;
    failure.what = absl::StrCat(DescribeException(std::current_exception()),
                                " left the event loop");
    failure.signature =
        absl::StrCat("critical ", ExceptionClass(std::current_exception()));
    Fail(std::move(failure));
  }
}

void Simulator::Finish() {
  if (main_->done()) {
    if (const std::exception_ptr error = main_->OutcomeAsException()) {
      Failure failure;
      failure.kind = FailureKind::kException;
      failure.what =
          absl::StrCat("The test's body ended with ", DescribeException(error));
      failure.task = "main";
      failure.signature =
          absl::StrCat("exception ", SignatureText(DescribeException(error)));
      Fail(std::move(failure));
    }
    if (!failed()) {
      const TaskBase* leaked = nullptr;
      CoreOf(loop_).ForEachTask([&leaked](TaskBase& task) {
        if (leaked == nullptr && !task.background()) leaked = &task;
      });
      if (leaked != nullptr) {
        Failure failure;
        failure.kind = FailureKind::kLeakedTask;
        std::string awaiting = "it has not started";
        if (leaked->waiting_on() != nullptr) {
          clotho::internal::WaitInfo info;
          leaked->waiting_on()->Explain(info);
          awaiting = absl::StrCat("awaiting ", info.what, " at ",
                                  Place(leaked->AwaitLocation()));
        } else if (leaked->started()) {
          awaiting = absl::StrCat("ready to go on at ",
                                  Place(leaked->AwaitLocation()));
        }
        failure.what = absl::StrCat(
            "Leaked task: ", leaked->name(),
            " is still pending after the test's body returned\n", "created at ",
            Place(leaked->created_at()), "\n", awaiting,
            "\nAwait it or cancel it; to let it outlive the test, create it "
            "with {.background = true}.");
        SetPlace(failure, leaked->created_at());
        failure.task = leaked->name();
        failure.signature =
            absl::StrCat("leaked task ", Place(leaked->created_at()));
        Fail(std::move(failure));
      }
    }
  }
  main_ = nullptr;
}

void Simulator::Fail(Failure failure) {
  if (failed()) return;
  if (std::exchange(break_at_failure_, false)) std::raise(SIGTRAP);
  failure.step = state_.step;
  failure.time_ns = clock_.NowNs();
  if (failure.task.empty()) failure.task = CurrentTaskName();
  execution_.failure = std::move(failure);
  if (observer_ != nullptr) observer_->Failed(*execution_.failure);
}

std::string Simulator::CurrentTaskName() const {
  if (threads_ != nullptr && threads_->Running() != nullptr) {
    return threads_->Running()->name();
  }
  const TaskBase* const task = CoreOf(loop_).current_task();
  return task == nullptr ? "" : task->name();
}

void Simulator::OnException(const ExceptionContext& context) {
  using Source = ExceptionContext::Source;
  if (context.exception != nullptr) TaskRaised(context.exception);
  Failure failure;
  switch (context.source) {
    case Source::kWarning:
      // A search would print it a thousand times.
      if (warnings_.insert(context.message).second) {
        std::fprintf(stderr, "clotho: t = %s: %s\n",
                     TimeText(clock_.NowNs()).c_str(), context.message.c_str());
      }
      return;
    case Source::kNeverRetrieved:
      failure.kind = FailureKind::kUnretrieved;
      failure.what = "Exception nobody retrieved: ";
      if (context.task != nullptr) {
        absl::StrAppend(&failure.what, "task ", context.task->name(),
                        " raised ", DescribeException(context.exception),
                        "\ncreated at ", Place(context.task->created_at()));
        SetPlace(failure, context.task->created_at());
        failure.task = context.task->name();
      } else {
        absl::StrAppend(&failure.what, DescribeException(context.exception),
                        ", set on a Future");
      }
      break;
    case Source::kNeverAwaited:
      failure.kind = FailureKind::kNeverAwaited;
      failure.what = absl::StrCat(
          "Never awaited: ",
          absl::StrReplaceAll(context.message, {{" was never awaited", ""}}),
          "\n(a Coro does nothing until it is awaited; CreateTask() starts "
          "one)");
      break;
    case Source::kCallback:
      failure.kind = FailureKind::kCallback;
      failure.what = absl::StrCat("Exception out of a callback: ",
                                  DescribeException(context.exception));
      if (context.location.line() != 0) {
        absl::StrAppend(&failure.what, "\nscheduled at ",
                        Place(context.location));
        SetPlace(failure, context.location);
      }
      break;
    case Source::kDestroyed:
    case Source::kShutdown:
    case Source::kTaskGroup:
    case Source::kAsyncGenerator:
    case Source::kOther:
      failure.kind = FailureKind::kCallback;
      failure.what = context.message;
      if (context.exception != nullptr) {
        absl::StrAppend(&failure.what, ": ",
                        DescribeException(context.exception));
      }
      break;
  }
  failure.signature = absl::StrCat(
      std::string(FailureKindName(failure.kind)), " ",
      failure.line != 0 ? Place(failure.file, failure.line) : context.message,
      " ",
      context.exception != nullptr
          ? SignatureText(DescribeException(context.exception))
          : "");
  Fail(std::move(failure));
}

void Simulator::Goal(std::string_view goal, bool reached,
                     const std::source_location& location) {
  const auto same = [&](const GoalCount& count) {
    return count.goal == goal && count.location.line() == location.line();
  };
  auto count = std::find_if(goals_.begin(), goals_.end(), same);
  if (count == goals_.end()) {
    goals_.push_back({.goal = std::string(goal), .location = location});
    count = goals_.end() - 1;
  }
  ++count->met;
  if (reached) ++count->reached;
}

std::uint64_t Simulator::ChooseValue(std::string_view what, std::uint64_t size,
                                     std::uint64_t numerator,
                                     std::uint64_t denominator,
                                     const std::source_location& location) {
  ++state_.step;
  ++execution_.choice_points;
  ++state_.value_choices;
  const std::uint64_t value =
      strategy_->ChooseValue({.step = state_.step,
                              .size = size,
                              .numerator = numerator,
                              .denominator = denominator},
                             strategy_rng_);
  state_.check_hash.Add(size);
  state_.trace_hash.Add(value);
  if (value != 0) {
    execution_.deviations.push_back(
        {state_.step, static_cast<std::uint32_t>(value)});
  }
  if (observer_ != nullptr) observer_->Chose(what, value, location);
  return value;
}

bool Simulator::MayMisbehave(const std::source_location& location) {
  GiveUpLog("Buggify");
  for (const Mishap& mishap : mishaps_) {
    if (mishap.location.line() == location.line() &&
        mishap.location.column() == location.column() &&
        std::string_view(mishap.location.file_name()) == location.file_name()) {
      return mishap.enabled;
    }
  }
  mishaps_.push_back({location, strategy_rng_.Chance(1, 4)});
  return mishaps_.back().enabled;
}

void Simulator::AddInvariant(Invariant& invariant) {
  GiveUpLog("an invariant, which sees the state after every step");
  invariant.next = state_.invariants;
  state_.invariants = &invariant;
}

void Simulator::RemoveInvariant(Invariant& invariant) {
  for (Invariant** link = &state_.invariants; *link != nullptr;
       link = &(*link)->next) {
    if (*link == &invariant) {
      *link = invariant.next;
      return;
    }
  }
}

bool Simulator::CheckInvariants() {
  for (Invariant* check = state_.invariants; check != nullptr;
       check = check->next) {
    std::string thrown;
    try {
      if (check->holds()) continue;
    } catch (...) {
      thrown = DescribeException(std::current_exception());
    }
    Failure failure;
    failure.kind = FailureKind::kInvariant;
    failure.what = absl::StrCat(
        "Invariant \"", std::string(check->claim),
        thrown.empty()
            ? "\" is broken by this step"
            : absl::StrCat("\" throws ", thrown, " after this step"));
    SetPlace(failure, check->location);
    failure.signature = absl::StrCat("invariant ", Place(check->location));
    Fail(std::move(failure));
    return false;
  }
  return true;
}

void Simulator::ClaimIsFalse(std::string_view word, std::string_view claim,
                             const std::source_location& location) {
  Failure failure;
  failure.kind = FailureKind::kAlways;
  failure.what =
      absl::StrCat(std::string(word), " \"", std::string(claim),
                   word == "Always" ? "\" is false" : "\" was reached");
  failure.function = FunctionName(location.function_name());
  SetPlace(failure, location);
  failure.signature = absl::StrCat("always ", Place(location));
  Fail(std::move(failure));
  if (threads_ != nullptr && threads_->Running() != nullptr) threads_->Leave();
  throw AssertionFailed();
}

void Simulator::TaskRaised(const std::exception_ptr& error) {
  if (!judge_ || failed()) return;
  if (std::optional<Failure> verdict = judge_(error)) {
    Fail(*std::move(verdict));
  }
}

void Simulator::NoteNewChains() {
  // Bookkeeping creates no chain that the program can see, so the last step
  // created them.
  while (chains_.size() < CoreOf(loop_).chain_count()) {
    Chain& parent = chains_[state_.step_chain];
    ++parent.children;
    const std::uint64_t path =
        Mix64(parent.path + parent.children * 0x9e3779b97f4a7c15);
    chains_.emplace_back(path, state_.step_chain);
  }
}

void Simulator::BeginStep(const Candidate& taken) {
  state_.step_chain = taken.chain();
  Chain& chain = chains_[state_.step_chain];
  ++chain.steps;
  if (handoffs_.active()) [[unlikely]] {
    if (!taken.is_timer()) handoffs_.BeginStep(taken.runnable());
  }
  if (profile_ != nullptr) [[unlikely]] {
    profile_steps_.push_back(
        {.chain = state_.step_chain, .number = chain.steps, .footprint = {}});
  }
}

std::uint64_t Simulator::PathOf(std::uint32_t chain) {
  NoteNewChains();
  return chains_[chain].path;
}

std::uint64_t Simulator::NewObject() {
  // The current task may be running for the first time.
  NoteNewChains();
  if (objects_.size() <= state_.step_chain)
    objects_.resize(state_.step_chain + 1, 0);
  ++objects_[state_.step_chain];
  return Mix64(~chains_[state_.step_chain].path +
               objects_[state_.step_chain] * 0x9e3779b97f4a7c15);
}

void Simulator::Touch(std::uint64_t object, bool write, std::string_view name,
                      const std::source_location& location) {
  if (observer_ != nullptr) observer_->Touched(object, write, name, location);
  if (handoffs_.active()) handoffs_.Touched(object, write, location);
  if (watcher_.watches()) watcher_.TouchNumber(object, write);
  AddToFootprint(object, write);
}

void Simulator::AddToFootprint(std::uint64_t object, bool write) {
  if (profile_ == nullptr || profile_steps_.empty()) return;
  Footprint& footprint = profile_steps_.back().footprint;
  const auto at = std::lower_bound(
      footprint.begin(), footprint.end(), object,
      [](const Access& a, std::uint64_t o) { return a.object < o; });
  if (at == footprint.end() || at->object != object) {
    footprint.insert(at, {.object = object, .write = write});
  } else {
    at->write = at->write || write;
  }
}

void Simulator::ListCandidates(const ReadyQueue& ready,
                               const Timer* next_timer) {
  point_.step_ = state_.step;
  point_.ready_ = &ready;
  point_.timer_ = next_timer;
  point_.entries_ = nullptr;
  point_.ready_count_ = ready.size();
  point_.fifo_only_ = false;
  point_.chains_ = chains_;
  if (ready.others() == 0) return;
  if (candidates_.size() < ready.size()) candidates_.resize(ready.size());
  // (Assigned member by member, like everything listed at each step: copying a
  // struct just written to the stack would stall until the store completes.)
  Entry* end = candidates_.data();
  const auto add = [&end](std::size_t place, Runnable& visible) {
    end->place = place;
    end->visible = &visible;
    ++end;
  };
  ++listing_;
  listed_.resize(chains_.size());
  std::int64_t earliest_ns = std::numeric_limits<std::int64_t>::max();
  for (std::size_t place = 0; place < ready.size(); ++place) {
    Runnable& runnable = ready[place];
    switch (runnable.kind()) {
      case RunnableKind::kTask:
        listed_[runnable.chain()].task = listing_;
        add(place, runnable);
        break;
      case RunnableKind::kCallback:
        if (runnable.cancelled()) break;
        // Deadlines are kept in order: no timer overtakes an earlier one that
        // is already queued.
        if (const auto deadline_ns = DeadlineOf(runnable)) {
          if (*deadline_ns > earliest_ns) break;
          earliest_ns = *deadline_ns;
          if (next_timer != nullptr && earliest_ns < next_timer->when_ns()) {
            point_.timer_ = next_timer = nullptr;
          }
        }
        // The first one of each chain: asyncio guarantees their order (L-02).
        if (std::exchange(listed_[runnable.chain()].callback, listing_) !=
            listing_) {
          add(place, runnable);
        }
        break;
      case RunnableKind::kInternal:
        // A task that is certain to be woken, with only bookkeeping before it.
        if (Runnable* const led = runnable.EventualStep();
            led != nullptr &&
            std::exchange(listed_[led->chain()].task, listing_) != listing_) {
          add(place, *led);
        }
        break;
      case RunnableKind::kThread:
        break;
    }
  }
  point_.entries_ = candidates_.data();
  point_.ready_count_ = static_cast<std::size_t>(end - candidates_.data());
}

std::optional<Simulator::Decision> Simulator::TowardsTarget(
    const ReadyQueue& ready) {
  for (std::size_t place = 0; place < ready.size(); ++place) {
    if (&ready[place] == state_.target) {
      state_.target = nullptr;
      return place;
    }
  }
  for (std::size_t place = 0; place < ready.size(); ++place) {
    if (ready[place].kind() == RunnableKind::kInternal &&
        ready[place].EventualStep() == state_.target) {
      return place;
    }
  }
  state_.target = nullptr;
  return std::nullopt;
}

Simulator::Decision Simulator::Choose(const ReadyQueue& ready,
                                      const Timer* next_timer) {
  if (failed()) return kStop;
  if (state_.invariants != nullptr && !CheckInvariants()) [[unlikely]]
    return kStop;
  if (state_.target != nullptr) [[unlikely]] {
    if (const auto decision = TowardsTarget(ready)) return *decision;
  }
  if (ordering_ == Ordering::kFifo && next_timer != nullptr &&
      BecomesDue(ready, *next_timer)) {
    return kDue;
  }
  // Bookkeeping at the head of the queue is not a step.
  if (ready.others() > 0 &&
      (ready[0].kind() == RunnableKind::kInternal || ready[0].cancelled())) {
    return 0;
  }
  if (main_->done()) {
    if (state_.settling_since == 0) {
      // The body has failed. What the other tasks would do now would hide the
      // reason.
      if (main_->OutcomeAsException() != nullptr) return kStop;
      state_.settling_since = state_.step + 1;
      if (watcher_.watches()) watcher_.TimersEnd();
    }
    if (state_.step + 1 - state_.settling_since >= kSettlingStepsMax)
      return kStop;
    next_timer = nullptr;
  }
  // No execution lasts until then.
  if (next_timer != nullptr &&
      next_timer->when_ns() > budget_.virtual_time_max_ns) {
    next_timer = nullptr;
  }
  if (state_.step >= step_limit_.load(std::memory_order_relaxed)) [[unlikely]] {
    if (!PassStepLimit()) return kStop;
  }
  return TakeStep(ready, next_timer);
}

bool Simulator::PassStepLimit() {
  // A signal may arrive at any time: one that arrives after the check below
  // lowers the limit again.
  const bool breaks = break_before_ > 0 && state_.step + 1 >= break_before_;
  if (breaks) break_before_ = 0;
  const bool looks = state_.step >= state_.next_look;
  if (looks) {
    state_.next_look =
        state_.step + (stop_when_quiet_
                           ? kStepsOfQuiet
                           : std::min(state_.step, kStepsBetweenLooks));
  }
  SetStepLimit();
  if (breaks) std::raise(SIGTRAP);
  if (stop_requests.tasks.exchange(false)) {
    std::fprintf(stderr, "[  CLOTHO  ] %srun %llu, step %llu, t = %s\n%s",
                 searched_test.empty()
                     ? ""
                     : absl::StrCat(std::string(searched_test), ", ").c_str(),
                 static_cast<unsigned long long>(state_.run),
                 static_cast<unsigned long long>(state_.step),
                 TimeText(clock_.NowNs()).c_str(), TaskTable(loop_).c_str());
  }
  if (state_.step < budget_.steps_max) return !looks || LookForQuiet();
  Failure failure;
  failure.kind = FailureKind::kLivelock;
  failure.what = absl::StrCat("Livelock: ", budget_.steps_max,
                              " steps without an end\n(a test that needs more "
                              "says so: sim::Limits{.steps_max = ...})");
  failure.signature = "livelock";
  Fail(DeadlockInsteadOf(std::move(failure)));
  return false;
}

void Simulator::SetStepLimit() {
  std::uint64_t limit = std::min(budget_.steps_max, state_.next_look);
  if (break_before_ > 0) limit = std::min(limit, break_before_ - 1);
  step_limit_.store(limit, std::memory_order_relaxed);
}

bool Simulator::LookForQuiet() {
  if (main_->done()) return true;
  NoteNewChains();
  const std::optional<Quiet> quiet =
      quiet_watch_.Look(state_.step, *main_, chains_);
  if (!stop_when_quiet_ || !quiet.has_value()) return true;
  Fail(DeadlockOf(*quiet));
  return false;
}

Failure Simulator::DeadlockInsteadOf(Failure failure) {
  if (main_->done()) return failure;
  NoteNewChains();
  const std::uint64_t since = quiet_watch_.since();
  const std::optional<Quiet> quiet =
      quiet_watch_.Look(state_.step, *main_, chains_);
  // Not surely, if it has been so for a short time only.
  if (!quiet.has_value() || state_.step - since < kStepsOfQuiet ||
      state_.step - since < state_.step / 2) {
    return failure;
  }
  return DeadlockOf(*quiet);
}

Failure Simulator::DeadlockOf(const Quiet& quiet) const {
  const WaitGraph& graph = quiet.graph;
  const auto ran = [&quiet](std::size_t index) {
    return index < quiet.ran.size() && quiet.ran[index];
  };
  Failure failure;
  failure.kind = FailureKind::kDeadlock;
  failure.beside_periodic_work = !quiet.ran.empty();
  failure.what = absl::StrCat(
      graph.cycle.empty() ? "Deadlock (lost wake-up)" : "Deadlock",
      " at t = ", TimeText(clock_.NowNs()), ", step ", state_.step, ": ");
  if (failure.beside_periodic_work) {
    std::vector<std::string> running;
    for (std::size_t i = 0; i < graph.waits.size(); ++i) {
      if (ran(i)) running.push_back(graph.waits[i].task);
    }
    absl::StrAppend(
        &failure.what, "main waits for nothing that still runs\n(what runs: ",
        running.empty() ? "callbacks" : absl::StrJoin(running, ", "), ")");
  } else {
    absl::StrAppend(&failure.what,
                    "nothing is ready, no timer is set, main has not finished");
  }
  // The set of places where stuck tasks wait identifies the deadlock: how many
  // wait at one of them does not matter.
  std::vector<std::string> places;
  const auto add = [&places](const Wait& wait) {
    const std::source_location* const place = PlaceOf(wait);
    places.push_back(place == nullptr ? wait.task : Place(*place));
  };
  const auto is_stuck = [&](std::size_t index) {
    return !graph.waits[index].background && !ran(index);
  };
  for (const std::size_t index : graph.cycle) add(graph.waits[index]);
  for (std::size_t i = 0; i < graph.waits.size() && graph.cycle.empty(); ++i) {
    if (is_stuck(i)) add(graph.waits[i]);
  }
  std::ranges::sort(places);
  places.erase(std::ranges::unique(places).begin(), places.end());
  failure.signature = absl::StrCat("deadlock ", absl::StrJoin(places, " "));
  // Where to look first: the wait of the oldest task in the cycle.
  const Wait* first = graph.waits.empty() ? nullptr : &graph.waits.front();
  if (!graph.cycle.empty()) {
    first = &graph.waits[*std::ranges::min_element(graph.cycle)];
  } else {
    // A wait that no known task can end; the body mostly waits for others.
    for (std::size_t i = graph.waits.size(); i-- > 0;) {
      const Wait& wait = graph.waits[i];
      if (is_stuck(i) && !wait.what.empty() && wait.holders.empty()) {
        first = &wait;
      }
    }
  }
  if (first != nullptr) {
    if (const std::source_location* const place = PlaceOf(*first)) {
      SetPlace(failure, *place);
    }
  }
  return failure;
}

bool Simulator::BecomesDue(const ReadyQueue& ready, const Timer& next_timer) {
  GiveUpLog("FIFO ordering");
  // Once per timer, at the boundary of each iteration.
  if (state_.iteration == CoreOf(loop_).iterations()) return false;
  if (main_->done() || next_timer.when_ns() > budget_.virtual_time_max_ns) {
    return false;
  }
  // An iteration with only bookkeeping takes no step.
  if (state_.boundary_step != state_.step + 1) {
    state_.boundary_step = state_.step + 1;
    state_.boundary = 0;
  }
  if (state_.boundary == Deviation::kBoundaryMax) return false;
  ++state_.boundary;
  NoteNewChains();
  point_.step_ = state_.step + 1;
  point_.boundary_ = state_.boundary;
  point_.ready_ = &ready;
  point_.timer_ = &next_timer;
  point_.entries_ = nullptr;
  point_.ready_count_ = 1;
  point_.fifo_only_ = true;
  point_.chains_ = chains_;
  ++execution_.choice_points;
  const bool due = strategy_->Choose(point_) == 1;
  state_.check_hash.Add(2);
  if (!due) {
    // The head of the queue runs as this step.
    state_.iteration = CoreOf(loop_).iterations();
    return false;
  }
  ++state_.step;
  execution_.deviations.push_back(
      {state_.step, Deviation::Due(state_.boundary)});
  state_.trace_hash.Add(next_timer.chain() * 2 + 1);
  state_.trace_hash.Add(static_cast<std::uint64_t>(next_timer.when_ns()));
  if (observer_ != nullptr) {
    observer_->Due(state_.step, Candidate(&next_timer, /*is_timer=*/true));
  }
  return true;
}

// (On the path of every step: a call would cost 2 % of a small execution.)
[[gnu::always_inline]] inline std::optional<std::size_t> Simulator::Decide() {
  std::size_t choice = 0;
  if (point_.size() > 1) {
    ++execution_.choice_points;
    choice = strategy_->Choose(point_);
    state_.check_hash.Add(point_.size());
    state_.check_hash.Add(EntryAt(0).visible->chain());
  }
  const Candidate taken = point_[choice];
  if (choice != 0) {
    execution_.deviations.emplace_back(
        state_.step, taken.is_timer() ? Deviation::kTimer
                                      : static_cast<std::uint32_t>(choice));
  }
  BeginStep(taken);
  if (observer_ != nullptr) [[unlikely]] {
    observer_->Step(point_, choice);
    if (state_.step == stop_before_) {
      Failure failure;
      failure.kind = FailureKind::kCrash;
      failure.signature = "crash";
      Fail(std::move(failure));
      return std::nullopt;
    }
  }
  const Runnable& runnable = taken.runnable();
  const std::int64_t time_ns =
      taken.is_timer() ? static_cast<const Timer&>(runnable).when_ns()
                       : clock_.NowNs();
  state_.trace_hash.Add(runnable.chain() * 2 + (taken.is_timer() ? 1 : 0));
  state_.trace_hash.Add(static_cast<std::uint64_t>(time_ns));
  return choice;
}

Simulator::Decision Simulator::TakeStep(const ReadyQueue& ready,
                                        const Timer* next_timer) {
  ++state_.step;
  NoteNewChains();
  if (ordering_ == Ordering::kFifo) {
    point_.step_ = state_.step;
    point_.ready_ = &ready;
    point_.timer_ = nullptr;
    point_.entries_ = nullptr;
    point_.ready_count_ = 1;
    point_.chains_ = chains_;
  } else {
    ListCandidates(ready, next_timer);
  }
  if (watcher_.watches()) [[unlikely]] {
    // A due timer is queued at the next iteration; when that begins depends on
    // the number of steps.
    if (next_timer != nullptr && next_timer->when_ns() <= clock_.NowNs()) {
      watcher_.NextConflictsWithAll();
    }
    // (It wants to see every step; here it has only one answer.)
    if (point_.size() == 1) strategy_->Choose(point_);
  }
  const std::optional<std::size_t> choice = Decide();
  if (!choice.has_value()) return kStop;
  if (point_[*choice].is_timer()) {
    if (watcher_.watches()) watcher_.NextFiresTimer();
    return kTimer;
  }
  const Entry entry = EntryAt(*choice);
  if (entry.visible != &ready[entry.place]) state_.target = entry.visible;
  return entry.place;
}

void Simulator::BeginThreads(ThreadHost& host) {
  threads_ = &host;
  GiveUpLog("threads");
}

void Simulator::AdoptThread() {
  current_simulator = this;
  clotho::internal::claim_handler = this;
}

std::uint32_t Simulator::NewChain() {
  const std::uint32_t chain = CoreOf(loop_).NewChain();
  NoteNewChains();
  return chain;
}

Simulator::Decision Simulator::ChooseThread(std::span<const Entry> ready,
                                            const SimulatedThread* timer) {
  if (failed()) return kEnd;
  if (state_.invariants != nullptr && !CheckInvariants()) [[unlikely]]
    return kEnd;
  if (state_.step >= step_limit_.load(std::memory_order_relaxed)) [[unlikely]] {
    if (!PassStepLimit()) return kEnd;
  }
  ++state_.step;
  point_.step_ = state_.step;
  point_.ready_ = nullptr;
  point_.timer_ = timer;
  point_.entries_ = ready.data();
  point_.ready_count_ = ready.size();
  point_.fifo_only_ = false;
  point_.chains_ = chains_;
  const std::optional<std::size_t> choice = Decide();
  if (!choice.has_value()) return kEnd;
  if (point_[*choice].is_timer()) {
    clock_.Wait(timer->when_ns());
    return kDeadline;
  }
  return static_cast<Decision>(*choice);
}

bool Simulator::PassTime(const SimulatedThread& timer) {
  if (timer.when_ns() > budget_.virtual_time_max_ns) {
    Fail(VirtualTimeIsOver());
    return false;
  }
  clock_.Wait(timer.when_ns());
  return true;
}

Failure Simulator::VirtualTimeIsOver() const {
  Failure failure;
  failure.kind = FailureKind::kVirtualTime;
  failure.what = absl::StrCat("The test's body has not ended after ",
                              TimeText(budget_.virtual_time_max_ns),
                              " of virtual time\n(a test that needs more says "
                              "so: sim::Limits{.virtual_time_max = ...})");
  failure.signature = "virtual time";
  return failure;
}

bool Simulator::BeforeWait(const Timer* next_timer) {
  if (failed()) return false;
  if (state_.invariants != nullptr && !CheckInvariants()) return false;
  if (!idle_waiters_.empty()) {
    GiveUpLog("RunUntilIdle");
    for (Future<void>& idle : std::exchange(idle_waiters_, {})) {
      if (!idle.Done()) idle.SetResult();
    }
    return true;
  }
  if (main_->done()) {
    if (watcher_.watches()) watcher_.TimersEnd();
    return false;
  }
  Failure failure;
  if (next_timer == nullptr) {
    failure = DeadlockOf({.graph = BuildWaitGraph(loop_), .ran = {}});
  } else if (next_timer->when_ns() > budget_.virtual_time_max_ns) {
    failure = DeadlockInsteadOf(VirtualTimeIsOver());
  } else {
    if (watcher_.watches()) watcher_.TimePasses();
    return true;
  }
  Fail(std::move(failure));
  return false;
}

}  // namespace clotho::sim::internal
