#include "clotho/sim/threads/thread_engine.h"

#include <dlfcn.h>
#include <pthread.h>
#include <unwind.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/debugging/symbolize.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/internal/frame_pool.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/format.h"
#include "clotho/sim/engine/library_function.h"
#include "clotho/sim/engine/simulated_thread.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/engine/trace.h"
#include "clotho/sim/threads/keys.h"
#include "clotho/sim/threads/stack.h"
#include "clotho/sim/threads/sync_table.h"

#if defined(__SANITIZE_ADDRESS__)
#define CLOTHO_HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CLOTHO_HAS_ASAN 1
#endif
#endif

extern "C" void __lsan_disable() __attribute__((weak));

namespace clotho::sim::internal {
namespace {

using Kind = TraceEvent::Kind;

#ifdef CLOTHO_HAS_ASAN
// AddressSanitizer's own thread-local variables must not be reset: each
// simulated thread has a donor of its own.
constexpr bool kDonorsAreReused = false;
// The larger the stack, the longer it takes to make it known.
constexpr std::size_t kStackSize = 1024 * 1024;
#else
constexpr bool kDonorsAreReused = true;
constexpr std::size_t kStackSize = 0;
#endif

// After the first thread has ended, the others may take this many steps.
constexpr std::uint64_t kSettlingStepsMax = 1'000;
// A thread that has come to so many points without waiting gives way: it may
// spin until another thread does something.
constexpr std::uint32_t kPointsMax = 2'000;
// So many points in a row that only give way: everybody who runs is waiting for
// time to pass.
constexpr std::uint64_t kIdlePointsMax = 100;
// The same for threads that have to be made to give way.
constexpr std::uint64_t kSpinsMax = 5;
constexpr std::uint32_t kClockReadsMax = 64;
constexpr std::int64_t kClockReadNs = 100;
constexpr std::size_t kFramesMax = 32;

thread_local constinit ThreadEngine* here = nullptr;
// The simulated thread, also while Here() is null.
thread_local constinit Thread* in_thread = nullptr;

// Thread-local variables of the program get their initial values. The memory
// pool is ours: what it has is not lost.
void ResetThreadLocals() {
  using clotho::internal::FramePool;
  using clotho::internal::thread_frame_pool;
  alignas(FramePool) char pool[sizeof(FramePool)];
  std::memcpy(pool, static_cast<const void*>(&thread_frame_pool), sizeof pool);
  Donor::ResetThreadLocals();
  std::memcpy(static_cast<void*>(&thread_frame_pool), pool, sizeof pool);
}

_Unwind_Reason_Code AddFrame(_Unwind_Context* context, void* stack) {
  auto& frames = *static_cast<std::vector<void*>*>(stack);
  void* const address = reinterpret_cast<void*>(_Unwind_GetIP(context));
  if (address == nullptr || frames.size() == kFramesMax) {
    return _URC_END_OF_STACK;
  }
  frames.push_back(address);
  return _URC_NO_REASON;
}

std::vector<void*> StackHere() {
  std::vector<void*> stack;
  _Unwind_Backtrace(&AddFrame, &stack);
  return stack;
}

// The innermost function of the program on a stack. Empty: unknown.
std::string FunctionOf(const std::vector<void*>& stack) {
  for (void* const address : stack) {
    char name[256];
    // The call is before the return address.
    if (absl::Symbolize(static_cast<char*>(address) - 1, name, sizeof(name)) &&
        !IsLibraryFunction(name)) {
      return name;
    }
  }
  return "";
}

// Equal for threads that run the same function: see Candidate::role. `start`
// and `argument` are those of pthread_create.
const void* RoleOf(void* (*start)(void*), void* argument) {
  const void* const function = reinterpret_cast<const void*>(start);
  // std::thread starts them all with one function of the standard library. Its
  // argument begins with the pointer to a virtual table that belongs to the
  // type of what is called.
  static constinit const void* last = nullptr;
  static constinit bool last_is_std_thread = false;
  if (function != last) {
    Dl_info info;
    last = function;
    last_is_std_thread = dladdr(function, &info) != 0 &&
                         info.dli_fname != nullptr &&
                         std::string_view(info.dli_fname).find("libstdc++") !=
                             std::string_view::npos;
  }
  if (!last_is_std_thread || argument == nullptr) return function;
  return *static_cast<void**>(argument);
}

// std::terminate in a simulated thread ends the execution, not the process.
std::terminate_handler terminate_outside = nullptr;

[[noreturn]] void OnTerminate() {
  ThreadEngine* const engine = ThreadEngine::Here();
  if (engine == nullptr) {
    if (terminate_outside != nullptr) terminate_outside();
    std::abort();
  }
  const ThreadEngine::Inside inside(*engine);
  Failure failure;
  failure.kind = FailureKind::kException;
  const std::string name = engine->running()->name();
  if (const std::exception_ptr error = std::current_exception()) {
    failure.what = absl::StrCat(DescribeException(error), " left thread ", name,
                                ", which calls std::terminate");
    failure.signature = absl::StrCat("exception out of a thread ",
                                     SignatureText(DescribeException(error)));
  } else {
    failure.what = absl::StrCat(
        "std::terminate() was called in thread ", name,
        "\n(for example by the destructor of a std::thread that was neither "
        "joined nor detached, or because an exception was about to leave a "
        "noexcept function)");
    failure.signature = absl::StrCat("terminate ", FunctionOf(StackHere()));
  }
  engine->FailAndLeave(std::move(failure));
}

}  // namespace

// ---- Thread ----

std::string Thread::NextStep() const {
  if (!state_.started) return "its first step";
  switch (state_.wait) {
    case Wait::kNothing:
      return "goes on";
    case Wait::kMutex:
      return absl::StrCat("locks ", ThreadEngine::NameOf(*state_.object));
    case Wait::kReadLock:
      return absl::StrCat("locks ", ThreadEngine::NameOf(*state_.object),
                          " to read");
    case Wait::kWriteLock:
      return absl::StrCat("locks ", ThreadEngine::NameOf(*state_.object),
                          " to write");
    case Wait::kSemaphore:
      return absl::StrCat("acquires ", ThreadEngine::NameOf(*state_.object));
    case Wait::kThread:
      return absl::StrCat("joins ", state_.target->name());
    case Wait::kWake:
    case Wait::kTime:
      return "wakes";
  }
  return "";
}

// ---- ThreadEngine: threads ----

ThreadEngine* ThreadEngine::Here() { return here; }

ThreadEngine::Inside::Inside(ThreadEngine& engine) : engine_(engine) {
  here = nullptr;
}

ThreadEngine::Inside::~Inside() { here = &engine_; }

ThreadEngine::~ThreadEngine() { CleanUp(); }

Thread& ThreadEngine::NewThread(Thread* parent, std::uint32_t chain) {
  if (thread_count_ == threads_.size()) {
    threads_.push_back(std::make_unique<Thread>());
  }
  Thread& thread = *threads_[thread_count_++];
  thread.state_ = {};
  thread.at_exit_.clear();
  Thread::State& state = thread.state_;
  state.engine = this;
  if (parent == nullptr) {
    thread.set_name("main");
  } else {
    thread.set_name(
        absl::StrCat(parent->name(), ".", ++parent->state_.children));
  }
  if (idle_donors_.empty() || !kDonorsAreReused) {
    idle_donors_.clear();
    donors_.push_back(std::make_unique<Donor>(kStackSize));
    idle_donors_.push_back(donors_.back().get());
  }
  state.donor = idle_donors_.back();
  idle_donors_.pop_back();
  state.context = state.donor->Start(&StartThread, &thread);
  thread.set_chain(chain);
  return thread;
}

void ThreadEngine::Run(const std::function<void()>& body) {
  CleanUp();
  objects_.BeginExecution();
  idle_points_ = 0;
  settling_ = false;
  simulator_.BeginThreads(*this);
  const std::terminate_handler terminate_before =
      std::set_terminate(&OnTerminate);
  if (terminate_before != &OnTerminate) terminate_outside = terminate_before;
  Thread& first = NewThread(nullptr, simulator_.chain());
  first.state_.body = &body;
  MakeReady(first);
  outside_ = ContextHere();
  SwitchTo(&first, outside_);
  std::set_terminate(terminate_before);
}

void ThreadEngine::CleanUp() {
  for (std::size_t i = 0; i < thread_count_; ++i) {
    Thread& thread = *threads_[i];
    if (thread.armed()) timers_.Remove(thread);
  }
  thread_count_ = 0;
  ready_.clear();
  idle_donors_.clear();
  if (!kDonorsAreReused) donors_.clear();
  for (const std::unique_ptr<Donor>& donor : donors_) {
    idle_donors_.push_back(donor.get());
  }
}

void ThreadEngine::StartThread(void* thread_pointer) {
  Thread& thread = *static_cast<Thread*>(thread_pointer);
  if (kDonorsAreReused) ResetThreadLocals();
  in_thread = &thread;
  ThreadEngine& engine = *thread.state_.engine;
  // What is left behind by an execution that fails is not a leak.
  if (&__lsan_disable != nullptr) __lsan_disable();
  engine.simulator_.AdoptThread();
  thread.state_.started = true;
  // (For the first thread, the simulator's own step has said so.)
  if (thread.state_.body == nullptr) engine.Note(Kind::kStart, "starts");
  here = &engine;
  engine.RunThread(thread);
}

void ThreadEngine::RunThread(Thread& thread) {
  Thread::State& state = thread.state_;
  try {
    if (state.body == nullptr) {
      state.result = state.start(state.argument);
    } else {
      try {
        (*state.body)();
      } catch (const ThreadExit&) {
        throw;
      } catch (...) {
        const Inside inside(*this);
        Failure failure;
        failure.kind = FailureKind::kException;
        const std::string error = DescribeException(std::current_exception());
        failure.what = absl::StrCat("The test's body ended with ", error);
        failure.signature = absl::StrCat("exception ", SignatureText(error));
        FailAndLeave(std::move(failure));
      }
    }
  } catch (const ThreadExit& exit) {
    state.result = exit.result;
  }
  RunAtExit(thread);
  End(thread);
}

void ThreadEngine::RunAtExit(Thread& thread) {
  // A destructor may register another.
  while (!thread.at_exit_.empty()) {
    const auto [function, argument] = thread.at_exit_.back();
    thread.at_exit_.pop_back();
    function(argument);
  }
  RunKeyDestructors();
}

void ThreadEngine::End(Thread& thread) {
  here = nullptr;
  Thread::State& state = thread.state_;
  Note(Kind::kReturn, "ends");
  state.done = true;
  MakeUnready(thread);
  if (state.detached) idle_donors_.push_back(state.donor);
  if (Thread* const joiner = state.joiner) MakeReady(*joiner);
  if (state.body != nullptr) {
    settling_ = true;
    settling_since_ = simulator_.step();
  }
  Thread* const next = ChooseNext();
  Context never;
  SwitchTo(next, never);
  __builtin_unreachable();
}

Thread& ThreadEngine::Create(void* (*start)(void*), void* argument,
                             bool detached) {
  Thread& thread = NewThread(running_, simulator_.NewChain());
  Thread::State& state = thread.state_;
  state.start = start;
  state.argument = argument;
  state.role = RoleOf(start, argument);
  state.detached = detached;
  MakeReady(thread);
  Note(Kind::kSpawn, "starts", nullptr, &thread);
  return thread;
}

Thread* ThreadEngine::Find(pthread_t id) {
  for (std::size_t i = 0; i < thread_count_; ++i) {
    Thread& thread = *threads_[i];
    const Thread::State& state = thread.state_;
    if (!state.joined && !(state.detached && state.done) &&
        state.donor->id() == id) {
      return &thread;
    }
  }
  return nullptr;
}

bool ThreadEngine::Join(Thread& thread, void** result, Deadline deadline) {
  if (!Block(Wait::kThread, nullptr, &thread, deadline)) return false;
  Note(Kind::kResume, "joins", nullptr, &thread);
  thread.state_.joined = true;
  if (result != nullptr) *result = thread.state_.result;
  idle_donors_.push_back(thread.state_.donor);
  return true;
}

void ThreadEngine::Detach(Thread& thread) {
  thread.state_.detached = true;
  if (thread.state_.done) idle_donors_.push_back(thread.state_.donor);
}

// ---- Who can go on ----

bool ThreadEngine::CanGoOn(const Thread& thread) const {
  const Thread::State& state = thread.state_;
  switch (state.wait) {
    case Wait::kNothing:
      return true;
    case Wait::kMutex:
    case Wait::kReadLock:
      return state.object->owner == nullptr;
    case Wait::kWriteLock:
      return state.object->owner == nullptr && state.object->readers == 0;
    case Wait::kSemaphore:
      return state.object->value > 0;
    case Wait::kThread:
      return state.target->state_.done;
    case Wait::kWake:
    case Wait::kTime:
      return false;
  }
  return false;
}

void ThreadEngine::MakeReady(Thread& thread) {
  Thread::State& state = thread.state_;
  if (state.ready) return;
  state.ready = true;
  state.ready_since_ns = simulator_.now_ns();
  ready_.push_back({.place = 0, .visible = &thread});
}

void ThreadEngine::MakeUnready(Thread& thread) {
  if (!std::exchange(thread.state_.ready, false)) return;
  std::size_t at = 0;
  while (ready_[at].visible != &thread) ++at;
  ready_.erase(ready_.begin() + static_cast<std::ptrdiff_t>(at));
}

void ThreadEngine::Link(SyncObject& object, Thread& thread) {
  ThreadList& list = object.waiters;
  thread.state_.object = &object;
  thread.state_.next = nullptr;
  thread.state_.previous = list.last;
  (list.last == nullptr ? list.first : list.last->state_.next) = &thread;
  list.last = &thread;
}

void ThreadEngine::Unlink(Thread& thread) {
  Thread::State& state = thread.state_;
  if (state.object == nullptr) return;
  ThreadList& list = state.object->waiters;
  (state.previous == nullptr ? list.first : state.previous->state_.next) =
      state.next;
  (state.next == nullptr ? list.last : state.next->state_.previous) =
      state.previous;
  state.object = nullptr;
  state.next = nullptr;
  state.previous = nullptr;
}

void ThreadEngine::Changed(SyncObject& object) {
  for (Thread* thread = object.waiters.first; thread != nullptr;
       thread = thread->state_.next) {
    if (thread == running_) continue;
    if (CanGoOn(*thread)) {
      MakeReady(*thread);
    } else {
      MakeUnready(*thread);
    }
  }
}

// ---- Points ----

bool ThreadEngine::Block(Wait wait, SyncObject* object, Thread* target,
                         Deadline deadline) {
  Thread& self = *running_;
  Thread::State& state = self.state_;
  state.wait = wait;
  state.target = target;
  state.timed_out = false;
  state.clock_reads = 0;
  if (object != nullptr) Link(*object, self);
  if (target != nullptr) target->state_.joiner = &self;
  if (deadline.has_value()) {
    timers_.Add(self, std::max(*deadline, simulator_.now_ns()));
  }
  if (!CanGoOn(self)) {
    state.points = 0;
    idle_points_ = 0;
    state.wait_step = simulator_.step();
    state.wait_ns = simulator_.now_ns();
    if (wait != Wait::kTime) {
      Note(Kind::kAwait, "waits for", object, target);
    } else if (simulator_.observer() != nullptr) {
      Note(Kind::kAwait,
           absl::StrCat("sleeps until t = ", TimeText(self.when_ns())));
    }
    MakeUnready(self);
  } else if (++state.points > kPointsMax) {
    state.points = 0;
    NoteIdle(kSpinsMax);
    MakeUnready(self);
    MakeReady(self);
  }
  Thread* const next = ChooseNext();
  if (next != &self) SwitchTo(next, state.context);
  while (stack_wanted_ != nullptr) [[unlikely]] {
    *std::exchange(stack_wanted_, nullptr) = StackHere();
    SwitchStack(state.context, asking_);
  }
  if (self.armed()) timers_.Remove(self);
  Unlink(self);
  if (target != nullptr) target->state_.joiner = nullptr;
  state.wait = Wait::kNothing;
  state.target = nullptr;
  return !state.timed_out;
}

bool ThreadEngine::WaitFor(Wait wait, SyncObject& object, Deadline deadline) {
  idle_points_ = 0;
  const bool in_time = Block(wait, &object, nullptr, deadline);
  if (simulator_.has_profile()) [[unlikely]]
    Access(object, /*write=*/true);
  return in_time;
}

bool ThreadEngine::WaitToBeWoken(SyncObject& object, SyncObject* mutex,
                                 std::uint32_t depth, Deadline deadline) {
  Thread& self = *running_;
  self.state_.mutex = mutex;
  self.state_.depth = depth;
  const bool in_time = Block(Wait::kWake, &object, nullptr, deadline);
  self.state_.mutex = nullptr;
  if (mutex != nullptr) {
    mutex->owner = &self;
    mutex->depth = depth;
    Changed(*mutex);
  }
  return in_time;
}

void ThreadEngine::SleepUntil(std::int64_t deadline_ns) {
  Block(Wait::kTime, nullptr, nullptr, deadline_ns);
}

void ThreadEngine::GiveWay() {
  Thread& self = *running_;
  self.state_.points = 0;
  NoteIdle(kIdlePointsMax);
  MakeUnready(self);
  MakeReady(self);
  Point();
}

void ThreadEngine::NoteIdle(std::uint64_t points_max) {
  if (++idle_points_ <= points_max * ready_.size() || settling_ ||
      timers_.empty()) {
    return;
  }
  // They may go on like this for as long as it takes.
  idle_points_ = 0;
  if (!simulator_.PassTime(static_cast<Thread&>(timers_.front()))) Leave();
}

void ThreadEngine::Access(SyncObject& object, bool write) {
  if (object.id == 0) object.id = simulator_.NewObject();
  simulator_.AddToFootprint(object.id, write);
}

void ThreadEngine::AtomicPoint(const void* address, bool write,
                               std::string_view verb) {
  Point();
  if (!simulator_.has_profile() && simulator_.observer() == nullptr) return;
  SyncObject& object = ObjectAt(address, SyncObject::Kind::kAtomic);
  Access(object, write);
  Note(Kind::kResume, verb, &object);
}

void ThreadEngine::ReadClock() {
  simulator_.PassTime(kClockReadNs);
  // It may read it until some time has come.
  if (++running_->state_.clock_reads >= kClockReadsMax) GiveWay();
}

std::size_t ThreadEngine::Wake(SyncObject& object, std::size_t count) {
  std::size_t woken = 0;
  while (woken < count && object.waiters.first != nullptr) {
    Thread& thread = *object.waiters.first;
    Note(Kind::kWake, "wakes", nullptr, &thread);
    StopWaiting(thread, /*timed_out=*/false);
    ++woken;
  }
  return woken;
}

void ThreadEngine::StopWaiting(Thread& thread, bool timed_out) {
  Thread::State& state = thread.state_;
  if (thread.armed()) timers_.Remove(thread);
  state.timed_out = timed_out;
  Unlink(thread);
  if (state.wait == Wait::kWake && state.mutex != nullptr) {
    state.wait = Wait::kMutex;
    Link(*state.mutex, thread);
  } else {
    state.wait = Wait::kNothing;
  }
  if (CanGoOn(thread)) MakeReady(thread);
}

// ---- The next step ----

void ThreadEngine::ExpireWhatIsDue() {
  while (!timers_.empty() && timers_.next_ns() <= simulator_.now_ns()) {
    StopWaiting(static_cast<Thread&>(timers_.front()), /*timed_out=*/true);
  }
}

const SimulatedThread* ThreadEngine::TimerWithinJitter() const {
  if (timers_.empty() || settling_) return nullptr;
  // The one that has been ready for longest: all but the first are in that
  // order.
  std::int64_t oldest_ns = simulator_.now_ns();
  for (std::size_t i = 0; i < std::min<std::size_t>(ready_.size(), 2); ++i) {
    const auto& thread = static_cast<const Thread&>(*ready_[i].visible);
    if (&thread == running_) continue;
    oldest_ns = std::min(oldest_ns, thread.state_.ready_since_ns);
  }
  const Thread& timer = static_cast<const Thread&>(timers_.front());
  if (timer.when_ns() - oldest_ns > simulator_.budget().jitter_ns ||
      timer.when_ns() > simulator_.budget().virtual_time_max_ns) {
    return nullptr;
  }
  return &timer;
}

void ThreadEngine::PutFirst(std::size_t index) {
  if (index == 0) return;
  const auto at = [this](std::size_t i) {
    return ready_.begin() + static_cast<std::ptrdiff_t>(i);
  };
  const Entry chosen = ready_[index];
  ready_.erase(at(index));
  if (ready_[0].visible == running_) {
    // It was ready, and is now kept from running.
    running_->state_.ready_since_ns = simulator_.now_ns();
    std::rotate(at(0), at(1), ready_.end());
  }
  ready_.insert(at(0), chosen);
}

Thread* ThreadEngine::ChooseNext() {
  while (true) {
    if (simulator_.failed()) return nullptr;
    ExpireWhatIsDue();
    if (settling_ && (ready_.empty() || simulator_.step() - settling_since_ >=
                                            kSettlingStepsMax)) {
      FailIfLeaked();
      return nullptr;
    }
    if (ready_.empty()) {
      if (timers_.empty()) {
        FailAsDeadlock();
        return nullptr;
      }
      if (!simulator_.PassTime(static_cast<Thread&>(timers_.front()))) {
        return nullptr;
      }
      continue;
    }
    const Simulator::Decision decision =
        simulator_.ChooseThread(ready_, TimerWithinJitter());
    if (decision == Simulator::kEnd) return nullptr;
    std::size_t index = static_cast<std::size_t>(decision);
    if (decision == Simulator::kDeadline) {
      Thread& thread = static_cast<Thread&>(timers_.front());
      StopWaiting(thread, /*timed_out=*/true);
      if (!thread.state_.ready) continue;
      index = 0;
      while (ready_[index].visible != &thread) ++index;
    }
    PutFirst(index);
    return static_cast<Thread*>(ready_[0].visible);
  }
}

void ThreadEngine::SwitchTo(Thread* next, Context& from) {
  running_ = next;
  if (next != nullptr) {
    SwitchStack(from, next->state_.context);
  } else {
    SwitchStack(from, outside_);
  }
}

void ThreadEngine::Leave() {
  here = nullptr;
  running_->state_.left = true;
  Context never;
  SwitchTo(nullptr, never);
  __builtin_unreachable();
}

// ---- What failed ----

void ThreadEngine::FailAndLeave(Failure failure) {
  simulator_.Fail(std::move(failure));
  Leave();
}

void ThreadEngine::FailAsMisuse(std::string_view what) {
  Failure failure;
  failure.kind = FailureKind::kMisuse;
  failure.what = absl::StrCat(running_->name(), " ", std::string(what));
  failure.signature = absl::StrCat("misuse ", SignatureText(what), " ",
                                   FunctionOf(StackHere()));
  FailAndLeave(std::move(failure));
}

std::string ThreadEngine::PlacesOfWaits() {
  std::vector<std::string> places;
  for (std::size_t i = 0; i < thread_count_; ++i) {
    Thread& thread = *threads_[i];
    if (thread.done() || thread.state_.detached) continue;
    places.push_back(FunctionOf(StackOf(thread)));
  }
  std::ranges::sort(places);
  places.erase(std::ranges::unique(places).begin(), places.end());
  return absl::StrJoin(places, " ");
}

void ThreadEngine::FailAsDeadlock() {
  Failure failure;
  failure.kind = FailureKind::kDeadlock;
  failure.what = absl::StrCat(
      "Deadlock at t = ", TimeText(simulator_.now_ns()), ", step ",
      simulator_.step(),
      ": no thread can go on, no deadline is set, main has not ended");
  failure.signature = absl::StrCat("deadlock ", PlacesOfWaits());
  failure.task = "main";
  simulator_.Fail(std::move(failure));
}

void ThreadEngine::FailIfLeaked() {
  for (std::size_t i = 0; i < thread_count_; ++i) {
    Thread& thread = *threads_[i];
    if (thread.done() || thread.state_.detached) continue;
    Failure failure;
    failure.kind = FailureKind::kLeakedTask;
    failure.what = absl::StrCat(
        "Leaked thread: ", thread.name(),
        " has not ended after the test's body returned\nJoin it; to let it "
        "outlive the test, detach it.");
    failure.task = thread.name();
    failure.signature =
        absl::StrCat("leaked thread ", FunctionOf(StackOf(thread)));
    simulator_.Fail(std::move(failure));
    return;
  }
}

// ---- For reports ----

std::string ThreadEngine::NameOf(const SyncObject& object) {
  const char* kind = "";
  switch (object.kind) {
    case SyncObject::Kind::kMutex:
      kind = "mutex";
      break;
    case SyncObject::Kind::kCondition:
      kind = "condvar";
      break;
    case SyncObject::Kind::kRwLock:
      kind = "rwlock";
      break;
    case SyncObject::Kind::kSpinLock:
      kind = "spinlock";
      break;
    case SyncObject::Kind::kSemaphore:
      kind = "semaphore";
      break;
    case SyncObject::Kind::kBarrier:
      kind = "barrier";
      break;
    case SyncObject::Kind::kOnce:
      kind = "once";
      break;
    case SyncObject::Kind::kWord:
      kind = "word";
      break;
    case SyncObject::Kind::kAtomic:
      kind = "atomic";
      break;
  }
  return absl::StrCat(kind, " ", object.number);
}

void ThreadEngine::Note(Kind kind, std::string_view verb,
                        const SyncObject* object, const Thread* other) {
  Observer* const observer = simulator_.observer();
  if (observer == nullptr) return;
  std::string text(verb);
  if (object != nullptr) absl::StrAppend(&text, " ", NameOf(*object));
  if (other != nullptr) absl::StrAppend(&text, " ", other->name());
  observer->ThreadDoes(*running_, kind, text, other, StackHere());
}

std::vector<void*> ThreadEngine::StackOf(Thread& thread) {
  const Thread::State& state = thread.state_;
  if (!state.started || state.done || state.left) return {};
  if (&thread == running_) return StackHere();
  std::vector<void*> stack;
  stack_wanted_ = &stack;
  asking_ = ContextHere();
  SwitchStack(asking_, state.context);
  return stack;
}

bool ThreadEngine::AddAtExit(void (*function)(void*), void* argument) {
  if (in_thread == nullptr) return false;
  // What the simulator keeps for a thread outlives it.
  if (here == nullptr) return true;
  in_thread->at_exit_.emplace_back(function, argument);
  return true;
}

std::vector<ThreadWait> ThreadEngine::Waits() {
  std::vector<ThreadWait> waits;
  std::vector<const Thread*> threads;
  for (std::size_t i = 0; i < thread_count_; ++i) {
    Thread& thread = *threads_[i];
    if (thread.done()) continue;
    threads.push_back(&thread);
    const Thread::State& state = thread.state_;
    ThreadWait& wait = waits.emplace_back();
    wait.thread = thread.name();
    wait.since_step = state.wait_step;
    wait.since_ns = state.wait_ns;
    wait.stack = StackOf(thread);
    if (state.ready) continue;
    if (state.target != nullptr) {
      wait.what = absl::StrCat("the end of ", state.target->name());
    } else if (state.object != nullptr) {
      wait.what = NameOf(*state.object);
      wait.taken = state.object->owner != nullptr;
    } else if (thread.armed()) {
      wait.what = absl::StrCat("t = ", TimeText(thread.when_ns()));
    }
  }
  for (std::size_t i = 0; i < waits.size(); ++i) {
    const Thread::State& state = threads[i]->state_;
    if (waits[i].what.empty()) continue;
    const Thread* const holder = state.target != nullptr   ? state.target
                                 : state.object != nullptr ? state.object->owner
                                                           : nullptr;
    const auto found = std::ranges::find(threads, holder);
    if (holder != nullptr && found != threads.end()) {
      waits[i].holders.push_back(
          static_cast<std::size_t>(found - threads.begin()));
    }
  }
  return waits;
}

}  // namespace clotho::sim::internal
