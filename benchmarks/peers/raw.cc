// The raw limit: the cost of the bare mechanisms of the workloads on this
// machine and with this compiler, without a framework. Tasks cannot be
// cancelled or named, there are no errors, and there is one global ring of
// ready coroutines. A lower bound for all runtimes, but not usable for
// programs.
//
//   c++ -std=c++20 -O2 raw.cc -o raw && ./raw W1
//
// compare.py divides all other figures by these.

#include <array>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <new>
#include <utility>
#include <vector>

#include "common.h"

namespace peers {
namespace {

using Handle = std::coroutine_handle<>;

// ---- Memory for frames. ----

// Free lists for sizes that are multiples of 16 bytes. Not thread-safe.
class Pool {
 public:
  static void* Allocate(std::size_t size) {
    const std::size_t index = (size + 15) / 16;
    if (index >= kLists) return ::operator new(size);
    if (void* const block = free_[index]) {
      free_[index] = *static_cast<void**>(block);
      return block;
    }
    const std::size_t bytes = index * 16;
    if (static_cast<std::size_t>(end_ - next_) < bytes) {
      next_ = static_cast<char*>(std::malloc(kSlab));
      end_ = next_ + kSlab;
    }
    return std::exchange(next_, next_ + bytes);
  }

  static void Free(void* block, std::size_t size) {
    const std::size_t index = (size + 15) / 16;
    if (index >= kLists) {
      ::operator delete(block, size);
      return;
    }
    *static_cast<void**>(block) = free_[index];
    free_[index] = block;
  }

 private:
  static constexpr std::size_t kLists = 64;
  static constexpr std::size_t kSlab = 1 << 20;

  static inline void* free_[kLists];
  static inline char* next_ = nullptr;
  static inline char* end_ = nullptr;
};

// Frees all frames at once, and none earlier.
class Bump {
 public:
  static void* Allocate(std::size_t size) {
    size = (size + 15) / 16 * 16;
    Check(static_cast<std::size_t>(memory_ + sizeof(memory_) - next_) >= size,
          "raw: too many frames");
    return std::exchange(next_, next_ + size);
  }
  static void Free(void*, std::size_t) {}
  static void Reset() { next_ = memory_; }

 private:
  alignas(16) static inline char memory_[1 << 16];
  static inline char* next_ = memory_;
};

template <typename Allocator>
struct FromAllocator {
  static void* operator new(std::size_t size) {
    return Allocator::Allocate(size);
  }
  static void operator delete(void* block, std::size_t size) {
    Allocator::Free(block, size);
  }
};

// ---- The ready ring. ----

class Ring {
 public:
  // Empties the ring and reserves space for `capacity` handles.
  void Reserve(std::size_t capacity) {
    std::size_t size = 16;
    while (size < capacity + 1) size *= 2;
    handles_.assign(size, Handle());
    mask_ = size - 1;
    head_ = tail_ = 0;
  }

  void Push(Handle handle) { handles_[tail_++ & mask_] = handle; }

  void Run() {
    while (head_ != tail_) handles_[head_++ & mask_].resume();
  }

  // Likewise, for frames that are no longer in the caches.
  void RunAhead() {
    while (head_ != tail_) {
      const char* const frame =
          static_cast<const char*>(handles_[(head_ + 8) & mask_].address());
      __builtin_prefetch(frame);
      __builtin_prefetch(frame + 64);
      handles_[head_++ & mask_].resume();
    }
  }

