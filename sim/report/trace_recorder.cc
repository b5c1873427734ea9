#include "clotho/sim/report/trace_recorder.h"

#include <cstddef>
#include <cstdint>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/sync.h"
#include "clotho/runtime/internal/timer_queue.h"
#include "clotho/runtime/task_base.h"
#include "clotho/runtime/thread_link.h"
#include "clotho/sim/engine/executor.h"
#include "clotho/sim/engine/format.h"
#include "clotho/sim/engine/wait_graph.h"

namespace clotho::sim::internal {
namespace {

// The most candidates named for a step. Otherwise each step of a hundred tasks
// would name a hundred.
constexpr std::size_t kCandidatesNamed = 16;

using clotho::internal::HandleState;
using clotho::internal::RunnableKind;
using Kind = TraceEvent::Kind;

const clotho::internal::TaskBase* TaskOf(
    const clotho::internal::Runnable& runnable) {
  if (runnable.kind() != RunnableKind::kTask) return nullptr;
  return static_cast<const clotho::internal::TaskBase*>(&runnable);
}

const SimulatedThread* ThreadOf(const clotho::internal::Runnable& runnable) {
  if (runnable.kind() != RunnableKind::kThread) return nullptr;
  return static_cast<const SimulatedThread*>(&runnable);
}

// What a callback is, and where it comes from, if known.
struct CallbackOrigin {
  std::string name;
  std::source_location location;
};

CallbackOrigin OriginOf(const clotho::internal::Runnable& callback) {
  if (const auto* const handle = dynamic_cast<const HandleState*>(&callback)) {
    return {handle->is_timer() ? "timer callback" : "callback",
            handle->location()};
  }
  if (const auto* const worker = dynamic_cast<const Worker*>(&callback)) {
    return {worker->has_job() ? "end of the job" : "begin of the job",
            worker->location()};
  }
  if (dynamic_cast<const clotho::internal::ThreadLink*>(&callback) != nullptr) {
    return {"cancellation from another thread", std::source_location()};
  }
  return {"done callback", std::source_location()};
}

// Threads, each of which waits for the next, and the last for the first. Empty:
// there are none.
std::vector<std::size_t> CycleOf(const std::vector<TraceWait>& waits) {
  for (std::size_t first = 0; first < waits.size(); ++first) {
    std::vector<std::size_t> path;
    std::size_t at = first;
    while (!waits[at].holders.empty() && path.size() <= waits.size()) {
      path.push_back(at);
      at = waits[at].holders.front();
      if (at == first) return path;
    }
  }
  return {};
}

TraceFrame FrameOf(const std::source_location& location) {
  if (location.line() == 0) return {};
  return {.function = FunctionName(location.function_name()),
          .file = ShortFile(location.file_name()),
          .line = location.line()};
}

}  // namespace

TraceRecorder::TraceRecorder(const Simulator& simulator)
    : simulator_(simulator),
      outer_listener_(std::exchange(clotho::internal::sync_listener, &races_)) {
}

TraceRecorder::~TraceRecorder() {
  clotho::internal::sync_listener = outer_listener_;
}

TraceRecorder::Since TraceRecorder::WaitsSince(const std::string& task) const {
  const auto found = since_.find(task);
  return found == since_.end() ? Since{} : found->second;
}

std::size_t TraceRecorder::LaneOf(const TaskBase& task) {
  const auto [found, is_new] =
      lanes_.try_emplace(task.chain(), trace_.lanes.size());
  if (is_new) trace_.lanes.push_back(task.name());
  return found->second;
}

std::size_t TraceRecorder::LaneOf(const SimulatedThread& thread) {
  const auto [found, is_new] =
      lanes_.try_emplace(thread.chain(), trace_.lanes.size());
  if (is_new) trace_.lanes.push_back(thread.name());
  return found->second;
}

std::size_t TraceRecorder::CallbackLane() {
  if (callback_lane_ == kNoLane) {
    callback_lane_ = trace_.lanes.size();
    trace_.lanes.push_back("-");
  }
  return callback_lane_;
}

TraceEvent& TraceRecorder::Add(std::size_t lane, Kind kind,
                               std::string_view text) {
  TraceEvent& event = trace_.events.emplace_back();
  event.step = simulator_.step();
  event.time_ns = simulator_.now_ns();
  event.lane = lane;
  event.kind = kind;
  event.text = std::string(text);
  return event;
}

void TraceRecorder::SetPlace(TraceEvent& event,
                             const std::source_location& location) {
  if (location.line() == 0) return;
  event.file = ShortFile(location.file_name());
  event.line = location.line();
}

std::string TraceRecorder::Describe(const Candidate& candidate) const {
  if (const SimulatedThread* const thread = ThreadOf(candidate.runnable())) {
    if (candidate.is_timer()) {
      return absl::StrCat("the deadline of ", thread->name(),
                          ", t = ", TimeText(thread->when_ns()));
    }
    return absl::StrCat(thread->name(), " (", thread->NextStep(), ")");
  }
  if (candidate.is_timer() &&
      dynamic_cast<const Worker*>(&candidate.runnable()) == nullptr) {
    const auto& timer =
        static_cast<const clotho::internal::Timer&>(candidate.runnable());
    return absl::StrCat("the ", TimeText(timer.when_ns()), " timer");
  }
  const TaskBase* const task = TaskOf(candidate.runnable());
  if (task == nullptr) {
    const CallbackOrigin origin = OriginOf(candidate.runnable());
    if (origin.location.line() == 0) return origin.name;
    return absl::StrCat(origin.name, " of ", Place(origin.location));
  }
  if (!task->started()) return absl::StrCat(task->name(), " (its first step)");
  return absl::StrCat(task->name(), " (", Place(task->AwaitLocation()), ")");
}

TraceRecorder::Cause TraceRecorder::CauseOf(const Runnable& runnable) const {
  const auto found = ready_.find(&runnable);
  return found == ready_.end() ? Cause{} : found->second;
}

std::string TraceRecorder::Why(const ChoicePoint& point,
                               std::size_t index) const {
  const Candidate candidate = point[index];
  if (candidate.is_timer()) {
    const auto& timer =
        static_cast<const clotho::internal::Timer&>(candidate.runnable());
    const std::int64_t in_ns = timer.when_ns() - simulator_.now_ns();
    const std::string when =
        in_ns <= 0 ? "the next timer is due"
                   : absl::StrCat("the next timer, due in ", TimeText(in_ns));
    return absl::StrCat(when, point.fifo_only()
                                  ? ": an iteration of the loop may take that "
                                    "long"
                                  : ": what is ready may take that long");
  }
  if (ThreadOf(candidate.runnable()) != nullptr) return "it can go on";
  const Cause cause = CauseOf(point.InQueue(index));
  const TaskBase* const task = TaskOf(candidate.runnable());
  const std::string in_step = cause.step == 0
                                  ? "from the beginning"
                                  : absl::StrCat("since step ", cause.step);
  if (cause.timer) {
    return absl::StrCat("ready ", in_step,
                        ": its timer was due at t = ", TimeText(cause.time_ns));
  }
  if (cause.lane == kNoLane) return absl::StrCat("ready ", in_step);
  const bool by_callback = trace_.lanes[cause.lane] == "-";
  const std::string who = by_callback ? "a callback" : trace_.lanes[cause.lane];
  if (task == nullptr) {
    return absl::StrCat("ready ", in_step, ", scheduled by ", who);
  }
  if (!task->started()) {
    return absl::StrCat("ready ", in_step, ", created by ", who);
  }
  const auto lane = lanes_.find(task->chain());
  if (lane != lanes_.end() && lane->second == cause.lane) {
    return absl::StrCat("ready ", in_step, ", where it gave way");
  }
  return absl::StrCat("ready ", in_step, ", woken by ", who);
}

void TraceRecorder::Step(const ChoicePoint& point, std::size_t choice) {
  const Candidate taken = point[choice];
  stepping_ = &taken.runnable();
  TraceStep& step = trace_.steps.emplace_back();
  step.step = point.step();
  step.time_ns = simulator_.now_ns();
  step.choice = choice;
  step.candidates = point.size();
  step.has_timer = point.has_timer();
  step.taken = Describe(taken);
  for (std::size_t i = 0; i < point.size() && i < kCandidatesNamed; ++i) {
    if (point.size() > 1) step.named.push_back(Describe(point[i]));
    step.why.push_back(Why(point, i));
  }
  if (!taken.is_timer()) {
    const Cause cause = CauseOf(point.InQueue(choice));
    step.since = cause.step;
    if (cause.lane != kNoLane) step.by = cause.lane;
  }
  if (const SimulatedThread* const thread = ThreadOf(taken.runnable())) {
    current_ = LaneOf(*thread);
    current_chain_ = thread->chain();
    last_ = current_;
  }
  if (choice == 0) return;
  const Candidate fifo = point[0];
  DeviationText deviation;
  deviation.step = point.step();
  deviation.taken =
      taken.is_timer()
          ? absl::StrCat("let ", Describe(taken),
                         ThreadOf(taken.runnable()) != nullptr ? ", pass first"
                                                               : " fire first")
          : absl::StrCat("ran ", Describe(taken));
  deviation.fifo = absl::StrCat("FIFO order runs ", Describe(fifo));
  trace_.deviations.push_back(std::move(deviation));
  if (taken.is_timer()) {
    Add(0, Kind::kTimer,
        absl::StrCat(Describe(taken), ThreadOf(taken.runnable()) != nullptr
                                          ? ", passes early"
                                          : " fires early"));
  }
}

void TraceRecorder::Touched(std::uint64_t object, bool write,
                            std::string_view name,
                            const std::source_location& location) {
  if (current_ == kNoLane) return;
  // (What orders threads, it does not know.)
  if (simulator_.threads() == nullptr) {
    races_.Touched(object, name,
                   {.step = simulator_.step(),
                    .chain = current_chain_,
                    .task = trace_.lanes[current_],
                    .write = write,
                    .location = location});
  }
  SetPlace(
      Add(current_, write ? Kind::kWrite : Kind::kRead,
          absl::StrCat(write ? "| writes " : "| reads ", std::string(name))),
      location);
}

void TraceRecorder::Due(std::uint64_t step, const Candidate& timer) {
  const std::string which = Describe(timer);
  trace_.deviations.push_back(
      {.step = step,
       .taken = absl::StrCat("time passes: ", which, " becomes due"),
       .fifo = "FIFO order is faster than that"});
  Add(0, Kind::kTimer, absl::StrCat(which, " becomes due"));
}

void TraceRecorder::Chose(std::string_view what, std::uint64_t value,
                          const std::source_location& location) {
  const bool buggify = what == "Buggify";
  const std::string said =
      buggify ? (value != 0 ? "Buggify happens" : "Buggify does not happen")
              : absl::StrCat(std::string(what), " gives ", value);
  if (current_ != kNoLane) {
    SetPlace(Add(current_, Kind::kChoice, absl::StrCat("| ", said)), location);
  }
  if (value == 0) return;
  trace_.deviations.push_back(
      {.step = simulator_.step(),
       .taken = absl::StrCat(said, " (", Place(location), ")"),
       .fifo =
           buggify ? "FIFO order lets nothing happen" : "FIFO order gives 0"});
}

void TraceRecorder::ThreadDoes(const SimulatedThread& thread, Kind kind,
                               std::string_view text,
                               const SimulatedThread* other,
                               std::span<void* const> stack) {
  current_ = LaneOf(thread);
  current_chain_ = thread.chain();
  last_ = current_;
  trace_.lanes[current_] = thread.name();  // It may have been renamed.
  const std::size_t other_lane = other == nullptr ? 0 : LaneOf(*other);
  Add(current_, kind, text).other = other_lane;
  thread_places_.emplace_back(trace_.events.size() - 1,
                              std::vector<void*>(stack.begin(), stack.end()));
}

void TraceRecorder::NamePlacesOfThreads() {
  std::vector<void*> addresses;
  for (const auto& [event, stack] : thread_places_) {
    addresses.insert(addresses.end(), stack.begin(), stack.end());
  }
  symbolizer_.Add(addresses);
  for (const auto& [event, stack] : thread_places_) {
    const TraceFrame place = symbolizer_.PlaceOf(stack);
    trace_.events[event].file = place.file;
    trace_.events[event].line = place.line;
    // An EXPECT_* takes locks of its own.
    if (symbolizer_.IsInGoogleTest(stack)) trace_.events[event].text.clear();
  }
  std::erase_if(trace_.events,
                [](const TraceEvent& event) { return event.text.empty(); });
}

void TraceRecorder::DescribeThreadWaits() {
  const std::vector<ThreadWait> waits = simulator_.threads()->Waits();
  std::vector<void*> addresses;
  for (const ThreadWait& wait : waits) {
    addresses.insert(addresses.end(), wait.stack.begin(), wait.stack.end());
  }
  symbolizer_.Add(addresses);
  for (const ThreadWait& wait : waits) {
    TraceWait& shown = trace_.waits.emplace_back();
    shown.task = wait.thread;
    shown.what = wait.what;
    shown.since_step = wait.since_step;
    shown.since_ns = wait.since_ns;
    shown.stack = symbolizer_.FramesOf(wait.stack);
    std::ranges::reverse(shown.stack);
    shown.holders = wait.holders;
    shown.taken = wait.taken;
  }
  trace_.cycle = CycleOf(trace_.waits);
}

void TraceRecorder::Contradicts(TraceHistory history) {
  trace_.histories.push_back(std::move(history));
}

void TraceRecorder::Failed(const Failure& failure) {
  // The execution fails instead of taking the step, which the reader must see
  // nevertheless.
  if (failure.kind == FailureKind::kCrash && stepping_ != nullptr) {
    StepBegins(*stepping_);
  }
  std::size_t lane = current_;
  if (lane == kNoLane && failure.kind != FailureKind::kLeakedTask) {
    lane = last_;  // Failures are detected after the step.
  }
  if (lane == kNoLane) lane = trace_.lanes.empty() ? CallbackLane() : 0;
  if (failure.kind == FailureKind::kDeadlock) return;  // WAITS shows it.
  TraceEvent& event = Add(lane, Kind::kFailure, FailureKindName(failure.kind));
  event.file = failure.file;
  event.line = failure.line;
}

void TraceRecorder::End(EventLoop& loop) {
  if (simulator_.threads() != nullptr) {
    NamePlacesOfThreads();
    if (simulator_.failed()) DescribeThreadWaits();
  } else if (simulator_.failed()) {
    DescribeWaits(loop);
  }
  if (on_end_ != nullptr) on_end_();
}

void TraceRecorder::DescribeWaits(EventLoop& loop) {
  const WaitGraph graph = BuildWaitGraph(loop);
  for (const Wait& wait : graph.waits) {
    TraceWait& shown = trace_.waits.emplace_back();
    shown.task = wait.task;
    shown.background = wait.background;
    shown.what = wait.what;
    const Since since = WaitsSince(wait.task);
    shown.since_step = since.step;
    shown.since_ns = since.time_ns;
    for (const std::source_location& frame : wait.stack) {
      shown.stack.push_back(FrameOf(frame));
    }
    shown.created = FrameOf(wait.created_at);
    shown.holders = wait.holders;
    shown.taken = wait.holds_by_taking;
    shown.held = FrameOf(wait.held_at);
  }
  trace_.cycle = graph.cycle;
}

std::size_t TraceRecorder::StackOf(const TaskBase& task) {
  std::vector<TraceFrame> frames;
  for (const std::source_location& frame : task.Stack()) {
    frames.push_back(FrameOf(frame));
  }
  if (frames.size() < 2) return 0;
  const auto [found, is_new] =
      stacks_.try_emplace(frames, trace_.stacks.size() + 1);
  if (is_new) trace_.stacks.push_back(std::move(frames));
  return found->second;
}

void TraceRecorder::TaskCreated(const TaskBase& task) {
  races_.Created(task.chain());
  const std::size_t lane = LaneOf(task);
  if (current_ == kNoLane) return;
  TraceEvent& event =
      Add(current_, Kind::kSpawn, absl::StrCat("spawn ", task.name()));
  event.other = lane;
  SetPlace(event, task.created_at());
}

void TraceRecorder::TaskDone(const TaskBase& task) {
  if (simulator_.threads() != nullptr) return;  // ThreadDoes has said so.
  const std::size_t lane = LaneOf(task);
  trace_.lanes[lane] = task.name();  // It may have been renamed.
  switch (task.state()) {
    case FutureBase::State::kCancelled:
      Add(lane, Kind::kCancelled, "ends cancelled");
      break;
    case FutureBase::State::kFinished:
      if (task.has_exception()) {
        // The consequences of a failure are not worth a line.
        if (simulator_.failed()) break;
        Add(lane, Kind::kRaise,
            absl::StrCat("raises ", ExceptionClass(task.exception())));
        break;
      }
      Add(lane, Kind::kReturn, "returns");
      break;
    case FutureBase::State::kPending:
      break;
  }
}

void TraceRecorder::BecameReady(const Runnable& runnable) {
  if (runnable.kind() != RunnableKind::kTask) races_.MadeReady(&runnable);
  Cause& cause = ready_[&runnable];
  if (bookkeeping_.has_value()) {
    cause = *bookkeeping_;
  } else {
    cause = {.step = simulator_.step(),
             .time_ns = simulator_.now_ns(),
             .lane = current_,
             .timer = outer_.empty() &&
                      dynamic_cast<const clotho::internal::Timer*>(&runnable) !=
                          nullptr};
  }
  const TaskBase* const task = TaskOf(runnable);
  if (task == nullptr || current_ == kNoLane || !task->started()) return;
  const std::size_t lane = LaneOf(*task);
  if (lane == current_) return;  // It only yields.
  Add(current_, Kind::kWake, absl::StrCat("wakes ", task->name())).other = lane;
}

void TraceRecorder::StepBegins(const Runnable& runnable) {
  if (runnable.kind() == RunnableKind::kInternal) {
    races_.BeginBookkeeping(&runnable);
    // A timer that fires early was never ready.
    const auto cause = ready_.find(&runnable);
    bookkeeping_ = cause != ready_.end() ? cause->second
                                         : Cause{.step = simulator_.step(),
                                                 .time_ns = simulator_.now_ns(),
                                                 .timer = true};
    ready_.erase(&runnable);
  } else {
    bookkeeping_.reset();
    ready_.erase(&runnable);
    current_chain_ = runnable.chain();
    races_.BeginStep(current_chain_, simulator_.step());
  }
  outer_.push_back(current_);
  if (const TaskBase* const task = TaskOf(runnable)) {
    current_ = LaneOf(*task);
    trace_.lanes[current_] = task->name();
    if (!task->started()) {
      Add(current_, Kind::kStart, "starts");
    } else {
      SetPlace(Add(current_, Kind::kResume, "resumes"), task->AwaitLocation());
    }
  } else if (runnable.kind() == RunnableKind::kCallback &&
             !runnable.cancelled()) {
    current_ = CallbackLane();
    const CallbackOrigin origin = OriginOf(runnable);
    SetPlace(Add(current_, Kind::kStart, origin.name), origin.location);
  } else {
    current_ = kNoLane;
  }
}

void TraceRecorder::StepEnds() {
  bookkeeping_.reset();
  if (current_ != kNoLane) last_ = current_;
  current_ = outer_.back();
  outer_.pop_back();
}

void TraceRecorder::TaskWaits(const TaskBase& task, const FutureBase* future) {
  std::string what = "gives way";
  if (future != nullptr) {
    clotho::internal::WaitInfo info;
    future->Explain(info);
    what = absl::StrCat("await ", info.what);
  }
  TraceEvent& event = Add(LaneOf(task), Kind::kAwait, what);
  SetPlace(event, task.AwaitLocation());
  event.stack = StackOf(task);
  since_[task.name()] = {simulator_.step(), simulator_.now_ns()};
}

}  // namespace clotho::sim::internal