 private:
  std::vector<Handle> handles_;
  std::size_t mask_ = 0;
  std::size_t head_ = 0;
  std::size_t tail_ = 0;
};

Ring ready;

struct GiveWay {
  bool await_ready() noexcept { return false; }
  void await_suspend(Handle handle) noexcept { ready.Push(handle); }
  void await_resume() noexcept {}
};

// A coroutine that is not awaited; it is destroyed when it is done.
template <typename Allocator>
struct Detached {
  struct promise_type : FromAllocator<Allocator> {
    Detached get_return_object() {
      return {std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };

  Handle handle;
};

// ---- W1: switches. ----

Detached<Pool> GiveWayOften(std::int64_t times) {
  for (std::int64_t i = 0; i < times; ++i) co_await GiveWay();
}

void W1() {
  constexpr std::int64_t kSwitches = 20'000'000;
  for (const std::int64_t tasks : {1, 100, 10'000}) {
    ready.Reserve(tasks);
    for (std::int64_t i = 0; i < tasks; ++i) {
      ready.Push(GiveWayOften(kSwitches / tasks).handle);
    }
    const double begin = Now();
    ready.Run();
    Emit("W1.switch.N=", tasks, (Now() - begin) / kSwitches, "ns/switch");
  }
}

// ---- W2: tasks. ----

struct Job {
  struct promise_type : FromAllocator<Pool> {
    struct Final {
      bool await_ready() noexcept { return false; }
      void await_suspend(std::coroutine_handle<promise_type> handle) noexcept {
        --*handle.promise().pending;
      }
      void await_resume() noexcept {}
    };

    Job get_return_object() {
      return {std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    Final final_suspend() noexcept { return {}; }
    void return_value(std::int64_t result) { value = result; }
    void unhandled_exception() { std::terminate(); }

    std::int64_t value = 0;
    std::int64_t* pending = nullptr;
  };

  std::coroutine_handle<promise_type> handle;
};

// Not inlined: Clang would otherwise elide the frame.
[[gnu::noinline]] Job Return(std::int64_t value) { co_return value; }

void W2() {
  constexpr std::int64_t kTasks = 1'000'000;
  const double bytes_before = ResidentBytes();
  const double begin = Now();
  ready.Reserve(kTasks);
  std::vector<Job> all;
  all.reserve(kTasks);
  std::int64_t pending = kTasks;
  for (std::int64_t i = 0; i < kTasks; ++i) {
    all.push_back(Return(i));
    all.back().handle.promise().pending = &pending;
    ready.Push(all.back().handle);
  }
  const double bytes = ResidentBytes() - bytes_before;
  ready.Run();
  std::int64_t sum = 0;
  for (const Job& job : all) {
    sum += job.handle.promise().value;
    job.handle.destroy();
  }
  const double ns = Now() - begin;
  Check(pending == 0 && sum == kTasks * (kTasks - 1) / 2,
        "W2: a result is lost");
  Emit("W2.spawn.cold", ns / kTasks, "ns/task");
  Emit("W2.bytes", bytes / kTasks, "B/task");
}

// ---- W3: timers. ----

// A timer wheel of eight levels of 256 slots. A slot is an array of deadlines
// and handles, so that neither firing nor moving down a level waits for memory
// that the last entry points to.
class Wheel {
 public:
  struct SleepAwaiter {
    bool await_ready() noexcept { return false; }
    void await_suspend(Handle handle) {
      ++wheel.pending_;
      wheel.Add({wheel.now_ + delay, handle});
    }
    void await_resume() noexcept {}

    Wheel& wheel;
    std::uint64_t delay;
  };

  SleepAwaiter Sleep(std::uint64_t delay) { return {*this, delay}; }

  void Run() {
    ready.RunAhead();
    while (pending_ > 0) {
      Advance();
      ready.RunAhead();
    }
  }

 private:
  struct Entry {
    std::uint64_t deadline;
    Handle handle;
  };
  using Slot = std::vector<Entry>;

  static constexpr int kLevels = 8;

  // The index of a level's slot for `time`.
  static unsigned Index(std::uint64_t time, int level) {
    return static_cast<unsigned>(time >> (8 * level)) & 255;
  }

  void Mark(int level, unsigned index) {
    used_[level][index / 64] |= std::uint64_t{1} << (index % 64);
  }
  void Unmark(int level, unsigned index) {
    used_[level][index / 64] &= ~(std::uint64_t{1} << (index % 64));
  }

  void Add(Entry entry) {
    const std::uint64_t difference = entry.deadline ^ now_;
    const int level =
        difference == 0 ? 0 : (63 - __builtin_clzll(difference)) / 8;
    const unsigned index = Index(entry.deadline, level);
    slots_[level][index].push_back(entry);
    Mark(level, index);
  }

  // The first used slot of the level from `from` on, or -1.
  int FirstUsed(int level, unsigned from) const {
    for (unsigned word = from / 64; word < 4; ++word) {
      std::uint64_t bits = used_[level][word];
      if (word == from / 64) bits &= ~std::uint64_t{0} << (from % 64);
      if (bits != 0) return static_cast<int>(word * 64) + __builtin_ctzll(bits);
    }
    return -1;
  }

  // Advances to the next deadline, and moves its handles to the ring.
  void Advance() {
    for (;;) {
      const int first = FirstUsed(0, Index(now_, 0));
      if (first >= 0) {
        now_ = (now_ & ~std::uint64_t{255}) | static_cast<unsigned>(first);
        Slot& slot = slots_[0][first];
        for (const Entry& entry : slot) ready.Push(entry.handle);
        pending_ -= slot.size();
        slot.clear();
        Unmark(0, first);
        return;
      }
      MoveDown();
    }
  }

  // Spreads the next slot of a higher level over those below it.
  void MoveDown() {
    for (int level = 1; level < kLevels; ++level) {
      const int next = FirstUsed(level, Index(now_, level));
      if (next < 0) continue;
      const std::uint64_t above =
          level == kLevels - 1
              ? 0
              : now_ & ~((std::uint64_t{1} << (8 * (level + 1))) - 1);
      now_ = above | static_cast<std::uint64_t>(next) << (8 * level);
      moving_.swap(slots_[level][next]);
      Unmark(level, next);
      for (const Entry& entry : moving_) Add(entry);
      moving_.clear();
      return;
    }
  }

  std::array<std::array<Slot, 256>, kLevels> slots_;
  std::uint64_t used_[kLevels][4] = {};
  std::uint64_t now_ = 0;
  std::size_t pending_ = 0;
  Slot moving_;
};

Detached<Pool> SleepOften(Wheel& wheel, std::uint32_t seed, std::int64_t times,
                          std::uint32_t most, std::int64_t& ends) {
  for (std::int64_t i = 0; i < times; ++i) {
    co_await wheel.Sleep(1 + NextRandom(seed) % most);
  }
  ++ends;
}

double SleepAll(std::int64_t tasks, std::int64_t times, std::uint32_t most) {
  Wheel wheel;
  ready.Reserve(tasks);
  std::int64_t ends = 0;
  const double begin = Now();
  for (std::int64_t i = 0; i < tasks; ++i) {
    ready.Push(
        SleepOften(wheel, static_cast<std::uint32_t>(i), times, most, ends)
            .handle);
  }
  wheel.Run();
  const double ns = Now() - begin;
  Check(ends == tasks, "W3: a task did not end");
  return ns;
}

void W3() {
  Emit("W3.timer.dense", SleepAll(1'000'000, 3, 1'000) / 3'000'000, "ns/event");
  Emit("W3.timer.sparse", SleepAll(1'000, 300, 100'000) / 300'000, "ns/event");
}

// ---- W4: a channel with room for one. ----

class Channel {
 public:
  struct Put {
    bool await_ready() noexcept {
      if (channel.full_) return false;
      channel.Set(value);
      return true;
    }
    void await_suspend(Handle suspended) noexcept {
      handle = suspended;
      *channel.last_put_ = this;
      channel.last_put_ = &next;
    }
    void await_resume() noexcept {}

    Channel& channel;
    std::int64_t value;
    Handle handle = {};
    Put* next = nullptr;
  };

  struct Get {
    bool await_ready() noexcept { return channel.full_; }
    void await_suspend(Handle handle) noexcept { channel.getter_ = handle; }
    std::int64_t await_resume() noexcept { return channel.Take(); }

    Channel& channel;
  };

 private:
  void Set(std::int64_t value) {
    value_ = value;
    full_ = true;
    if (getter_) ready.Push(std::exchange(getter_, nullptr));
  }

  std::int64_t Take() {
    const std::int64_t value = value_;
    full_ = false;
    if (Put* const put = first_put_) {
      first_put_ = put->next;
      if (first_put_ == nullptr) last_put_ = &first_put_;
      Set(put->value);
      ready.Push(put->handle);
    }
    return value;
  }

  std::int64_t value_ = 0;
  bool full_ = false;
  Handle getter_ = {};
  Put* first_put_ = nullptr;
  Put** last_put_ = &first_put_;
};

Detached<Pool> PutAll(Channel& channel, std::int64_t messages) {
  for (std::int64_t i = 0; i < messages; ++i) {
    co_await Channel::Put{channel, i};
  }
}

Detached<Pool> GetAll(Channel& channel, std::int64_t messages,
                      std::int64_t& sum) {
  for (std::int64_t i = 0; i < messages; ++i) {
    sum += co_await Channel::Get{channel};
  }
}

double RunChannel(std::int64_t producers, std::int64_t messages) {
  Channel channel;
  ready.Reserve(producers + 1);
  const std::int64_t each = messages / producers;
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < producers; ++i) {
    ready.Push(PutAll(channel, each).handle);
  }
  ready.Push(GetAll(channel, messages, sum).handle);
  const double begin = Now();
  ready.Run();
  const double ns = Now() - begin;
  Check(sum == producers * (each * (each - 1) / 2), "W4: a message is lost");
  return ns;
}

void W4() {
  constexpr std::int64_t kMessages = 1'000'000;
  Emit("W4.chan.1p1c", RunChannel(1, kMessages) / kMessages, "ns/msg");
  Emit("W4.chan.1000p1c", RunChannel(1'000, kMessages) / kMessages, "ns/msg");
}

// ---- W5 and W6: awaited calls. ----

// A coroutine that starts when it is awaited, and resumes its awaiter by
// symmetric transfer.
class Call {
 public:
  struct promise_type : FromAllocator<Pool> {
    struct Final {
      bool await_ready() noexcept { return false; }
      Handle await_suspend(
          std::coroutine_handle<promise_type> handle) noexcept {
        return handle.promise().caller;
      }
      void await_resume() noexcept {}
    };

    Call get_return_object() {
      return Call(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    Final final_suspend() noexcept { return {}; }
    void return_value(std::int64_t result) { value = result; }
    void unhandled_exception() { exception = std::current_exception(); }

    Handle caller;
    std::int64_t value = 0;
    std::exception_ptr exception;
  };

  Call(Call&& other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)) {}
  Call& operator=(Call&&) = delete;
  ~Call() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() noexcept { return false; }
  Handle await_suspend(Handle caller) noexcept {
    handle_.promise().caller = caller;
    return handle_;
  }
  std::int64_t await_resume() {
    promise_type& promise = handle_.promise();
    if (promise.exception) [[unlikely]] {
      std::rethrow_exception(std::move(promise.exception));
    }
    return promise.value;
  }

 private:
  explicit Call(std::coroutine_handle<promise_type> handle) : handle_(handle) {}

  std::coroutine_handle<promise_type> handle_;
};

struct Cancelled {};

// Blocks coroutines until they are cancelled.
struct Gate {
  bool await_ready() noexcept { return false; }
  void await_suspend(Handle suspended) noexcept { handle = suspended; }
  std::int64_t await_resume() { throw Cancelled(); }

  Handle handle;
};

std::int64_t ends = 0;

// The compiler must not know what the destructor does.
struct CountsItsEnd {
  ~CountsItsEnd() {
    ++ends;
    asm volatile("" ::: "memory");
  }
};

Call Leaf(Gate& gate) {
  const CountsItsEnd end;
  co_return co_await gate;
}

Call Middle(Gate& gate) {
  const CountsItsEnd end;
  co_return co_await Leaf(gate);
}

Call Top(Gate& gate) {
  const CountsItsEnd end;
  co_return co_await Middle(gate);
}

// The outermost frame; lives until it is destroyed explicitly.
struct Root {
  struct promise_type : FromAllocator<Pool> {
    Root get_return_object() {
      return {std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { exception = std::current_exception(); }

    std::exception_ptr exception;
  };

  std::coroutine_handle<promise_type> handle;
};

Root Block(Gate& gate) { co_await Top(gate); }

double EndAll(std::int64_t tasks, bool cancel) {
  std::vector<Gate> gates(tasks);
  std::vector<Root> roots;
  roots.reserve(tasks);
  for (Gate& gate : gates) {
    roots.push_back(Block(gate));
    roots.back().handle.resume();
  }
  ends = 0;
  const double begin = Now();
  if (cancel) {
    for (const Gate& gate : gates) gate.handle.resume();
  }
  for (const Root& root : roots) root.handle.destroy();
  const double ns = Now() - begin;
  Check(ends == 3 * tasks, "W5: a frame did not end");
  return ns;
}

void W5() {
  constexpr std::int64_t kTasks = 100'000;
  Emit("W5.cancel", EndAll(kTasks, /*cancel=*/true) / kTasks, "ns/cancel");
  Emit("W5.destroy", EndAll(kTasks, /*cancel=*/false) / kTasks, "ns/task");
}

Call Chain(std::int64_t depth) {
  if (depth == 0) co_return 1;
  co_return 1 + co_await Chain(depth - 1);
}

Detached<Pool> RunChain(std::int64_t depth, std::int64_t times,
                        std::int64_t& sum) {
  for (std::int64_t i = 0; i < times; ++i) sum += co_await Chain(depth);
}

void W6() {
  for (const std::int64_t depth : {1'000, 10}) {
    const std::int64_t times = 3'000'000 / depth;
    const std::int64_t calls = times * (depth + 1);
    std::int64_t sum = 0;
    const Handle chain = RunChain(depth, times, sum).handle;
    const double begin = Now();
    chain.resume();
    const double ns = Now() - begin;
    Check(sum == calls, "W6: a call is lost");
    Emit("W6.chain.d=", depth, ns / static_cast<double>(calls), "ns/call");
  }
}

// ---- W7: executions of a race and of its locked twin. ----

// SplitMix64.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  int Below(int bound) {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    z ^= z >> 31;
    return static_cast<int>((z >> 32) * static_cast<std::uint64_t>(bound) >>
                            32);
  }

 private:
  std::uint64_t state_;
};

// The three tasks never need more than a few handles.
class Bag {
 public:
  int size() const { return size_; }
  void Push(Handle handle) { handles_[size_++] = handle; }

  // Keeps the order of the others: a choice is an index into it.
  Handle Take(int index) {
    const Handle taken = handles_[index];
    --size_;
    for (int i = index; i < size_; ++i) handles_[i] = handles_[i + 1];
    return taken;
  }

 private:
  Handle handles_[4];
  int size_ = 0;
};

struct Execution {
  std::int64_t value = 0;
  Bag ready;
  Bag waiting;  // For the lock.
  bool locked = false;
  std::uint8_t trace[64];
  int steps = 0;
};

Execution execution;

struct Yield {
  bool await_ready() noexcept { return false; }
  void await_suspend(Handle handle) noexcept { execution.ready.Push(handle); }
  void await_resume() noexcept {}
};

struct Acquire {
  bool await_ready() noexcept { return !std::exchange(execution.locked, true); }
  void await_suspend(Handle handle) noexcept { execution.waiting.Push(handle); }
  void await_resume() noexcept {}
};

void Release() {
  if (execution.waiting.size() == 0) {
    execution.locked = false;
  } else {
    execution.ready.Push(execution.waiting.Take(0));
  }
}

Detached<Bump> Increment() {
  for (int i = 0; i < 2; ++i) {
    const std::int64_t read = execution.value;
    co_await Yield();
    execution.value = read + 1;
  }
}

Detached<Bump> IncrementLocked() {
  for (int i = 0; i < 2; ++i) {
    co_await Acquire();
    const std::int64_t read = execution.value;
    co_await Yield();
    execution.value = read + 1;
    Release();
  }
}

template <typename Choose>
std::int64_t Execute(Detached<Bump> (*body)(), Choose&& choose) {
  Bump::Reset();
  execution.value = 0;
  execution.steps = 0;
  for (int i = 0; i < 3; ++i) execution.ready.Push(body().handle);
  while (const int size = execution.ready.size()) {
    const int choice = size == 1 ? 0 : choose(size);
    execution.trace[execution.steps++] = static_cast<std::uint8_t>(choice);
    execution.ready.Take(choice).resume();
  }
  return execution.value;
}

void SearchRandomly(const char* key, Detached<Bump> (*body)()) {
  constexpr std::int64_t kSchedules = 1'000'000;
  Random random(7);
  std::int64_t seen[7] = {};
  const double begin = Now();
  for (std::int64_t i = 0; i < kSchedules; ++i) {
    ++seen[Execute(body, [&random](int size) { return random.Below(size); })];
  }
  const double seconds = (Now() - begin) * 1e-9;
  Check(seen[6] > 0, "W7: no execution is right");
  Emit(key, kSchedules / seconds, "schedules/s");
}

// Runs every execution, each from its beginning.
std::int64_t SearchAll(Detached<Bump> (*body)()) {
  struct Choice {
    int taken;
    int size;
  };
  std::vector<Choice> choices;
  for (std::int64_t count = 1;; ++count) {
    std::size_t step = 0;
    Execute(body, [&](int size) {
      if (step == choices.size()) choices.push_back({0, size});
      return choices[step++].taken;
    });
    while (!choices.empty() && choices.back().taken + 1 == choices.back().size)
      choices.pop_back();
    if (choices.empty()) return count;
    ++choices.back().taken;
  }
}

void W7() {
  struct Program {
    Detached<Bump> (*body)();
    const char* random;
    const char* time;
    const char* count;
  };
  for (const Program& program :
       {Program{&Increment, "W7.random.race", "W7.dfs.time.race",
                "W7.dfs.count.race"},
        Program{&IncrementLocked, "W7.random.lock", "W7.dfs.time.lock",
                "W7.dfs.count.lock"}}) {
    SearchRandomly(program.random, program.body);
    const double begin = Now();
    const std::int64_t count = SearchAll(program.body);
    Emit(program.time, (Now() - begin) * 1e-3, "us");
    Emit(program.count, static_cast<double>(count), "schedules");
  }
}

constexpr Workload kWorkloads[] = {{"W1", &W1}, {"W2", &W2}, {"W3", &W3},
                                   {"W4", &W4}, {"W5", &W5}, {"W6", &W6},
                                   {"W7", &W7}};

}  // namespace
}  // namespace peers

int main(int argc, char** argv) {
  return peers::RunWorkload(peers::kWorkloads, argc, argv);
}
